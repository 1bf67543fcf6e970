"""What the dialplan does in moments too short for a live test: it is walked as it was rendered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asterisk_conf.render import render
from tests.story.plan_files import add, checked, demo, demo_files, site
from tests.story.walked import Asterisk, Step, evaluated, read

CALL = "demo-n1-1.1"
CALLER, AGENT, COLLEAGUE = "PJSIP/demo-carrier-1", "PJSIP/demo-1001-2", "PJSIP/demo-1002-3"
CONTEXTS = read(render([demo()], site())["extensions.conf"])
NEW = "_[+0-9*]!"
"""The extension of a phone's own transfer, whatever was dialled."""


def talk(**shared: str) -> Asterisk:
    """A caller, the agent they were connected to, and what stands on the caller's channel."""
    usual = {"CALL_ID": CALL, "CITY": "demo", "LINE": "main", "QUEUE": "general", "CALLER_CHANNEL": CALLER}
    on_caller = {"AGENT": AGENT, "AGENT_IN": "1", **shared}
    return Asterisk(
        CONTEXTS,
        {
            CALLER: {**usual, **{f"SHARED({name})": value for name, value in on_caller.items()}},
            AGENT: dict(usual),
            COLLEAGUE: dict(usual),
        },
    )


def test_an_expression_is_worth_what_asterisk_says() -> None:
    assert evaluated('"a" = "a" & ("b" != "b" | 03 > 2)') == 1
    assert evaluated('"" != "" | "sent" = "held"') == 0
    assert evaluated("04 + 1") == 5
    assert evaluated("FLOOR(26 / 3) * 3 + 1") == 25
    with pytest.raises(AssertionError, match="unknown"):
        evaluated('"a" =~ "b"')


@pytest.mark.parametrize(
    ("shared", "left"),
    [
        ({"TRANSFER": "blind:1002:h1"}, [AGENT]),
        ({"TRANSFER": "blind:1002:h1", "WHERE": "sent"}, [AGENT]),
        ({"TRANSFER": "consult:1002:h1", "WHERE": "hold"}, [AGENT]),
        ({"TRANSFER": "three:1002:h1", "DIALLING": COLLEAGUE}, [AGENT, COLLEAGUE]),
        ({}, []),
    ],
    ids=["not rung yet", "rings", "consults", "dials a third", "talks, as app_queue ends it"],
)
def test_an_agent_whose_caller_is_taken_out_of_a_transfer_waits_for_nobody(
    shared: dict[str, str], left: list[str]
) -> None:
    told = talk(**shared)
    assert told.walks(CALLER, "desk-freed", "queue", within=["transfer-dropped"]) == "demo-queue-general,s,1"
    assert [step for step in told.done if step.startswith("SoftHangup")] == [f"SoftHangup({x})" for x in left]
    assert told.shared(CALLER, "TRANSFER") == told.shared(CALLER, "WHERE") == ""


def test_a_colleague_who_is_asked_and_transfers_by_their_phone_gives_the_agent_back_to_the_caller() -> None:
    told = talk(TRANSFER="consult:1002:h1", WHERE="hold")
    told.channels[AGENT] |= {"EXTEN": "1003", "UNIQUEID": "n1-2"}
    assert told.walks(AGENT, "demo-transfer", NEW, within=["transfer-agent"]) == "ConfBridge"
    assert told.done[-2:] == [
        f"ChannelRedirect({CALLER},transfer-caller,s,comes)",
        f"ConfBridge({CALL},default_bridge,transfer-marked,transfer-keys)",
    ]
    assert (told.shared(CALLER, "TRANSFER"), told.shared(CALLER, "READY")) == ("", "1")


def test_an_agent_who_transfers_by_the_phone_sends_the_caller_and_nothing_of_before_counts() -> None:
    told = talk(RINGS="PJSIP/demo-1005-9&", URGENT="1")
    told.channels[CALLER] |= {"EXTEN": "1003", "UNIQUEID": "n1-1", "EPOCH": "17"}
    assert told.walks(CALLER, "demo-transfer", NEW) == "transfer-caller,s,refer"
    assert told.shared(CALLER, "TRANSFER") == "blind:1003:n1-1.17"
    assert [told.shared(CALLER, name) for name in ("RINGS", "URGENT")] == ["", "0"]


@pytest.mark.parametrize(
    ("shared", "goes", "stands"),
    [({"TRANSFER": "three:1002:h1"}, "transfer-caller,s,2", "three:1002:h1"),
     ({"TRANSFER": "blind:1002:h1"}, "transfer-caller,s,2", "blind:1002:h1"),
     ({"TRANSFER": "three:1002:h1", "HANDED": "1"}, "transfer-caller,s,refer", "blind:1003:n1-1.17")],
    ids=["a third is rung", "sent on", "handed over before"],
)  # fmt: skip
def test_a_phone_that_transfers_in_the_instant_of_an_accepted_wish_comes_too_late(
    shared: dict[str, str], goes: str, stands: str
) -> None:
    told = talk(RINGS="PJSIP/demo-1005-9&", URGENT="1", **shared)
    told.channels[CALLER] |= {"EXTEN": "1003", "UNIQUEID": "n1-1", "EPOCH": "17"}
    assert told.walks(CALLER, "demo-transfer", NEW) == goes
    assert told.shared(CALLER, "TRANSFER") == stands
    late = goes == "transfer-caller,s,2"
    assert (told.shared(CALLER, "RINGS"), told.shared(CALLER, "URGENT")) == (
        ("PJSIP/demo-1005-9&", "1") if late else ("", "0")
    )


@pytest.mark.parametrize("wish", ["", "blind:1002:h1"], ids=["talks already", "is answering"])
def test_an_agent_who_keys_the_take_back_as_the_colleague_answers_is_let_go(wish: str) -> None:
    """Answered between two looks, and the last key of *80 falls into it."""
    told = talk(TRANSFER=wish, REACHED="h1", WHERE="")
    told.channels[AGENT] |= {"MOVE": "blind:1002:h1", "TRANSFER_ID": "h1", "KEYS": "*8"}
    told.channels[AGENT] |= {"WAITDIGITSTATUS": "DTMF", "WAITDIGITRESULT": "0"}
    waits = [step.app for step in CONTEXTS["transfer-sent"]["s"]].index("WaitDigit") + 1
    ended = told.walks(AGENT, "transfer-sent", "s", str(waits), within=["transfer-stops"])
    assert (ended, told.done[-1]) == ("Hangup", "Hangup(16)")


def test_no_wish_undoes_what_a_phone_transfers_of_a_caller_who_was_handed_over() -> None:
    told = talk(TRANSFER="three:1002:h1", HANDED="1")
    told.channels[CALLER] |= {"EXTEN": "1003", "UNIQUEID": "n1-1", "EPOCH": "17"}
    assert told.walks(CALLER, "demo-transfer", NEW) == "transfer-caller,s,refer"
    assert wishes(told, "three", AGENT) == "under-way"


def way(number: int, **caller: str) -> Asterisk:
    """That way to 110 in the transfer h1, at its beginning."""
    told = talk(**caller)
    told.channels["way"] = {"CALLER_CHANNEL": CALLER, "TRANSFER_ID": "h1", "EPOCH": "20"}
    (gosub,) = (s for s in CONTEXTS["demo-way"][f"110w{number}"] if s.args.startswith("transfer-way,s,1("))
    for at, word in enumerate(gosub.args.partition("(")[2][:-1].split(","), 1):
        told.channels["way"][f"ARG{at}"] = word
    return told


@pytest.mark.parametrize("turn", ["h1:0", "h1:20"], ids=["failed", "began long enough ago"])
def test_a_way_has_its_turn_by_the_one_right_before_it_and_gives_the_next_one_its_own(turn: str) -> None:
    second = way(2, TURN_2=turn)
    assert second.walks("way", "transfer-way") == "Return"
    assert second.shared(CALLER, "TURN_3") == "h1:23", "counted from when this one began"
    last = way(3, TURN_3=turn)
    assert last.walks("way", "transfer-way") == "Return"
    assert last.shared(CALLER, "TURN_4") == ""


@pytest.mark.parametrize("turn", ["", "h1:21", "h0:0"], ids=["not begun", "begun just now", "another's"])
def test_a_way_waits_while_the_one_before_it_may_still_be_answered(turn: str) -> None:
    third = way(3, TURN_2="h1:0", TURN_3=turn)
    with pytest.raises(AssertionError, match="walks for ever"):
        third.walks("way", "transfer-way")


def test_a_way_that_has_failed_gives_the_next_one_its_turn_at_once() -> None:
    told = way(2, TURN_3="h1:23")
    assert told.walks("way", "demo-way", "110w2") == "Hangup"
    assert told.shared(CALLER, "TURN_3") == "h1:0"


@pytest.mark.parametrize(("stopped", "recorded"), [("h1", False), ("", True)])
def test_whoever_answers_outside_when_nobody_waits_any_more_is_not_recorded(
    stopped: str, recorded: bool
) -> None:
    told = talk(STOPPED=stopped)
    told.channels[COLLEAGUE] |= {"TRANSFER_ID": "h1", "WAY": "1", "WAY_TRUNK": "carrier", "WAY_NUMBER": "110"}
    assert told.walks(COLLEAGUE, "transfer-way-up") == "Return"
    assert ("Gosub(record,s,1)" in told.done) is recorded
    assert any("Step: accepted" in step for step in told.done) is recorded


@pytest.mark.parametrize("danger", [{"DANGER": "1"}, {"SHARED(URGENT)": "1"}, {}])
def test_a_caller_in_danger_who_is_taken_out_hears_no_machine(danger: dict[str, str]) -> None:
    told = talk()
    told.channels[CALLER] |= danger
    ended = told.walks(CALLER, "desk-freed", "queue")
    assert ended == ("transfer-back,s,2" if danger else "demo-queue-general,s,1")
    assert ("Playback(hotline/caller-returned)" in told.done) is not bool(danger)


@pytest.mark.parametrize(
    ("danger", "goes"),
    [({"DANGER": "1", "RETURNS": "3"}, "transfer-back,s,2"), ({"SHARED(URGENT)": "1"}, "transfer-back,s,2"),
     ({}, "demo-queue-general,s,enter"), ({"RETURNS": "3"}, "Hangup")],
)  # fmt: skip
def test_a_caller_in_danger_whose_agents_phone_dies_rings_again_however_often_it_was_lost(
    danger: dict[str, str], goes: str
) -> None:
    told = talk()
    told.channels[CALLER] |= {"SHARED(SEAT_LEFT)": "38", **danger}
    assert told.walks(CALLER, "talked") == goes


@pytest.mark.parametrize("kind", ["blind", "consult", "three", "handoff"])
def test_an_agent_who_hangs_up_in_the_instant_in_which_a_key_is_done_leaves_the_caller_to_the_queue(
    kind: str,
) -> None:
    told = talk()
    assert told.walks(CALLER, "talked") == "Hangup", "no transfer: the agent has ended the talk"
    late = talk(TRANSFER=f"{kind}:1002:h1", SEAT_LEFT="16")
    # the caller fell out of the talk before the transfer stood there, and looks for why
    assert late.walks(CALLER, "talked", label="known") == "transfer-back,s,2"


class Keyed(Asterisk):
    """The agent's leg stands in a key's own steps until it was looked at so often."""

    looks = 0

    def _value(self, channel: str, name: str) -> str:
        if name != f"IMPORT({AGENT},CONTEXT)":
            return super()._value(channel, name)
        self.looks -= 1
        return "transfer-key" if self.looks >= 0 else "demo-seats"


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_a_centre_that_is_asked_for_by_keys_waits_milliseconds_for_the_keys_own_steps(looks: int) -> None:
    told, wish = Keyed(CONTEXTS, talk().channels), "Local/s@transfer-go-2;2"
    told.looks = looks
    told.channels[AGENT]["CHANNEL(checkhangup)"] = "0"
    keyed = {"SEAT": "1001", "KIND": "handoff", "TO": "110", "UNIQUEID": "h1", "SEAT_CHANNEL": AGENT}
    told.channels[wish] = {**told.channels[CALLER], **keyed, "EPOCH": "17"}
    assert told.walks(wish, "transfer-go") == "Hangup"
    (asked,) = (n for n, step in enumerate(told.done) if "s@transfer-target/n" in step)
    waits = [float(step.removeprefix("Wait(")[:-1]) for step in told.done[:asked] if step.startswith("Wait(")]
    assert len(waits) == looks
    assert sum(waits) <= 0.01
    assert f"ChannelRedirect({AGENT},transfer-agent,room,1)" in told.done[asked:]


def test_an_order_for_a_leg_on_which_a_number_is_being_keyed_is_refused_after_two_seconds() -> None:
    told, wish = Keyed(CONTEXTS, talk().channels), "Local/s@transfer-go-2;2"
    told.looks = 1000
    order = {"SEAT": "1001", "KIND": "handoff", "TO": "110", "ORDER": "o1", "SEAT_CHANNEL": AGENT}
    told.channels[wish] = {**told.channels[CALLER], **order}
    assert told.walks(wish, "transfer-go") == "Hangup"
    assert told.channels[wish]["DB(hotline-order/o1)"] == "under-way"
    waits = [float(step.removeprefix("Wait(")[:-1]) for step in told.done if step.startswith("Wait(")]
    assert sum(waits) == pytest.approx(2)


STAND_IN = f"Local/{CALL}@stand-in-00000001;2"
RULE = """
[general.call_back]
after_seconds = 60
trunk = "carrier"
tries = 2
again_after_seconds = 60
ring_seconds = 20
"""


def call_back(**shared: str) -> Asterisk:
    """A stand-in in whose call the agent sits, and the agent."""
    files = demo_files()
    add("queues.toml", RULE)(files)
    plan = checked(files).plan
    assert plan is not None
    usual = {"CALL_ID": CALL, "CITY": "demo", "LINE": "main", "QUEUE": "general", "CALLER_CHANNEL": STAND_IN}
    told = {f"SHARED({name})": value for name, value in shared.items()}
    return Asterisk(
        read(render([plan], site(plan))["extensions.conf"]),
        {STAND_IN: {**usual, "OF": "demo-n1-0.9", **told}, AGENT: dict(usual)},
    )


def test_no_wish_moves_a_citizen_who_is_called_back_and_has_not_answered_yet() -> None:
    told, wish = call_back(AWAITED="1"), "Local/s@transfer-go-2;2"
    order = {"SEAT": "1001", "KIND": "blind", "TO": "1003", "ORDER": "o1", "SEAT_CHANNEL": AGENT}
    told.channels[wish] = {**told.channels[AGENT], **order}
    assert told.walks(wish, "transfer-go") == "Hangup"
    assert told.channels[wish]["DB(hotline-order/o1)"] == "not-yet"


@pytest.mark.parametrize(("awaited", "goes"), [("1", "Hangup"), ("", "transfer-caller,s,refer")])
def test_a_phone_that_transfers_a_citizen_who_has_not_answered_yet_ends_the_try(
    awaited: str, goes: str
) -> None:
    told = call_back(AWAITED=awaited)
    told.channels[STAND_IN] |= {"EXTEN": "1003", "UNIQUEID": "n1-1", "EPOCH": "17"}
    assert told.walks(STAND_IN, "demo-transfer", NEW) == goes


@pytest.mark.parametrize(
    ("awaited", "shared", "goes"),
    [
        ("1", {"SEAT_LEFT": "38"}, "Hangup"),
        ("", {"SEAT_LEFT": "16"}, "Hangup"),
        ("", {"SEAT_LEFT": "38"}, "demo-queue-general,s,enter"),
        ("", {"TRANSFER": "consult:1003:h1", "AWAY": "1"}, "transfer-caller,s,2"),
    ],
    ids=["nobody has answered yet", "the agent hung up", "the agent's phone died", "the agent transfers"],
)
def test_a_citizen_who_was_called_back_is_from_then_on_a_caller_as_any(
    awaited: str, shared: dict[str, str], goes: str
) -> None:
    told = call_back(AWAITED=awaited, **shared)
    told.channels[STAND_IN]["QUEUESTATUS"] = "CONTINUE"
    steps = told.contexts["demo-stand-in-general"]["s"]
    (queue,) = (n for n, step in enumerate(steps) if step.app == "Queue")
    # behind Queue(), where the walk of a queue ends
    rest = {**told.contexts, "demo-stand-in-general": {"s": steps[queue + 1 :]}}
    told = Asterisk(rest, told.channels)
    assert told.walks(STAND_IN, "demo-stand-in-general", within=["talked"]) == goes


def test_a_citizen_who_is_called_back_and_waits_again_is_promised_no_second_call() -> None:
    told = call_back()
    assert told.walks(STAND_IN, "call-back") == "demo-queue-general,s,enter"
    assert told.done == ["Playback(hotline/callback-failed)"]


ORDER = "taken:o1:1003:PJSIP/demo-1003-9"
"""A supervisor's order that waits beside a caller."""


@pytest.mark.parametrize("context", ["talked", "transfer-caller", "transfer-back"])
def test_a_caller_who_falls_out_of_a_talk_takes_a_supervisors_order_before_anything_else(
    context: str,
) -> None:
    told = talk(DESK=ORDER, TRANSFER="three:1002:h1")
    assert told.walks(CALLER, context) == "desk-led,s,2"
    assert told.done == []
    assert told.walks(CALLER, "desk-led") == "desk-taken,s,2"
    assert (told.shared(CALLER, "DESK"), told.shared(CALLER, "DESK_DONE")) == ("", "o1")
    assert told.channels[CALLER]["TAKER"] == "PJSIP/demo-1003-9"


def forcing(told: Asterisk, how: str, seat: str) -> str:
    """An order to force this seat out, as far as what it does to the caller first."""
    told.channels["order"] = {
        "CALLER_CHANNEL": CALLER,
        "HOW": how,
        "ORDER": "o1",
        "SEAT": seat,
        "CITY": "demo",
    }
    steps = list(told.contexts["desk-leads"]["s"])
    for n in [n for n, step in enumerate(steps) if step.app in ("CONFKICK", "SoftHangup")]:
        # then it looks until the caller has gone
        steps[n + 1] = Step(steps[n + 1].label, "Hangup", "")
    return Asterisk({**told.contexts, "desk-leads": {"s": steps}}, told.channels, told.done).walks(
        "order", "desk-leads"
    )


KEPT = [(COLLEAGUE, {}), ("", {"WHERE": "room", "HANDED": "1", "TARGET": COLLEAGUE})]


@pytest.mark.parametrize(("who", "shared"), KEPT, ids=["a talk", "a room"])
def test_whoever_has_the_caller_from_an_agent_who_is_forced_out_keeps_them(
    who: str, shared: dict[str, str]
) -> None:
    told = talk(**shared)
    told.channels[CALLER]["BRIDGEPEER"] = who
    assert forcing(told, "queue", "1001") == "Hangup"
    assert told.done == ["Answer()", "Hangup()"]
    assert told.shared(CALLER, "DESK") == ""


@pytest.mark.parametrize(("who", "shared"), KEPT, ids=["a talk", "a room"])
def test_a_caller_whom_somebody_else_has_by_then_is_not_ended_and_the_order_says_so(
    who: str, shared: dict[str, str]
) -> None:
    told = talk(**shared)
    told.channels[CALLER]["BRIDGEPEER"] = who
    assert forcing(told, "end", "1001") == "Hangup"
    assert told.channels["order"]["DB(hotline-order/o1)"] == "passed-on"
    assert told.shared(CALLER, "DESK") == ""


@pytest.mark.parametrize("how", ["queue", "end"])
def test_a_colleague_to_whom_the_caller_was_left_in_a_room_is_forced_out_of_it(how: str) -> None:
    told = talk(WHERE="room", HANDED="1", TARGET=COLLEAGUE, TRANSFER="three:1002:h1", DIALLING="Local/1;2")
    assert forcing(told, how, "1002") == "Hangup"
    assert told.done == [f"CONFKICK({CALL},{CALLER})", "Hangup()"]
    assert told.shared(CALLER, "DESK") == f"{how}:o1::"
    told.done.clear()
    told.channels[CALLER]["ROOM"] = CALL
    told.walks(CALLER, "desk-freed", how, within=["transfer-dropped"])
    assert told.done[:4] == [
        f"SoftHangup({AGENT})",
        "SoftHangup(Local/1;2)",
        f"SoftHangup({AGENT})",
        f"CONFKICK({CALL},all)",
    ]


def wishes(told: Asterisk, kind: str, by: str) -> str:
    """Why the wish of this phone is refused; empty: it is not."""
    wish = "Local/s@transfer-go-2;2"
    told.channels[wish] = {**told.channels[by], "KIND": kind, "ORDER": "o1", "SEAT_CHANNEL": by}
    assert told.walks(wish, "transfer-go") == "Hangup"
    return told.channels[wish].get("DB(hotline-order/o1)", "")


ASKED = [
    {"TRANSFER": "consult:1002:h1", "WHERE": "hold"},
    {"TRANSFER": "three:1002:h1", "WHERE": "room"},
]


@pytest.mark.parametrize("shared", ASKED, ids=["consulting", "together"])
@pytest.mark.parametrize("kind", ["leave", "takeback"])
def test_a_colleague_who_was_asked_leaves_nobody_and_takes_nobody_back(
    kind: str, shared: dict[str, str]
) -> None:
    told = talk(TARGET_IN="1", TARGET=COLLEAGUE, **shared)
    assert wishes(told, kind, COLLEAGUE) == "not-under-way"
    assert (told.shared(CALLER, "LEAVES"), told.shared(CALLER, "TRANSFER")) == ("", shared["TRANSFER"])
    assert not [step for step in told.done if step.startswith(("SoftHangup", "ChannelRedirect", "UserEvent"))]


@pytest.mark.parametrize("shared", ASKED, ids=["consulting", "together"])
def test_an_agent_leaves_caller_and_colleague_to_each_other(shared: dict[str, str]) -> None:
    told = talk(TARGET_IN="1", TARGET=COLLEAGUE, **shared)
    assert wishes(told, "leave", AGENT) == ""
    assert told.shared(CALLER, "LEAVES") == shared["TRANSFER"]
    assert f"SoftHangup({AGENT})" in told.done


@pytest.mark.parametrize("dialling", ["", "Local/1;2"], ids=["consulted before", "three from the beginning"])
def test_once_three_talk_there_is_nothing_to_take_back(dialling: str) -> None:
    told = talk(TRANSFER="three:1002:h1", WHERE="room", TARGET_IN="1", TARGET=COLLEAGUE, DIALLING=dialling)
    assert wishes(told, "takeback", AGENT) == "not-under-way"
    assert told.shared(CALLER, "TRANSFER") == "three:1002:h1"
    assert not [step for step in told.done if step.startswith(("SoftHangup", "UserEvent"))]


def test_while_a_third_is_rung_for_a_talk_the_agent_takes_back() -> None:
    told = talk(TRANSFER="three:1002:h1", WHERE="room", TARGET_IN="0", DIALLING="Local/1;2")
    assert wishes(told, "takeback", AGENT) == ""
    assert told.shared(CALLER, "TRANSFER") == ""
    assert "SoftHangup(Local/1;2)" in told.done


def test_a_second_supervisor_in_the_same_moment_is_refused() -> None:
    told = talk(DESK=ORDER)
    told.channels["order"] = {"CALLER_CHANNEL": CALLER, "HOW": "queue", "ORDER": "o2"}
    assert told.walks("order", "desk-leads") == "Hangup"
    assert told.channels["order"]["DB(hotline-order/o2)"] == "led-already"
    assert told.shared(CALLER, "DESK") == ORDER


# --- a wish in the instant in which the agent hangs up -----------------------------------------------

ENDS = "CHANNEL(checkhangup)"


def test_a_caller_who_goes_on_without_a_wish_is_moved_by_none_from_then_on() -> None:
    told = talk()
    assert told.walks(CALLER, "talked") == "Hangup"
    assert told.shared(CALLER, "OVER") == "1"
    assert wishes(told, "three", AGENT) == "no-call"
    assert told.shared(CALLER, "TRANSFER") == ""


def test_whoever_hangs_up_begins_nothing_though_their_leg_is_not_gone_yet() -> None:
    told = talk()
    told.channels[AGENT][ENDS] = "1"
    assert wishes(told, "three", AGENT) == "no-call"
    told.channels[AGENT][ENDS] = "0"
    assert wishes(told, "three", AGENT) == "not-allowed", "it names nobody"


def test_a_caller_who_falls_out_of_a_talk_follows_a_wish_that_was_accepted_before() -> None:
    told = talk(TRANSFER="three:1002:h1", AWAY="1")
    assert told.walks(CALLER, "talked") == "transfer-caller,s,2"
    assert told.shared(CALLER, "OVER") == "0"


def behind_the_room(told: Asterisk) -> Asterisk:
    """The same with a caller who came into the room by h1 and has fallen out of it."""
    told.channels[CALLER] |= {"MOVE": "three:1002:h1", "TRANSFER_ID": "h1"}
    steps = told.contexts["transfer-caller"]["s"]
    (room,) = (n for n, step in enumerate(steps) if step.app == "ConfBridge")
    return Asterisk({**told.contexts, "behind": {"s": steps[room + 1 :]}}, told.channels)


def test_no_wish_moves_a_caller_whom_the_last_one_has_left_in_the_room() -> None:
    told = behind_the_room(talk(TRANSFER="three:1002:h1", AGENT_IN="0"))
    assert told.walks(CALLER, "behind") == "transfer-back,s,2"
    assert told.shared(CALLER, "OVER") == "1"


@pytest.mark.parametrize(
    ("shared", "goes"),
    [({"HANDED": "1", "TARGET_JOINED": "1"}, "Hangup"),
     ({"HANDED": "1", "TARGET_JOINED": "1", "URGENT": "1"}, "transfer-back,s,2"),
     ({"HANDED": "1", "TARGET_JOINED": "1", "TARGET_CAUSE": "44"}, "transfer-back,s,2"),
     ({"HANDED": "0", "AGENT_IN": "0"}, "transfer-back,s,2"),
     ({"HANDED": "1", "TARGET_JOINED": "1", "AWAY": "1"}, "transfer-caller,s,2")],
    ids=["talked to the end", "in danger", "their phone died", "nobody came", "led away again"],
)  # fmt: skip
def test_a_talk_whose_room_somebody_else_was_brought_into_later_ends_as_the_first_ones_does(
    shared: dict[str, str], goes: str
) -> None:
    told = behind_the_room(talk(TRANSFER="three:1003:h2", TARGET_IN="0", **shared))
    assert told.walks(CALLER, "behind") == goes
    assert told.shared(CALLER, "OVER") == ("0" if shared.get("AWAY") else "1")


@pytest.mark.parametrize(
    ("keyed", "danger"), [("handoff/12333", "1"), ("blind/110", "1"), ("blind/1002", ""), ("blind/", "")]
)
def test_a_wish_that_was_keyed_and_came_too_late_leaves_the_caller_to_the_head_of_the_queue(
    keyed: str, danger: str
) -> None:
    told = talk(KEYED=keyed)
    assert told.walks(CALLER, "talked") == "transfer-back,s,2"
    ended = told.walks(CALLER, "transfer-back")
    assert ended == ("Queue" if danger else "demo-queue-general,s,enter")
    assert told.channels[CALLER].get("DANGER", "") == danger
    assert told.shared(CALLER, "KEYED") == ""


@pytest.mark.parametrize("where", ["", "room", "hold", "sent"])
def test_an_agent_who_goes_leads_the_caller_back_only_from_where_they_wait(where: str) -> None:
    """On its way a caller waits for locks, and a redirection then would end it as if it had hung up."""
    told = talk(TRANSFER="three:1002:h1", WHERE=where)
    assert told.walks(AGENT, "transfer-agent-gone") == "Return"
    led = [step for step in told.done if step.startswith("ChannelRedirect")]
    assert led == ([f"ChannelRedirect({CALLER},transfer-back,s,1)"] if where in ("room", "hold") else [])
    # and on its way it looks by itself
    assert told.walks(CALLER, "transfer-caller") == "transfer-back,s,2"


# --- a phone that dies while it holds --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "since", "onhold", "ends"),
    [("Unreachable", "45", "1", True), ("Unreachable", "45", "0", False), ("Unreachable", "46", "1", False),
     ("Unreachable", "", "1", False), ("Reachable", "45", "1", False), ("", "45", "1", True)],
    ids=["holds and is dead", "talks", "a hiccup so far", "seen for the first time", "holds on",
         "its registration has run out"],
)  # fmt: skip
def test_a_talk_ends_whose_phone_holds_and_has_been_out_of_reach_for_the_plans_seconds(
    phone: str, since: str, onhold: str, ends: bool
) -> None:
    told = talk()
    told.channels[CALLER]["CHANNEL(onhold)"] = onhold
    told.channels[AGENT]["BRIDGEPEER"] = CALLER
    told.channels["clock"] = {
        "ARG1": "demo-1001",
        "DEAD_AFTER": "15",
        "EPOCH": "60",
        "PJSIP_AOR(demo-1001,contact)": "there" if phone else "",
        "PJSIP_CONTACT(there,status)": phone,
        "HASH(GONE,demo-1001)": since,
        "CHANNELS(^PJSIP/demo-1001-)": f"PJSIP/demo-1001-0 {AGENT}",
    }
    assert told.walks("clock", "held-look") == "Return"
    assert (f"SoftHangup({AGENT})" in told.done) is ends
    assert told.shared(AGENT, "DEAD") == ("1" if ends else "")


def test_a_phone_that_answers_again_begins_anew_to_be_out_of_reach() -> None:
    told = talk()
    told.channels["clock"] = {
        "ARG1": "demo-1001",
        "PJSIP_AOR(demo-1001,contact)": "there",
        "PJSIP_CONTACT(there,status)": "Reachable",
        "HASH(GONE,demo-1001)": "45",
    }
    assert told.walks("clock", "held-look") == "Return"
    assert told.channels["clock"]["HASH(GONE,demo-1001)"] == ""


# --- what becomes of a caller's place when they call again, or wait again --------------------------------


def lost(told: Asterisk, phone: str = "Unreachable", second: str = "Reachable") -> bool:
    """Whether whoever hangs up now is one whom we lost: the phone of the agent who answered is so by now, and
    so is that of any other seat."""
    for seat in ("1002", "1003"):
        told.channels[CALLER] |= {
            f"PJSIP_AOR(demo-{seat},contact)": f"at {seat}",
            f"PJSIP_CONTACT(at {seat},status)": second,
        }
    told.channels[CALLER] |= {
        "QUEUED_AT": "5",
        "CALLER": "13900000001",
        "UNIQUEID": "n1-1.1",
        "DB(hotline-waits/demo/13900000001)": "5/n1-1.1",
        "QEHOLDTIME": "3",
        "MEMBERINTERFACE": "PJSIP/demo-1001",
        "PJSIP_AOR(demo-1001,contact)": "demo-1001/sip:1001@192.0.2.7" if phone else "",
        "PJSIP_CONTACT(demo-1001/sip:1001@192.0.2.7,status)": phone,
        "EPOCH": "60",
    }
    assert told.walks(CALLER, "waits-over") == "Return"
    kept = told.channels[CALLER].get("DB(hotline-waits/demo/13900000001)", "")
    assert kept == ("60/n1-1.1" if told.channels[CALLER].get("DROPPED") else "")
    return bool(kept)


def until_step(told: Asterisk, context: str, app: str) -> Asterisk:
    """The same with this context ending where it would run that application."""
    steps = told.contexts[context]["s"]
    (end,) = (n for n, step in enumerate(steps) if step.app == app)
    short = [*steps[:end], Step("", "Hangup", "")]
    return Asterisk({**told.contexts, context: {"s": short}}, told.channels, told.done)


def taken_over() -> Asterisk:
    told = until_step(talk(DESK=ORDER), "desk-taken", "Bridge")
    assert told.walks(CALLER, "desk-led", within=["desk-taken", "transfer-dropped"]) == "Hangup"
    return told


def passed_on_blindly() -> Asterisk:
    told = talk(TRANSFER="blind:1002:h1", WHERE="sent")
    told.channels[COLLEAGUE]["TRANSFER_ID"] = "h1"
    assert told.walks(COLLEAGUE, "transfer-up", within=["transfer-reached"]) == "Return"
    return told


def handed_over() -> Asterisk:
    told = in_a_room_of_three()
    assert told.walks(AGENT, "transfer-agent-gone") == "Return"
    # whoever has them asks somebody else now
    told.channels[CALLER] |= {"SHARED(HANDED)": "0", "SHARED(TARGET_IN)": "0", "SHARED(TARGET_JOINED)": "0"}
    return told


def in_a_room_of_three() -> Asterisk:
    return talk(TRANSFER="three:1002:h1", WHERE="room", TARGET_IN="1", TARGET_JOINED="1", TARGET=COLLEAGUE)


@pytest.mark.parametrize(
    "served", [taken_over, passed_on_blindly, handed_over, in_a_room_of_three], ids=lambda one: one.__name__
)
def test_whoever_talks_to_somebody_else_is_not_judged_by_the_dead_phone_of_the_first_agent(
    served: Callable[[], Asterisk],
) -> None:
    assert not lost(served())


@pytest.mark.parametrize(
    "served", [taken_over, passed_on_blindly, handed_over, in_a_room_of_three], ids=lambda one: one.__name__
)
def test_whoever_has_nobody_but_somebody_else_whose_phone_is_dead_is_lost_too(
    served: Callable[[], Asterisk],
) -> None:
    assert lost(served(), second="Unreachable")
    alone = served is not in_a_room_of_three
    assert lost(served(), phone="Reachable", second="Unreachable") is alone


def test_a_phone_whose_registration_has_run_out_is_as_dead_as_one_that_does_not_answer() -> None:
    assert lost(talk(), phone="")
    assert not lost(talk(ELSEWHERE="PJSIP/demo-carrier-00000001"), phone=""), "a trunk registers nowhere"


@pytest.mark.parametrize(
    ("contact", "status", "led"),
    [("there", "Reachable", "Hangup"), ("there", "Unreachable", "desk-freed,queue,2"),
     ("", "", "desk-freed,queue,2")],
    ids=["put down", "dead", "its registration has run out"],
)  # fmt: skip
def test_a_caller_whom_a_supervisor_took_over_is_lost_when_that_phone_dies(
    contact: str, status: str, led: str
) -> None:
    told = talk(DESK=ORDER)
    told.channels[CALLER] |= {
        "BRIDGERESULT": "SUCCESS",
        "PJSIP_AOR(demo-1003,contact)": contact,
        f"PJSIP_CONTACT({contact},status)": status,
    }
    assert told.walks(CALLER, "desk-led", within=["desk-taken", "transfer-dropped"]) == led


def test_whoever_talks_to_a_centre_is_not_judged_by_any_phone() -> None:
    told = talk(ELSEWHERE="Local/110w1@demo-way-00000001;1")
    assert not lost(told, second="Unreachable")


@pytest.mark.parametrize(
    "shared",
    [{}, {"TRANSFER": "consult:1002:h1", "WHERE": "hold", "TARGET_IN": "1"},
     {"TRANSFER": "blind:1002:h1", "WHERE": "sent"}],
    ids=["talks", "is held", "hears it ring"],
)  # fmt: skip
def test_whoever_has_nobody_but_an_agent_whose_phone_is_dead_is_lost(shared: dict[str, str]) -> None:
    assert lost(talk(**shared))


def test_whoever_comes_back_to_the_queue_is_judged_by_the_phone_that_answers_then() -> None:
    told = passed_on_blindly()
    told.channels[CALLER]["EPOCH"] = "20"
    assert told.walks(CALLER, "queue-enter") == "Return"
    assert lost(told)


def test_whoever_is_taken_from_an_agent_and_hangs_up_on_the_way_back_is_lost() -> None:
    told = talk()
    assert told.walks(CALLER, "desk-freed", "queue", within=["transfer-dropped"]) == "demo-queue-general,s,1"
    assert lost(told, phone="Reachable")
    assert not lost(talk(), phone="Reachable"), "whoever hangs up in the talk is served"


def test_in_danger_the_levels_go_on_from_all_that_was_waited_however_often_the_wait_begins_anew() -> None:
    files = demo_files()
    text = files["queues.toml"].decode()
    assert "wait_seconds = 90\n" in text
    widening = "wait_seconds = 90\nwiden = { 0 = 0, 20 = 10, 45 = 20 }\n"
    files["queues.toml"] = text.replace("wait_seconds = 90\n", widening, 1).encode()
    plan = checked(files).plan
    assert plan is not None
    told = Asterisk(read(render([plan], site(plan))["extensions.conf"]), talk().channels)
    told.channels[CALLER] |= {"DANGER": "1", "EPOCH": "1000", "JOINED_AT": "900", "QEHOLDTIME": "25"}
    waits = ["queue-enter", "demo-levels"]
    rules = []
    for now, waited in (("1000", "25"), ("1019", "44"), ("1619", "644")):
        told.channels[CALLER]["EPOCH"] = now
        assert told.walks(CALLER, "transfer-back", label="urgent", within=waits) == "Queue"
        assert told.channels[CALLER]["WAITED"] == waited
        rules.append(told.done[-1].split(",")[7])
    assert rules == ["demo-general.24", "demo-general.42", "demo-general.45"]
    assert "CHANNEL(language)" not in told.channels[CALLER], "nobody says their place"


class Comes(list[str]):
    """What is done, in a house where somebody comes into the room while the next step waits."""

    def __init__(self, watch: dict[str, str], marked: str) -> None:
        super().__init__()
        self._watch, self._marked = watch, marked

    def append(self, told: str) -> None:
        super().append(told)
        if told.startswith("Wait("):
            self._watch["CONFBRIDGE_INFO(marked,demo-n1-7)"] = self._marked


@pytest.mark.parametrize(("marked", "kicked"), [("1", True), ("0", False), ("2", False)])
def test_an_agent_who_comes_into_the_room_as_the_caller_is_gone_is_not_left_there(
    marked: str, kicked: bool
) -> None:
    """They saw the caller a moment before; whoever looked as the caller went saw nobody in the room."""
    watch = {"CALLER_CHANNEL": CALLER, "CALL_ID": "demo-n1-7", "CONFBRIDGE_INFO(marked,demo-n1-7)": "0"}
    told = Asterisk(talk().contexts, {"watch": watch})
    told.done = Comes(watch, marked)
    assert told.walks("watch", "transfer-watch", label="gone") == "Hangup"
    assert ("CONFKICK(demo-n1-7,all)" in told.done) is kicked
