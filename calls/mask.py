"""Numbers of citizens, as shown to people without the right to see them."""

from __future__ import annotations


def masked(number: str) -> str:
    """``13800138000`` -> ``138****8000``; short numbers (12345, 1001) are nobody's and stay."""
    if len(number) <= 5:
        return number
    if len(number) < 8:
        return number[:1] + "*" * (len(number) - 3) + number[-2:]
    return number[:-8] + "****" + number[-4:]
