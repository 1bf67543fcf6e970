"""The catalogue of prompts, how its texts are spoken, and which sound a caller gets."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_conf.prompts import (
    ANY_FALLBACK,
    FALLBACKS,
    MADE_BY_RULE,
    CatalogueFault,
    Origin,
    catalogue,
    city_folder,
    resolve,
    spoken,
)
from cti.speech import shelf

STANDARD = shelf.catalogue()
SHIPPED = shelf.shipped()


def test_every_prompt_of_the_catalogue_is_shipped_from_its_present_text() -> None:
    assert shelf.stale() == []
    assert set(SHIPPED) == {p.id for p in STANDARD}


def test_no_shipped_sound_differs_from_its_account() -> None:
    assert shelf.tampered() == []


def test_no_sound_lies_on_the_shelf_that_the_catalogue_does_not_know() -> None:
    lying = {p.relative_to(shelf.SOUNDS).as_posix() for p in shelf.SOUNDS.rglob("*.alaw")}
    assert lying == {f"{p.play}.alaw" for p in STANDARD}


def test_every_spoken_prompt_was_read_back_well_enough() -> None:
    account = shelf.made()
    spoken_ones = [p for p in STANDARD if p.kind not in MADE_BY_RULE]
    assert spoken_ones
    assert [p.id for p in spoken_ones if account[p.id].ser is None or (account[p.id].ser or 0) > 0.25] == []


@pytest.mark.parametrize(
    "needed",
    [
        # main/say.c of Asterisk 22, ast_say_number_full_zh and ast_say_date_with_format_zh
        *(f"digits/{n}" for n in (*range(11), *range(20, 100, 10))),
        *(f"digits/{w}" for w in ("hundred", "thousand", "wan", "yi", "minus", "star", "pound")),
        *(f"digits/{w}" for w in ("year", "day", "oclock", "a-m", "p-m", "today", "yesterday")),
        *(f"digits/day-{n}" for n in range(7)),
        *(f"digits/mon-{n}" for n in range(12)),
        *("minute", "second", "beep", "beeperr"),
        # apps/app_queue.c
        *(f"queue-{w}" for w in ("youarenext", "thereare", "callswaiting", "quantity1", "quantity2")),
        *(f"queue-{w}" for w in ("holdtime", "minute", "minutes", "seconds", "thankyou", "reporthold")),
        "queue-periodic-announce",
    ],
)
def test_a_name_that_asterisk_asks_for_plays_under_that_very_name(needed: str) -> None:
    assert SHIPPED[needed] == needed


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("12345热线", "一二三四五热线"),
        ("请拨打110或者12315", "请拨打幺幺零或者幺二三幺五"),
        ("留言请按1，人工请按0", "留言请按一，人工请按零"),
        ("还有2位", "还有两位"),
        ("还有12位", "还有十二位"),
        ("第2条", "第二条"),
        ("大约20分钟", "大约二十分钟"),
        ("大约2分钟", "大约两分钟"),
        ("没有数字", "没有数字"),
    ],
)
def test_numbers_are_spoken_as_mandarin_speakers_say_them(written: str, said: str) -> None:
    assert spoken(written) == said


@given(st.text(alphabet="0123456789按位分钟第，。", max_size=30))
def test_no_arabic_digit_reaches_the_voice_whatever_the_text(text: str) -> None:
    assert not re.search("[0-9]", spoken(text))


def test_a_recording_of_the_plan_wins_over_its_synthesised_text_and_both_over_the_shipped_prompt() -> None:
    wanted = ["greeting", "sorry-busy", "queue-next"]
    mine = {"greeting": "city-demo/greeting"}
    said = {"greeting": "city-demo/said", "sorry-busy": "city-demo/sorry-busy"}
    chosen = resolve(wanted, mine, said, SHIPPED)
    assert [(chosen[id].origin, chosen[id].play) for id in wanted] == [
        (Origin.RECORDED, "city-demo/greeting"),
        (Origin.SYNTHESISED, "city-demo/sorry-busy"),
        (Origin.SHIPPED, "hotline/queue-next"),
    ]


def test_a_prompt_nobody_has_is_replaced_by_a_standard_one_of_its_kind_and_marked() -> None:
    (chosen,) = resolve(["greeting-of-nowhere"], {}, {}, SHIPPED).values()
    assert chosen.fallback
    assert chosen.instead == "greeting"
    assert chosen.play == "hotline/greeting"


@given(st.lists(st.from_regex(r"[a-z]{1,9}(-[a-z0-9]{1,5})?", fullmatch=True), max_size=8))
def test_whatever_is_wanted_something_that_is_shipped_is_heard(wanted: list[str]) -> None:
    chosen = resolve(wanted, {}, {}, SHIPPED)
    assert chosen.keys() == set(wanted)
    assert all(source.play in SHIPPED.values() for source in chosen.values())


def test_with_nothing_to_fall_back_on_the_plan_is_refused_rather_than_silent() -> None:
    with pytest.raises(ValueError, match="greeting-x"):
        resolve(["greeting-x"], {}, {}, {})


def test_every_fallback_is_itself_a_shipped_prompt() -> None:
    assert {*FALLBACKS.values(), *ANY_FALLBACK} <= set(SHIPPED)


def test_a_city_called_like_a_standard_folder_keeps_its_sounds_apart() -> None:
    standard = {sound.split("/")[0] for sound in SHIPPED.values()}
    assert not {city_folder(name) for name in ("hotline", "digits", "moh")} & standard


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[queue]\na = { zh = "好" }', r"\[queue\] a: en is missing"),
        ('[queue]\n"a b" = { zh = "好", en = "x" }', r"\[queue\] a b: an id is"),
        ('[queue]\na = { zh = "好", en = "x", tempo = 1 }', "unknown tempo"),
        (
            '[queue]\na = { zh = "好", en = "x" }\n[menu]\na = { zh = "好", en = "x" }',
            r"already in \[queue\]",
        ),
        ('[[family]]\nkind = "queue"\nid = "q-{n}"\nzh = "{n}"\nen = "{m}"\neach = [1]', "'m' is missing"),
        ("[queue", "prompts.toml"),
    ],
)
def test_a_fault_in_the_catalogue_is_told_with_its_place(toml: str, told: str) -> None:
    with pytest.raises(CatalogueFault, match=told):
        catalogue(toml)
