"""Numbers of citizens, as shown to people without the right to see them."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d(?:[ -]?\d){10,}|\d{7,}")
"""Long enough for a telephone number; a date or a house number is shorter."""


def masked(number: str) -> str:
    """``13800138000`` -> ``138****8000``; short numbers (12345, 1001) are nobody's and stay."""
    if len(number) <= 5:
        return number
    if len(number) < 8:
        return number[:1] + "*" * (len(number) - 3) + number[-2:]
    return number[:-8] + "****" + number[-4:]


def masked_in(text: str) -> str:
    """A text that people typed, every telephone number in it masked."""
    return _NUMBER.sub(lambda found: masked(found[0]), text)
