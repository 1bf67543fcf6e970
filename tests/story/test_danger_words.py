"""Which words are danger to life, and which only look so: typed, as heard, and over a pause."""

from __future__ import annotations

import tomllib

import pytest

from bench import fields
from recording.draft.dangers import FLAGS
from recording.draft.flags import JOINED, flags_of
from recording.draft.said import Talk
from recording.filed import Role
from recording.flagged import advice, signs
from recording.recognised import Recognised
from recording.transcript import Now, Said
from tests.story.a_call import CALLER, SEAT_LEG

_SAID = tomllib.loads((fields.CORPUS / "dangers.toml").read_text("utf-8"))
PHRASES = [(kind, phrase) for kind, phrases in _SAID["danger"].items() for phrase in phrases]
"""What people say with its kind; a phrase may be of another kind too."""
HARMLESS: list[str] = _SAID["harmless"]


def _raised(*spans: Recognised) -> list[str]:
    return list(flags_of(Talk(spans)).value)


def _caller(text: str, start: float = 0.0, end: float = 0.0) -> Recognised:
    return Recognised(text, start, end, speaker="caller")


def test_there_are_enough_of_both_and_every_kind_has_some() -> None:
    assert {kind for kind, _ in PHRASES} == set(FLAGS)
    assert len(PHRASES) >= 150
    assert len(HARMLESS) >= 100


@pytest.mark.parametrize(("kind", "phrase"), PHRASES)
def test_plain_words_of_danger_raise_their_kind(kind: str, phrase: str) -> None:
    assert kind in _raised(_caller(phrase))
    # a recogniser writes blanks between words, and cuts them anywhere
    assert kind in _raised(_caller(" ".join(phrase)))
    assert kind in _raised(_caller(f"你好我要反映一下{phrase}你们赶紧来"))


@pytest.mark.parametrize(("kind", "phrase"), PHRASES)
def test_a_pause_anywhere_in_the_words_takes_no_flag_away(kind: str, phrase: str) -> None:
    for cut in range(1, len(phrase)):
        spans = _caller(phrase[:cut], 1.0, 2.0), _caller(phrase[cut:], 4.0, 5.0)
        assert kind in _raised(*spans), spans


@pytest.mark.parametrize("phrase", HARMLESS)
def test_harmless_words_raise_none(phrase: str) -> None:
    assert _raised(_caller(phrase)) == []
    assert _raised(_caller(" ".join(phrase))) == []


def test_no_call_of_the_corpus_raises_more_than_its_gold_but_one_man_who_lies_in_the_road() -> None:
    wrong = [
        (call["id"], flag)
        for call, draft in fields.drafts(fields.calls("tuning"), fields.said)
        for flag in draft["flags"].value
        if fields.AS_WAS.get(flag, flag) not in (*call["gold"]["flags_allowed"], "")
    ]
    assert wrong == [("t071", "unconscious")]


def test_a_sentence_goes_on_over_the_agents_nod_but_not_over_a_question_or_a_long_silence() -> None:
    one, other = _caller("孩子", 1.0, 2.0), _caller("一个人在家", 4.0, 5.0)
    assert _raised(one, Recognised("嗯", 2.5, 2.8, speaker="agent"), other) == ["minor"]
    assert _raised(one, Recognised("孩子多大", 2.5, 3.5, speaker="agent"), other) == []
    late = 2.0 + JOINED + 0.1
    assert _raised(one, _caller("一个人在家", late, late + 1)) == []
    assert _raised(_caller("我家的燃气管道好像"), _caller("漏了味道很大")) == ["gas"]


def test_what_two_people_say_is_not_one_sentence() -> None:
    assert _raised(Recognised("孩子"), Recognised("一个人在家")) == []


def test_both_halves_are_the_source() -> None:
    field = flags_of(Talk([_caller("我家 孩子", 1.0, 2.0), _caller("一个 人 在 家", 3.0, 4.0)]))
    assert [(s.span, s.text) for s in field.source] == [(0, "孩子"), (1, "一个 人 在")]


# --- while they talk --------------------------------------------------------------------------------------


def _said(text: str, at: float, role: Role = Role.CALLER) -> Said:
    leg = CALLER if role is Role.CALLER else SEAT_LEG
    return Said(leg, role, "", 100.0 + at, at, at + 1.0, text, 0.9)


def test_live_words_cut_by_a_pause_are_a_sign_where_they_began() -> None:
    [sign] = signs([_said("我家 的 燃气 管道 好像", 10.0), _said("漏 了 味道 很 大", 13.0)])
    assert (sign.flag, sign.leg, sign.second, sign.settled) == ("gas", CALLER, 10.0, True)
    assert sign.words == "我家的燃气管道好像漏了味道很大"


def test_live_words_that_are_still_being_said_go_on_from_the_span_before() -> None:
    going_on = Now(CALLER, Role.CALLER, "", "漏 了 味道 很 大 你们 快 点 派 人 过来 看 一下", 17.0, 117.0)
    [sign] = signs([_said("我家 的 燃气 管道 好像", 10.0)], [going_on])
    assert (sign.flag, sign.second, sign.settled) == ("gas", 10.0, True)


@pytest.mark.parametrize(
    ("kind", "centres"),
    [
        ("gas", ("119",)), ("fire", ("119",)), ("injured", ("120",)), ("unconscious", ("120",)),
        ("crash", ("122", "120", "119")), ("drowning", ("119", "110", "120")), ("suicide", ("110", "120")),
        ("threat", ("110", "119")), ("violence", ("110", "120")), ("minor", ("110", "120")),
        ("lost", ("110", "119")),
        ("trapped", ("119",)), ("collapse", ("119",)),
    ],
)  # fmt: skip
def test_the_agent_is_told_whom_to_bring_in(kind: str, centres: tuple[str, ...]) -> None:
    told = advice(kind)
    assert told is not None
    assert all(centre in told.zh and centre in told.en for centre in centres)
