"""What callers hear: the catalogue of prompts and the choice of a sound for each.

Pure: texts come in as strings (``prompts.toml`` and ``sounds/zh/made.json`` lie beside this module;
``cti.speech`` reads them). A sound is named the way Asterisk plays it: relative to ``sounds/zh``,
without the ending, so that a channel with language ``zh`` finds it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

FOLDER = "hotline"
"""Our own prompts play as ``hotline/<id>``."""
NAMED_BY_ASTERISK = frozenset({"digits", "clock", "asterisk", "tone"})
"""Kinds whose ids are file names Asterisk itself asks for (say.c, app_queue.c, app_confbridge.c)."""
MADE_BY_RULE = frozenset({"tone", "music"})
"""Kinds that nobody speaks: computed sound."""


class CatalogueFault(ValueError):
    """prompts.toml or made.json cannot be right; the text names the entry."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing a caller may hear."""

    id: str
    kind: str
    zh: str
    en: str
    spoken: str
    """The text as the voice reads it: numbers written out."""
    style: int | None = None
    """Row of the voice's style table; None: the row of the text's length, as the voice was trained."""
    speed: float = 1.0
    stop: str | None = None
    """Punctuation spoken after the text; None: as written."""
    keep: tuple[float, float] | None = None
    """Seconds kept of a longer text in ``spoken``: a word said badly alone is cut out of a sentence."""

    @property
    def expected(self) -> str:
        """What a listener should hear."""
        return self.spoken if self.keep is None else spoken(self.zh)

    @property
    def play(self) -> str:
        """Name of its sound for Playback, Background, Queue."""
        if self.kind in NAMED_BY_ASTERISK:
            return self.id
        return f"moh/{self.id}" if self.kind == "music" else f"{FOLDER}/{self.id}"


@dataclass(frozen=True, slots=True)
class Made:
    """What is known of the sound that was made for a prompt."""

    key: str
    """Digest of everything the sound depends on; another key means: make it again."""
    sha256: str
    seconds: float
    provenance: str
    """Which voice, model and version spoke it, or ``computed``."""
    heard: str | None = None
    """What the recogniser made of it; None for tones and music."""
    cer: float | None = None
    """Character error rate of that, 0 = word for word."""
    ser: float | None = None
    """Syllable error rate: the same by sound, so that a homophone is no error."""


@dataclass(frozen=True)
class Catalogue:
    """All standard prompts, in the order of prompts.toml."""

    prompts: Mapping[str, Prompt]

    def __iter__(self) -> Iterator[Prompt]:
        return iter(self.prompts.values())

    def __getitem__(self, id: str) -> Prompt:
        return self.prompts[id]

    def shipped(self, made: Mapping[str, Made]) -> dict[str, str]:
        """id -> name of its sound, for those that have one."""
        return {p.id: p.play for p in self if p.id in made}


_OPTIONS = {"zh", "en", "spoken", "style", "speed", "stop", "keep"}


def _prompt(id: str, kind: str, entry: Mapping[str, Any]) -> Prompt:
    where = f"[{kind}] {id}"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9/-]*", id):
        raise CatalogueFault(f"{where}: an id is letters, digits, '-' and '/'")
    if unknown := entry.keys() - _OPTIONS:
        raise CatalogueFault(f"{where}: unknown {', '.join(sorted(unknown))}")
    for needed in ("zh", "en"):
        if not isinstance(entry.get(needed), str) or not entry[needed].strip():
            raise CatalogueFault(f"{where}: {needed} is missing")
    keep = entry.get("keep")
    return Prompt(
        id=id,
        kind=kind,
        zh=entry["zh"],
        en=entry["en"],
        spoken=entry.get("spoken") or spoken(entry["zh"]),
        style=entry.get("style"),
        speed=float(entry.get("speed", 1.0)),
        stop=entry.get("stop"),
        keep=(float(keep[0]), float(keep[1])) if keep else None,
    )


def _family(entry: Mapping[str, Any]) -> Iterator[Prompt]:
    try:
        kind, id, zh, en, each = (entry[name] for name in ("kind", "id", "zh", "en", "each"))
        options = {name: entry[name] for name in entry.keys() & {"style", "speed", "stop"}}
        for member in each:
            fields = member if isinstance(member, dict) else {"n": member}
            texts = {"zh": zh.format(**fields), "en": en.format(**fields)}
            yield _prompt(id.format(**fields), kind, options | texts)
    except KeyError as why:
        raise CatalogueFault(f"[[family]] {entry.get('id', '?')}: {why} is missing") from why


def catalogue(toml: str) -> Catalogue:
    """The catalogue written in ``toml`` (the text of prompts.toml). Raises CatalogueFault."""
    try:
        raw = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as why:
        raise CatalogueFault(f"prompts.toml: {why}") from why
    families = raw.pop("family", [])
    listed = [_prompt(id, kind, entry) for kind, entries in raw.items() for id, entry in entries.items()]
    listed += [prompt for entry in families for prompt in _family(entry)]
    found: dict[str, Prompt] = {}
    for prompt in listed:
        if prompt.id in found:
            raise CatalogueFault(f"[{prompt.kind}] {prompt.id}: already in [{found[prompt.id].kind}]")
        found[prompt.id] = prompt
    return Catalogue(found)


def made(text: str) -> dict[str, Made]:
    """id -> what was made, from the text of made.json. Raises CatalogueFault."""
    try:
        return {id: Made(**facts) for id, facts in json.loads(text)["prompts"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as why:
        raise CatalogueFault(f"made.json: {why}") from why


# ---- how a text is spoken ---------------------------------------------------------------------------

_PLAIN = "零一二三四五六七八九"
_HOTLINE = "12345"


def spoken(zh: str) -> str:
    """The text with its numbers as Mandarin speakers say them.

    A key (按1) is a plain digit; three digits and more are a telephone number, digit by digit with
    幺 for 1, but 12345 itself is said 一二三四五; anything else counts, with 两 before 位, 分钟, 个.
    """

    def said(match: re.Match[str]) -> str:
        digits = match["digits"]
        if match["key"]:
            return str(match["key"]) + "".join(_PLAIN[int(d)] for d in digits)
        if digits == _HOTLINE:
            return "一二三四五"
        if len(digits) > 2:
            return "".join("幺" if d == "1" else _PLAIN[int(d)] for d in digits)
        if digits == "2" and match["measure"] is not None:
            return "两"
        return counted(int(digits))

    return re.sub(r"(?P<key>按)?(?P<digits>[0-9]+)(?P<measure>(?=位|分钟|秒钟|个|次))?", said, zh)


def counted(number: int) -> str:
    """0..99 as a cardinal: 十, 十二, 二十, 二十三."""
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _PLAIN[ones]
    return ("" if tens == 1 else _PLAIN[tens]) + "十" + (_PLAIN[ones] if ones else "")


# ---- which sound is played --------------------------------------------------------------------------


class Origin(StrEnum):
    """Where a sound comes from, the best first."""

    RECORDED = "recorded"
    SYNTHESISED = "synthesised"
    SHIPPED = "shipped"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Source:
    """The sound played for a wanted prompt."""

    play: str
    """Name of the sound as Asterisk plays it."""
    origin: Origin
    instead: str | None = field(default=None)
    """For a fallback: the id of the standard prompt that is heard instead."""

    @property
    def fallback(self) -> bool:
        return self.origin is Origin.FALLBACK


FALLBACKS: Mapping[str, str] = {
    "greeting": "greeting",
    "menu": "menu-generic",
    "queue": "queue-busy",
    "sorry": "sorry-busy",
    "message": "message-start",
    "survey": "survey-ask",
    "callback": "callback-failed",
    "progress": "progress-open",
    "merged": "merged",
    "emergency": "emergency",
    "transfer": "transferring",
    "seat": "beep",
    "digits": "beep",
}
"""First word of an id -> the standard prompt heard when that id has no sound."""
ANY_FALLBACK = ("please-wait", "beep")
"""Heard when the first word says nothing: true in every place, and short."""


def city_folder(city: str) -> str:
    """Folder of a city's own sounds under ``sounds/zh``; the hyphen keeps it apart from digits, hotline …"""
    return f"city-{city}"


def resolve(
    wanted: Iterable[str],
    plan_wavs: Mapping[str, str],
    synthesised: Mapping[str, str],
    shipped: Mapping[str, str],
) -> dict[str, Source]:
    """The sound for each wanted id: a recording of the plan's own wins, then its text as spoken by the
    voice, then the shipped set; an id nobody has gets a standard prompt, marked as fallback, never silence.

    The mappings go from id to the name of a sound that exists. Raises ValueError when not even a
    fallback is there: then nothing can be promised to the caller and the plan must be refused.
    """
    chosen: dict[str, Source] = {}
    ranks = ((Origin.RECORDED, plan_wavs), (Origin.SYNTHESISED, synthesised), (Origin.SHIPPED, shipped))
    for id in wanted:
        for origin, sounds in ranks:
            if id in sounds:
                chosen[id] = Source(sounds[id], origin)
                break
        else:
            chosen[id] = _fallback(id, shipped)
    return chosen


def _fallback(id: str, shipped: Mapping[str, str]) -> Source:
    first_word = re.split(r"[-/]", id, maxsplit=1)[0]
    for name in (FALLBACKS.get(first_word), *ANY_FALLBACK):
        if name in shipped and name is not None:
            return Source(shipped[name], Origin.FALLBACK, instead=name)
    raise ValueError(f"prompt {id}: no sound, and the shipped prompts are missing too")
