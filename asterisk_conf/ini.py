"""Asterisk's file format, written so that a value can never become a second line, a comment or a section."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[A-Za-z0-9_./(),-]+")
_KEY = re.compile(r"[A-Za-z0-9_./(),-][A-Za-z0-9_./(),:\[\]-]*")
"""say.conf's keys are patterns: ``_[n]um:X``."""
_VALUE = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
"""One line of printable ASCII without the semicolon, which starts a comment (config.c)."""

Pair = tuple[str, str | int | float]


def section(name: str, pairs: Iterable[Pair], options: str = "", arrow: str = "=") -> str:
    """``[name]`` and its ``key = value`` lines. Raises ValueError for text that is no plain value."""
    lines = [f"[{_word(name)}]{options}"]
    lines += [f"{_key(key)} {arrow} {value(text)}" for key, text in pairs]
    return "\n".join(lines) + "\n"


def value(text: str | int | float) -> str:
    """A value as it may stand after ``=``."""
    word = str(text)
    if not _VALUE.fullmatch(word):
        raise ValueError(f"not a value of a configuration file: {word!r}")
    return word


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"not a name of a configuration file: {text!r}")
    return text


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueError(f"not a key of a configuration file: {text!r}")
    return text


def yes(true: bool) -> str:
    return "yes" if true else "no"
