"""The words a plan is written in: which text may stand where.

Names end up in dialplan, in file names and in AMI headers, so they are lower case ASCII. Titles and
texts are for people; they never enter a configuration file, and are still kept free of every
character that means something to Asterisk, a shell, a SIP header or a terminal: two fences, not one.
"""

from __future__ import annotations

import re
import unicodedata

CITY = re.compile(r"[a-z][a-z0-9]{0,15}")
"""A city has no hyphen: everything after the first one in ``demo-general`` is the queue."""
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")
SEAT = re.compile(r"[0-9]{3,6}")
NUMBER = re.compile(r"\+?[0-9]{2,15}")
"""A called or calling number: E.164 allows 15 digits, short codes have two or more."""
KEY = re.compile(r"[0-9*]")
"""No ``#``: Asterisk's Read() takes it as the end of the input."""
DESTINATION = re.compile(rf"(queue|menu|message|line):({NAME.pattern})")
TIMEZONE = re.compile(r"[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_]+){0,2}")
WAV = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,40}/){0,2}[a-z0-9][a-z0-9_-]{0,40}\.wav")
_HOST_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = re.compile(rf"(?P<host>{_HOST_LABEL}(?:\.{_HOST_LABEL}){{0,8}}|\[[0-9a-f:]{{2,39}}\])(?::(?P<port>[0-9]{{1,5}}))?")

MAX_TITLE = 60
MAX_TEXT = 400
MAX_BASIS = 120

_PUNCTUATION = frozenset("，。、；：？！（）《》〈〉【】「」“”‘’—…·－～〔〕.-_/()%:+#№§?! ")
"""What may stand between the letters of a title or a text. Missing on purpose: , ; & | ^ $ { } [ ] < > = " ' ` \\ @."""
_LETTERS = frozenset({"Lu", "Ll", "Lo", "Lm", "Nd", "Nl", "No", "Mn"})


def stray_character(text: str) -> str | None:
    """The first character that may not stand in a title or a text, or None.

    Letters must be Latin (without look-alikes from other alphabets) or Chinese, digits ASCII.
    """
    for char in text:
        if char in _PUNCTUATION:
            continue
        if char.isascii():
            if char.isalnum():
                continue
            return char
        if unicodedata.category(char) not in _LETTERS or not _is_ours(char):
            return char
    return None


def _is_ours(char: str) -> bool:
    name = unicodedata.name(char, "")
    return name.startswith(("CJK UNIFIED IDEOGRAPH-", "IDEOGRAPHIC NUMBER", "LATIN SMALL LETTER", "LATIN CAPITAL LETTER"))


def describe(char: str) -> str:
    """A character as a person can find it in an editor: ``'；' (U+FF1B FULLWIDTH SEMICOLON)``."""
    code = f"U+{ord(char):04X}"
    name = unicodedata.name(char, "control character")
    return f"{char!r} ({code} {name})" if char.isprintable() else f"{code} {name}"
