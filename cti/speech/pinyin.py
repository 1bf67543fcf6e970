"""Syllables of Chinese text, so that what was misheard can be matched by its sound."""

from __future__ import annotations

from collections.abc import Sequence


def sounds(text: str) -> Sequence[str]:
    """One toneless syllable a character; the character itself where it has none or pypinyin is missing."""
    try:
        from pypinyin import lazy_pinyin
    except ImportError:
        return list(text)
    # one by one: a reading by words (解放) would make the same character differ from place to place
    return [syllable for char in text for syllable in lazy_pinyin(char)]
