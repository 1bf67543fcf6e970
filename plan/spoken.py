"""A menu that may be answered in words: the question, how long is listened, which words mean which key."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from plan.rule import Rule
from plan.words import PromptName, WrongWord, shown


class Spoken(Rule):
    """menus.toml ``[service.spoken]``; ``spoken = true`` means all of it as it stands here."""

    prompt: PromptName = "menu-say"
    """The question. It plays before the listening begins: what it names itself is not heard as an answer."""
    again: PromptName = "menu-say-again"
    """Said when something was heard and not understood, before listening once more."""
    seconds: Annotated[int, Field(ge=2, le=15)] = 6
    """Longest listening after the question."""
    tries: Annotated[int, Field(ge=1, le=3)] = 2
    """Questions in all; then the menu goes on with its keys."""


def _spoken(told: object) -> object:
    if isinstance(told, bool):
        return {} if told else None
    if isinstance(told, dict) or told is None or isinstance(told, Spoken):
        return told
    raise WrongWord(f"{shown(str(told))} is not true, false or a table", "write spoken = true")


def spoken_of(told: object) -> Spoken | None:
    """A sound value of ``spoken``, as it stands in the file, as it is meant."""
    table = _spoken(told)
    return Spoken.model_validate(table) if isinstance(table, dict) else None


OptionalSpoken = Annotated[Spoken | None, BeforeValidator(_spoken)]

_WORD = re.compile("[\u4e00-\u9fff]{2,12}")


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise WrongWord(
            f"{shown(text)} is not a word to listen for",
            "2 to 12 Chinese characters as they are spoken: a single syllable is heard everywhere, "
            "12315 is spoken 一二三一五",
        )
    return text


SpokenWord = Annotated[str, AfterValidator(_word)]
"""What a caller may say, as characters; it is found by its sound as well (``ivr.spoken``)."""
SpokenWords = Annotated[tuple[SpokenWord, ...], Field(min_length=1, max_length=100)]
