"""Chinese numerals as numbers: 二百一十 -> 210, 三零零六 -> 3006, 十几 is no number."""

from __future__ import annotations

import re

VALUE = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2, "仨": 3, "幺": 1}
_UNIT = {"十": 10, "百": 100, "千": 1000}
CHARS = "零〇一二两三四五六七八九十百千幺"
NUMERAL = rf"(?:[0-9]+|[{CHARS}]+)"


def number(text: str) -> int | None:
    """The number a numeral says, or None. Digits one by one (三零零六) count as written."""
    if re.fullmatch(r"[0-9]+", text):
        return int(text)
    if not text or any(c not in VALUE and c not in _UNIT and c != "万" for c in text):
        return None
    if not any(c in _UNIT or c == "万" for c in text):
        return int("".join(str(VALUE[c]) for c in text))
    high, _, low = text.rpartition("万")
    total = (number(high) or 1) * 10_000 if "万" in text else 0
    section, digit, last = 0, 0, 1
    for char in low:
        if char in _UNIT:
            section += (digit or 1) * _UNIT[char]
            digit, last = 0, _UNIT[char]
        elif VALUE[char] == 0:
            last = 1
        else:
            digit = VALUE[char]
    # 一百二 is 120, 一百零二 is 102
    return total + section + digit * (last // 10 if last > 10 else 1)
