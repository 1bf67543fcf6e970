"""The service's side of a spoken menu: who is listened to, what is answered, and that nobody is kept."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from calls.facts import CallId, CallLeft, Fact, MenuListened
from cti import spoken
from cti.spoken import SpokenMenus, Voice
from cti.switchboard import Heard
from tests.story.plan_files import demo

CALL = "demo-n1-100.1"
QUESTION = [CALL, "demo", "say", "", ""]


class Recogniser:
    """A process that says what it is told to."""

    def __init__(self) -> None:
        self.ready, self.behind = True, 0
        self.orders: list[dict[str, Any]] = []

    def say(self, **told: Any) -> None:
        self.orders.append(told)

    def done(self) -> list[str]:
        return [order["do"] for order in self.orders]


@pytest.fixture
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.fixture
def menus(recogniser: Recogniser) -> SpokenMenus:
    made = SpokenMenus(("127.0.0.1", 0), lambda: {"demo": demo()}, lambda: Path("/nonexistent"), most=2)
    made._hand = cast(Any, recogniser)
    return made


async def begun(menus: SpokenMenus) -> tuple[str, Voice, list[str]]:
    """A caller is listened to: the id, the voice, what its connection was told."""
    id = await menus.scripts["listen"].answer(QUESTION)
    assert id is not None
    told: list[str] = []
    voice = menus._begins(id, lambda: told.append("hang up"))
    assert isinstance(voice, Voice)
    return id, voice, told


def span(menus: SpokenMenus, id: str, text: str, at: float = 1.0, confidence: float = 0.9) -> None:
    said = {"what": "span", "leg": id, "at": at, "span": {"text": text, "confidence": confidence}}
    menus._told(menus._hand, said)


async def test_a_word_ends_the_listening_and_is_its_key(menus: SpokenMenus, recogniser: Recogniser) -> None:
    id, voice, told = await begun(menus)
    voice.sound(bytes(1600))
    assert recogniser.done() == ["open", "sound"]
    assert base64.b64decode(recogniser.orders[1]["pcm"]) == bytes(1600)
    span(menus, id, "请问 医保")
    assert told == ["hang up"]
    assert await menus.scripts["heard"].answer([id]) == ("key:3:90:%E8%AF%B7%E9%97%AE%E5%8C%BB%E4%BF%9D")
    assert await menus.scripts["heard"].answer([id]) == "nothing"


async def test_silence_to_the_last_second_is_nothing(menus: SpokenMenus) -> None:
    id, voice, _ = await begun(menus)
    for _ in range(60):
        voice.sound(bytes(1600))
    menus._told(menus._hand, {"what": "over", "leg": id})
    assert await menus.scripts["heard"].answer([id]) == "nothing"


async def test_words_of_no_key_and_then_a_pause_are_unclear(
    menus: SpokenMenus, recogniser: Recogniser
) -> None:
    id, voice, _ = await begun(menus)
    voice.sound(bytes(16000))
    span(menus, id, "三路 公交车", at=1.0)
    voice.sound(bytes(16000))
    menus._told(menus._hand, {"what": "partial", "leg": id, "text": "", "at": 2.0})
    assert "end" not in recogniser.done()
    menus._told(menus._hand, {"what": "partial", "leg": id, "text": "", "at": 2.4})
    assert recogniser.done()[-1] == "end"
    menus._told(menus._hand, {"what": "over", "leg": id})
    answer = await menus.scripts["heard"].answer([id])
    assert answer is not None
    assert answer.startswith("unclear::90:%E4")


async def test_a_second_sentence_may_bring_the_word(menus: SpokenMenus) -> None:
    id, _, _ = await begun(menus)
    span(menus, id, "那个 我 想")
    span(menus, id, "问 公积金", at=2.0)
    answer = await menus.scripts["heard"].answer([id])
    assert answer is not None
    assert answer.startswith("key:2:")


async def test_what_was_half_said_when_the_time_is_over_counts(menus: SpokenMenus) -> None:
    id, voice, _ = await begun(menus)
    menus._told(menus._hand, {"what": "partial", "leg": id, "text": "我 要 人工", "at": 5.9})
    voice.over()
    answer = await menus.scripts["heard"].answer([id])
    assert answer is not None
    assert answer.startswith("key:0:80:")


@pytest.mark.parametrize(
    "question", [[CALL, "demo", "service"], [CALL, "demo", "none"], [CALL, "x", "say"], ["", "", ""]]
)
async def test_nobody_listens_to_a_menu_of_keys_or_of_nobody(menus: SpokenMenus, question: list[str]) -> None:
    assert await menus.scripts["listen"].answer([*question, "", ""]) is None


async def test_nobody_listens_without_a_recogniser_or_when_it_is_behind(
    menus: SpokenMenus, recogniser: Recogniser
) -> None:
    recogniser.ready = False
    assert await menus.scripts["listen"].answer(QUESTION) is None
    recogniser.ready, recogniser.behind = True, spoken.BEHIND + 1
    assert await menus.scripts["listen"].answer(QUESTION) is None


async def test_one_more_than_can_be_listened_to_is_refused_until_somebody_is_done(menus: SpokenMenus) -> None:
    first = await menus.scripts["listen"].answer(QUESTION)
    second = await menus.scripts["listen"].answer(QUESTION)
    assert first
    assert second
    assert first != second
    assert await menus.scripts["listen"].answer(QUESTION) is None
    await menus.scripts["heard"].answer([first])
    assert await menus.scripts["listen"].answer(QUESTION) is not None


@pytest.mark.parametrize(
    "fact",
    [
        MenuListened(at=1.0, node="n1", call=CallId(CALL), menu="say", status="KEYED"),
        CallLeft(at=1.0, node="n1", call=CallId(CALL), by="caller", cause=16),
    ],
)
async def test_who_keys_or_hangs_up_is_listened_to_no_more(
    menus: SpokenMenus, recogniser: Recogniser, fact: Fact
) -> None:
    id, _, told = await begun(menus)
    menus.hear(cast(Heard, SimpleNamespace(fact=fact)))
    assert told == ["hang up"]
    assert recogniser.done()[-1] == "drop"
    assert await menus.scripts["heard"].answer([id]) == "nothing"


async def test_a_question_that_was_not_understood_does_not_end_the_next_one(menus: SpokenMenus) -> None:
    id, _, told = await begun(menus)
    unclear = MenuListened(at=1.0, node="n1", call=CallId(CALL), menu="say", status="UNCLEAR")
    menus.hear(cast(Heard, SimpleNamespace(fact=unclear)))
    assert told == []
    assert id in menus._open


async def test_a_recogniser_that_dies_is_an_answer(menus: SpokenMenus) -> None:
    id, _, told = await begun(menus)
    menus._lost(menus._hand)
    assert told == ["hang up"]
    assert await menus.scripts["heard"].answer([id]) == "nothing"


async def test_a_recogniser_that_says_nothing_more_is_waited_for_half_a_second(
    menus: SpokenMenus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spoken, "ANSWER_WITHIN", 0.01)
    id, voice, _ = await begun(menus)
    voice.over()
    async with asyncio.timeout(5):
        assert await menus.scripts["heard"].answer([id]) == "nothing"


async def test_a_second_voice_of_the_same_name_is_a_stranger(menus: SpokenMenus) -> None:
    id, _, _ = await begun(menus)
    assert menus._begins(id, lambda: None) is None
    assert menus._begins("0f0e0d0c-0b0a-4908-8706-050403020100", lambda: None) is None
