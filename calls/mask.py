"""Numbers of citizens, as shown to people without the right to see them."""

from __future__ import annotations

import re

_APART = r"[^\S\n]|[-_.·()（）\u00ad\u2010-\u2015\u2212\uff0d\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
"""What people type between the digits of one number, and what a copied one brings along unseen."""
_FOUND = re.compile(
    # what is no number, where it stands first: what comes after the digits of one is taken for more of it
    r"(?P<when>20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!-?\d)"
    r"|(?:[01]?\d|2[0-3])[:：][0-5]\d(?:[:：][0-5]\d)?(?!\d))"
    # long enough for a telephone number; a house number is shorter
    rf"|\d(?:(?:{_APART}){{0,3}}\d){{6,}}"
)
_DIGIT = re.compile(r"\d")


def masked(number: str) -> str:
    """``13800138000`` -> ``138****8000``; short numbers (12345, 1001) are nobody's and stay."""
    if len(number) <= 5:
        return number
    if len(number) < 8:
        return number[:1] + "*" * (len(number) - 3) + number[-2:]
    return number[:-8] + "****" + number[-4:]


def masked_in(text: str) -> str:
    """A text that people typed, every telephone number in it masked however it is written:
    ``138-0013-8000`` -> ``138-****-8000``. Days (``2026-11-20``) and clock times stay."""
    return _FOUND.sub(lambda found: found[0] if found["when"] else _starred(found[0]), text)


def _starred(number: str) -> str:
    """No more digits of it shown than ``masked`` shows of a mobile number, nor of one as long as this."""
    digits = len(_DIGIT.findall(number))
    first, last = (1, 2) if digits < 8 else (min(3, digits - 8), 4)
    places = iter(range(digits))

    def shown(digit: re.Match[str]) -> str:
        return digit[0] if not first <= next(places) < digits - last else "*"

    return _DIGIT.sub(shown, number)
