"""Records on disk: whole or told as damage."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cti.store.records import Damage, Position, Record, line, read

TOLD = [{"n": n, "text": "来电" * n} for n in range(5)]


def whole(data: bytes) -> list[dict[str, object]]:
    return [found.told for found in read(data, 1) if isinstance(found, Record)]


def test_records_read_as_they_were_written() -> None:
    assert whole(b"".join(line(t) for t in TOLD)) == TOLD


def test_a_record_is_one_line_a_person_can_grep() -> None:
    assert b'"caller":"138' in line({"caller": "13800138000"})
    assert line({"text": "two\nlines"}).count(b"\n") == 1


def test_each_record_says_where_the_next_begins() -> None:
    data = b"".join(line(t) for t in TOLD)
    found = [x for x in read(data, 3) if isinstance(x, Record)]
    for one, two in pairwise(found):
        assert one.after == two.at
    assert found[-1].after == Position(3, len(data))


@given(st.data())
def test_a_journal_cut_at_any_byte_keeps_every_whole_record(data: st.DataObject) -> None:
    lines = [line(t) for t in TOLD]
    text = b"".join(lines)
    cut = data.draw(st.integers(0, len(text)))
    kept = [t for t, end in zip(TOLD, _ends(lines), strict=True) if end <= cut]
    assert whole(text[:cut]) == kept
    torn = [x for x in read(text[:cut], 1) if isinstance(x, Damage)]
    assert [(x.at.offset, x.torn) for x in torn] == (
        [(sum(map(len, lines[: len(kept)])), True)] if torn else []
    )
    assert bool(torn) == (cut not in (0, *_ends(lines)))


@given(st.data())
def test_a_changed_byte_costs_one_record_and_is_told(data: st.DataObject) -> None:
    lines = [line(t) for t in TOLD]
    text = bytearray(b"".join(lines))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))
    found = list(read(bytes(text), 1))
    lost = len(TOLD) - sum(isinstance(x, Record) for x in found)
    # a line's end that is destroyed takes the next line with it
    assert 1 <= lost <= 2
    assert sum(isinstance(x, Damage) for x in found) == 1


def _ends(lines: list[bytes]) -> list[int]:
    total, ends = 0, []
    for one in lines:
        total += len(one)
        ends.append(total)
    return ends
