"""Tapes of a real Asterisk 22 tell the stories that were reviewed; cut anywhere, they go on alike."""

from __future__ import annotations

import pytest

from calls.facts import Fact, LegBelongs, LegId, QueueAbandoned, Snapshot
from cti.asterisk.ear import Ear
from cti.asterisk.hear import HANDLERS
from cti.asterisk.wire.frames import event_name
from cti.switchboard import Board, fold
from tests.replay.telling import TAPES, heard, names, play, resync, tape, telling
from tests.replay.truth import Truth

FOR_A_MOMENT_UNKNOWN = {"picked_up"}
"""A pick-up gives a leg the account code and takes it back at once; until app_queue names the leg 30 ms
later, nothing in a snapshot of Asterisk says whose call it is."""
STORIES = [name for name in names() if name != "unfiltered"]


@pytest.mark.parametrize("name", STORIES)
def test_a_tape_tells_its_story(name: str, update_golden: bool) -> None:
    golden = TAPES / f"{name}.story"
    story = telling(heard(tape(name)))
    if update_golden:
        golden.write_text(story)
    assert story == golden.read_text()


@pytest.mark.parametrize("name", STORIES)
def test_a_link_lost_before_any_event_hears_the_rest_alike(name: str) -> None:
    """After a restart of ours in the middle of a call: the snapshot and what follows tell what an
    uninterrupted listener would have heard, and what it knew of each leg's call."""
    frames = tape(name)
    whole: list[Fact] = []
    truth, ear = Truth(), Ear("n1", whole.append, lambda: 0.0)
    cuts: list[tuple[int, int, set[str], Ear, list[Fact]]] = []
    for number, taped in enumerate(frames):
        late: list[Fact] = []
        other = Ear("n1", late.append, lambda: 0.0)
        resync(other, truth, 0.0, late)
        if name in FOR_A_MOMENT_UNKNOWN:
            assert other.calls.items() <= ear.calls.items(), f"at event {number}"
        else:
            assert other.calls == ear.calls, f"at event {number}"
        late.clear()
        cuts.append((number, len(whole), set(truth.hanging), other, late))
        play(taped, ear, truth, whole)
    restarted = any(event_name(taped.frame) == b"FullyBooted" for taped in frames)
    for number, done, hanging, other, late in cuts:
        rest = Truth()
        for taped in frames[number:]:
            if event_name(taped.frame) == b"FullyBooted":
                break  # the rest is another life, with a resync of its own
            play(taped, other, rest, late)
        expected = [fact for fact in whole[done:] if not _lost(fact, hanging)]
        if name in FOR_A_MOMENT_UNKNOWN:
            late = [fact for fact in late if not isinstance(fact, LegBelongs)]
            expected = [fact for fact in expected if not isinstance(fact, LegBelongs)]
        if not restarted:
            assert len(late) == len(expected), f"cut before event {number}"
        expected = expected[: len(late)]
        assert late == expected, f"cut before event {number}"


def _lost(fact: Fact, hanging: set[str]) -> bool:
    """A cut between the hang-up's request and app_queue's word, 1 ms apart, loses "abandoned"; that the
    caller left the queue and is gone is still told."""
    return isinstance(fact, QueueAbandoned) and fact.leg in hanging


@pytest.mark.parametrize("name", STORIES)
def test_every_leg_of_a_tape_ends_and_nothing_is_kept(name: str) -> None:
    told: list[Fact] = []
    truth, ear = Truth(), Ear("n1", told.append, lambda: 0.0)
    for taped in tape(name):
        play(taped, ear, truth, told)
    assert (ear.channels, ear.calls, ear.hanging) == ({}, {}, set())


def test_two_calls_joined_by_an_attended_transfer_keep_the_callers_id() -> None:
    facts = heard(tape("attended_by_phone"))
    last: dict[LegId, str] = {}
    for fact in facts:
        if isinstance(fact, LegBelongs):
            last[fact.leg] = fact.call
    assert len(set(last.values())) == 1


@pytest.mark.parametrize("name", STORIES)
def test_hearing_a_tape_twice_from_its_snapshot_on_leaves_the_same_picture(name: str) -> None:
    """Facts buffered during a resync repeat what the snapshot has: a reader must end up the same."""
    facts = heard(tape(name))
    once = Board()
    for fact in facts:
        once = fold(once, fact)
    twice = Board()
    for fact in facts:
        twice = fold(fold(twice, fact), fact) if not isinstance(fact, Snapshot) else fold(twice, fact)
    assert {k: v.state for k, v in once.picture.calls.items()} == {
        k: v.state for k, v in twice.picture.calls.items()
    }


def test_unfiltered_traffic_tells_what_filtered_traffic_does() -> None:
    """The filter at the source takes away nothing that we listen for."""
    known = {event_name(taped.frame) for taped in tape("unfiltered")}
    assert {b"VarSet", b"Newexten"} <= known - set(HANDLERS)
    assert telling(heard(tape("unfiltered"))) == (TAPES / "answered.story").read_text()
