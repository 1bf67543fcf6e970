"""Words are found again in what was said, with the second at which they were said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti.speech.pinyin import sounds
from recording.search import Place, by_characters, by_sound, syllables
from tests.story.test_transcript import said

LEG = [
    said("我 住 在 解放 路 上", 100.0, 30.0),
    said("西安 路 不 对", 110.0, 40.0),
    said("先 说 wifi", 120.0, 50.0),
]


def seconds(places: list[Place]) -> list[float]:
    return [p.second for p in places]


def test_a_hit_jumps_to_the_second_of_its_word() -> None:
    assert seconds(by_characters(LEG, "解放")) == [33.0]
    assert seconds(by_characters(LEG, "放路")) == [33.0]
    assert seconds(by_characters(LEG, "路")) == [34.0, 41.0]
    assert by_characters(LEG, "没说过") == []
    assert by_characters(LEG, " ") == []


def test_a_phrase_is_found_across_a_pause() -> None:
    assert by_characters(LEG, "路上西安") == [Place(0, 1, 34.0)]
    assert by_characters(LEG, "不对 先说") == [Place(1, 2, 42.0)]
    assert by_sound(LEG, "lu shang xi an", sounds) == [Place(0, 1, 34.0)]


@pytest.mark.parametrize(
    "typed", ["jie fang lu", "jiefanglu", "jiefang lu", "JIE fangLu", "解方路", "街 放路"]
)
def test_a_hit_by_sound_jumps_to_the_second_of_its_word_too(typed: str) -> None:
    assert by_sound(LEG, syllables(typed, sounds), sounds) == [Place(0, 0, 33.0)]


def test_pinyin_is_whole_syllables() -> None:
    assert by_sound(LEG, "ang lu", sounds) == []
    assert by_sound(LEG, "iefang", sounds) == []
    assert by_sound(LEG, "jiefan", sounds) == []
    assert by_sound(LEG, "jief ang lu", sounds) == []


def test_without_blanks_every_reading_counts_with_blanks_only_the_one_typed() -> None:
    assert seconds(by_sound(LEG, syllables("xian", sounds), sounds)) == [40.0, 50.0]
    assert seconds(by_sound(LEG, syllables("xi'an", sounds), sounds)) == [40.0]
    assert syllables("Lü se", sounds) == "lv se"


def test_letters_are_found_whatever_blanks_stand_between() -> None:
    assert seconds(by_characters(LEG, "wi fi")) == [52.0]


def test_a_span_without_words_is_found_at_its_own_beginning() -> None:
    bare = said("", 0.0, 7.0)
    assert seconds(by_characters([replace(bare, text="解放路")], "路")) == [7.0]
