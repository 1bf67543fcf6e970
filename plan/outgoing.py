"""Calls to citizens from a seat: which trunk, which number they see, what may be called, who sees the number.

outgoing.toml. Without it no seat calls out (the emergency numbers apart). Everything is refused that no
pattern allows, and ``REFUSED`` beats every pattern unless the plan lifts it. The same patterns are judged
here and, as regular expressions, by the dialplan (``asterisk_conf.outgoing``); waiting callers who ask to be
called back are judged by them too (``asterisk_conf.callback``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, Field

from plan.rule import Rule
from plan.words import Name, OptionalPrompt, OptionalTitle, PhoneNumber, Title, WrongWord, shown

EMERGENCY = ("110", "119", "120", "122")
"""Never refused from a seat, whatever a plan says."""
SHORTEST, LONGEST = 3, 20
"""Digits of a number that is looked at at all."""
_PART = r"(?:[0-9x]|\[[0-9]-[0-9]\]|\[[0-9]{1,10}\])"
_PATTERN = re.compile(rf"{_PART}{{1,20}}\*?")
_PARTS = re.compile(rf"({_PART})|(\*)")

HideNumbers = Literal["no", "callbacks", "always"]
Revealer = Literal["agent", "supervisor", "operator"]


def _pattern(text: str) -> str:
    if not _PATTERN.fullmatch(text):
        hint = "digits, x for any digit, [3-9] for one of a range, * at the end for any more: 1[3-9]xxxxxxxxx"
        raise WrongWord(f"{shown(text)} is not a pattern of numbers", hint)
    for first, last in re.findall(r"\[([0-9])-([0-9])\]", text):
        if first > last:
            raise WrongWord(f"[{first}-{last}] is no range", f"write [{last}-{first}]")
    if set(text) <= {"x", "*"} and text.endswith("*"):
        raise WrongWord(f"{shown(text)} means every number", "say which: 0[3-9]xx[2-8]xxxxxx*")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[0-9]", text):
        raise WrongWord(f"{shown(text)} is not a prefix", 'one digit: prefix = "9"')
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class Numbers(Rule):
    """``[allow.mobile]``, ``[refuse.shops]``: numbers by what they look like."""

    title: Title
    title_en: OptionalTitle = ""
    patterns: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=50)]
    """``1[3-9]xxxxxxxxx``: x is any digit, ``*`` at the end any more digits."""
    trunks: tuple[Name, ...] = ()
    """The trunks these go out through; none: those of the file."""


class Outgoing(Rule):
    """outgoing.toml."""

    present: PhoneNumber
    """The number the citizen sees: 12345, or with the area code where the carrier wants it."""
    trunks: Annotated[tuple[Name, ...], Field(min_length=1, max_length=4)]
    """Tried in this order; a full or dead one is skipped. Channels a trunk reserves for emergencies stay
    free."""
    prefix: Annotated[str, AfterValidator(_prefix)] = "9"
    """What a seat's phone dials before the number."""
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 45
    wrap_up_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    """After a talk; 0: none. A person's own (agents.toml) wins."""
    notice: OptionalPrompt = "recording-short"
    """What the citizen hears before the agent: that the call is recorded. Empty for nothing."""
    hide_numbers: HideNumbers = "callbacks"
    """no: agents see on phone and desk whom they call back. callbacks: they do not. always: neither who
    calls them, and nobody who signs in to the desk sees a whole number without asking for it (``reveal``)."""
    reveal: Revealer = "supervisor"
    """The least role that may ask for a whole number, with a purpose; each asking stands in the audit
    trail."""
    lift: tuple[Name, ...] = ()
    """Kinds of ``REFUSED`` that this plan does not refuse."""
    allow: Annotated[dict[Name, Numbers], Field(min_length=1, max_length=100)]
    refuse: dict[Name, Numbers] = Field(default_factory=dict)
    """Refused besides, also where ``allow`` has them."""

    @property
    def refused(self) -> Mapping[str, Numbers]:
        """What is refused: the usual kinds that are not lifted, and the plan's own."""
        return {**{n: k for n, k in REFUSED.items() if n not in self.lift}, **self.refuse}

    def trunks_of(self, kind: str) -> tuple[str, ...]:
        """The trunks a kind of ``allow`` goes out through."""
        return self.allow[kind].trunks or self.trunks


def _usual(title: str, title_en: str, *patterns: str) -> Numbers:
    why = "收费或境外号码默认不外呼：各市通知均未规定"
    return Numbers(title=title, title_en=title_en, patterns=patterns, assumption=why)


# 16x with 2, 5, 6, 7 behind are mobile numbers of eleven digits; of another length nothing allows them
REFUSED: Mapping[str, Numbers] = {
    "international": _usual("国际及港澳台", "abroad、Hong Kong、Macau、Taiwan", "00*"),
    "premium": _usual("声讯台", "premium services", "16[013489]*", "0[12]x16*", "0[3-9]xx16*"),
    "service-96": _usual("96 信息台", "96 numbers", "96*", "0[12]x96*", "0[3-9]xx96*"),
    "400": _usual("400 主被叫分摊", "400 shared cost", "400*"),
    "ip-prefix": _usual("IP 长途接入码", "carrier selection codes", "179*"),
}
"""Refused by default, as assumed from the numbering plan (电信网编号计划): they cost more than a call, or
lead out of the country."""


def refused_by(rules: Outgoing | None) -> Mapping[str, Numbers]:
    """What is refused by a plan's outgoing.toml, or without one."""
    return REFUSED if rules is None else rules.refused


class HasOutgoing(Protocol):
    """A plan, which is made of this module's rules."""

    @property
    def outgoing(self) -> Outgoing | None: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a number may be called. ``kind``: the entry that says so; empty: none knows it."""

    number: str
    allowed: bool
    kind: str = ""

    @property
    def emergency(self) -> bool:
        return self.number in EMERGENCY


def judge(rules: Outgoing | None, number: str) -> Verdict:
    """What the dialplan will say of a number (``plain`` first)."""
    if number in EMERGENCY:
        return Verdict(number, True, "emergency")
    if not re.fullmatch(rf"[0-9]{{{SHORTEST},{LONGEST}}}", number):
        return Verdict(number, False)
    allow = {} if rules is None else rules.allow
    for entries, allowed in ((refused_by(rules), False), (allow, True)):
        for name, entry in entries.items():
            if any(re.search(expression(p), number) for p in entry.patterns):
                return Verdict(number, allowed, name)
    return Verdict(number, False)


def hides(plan: HasOutgoing | None, *, ours: bool) -> bool:
    """Whether an agent may not see the citizen's number. ``ours``: of a call that we made."""
    rules = None if plan is None else plan.outgoing
    return rules is not None and (rules.hide_numbers == "always" or (ours and rules.hide_numbers != "no"))


def plain(number: str) -> str:
    """A number as it is dialled here: ``+86`` goes, another country's ``+`` becomes 00, blanks and hyphens
    go."""
    told = re.sub(r"[\s()-]", "", number)
    if told.startswith("+"):
        told = told[3:] if told.startswith("+86") else f"00{told[1:]}"
    return told if re.fullmatch(r"[0-9]*", told) else ""


def expression(pattern: str) -> str:
    """A pattern as a POSIX extended regular expression, which is one of Python's too."""
    found = ""
    for part, more in _PARTS.findall(pattern):
        found += "[0-9]*" if more else "[0-9]" if part == "x" else part
    return f"^{found}$"


def samples(pattern: str) -> Iterator[str]:
    """Two numbers that fit: with the lowest digits and the highest."""
    for pick in (0, -1):
        digits = ""
        for part, more in _PARTS.findall(pattern):
            if more:
                digits += "0" * max(0, SHORTEST - len(digits))
            elif part == "x":
                digits += "09"[pick]
            else:
                digits += part.strip("[]").replace("-", "")[pick]
        yield digits
