"""Who may sign in where, with which skills, and why they pause: what a plan refuses and what it means."""

from __future__ import annotations

import pytest

from asterisk_conf.render import render
from calls import facts as f
from calls.model import SeatState
from cti.app import known
from cti.switchboard import replay
from lab.shift import sign_in_codes
from plan.model import PAUSES, Plan
from tests.story.a_call import answered, said
from tests.story.plan_files import checked, demo, demo_files, site

PAUSES_FILE = '[lunch]\ntitle = "用餐"\nkey = "3"\n'


def refused(name: str, text: str) -> list[str]:
    files = demo_files()
    files[name] = files.get(name, b"") + b"\n" + text.encode()
    return [str(fault) for fault in checked(files).faults if not fault.warning]


def changed(name: str, text: str) -> Plan:
    files = {file: content for file, content in demo_files().items() if file != "roster.toml"}
    files[name] = text.encode()
    plan = checked(files).plan
    assert plan is not None
    return plan


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        (
            "agents.toml",
            '[8009]\nname = "x"\nskills = { generl = 0 }',
            "agents.toml: 8009.skills: no such queue 'generl' (did you mean 'general'?)",
        ),
        (
            "agents.toml",
            '[8009]\nname = "x"\nseat = "1009"',
            "agents.toml: 8009.seat: no such seat '1009' (did you mean '1008'?)",
        ),
        (
            "agents.toml",
            '[8009]\nname = "x"\nseat = "1001"',
            "agents.toml: 8009.seat: '1001' is the usual seat of '8001' too "
            "(*11 alone must mean one person there: leave one of them without a seat)",
        ),
        (
            "agents.toml",
            '[80]\nname = "x"',
            "agents.toml: '80': is not an agent's number (工号) (3 to 6 digits)",
        ),
        (
            "agents.toml",
            '[8009]\nname = "x"\npin = "12a4"',
            "agents.toml: 8009.pin: '12a4' is not a pin (4 to 8 digits)",
        ),
        (
            "agents.toml",
            '[8009]\nname = "x"\nwrap_up_seconds = -1',
            "agents.toml: 8009.wrap_up_seconds: -1 is too small (at least 0)",
        ),
        (
            "pauses.toml",
            PAUSES_FILE + '[tea]\ntitle = "茶"\nkey = "3"',
            "pauses.toml: tea.key: '3' is the key of 'lunch' too (a key has one reason)",
        ),
        (
            "pauses.toml",
            '[wrapup]\ntitle = "x"\nkey = "1"',
            "pauses.toml: wrapup: is a reason the house itself gives (choose another name)",
        ),
        (
            "pauses.toml",
            '[5]\ntitle = "x"\nkey = "1"',
            "pauses.toml: 5: is no reason (a word of two letters or more, like lunch)",
        ),
        (
            "pauses.toml",
            '[tea]\ntitle = "x"\nkey = "12"',
            "pauses.toml: tea.key: '12' is not a key (one digit: *14 and this key pauses)",
        ),
        (
            "city.toml",
            "missed_rings = -1",
            "city.toml: missed_rings: -1 is too small (at least 0)",
        ),
        (
            "city.toml",
            "dead_after_seconds = 2",
            "city.toml: dead_after_seconds: 2 is too small (at least 5)",
        ),
    ],
)
def test_a_mistake_about_people_is_told_in_one_clear_line(file: str, text: str, line: str) -> None:
    assert line in refused(file, text)


def test_a_plan_without_agents_has_each_seat_as_its_own_agent() -> None:
    files = demo_files()
    del files["agents.toml"], files["roster.toml"]
    plan = checked(files).plan
    assert plan is not None
    assert set(plan.staff) == set(plan.seats)
    assert plan.staff["1001"].seat == "1001"
    assert sign_in_codes(plan)["1001"] == "*11"
    assert plan.skills("1005", "1005") == {"general": 10, "market": 0}


def test_skills_are_the_persons_own_else_those_of_the_seat() -> None:
    plan = demo()
    assert plan.skills("8005", "1001") == {"market": 0, "general": 10}
    assert plan.skills("8001", "1006") == {"general": 10, "fund": 0}


def test_a_queue_that_only_people_with_skills_answer_needs_no_seats() -> None:
    files = demo_files()
    files["queues.toml"] = files["queues.toml"].replace(b"members = { 1007 = 0, 1008 = 0 }", b"members = {}")
    assert checked(files).refused
    files["agents.toml"] += b'\n[8009]\nname = "x"\nskills = { expert = 0 }'
    assert not checked(files).refused


def test_reasons_are_the_usual_five_unless_the_plan_names_its_own() -> None:
    assert demo().pause_reasons == PAUSES
    assert list(changed("pauses.toml", PAUSES_FILE).pause_reasons) == ["lunch"]
    text = render([changed("pauses.toml", PAUSES_FILE)], site())["extensions.conf"]
    assert "exten => lunch,1,Set(REASON=lunch)" in text
    assert "Set(REASON=meeting)" not in text


def test_people_with_a_pin_do_not_sign_in_by_themselves_in_the_lab() -> None:
    text = '[8001]\nname = "a"\nseat = "1001"\npin = "1234"\n[8002]\nname = "b"\n'
    codes = sign_in_codes(changed("agents.toml", text))
    assert (codes["1001"], codes["1002"], codes["1003"]) == ("", "*118002", "")


def test_no_queue_has_members_that_did_not_sign_in() -> None:
    text = render([demo()], site())["queues.conf"]
    assert "member =" not in text
    assert "persistentmembers = yes" in text


def test_a_long_wrap_up_is_no_wait_of_app_queue() -> None:
    queue = demo().queues["general"].model_copy(update={"wrap_up_seconds": 60})
    plan = demo().model_copy(update={"queues": {**demo().queues, "general": queue}})
    files = render([plan], site())
    assert "wrapuptime = 60" not in files["queues.conf"]
    assert "Set(__WRAP_UP=60)" in files["extensions.conf"]


@pytest.mark.parametrize(
    ("facts", "staffed"),
    [
        ([], []),
        ([said(f.SeatSignedIn)], ["1001"]),
        ([said(f.SeatSignedIn), said(f.SeatSignedOut)], []),
        ([said(f.SeatSignedIn), said(f.SeatPaused, reason="lunch")], []),
        ([said(f.SeatSignedIn), said(f.SeatPaused, reason="missed")], []),
        ([said(f.SeatSignedIn), said(f.SeatPaused, reason="wrapup:160")], ["1001"]),
        ([said(f.SeatSignedIn), said(f.PhoneGone)], []),
        ([said(f.SeatSignedIn), *answered()], ["1001"]),
    ],
    ids=["nobody", "in", "out", "paused", "missed", "wraps up", "unreachable", "busy"],
)
def test_the_advice_counts_on_seats_that_will_take_callers(facts: list[f.Fact], staffed: list[str]) -> None:
    linked = [said(f.LinkUp), said(f.Snapshot)]
    board = replay([*linked, *facts])
    assert list(known(board, "demo").staffed["general"]) == staffed


def test_a_seat_that_waits_out_a_pause_is_paused_and_not_in_wrap_up() -> None:
    board = replay([said(f.SeatSignedIn), said(f.SeatPaused, reason="rest:160")])
    seat = board.seats.seats[("demo", "1001")]
    assert (seat.state, seat.until) == (SeatState.PAUSED, 160.0)
