"""The words a plan is written in: which text may stand where.

Names end up in dialplan, in file names and in AMI headers, so they are lower case ASCII. Titles and
texts are for people; they never enter a configuration file, and are still kept free of every
character that means something to Asterisk, a shell, a SIP header or a terminal: two fences, not one.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

CITY = re.compile(r"[a-z][a-z0-9]{0,15}")
"""A city has no hyphen: everything after the first one in ``demo-general`` is the queue."""
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")
SEAT = re.compile(r"[0-9]{3,6}")
NUMBER = re.compile(r"\+?[0-9]{2,15}")
"""A called or calling number: E.164 allows 15 digits, short codes have two or more."""
DESTINATION = re.compile(rf"(queue|menu|message|line|phone):({NAME.pattern})")
WAV = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,40}/){0,2}[a-z0-9][a-z0-9_-]{0,40}\.wav")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"({_LABEL}(?:\.{_LABEL}){{0,8}})(?::([0-9]{{1,5}}))?")
TIMEZONES = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Macau", "UTC")
"""Asterisk takes an unknown zone for UTC without a word, so only these."""

_PUNCTUATION = frozenset("，。、；：？！（）《》〈〉【】「」“”‘’—…·－～〔〕×÷.-_/()%:+№§?! ")
"""Between the letters of a text. Missing on purpose: , ; & | ^ $ { } [ ] < > = " ' ` \\ @ and controls."""


class WrongWord(ValueError):
    """A value that may not stand where it stands. ``hint`` tells how to mend it."""

    def __init__(self, fault: str, hint: str = "") -> None:
        super().__init__(fault)
        self.hint = hint


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'market'?`` when something known is close; else what is known, when that is short."""
    # a name a stranger wrote may hold control characters; it is no suggestion
    names = [name for name in known if name.isprintable()]
    if close := difflib.get_close_matches(word, names, n=1, cutoff=0.6):
        return f"did you mean '{close[0]}'?"
    if not names:
        return "there is none yet"
    return "there are: " + ", ".join(sorted(names)) if len(names) <= 12 else ""


def shown(text: str) -> str:
    """A value as it may be printed: one line, short, every control character visible."""
    short = text if len(text) <= 40 else text[:37] + "..."
    return "'" + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in short) + "'"


def _named(char: str) -> str:
    name = unicodedata.name(char, "control character")
    code = f"U+{ord(char):04X} {name}"
    return f"{char!r} ({code})" if char.isprintable() else code


def _stray(text: str) -> str | None:
    """The first character that is no Latin or Chinese letter, ASCII digit or known punctuation."""
    for char in text:
        if char in _PUNCTUATION or (char.isascii() and char.isalnum()):
            continue
        # Cyrillic а or full-width ａ looks like a Latin a; only real ones pass.
        if char.isascii() or not unicodedata.name(char, "").startswith(_SCRIPTS):
            return char
    return None


_SCRIPTS = ("CJK UNIFIED IDEOGRAPH-", "LATIN SMALL LETTER", "LATIN CAPITAL LETTER", "IDEOGRAPHIC NUMBER ZERO")


def _text(limit: int, *, may_be_empty: bool = True) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not text.strip() and not (may_be_empty and not text):
            raise WrongWord("is empty", "say it in words")
        if len(text) > limit:
            raise WrongWord(f"is {len(text)} characters long", f"at most {limit}")
        if ".." in text:
            raise WrongWord("'..' may not stand in a text", "write …… or one full stop")
        if (char := _stray(text)) is not None:
            raise WrongWord(
                f"{_named(char)} may not stand in a text",
                "use Chinese or Latin letters, digits and ，。、；：？！（）《》“” . - _ / ( ) % : + ? !",
            )
        return text

    return check


def _pattern(pattern: re.Pattern[str], what: str, allowed: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if pattern.fullmatch(text):
            return text
        plain = unicodedata.normalize("NFKC", text).strip().lower()
        if plain != text and pattern.fullmatch(plain):
            raise WrongWord(f"{shown(text)} is not {what}", f"write '{plain}'")
        raise WrongWord(f"{shown(text)} is not {what}", allowed)

    return check


_NAME_RULE = "lower case letters, digits and hyphens, at most 24"


def _number(text: str) -> str:
    bare = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", text))
    if not NUMBER.fullmatch(text) and NUMBER.fullmatch(bare):
        raise WrongWord(f"{shown(text)} is not a telephone number", f"write '{bare}'")
    return _pattern(NUMBER, "a telephone number", "2 to 15 digits, + may stand before them")(text)


def _caller(text: str) -> str:
    if text == "*":
        raise WrongWord("'*' means every caller", "put that into the line's 'first'")
    if re.fullmatch(r"\+?[0-9]{1,15}\*", text):
        return text
    return _number(text)


def _host(text: str) -> str:
    found = _HOST.fullmatch(text)
    hint = "like 192.0.2.10, sip.carrier.example or 192.0.2.10:5062"
    if found is None:
        raise WrongWord(f"{shown(text)} is not an address", hint)
    host, port = found[1], found[2]
    if port and not 1 <= int(port) <= 65535:
        raise WrongWord(f"port {port} does not exist", "1 to 65535")
    if re.fullmatch(r"[0-9.]+", host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise WrongWord(f"{shown(host)} is not an IPv4 address", hint) from None
    return text


def _destination(text: str) -> str:
    if DESTINATION.fullmatch(text):
        return text
    kind = text.partition(":")[0]
    hint = "like queue:general, menu:main, message:sorry or line:main"
    kinds = ("queue", "menu", "message", "line", "phone")
    if ":" in text and (close := difflib.get_close_matches(kind, kinds, n=1)):
        hint = f"did you mean '{close[0]}:'?" if close[0] != kind else f"a name has {_NAME_RULE}"
    raise WrongWord(f"{shown(text)} is not a place", hint)


def _timezone(text: str) -> str:
    if text not in TIMEZONES:
        raise WrongWord(f"unknown time zone {shown(text)}", did_you_mean(text, TIMEZONES))
    return text


def _optional(check: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: check(text) if text else text


def host_of(host: str) -> str:
    """The address without its port."""
    return host.partition(":")[0]


CityName = Annotated[
    str,
    AfterValidator(
        _pattern(CITY, "a city's name", "lower case letters and digits, a letter first, at most 16")
    ),
]
Name = Annotated[str, AfterValidator(_pattern(NAME, "a name", _NAME_RULE))]
OptionalName = Annotated[str, AfterValidator(_optional(_pattern(NAME, "a name", _NAME_RULE)))]
AgentNumber = Annotated[str, AfterValidator(_pattern(SEAT, "an agent's number (工号)", "3 to 6 digits"))]
Pin = Annotated[str, AfterValidator(_optional(_pattern(re.compile("[0-9]{4,8}"), "a pin", "4 to 8 digits")))]
PauseKey = Annotated[
    str, AfterValidator(_pattern(re.compile("[0-9]"), "a key", "one digit: *14 and this key pauses"))
]
SeatNumber = Annotated[str, AfterValidator(_pattern(SEAT, "a seat's number", "3 to 6 digits"))]
OptionalSeat = Annotated[str, AfterValidator(_optional(_pattern(SEAT, "a seat's number", "3 to 6 digits")))]
PhoneNumber = Annotated[str, AfterValidator(_number)]
Callers = Annotated[str, AfterValidator(_caller)]
Host = Annotated[str, AfterValidator(_host)]
OptionalHost = Annotated[str, AfterValidator(_optional(_host))]
MenuKey = Annotated[
    str,
    AfterValidator(_pattern(re.compile("[0-9*]"), "a menu key", "0 to 9 or *; # ends an input in Asterisk")),
]
MenuPress = Annotated[
    str,
    AfterValidator(_pattern(re.compile(rf"{NAME.pattern}:[0-9*]"), "a menu and a key", "like service:3")),
]
Seconds = Annotated[
    str,
    AfterValidator(_pattern(re.compile("0|[1-9][0-9]{0,3}"), "seconds waited", "0 to 9999, like 20 = 10")),
]
"""A TOML key: seconds as text."""
Place = Annotated[str, AfterValidator(_destination)]
OptionalPlace = Annotated[str, AfterValidator(_optional(_destination))]
PromptName = Annotated[str, AfterValidator(_pattern(NAME, "a prompt's name", _NAME_RULE))]
OptionalPrompt = Annotated[str, AfterValidator(_optional(_pattern(NAME, "a prompt's name", _NAME_RULE)))]
WavFile = Annotated[
    str,
    AfterValidator(
        _optional(_pattern(WAV, "a wav file of this folder", "like sounds/welcome.wav, lower case, no '..'"))
    ),
]
Title = Annotated[str, AfterValidator(_text(60, may_be_empty=False))]
OptionalTitle = Annotated[str, AfterValidator(_text(60))]
Text = Annotated[str, AfterValidator(_text(400))]
Basis = Annotated[str, AfterValidator(_text(120))]
Timezone = Annotated[str, AfterValidator(_timezone)]
Penalty = Annotated[int, Field(ge=0, le=100)]
"""app_queue: members with a higher penalty ring only when no lower one is free."""
