"""What stands beside the calls: watches and announcements, in any order of facts."""

from __future__ import annotations

from calls import facts as f
from calls.facts import LegId
from calls.standing import Standing, step
from tests.story.a_call import CALL, leg_now, said

LEG = LegId("n1-9.9")
BEGAN = said(f.WatchBegan, 100.0, leg=LEG, by="1003", seat="1001", how="listen")


def after(*facts: f.Fact) -> Standing:
    standing = Standing()
    for fact in facts:
        standing = step(standing, fact)
    return standing


def test_a_watch_is_seen_from_its_beginning_to_the_end_of_its_leg() -> None:
    watch = after(BEGAN).watching(CALL, "1003")
    assert watch is not None
    assert (watch.seat, watch.how, watch.since) == ("1001", "listen", 100.0)
    assert after(BEGAN).watching(CALL, "1004") is None
    for end in (f.LegEnded, f.WatchEnded):
        assert not after(BEGAN, said(end, 110.0, leg=LEG)).watches


def test_a_key_of_the_supervisors_phone_changes_how_and_other_keys_and_legs_nothing() -> None:
    assert after(BEGAN, said(f.KeyPressed, 101.0, leg=LEG, key="5")).watches[LEG].how == "whisper"
    assert after(BEGAN, said(f.KeyPressed, 101.0, leg=LEG, key="6")).watches[LEG].how == "barge"
    assert after(BEGAN, said(f.KeyPressed, 101.0, leg=LEG, key="9")).watches[LEG].how == "listen"
    assert after(BEGAN, said(f.KeyPressed, 101.0, leg="n1-1.1", key="5")).watches[LEG].how == "listen"


def test_a_watching_leg_that_becomes_one_of_the_call_watches_no_more() -> None:
    assert not after(BEGAN, said(f.LegBelongs, 101.0, leg=LEG)).watches


def test_an_announcement_stands_until_it_is_lowered() -> None:
    raised = said(f.AnnouncementSet, 100.0, sound="hotline/mass-event", by="wang")
    assert after(raised).announcements["demo", "main"].sound == "hotline/mass-event"
    assert not after(raised, said(f.AnnouncementSet, 110.0, sound="")).announcements


def test_a_snapshot_drops_watches_whose_leg_is_gone_and_keeps_the_others() -> None:
    assert after(BEGAN, said(f.Snapshot, 120.0, legs=(leg_now(LEG, call=None),))).watches
    gone = after(BEGAN, said(f.Snapshot, 120.0))
    assert not gone.watches
    assert gone.touched == {LEG}


def test_a_snapshot_tells_the_announcements_that_stand_and_one_that_could_not_ask_changes_none() -> None:
    raised = said(f.AnnouncementSet, 100.0, sound="hotline/mass-event", by="wang")
    same = said(f.Snapshot, 120.0, announcements=(("demo", "main", "hotline/mass-event"),))
    assert after(raised, same).announcements["demo", "main"].by == "wang"
    other = said(f.Snapshot, 120.0, announcements=(("demo", "12315", "city-demo/storm"),))
    assert set(after(raised, other).announcements) == {("demo", "12315")}
    assert after(raised, said(f.Snapshot, 120.0, announcements=None)).announcements
    assert not after(raised, said(f.Snapshot, 120.0, announcements=())).announcements
