"""Values are changed by making another one, whatever makes that fast."""

from __future__ import annotations

import dataclasses
import inspect
from types import ModuleType
from typing import Any

import pytest

from calls import facts, model, picture, standing, value
from calls import facts as f
from calls.model import Seat, SeatState
from cti import switchboard
from queues import seat, stint, visit
from recording import flagged, table
from tests.story.a_call import CALL, said
from transfer import handoff, merge

SEAT = Seat(city="demo", name="1001", state=SeatState.READY, since=1.0)
ROOMS = (facts, model, picture, standing, switchboard, seat, stint, visit, flagged, table, handoff, merge)


def test_a_changed_value_is_another_one_and_the_first_stays_as_it_was() -> None:
    busy = value.replace(SEAT, state=SeatState.BUSY, call=CALL)
    assert busy == dataclasses.replace(SEAT, state=SeatState.BUSY, call=CALL)
    assert (SEAT.state, SEAT.call) == (SeatState.READY, None)
    assert value.replace(busy, state=SeatState.READY, call=None) == SEAT


def test_a_fact_which_is_made_by_names_is_changed_by_names() -> None:
    fact = said(f.CallLeft, 7.0, by="agent")
    assert value.replace(fact, by="caller") == said(f.CallLeft, 7.0, by="caller")


def test_a_field_that_a_value_has_not_is_refused() -> None:
    told: Any = {"colour": "red"}
    with pytest.raises(KeyError):
        value.replace(SEAT, **told)
    with pytest.raises(TypeError):
        value.replace(said(f.CallLeft), **told)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_mypy_is_told_that_no_value_of_a_room_is_ever_changed(room: ModuleType) -> None:
    text = inspect.getsource(room)
    assert text.count("@dataclass(") == text.count("@dataclass(frozen=True")
