"""What was said, in order, searchable, with its second of audio."""

from __future__ import annotations

from calls.facts import LegId
from cti.speech.mixing import Part, mixed, peaks
from recording.filed import Role
from recording.recognised import Word
from recording.transcript import Said, in_order, plain, sounded, spoken

SOUNDS = {"解": "jie", "放": "fang", "方": "fang", "路": "lu", "在": "zai", "上": "shang"}


def said(text: str, at: float, start: float, role: Role = Role.CALLER) -> Said:
    words = tuple(Word(w, start + i, start + i + 0.9, 0.9) for i, w in enumerate(text.split()))
    return Said(LegId("n1-1.1"), role, "", at, start, start + len(words), plain(text), 0.9, words)


def test_both_sides_are_told_in_the_order_in_which_they_spoke() -> None:
    spans = [said("二", 20.0, 5.0, Role.SEAT), said("一", 10.0, 12.0)]
    assert [s.text for s in in_order(spans)] == ["一", "二"]


def test_chinese_words_are_joined_and_latin_ones_keep_their_blank() -> None:
    assert plain("我 在 解放 路 ok ktv 上") == "我在解放路ok ktv上"


def test_a_street_is_found_by_its_sound() -> None:
    text = sounded("在 解方 路 上", lambda t: [SOUNDS[c] for c in t])
    assert text == " zai jie fang lu shang "
    assert sounded("解放路", lambda t: [SOUNDS[c] for c in t]) in text


def test_the_draft_reads_seconds_of_the_call_and_who_spoke() -> None:
    [span] = spoken([said("你 好", 107.0, 5.0, Role.SEAT)], begin=100.0)
    assert (span.start, span.words[1].start, span.speaker, span.text) == (7.0, 8.0, "agent", "你 好")


def test_a_mix_lays_each_leg_where_it_was_spoken() -> None:
    one, two = b"\x00\x10" * 8000, b"\x00\x20" * 8000
    wav = mixed([Part(10.0, one, True), Part(10.5, two, False)], 2)
    body = memoryview(wav)[44:].cast("h")
    left, right = body[0::2], body[1::2]
    assert (left[100], right[100], right[4100], left[9000]) == (0x1000, 0, 0x2000, 0)
    mono = memoryview(mixed([Part(10.0, one, True), Part(10.5, two, False)], 1))[44:].cast("h")
    assert mono[5000] == 0x3000


def test_peaks_are_the_loudest_of_each_stretch() -> None:
    assert peaks(b"\x00\x00" * 50 + b"\x00\x40" * 50, 2) == [0.0, 0.5]
    assert peaks(b"", 10) == []
