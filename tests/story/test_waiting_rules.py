"""Waiting, without Asterisk: the rank of a caller, levels, sentences, ways out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_conf.render import render
from asterisk_conf.seat_leg import HANDED_OVER, HEAD
from asterisk_conf.waiting import levels, queue_rules, rule_of, say_conf, waiting_contexts
from plan.check import check
from plan.model import CallBack, Destination, Plan, Priority
from plan.roads import steps
from plan.waiting import dead_ends
from tests.story.plan_files import DEMO, checked, demo, demo_files, site, standard_prompts

PROMPTS = standard_prompts()


DOOR = next(c.text() for c in waiting_contexts() if c.name == "queue-rank")
RANKED = re.compile(r"Set\(QUEUE_PRIO=\$\[([^]]+HEAD_START[^]]+)\]\)")
"""Where the rendered dialplan computes a caller's rank."""
FIRST = re.compile(r"QUEUE_PRIO} = (\d+)\]\?Set\(QUEUE_PRIO=\$\[([^]]+)\]\)")
"""And that of a caller whom we lost, or a centre handed over: of which class, and the sum."""


def with_queue(name: str = "general", **changes: Any) -> Plan:
    plan = demo()
    queues = {**plan.queues, name: plan.queues[name].model_copy(update=changes)}
    return plan.model_copy(update={"queues": queues})


def rank(joined: int, head_start: int) -> int:
    """The sum that the dialplan itself computes at the door, with the values of one caller."""
    (told,) = RANKED.findall(DOOR)
    told = told.replace("${QUEUED_AT}", str(joined)).replace("${HEAD_START}", str(head_start))
    assert re.fullmatch(r"\d+( [+-] \d+)*", told), f"not a sum of numbers: {told}"
    return sum(int(term) for term in re.findall(r"[+-]?\d+", told.replace(" ", "")))


@given(
    st.integers(1_700_000_000, 2_000_000_000),
    st.integers(0, 100_000),
    st.integers(0, 86_400),
    st.integers(0, 86_400),
)
def test_nobody_is_overtaken_by_a_caller_who_comes_later_than_the_head_start(
    joined: int, later: int, mine: int, theirs: int
) -> None:
    first, second = rank(joined, mine), rank(joined + later, theirs)
    assert 0 < first < 2**31
    if later > theirs - mine:
        assert first > second


def test_within_a_class_the_first_come_is_first_served() -> None:
    assert rank(1_800_000_000, 60) > rank(1_800_000_001, 60)


@given(st.integers(1_750_000_000, 2_000_000_000), st.integers(0, 86_400), st.integers(0, 86_400))
def test_whom_we_lost_or_a_centre_handed_over_keeps_the_place_among_these_and_stands_before_the_others(
    joined: int, later: int, head_start: int
) -> None:
    sums = {int(kind): told for kind, told in FIRST.findall(DOOR)}
    assert sums.keys() == {HEAD, HANDED_OVER}

    def first(kind: int, queued_at: int) -> int:
        told = sums[kind].replace("${QUEUED_AT}", str(queued_at)).replace("/", "//").replace("FLOOR", "")
        assert re.fullmatch(r"[\d +/()-]+", told), f"not a sum of numbers: {told}"
        return int(eval(told))

    lost, handed = first(HEAD, joined), first(HANDED_OVER, joined)
    assert rank(joined - 86_400, head_start) < handed < HEAD < lost < 2**31
    # and the one who came later does not stand before, nor in the same place for long
    assert first(HANDED_OVER, joined + 1 + later) < handed
    assert first(HEAD, joined + later) <= lost
    assert first(HEAD, joined + later + 10) < lost


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 50)), min_size=1, max_size=6),
    st.integers(0, 2000),
    st.integers(0, 2000),
)
def test_levels_widen_with_all_that_was_waited_in_whatever_queue(
    steps: list[tuple[int, int]], before: int, here: int
) -> None:
    plan = with_queue(widen={"0": 0, **{str(after): level for after, level in steps}})
    queue = plan.queues["general"]
    told = rule_of("demo", "general", queue)
    apart = int(re.findall(r"\$\[\$\{WAITED\} < (\d+)\]", told)[0]) if told else 0
    rules = queue_rules([plan])
    named = [int(n) for n in re.findall(r"\[demo-general\.(\d+)\]", rules)]
    assert len(named) <= 20
    # as the dialplan chooses it
    waited = min(before // apart * apart, named[-1]) if apart else 0
    assert waited in (0, *named)

    def level(table: list[tuple[int, int]], seconds: int) -> int:
        return [level for after, level in sorted(table) if after <= seconds][-1]

    own = sorted((int(after), level) for after, level in queue.widen.items())
    now = level(levels(queue, waited), here)
    due = [level(own, max(0, before + here - late)) for late in range(apart + 1)] if apart else [now]
    assert now in due


def test_a_caller_who_waited_elsewhere_meets_the_levels_of_then() -> None:
    plan = with_queue(widen={"0": 0, "20": 10, "45": 20})
    rules = queue_rules([plan])
    assert "[demo-general.21]\npenaltychange => 0,10\npenaltychange => 24,20\n" in rules
    assert rules.rstrip().endswith("[demo-general.45]\npenaltychange => 0,20")
    told = render([plan], site())["extensions.conf"]
    queue = told.split("[demo-queue-general]")[1].split("\n[")[0]
    chosen = "${IF($[${WAITED} < 45]?$[FLOOR(${WAITED} / 3) * 3]:45)}"
    assert f",${{IF($[${{WAITED}} < 3]?:demo-general.{chosen})}},${{AGAIN}})" in queue


def test_levels_widen_by_a_rule_of_the_queue() -> None:
    plan = with_queue(widen={"0": 0, "20": 10})
    assert "[demo-general]\npenaltychange => 0,0\npenaltychange => 20,10\n" in queue_rules([plan])
    assert "defaultrule = demo-general" in render([plan], site())["queues.conf"]


def test_a_home_seat_as_the_demo_plan_shows_it_rings_when_the_others_do_not_suffice() -> None:
    files = demo_files()
    # what stands there as a comment, said aloud
    seats = files["seats.toml"].decode()
    example = seats.partition("# [1009]")
    assert example[1], "the demo plan shows no home seat"
    files["seats.toml"] = (example[0] + (example[1] + example[2]).replace("# ", "")).encode()
    queues = files["queues.toml"].decode()
    (widen,) = re.findall(r"^# (widen = \{ 0 = 10, 45 = 20 \})", queues, re.MULTILINE)
    files["queues.toml"] = queues.replace("1006 = 10 }\n", f"1006 = 10, 1009 = 20 }}\n{widen}\n", 1).encode()
    plan = checked(files).plan
    assert plan is not None
    assert plan.seats["1009"].group == "居家"
    told = render([plan], site(plan))
    # as any other seat: where its phone is, its registration says
    assert "[demo-1009]\ntype = aor\n" in told["pjsip.conf"]
    dialplan = told["extensions.conf"]
    assert "exten => 1009,1,Gosub(seat-join,s,1(general,20))" in dialplan
    assert "[demo-general]\npenaltychange => 0,10\npenaltychange => 45,20\n" in told["queuerules.conf"]


def test_a_waiting_caller_hears_whole_sentences_of_their_own_queue() -> None:
    text = say_conf([demo()])
    assert "[zh_demo-general]" in text
    assert "hotline/queue-position-$[${SAY} - 1], hotline/queue-wait-" in text
    quiet = say_conf([with_queue(tell_wait=False)]).split("[zh_demo-general]")[1].split("[")[0]
    assert "queue-wait" not in quiet


@pytest.mark.parametrize(
    ("reassure", "after", "every", "before"),
    [(25, 60, 20, 2), (45, 60, 30, 1), (120, 60, 60, 0), (30, 60, 30, 1)],
)
def test_a_call_back_is_offered_after_its_seconds_and_no_reassurance_comes_later_than_asked(
    reassure: int, after: int, every: int, before: int
) -> None:
    offered = CallBack.model_validate({"after_seconds": after, "trunk": "carrier"})
    plan = with_queue(reassure_every_seconds=reassure, call_back=offered)
    text = render([plan], site())["queues.conf"]
    assert f"periodic-announce-frequency = {every}\n" in text
    said = ",".join([*["hotline/queue-still"] * before, "hotline/callback-offer"])
    assert f"periodic-announce = {said}\n" in text
    assert every * (before + 1) == after


# --- plan check -------------------------------------------------------------------------------------------

ADDED = {
    "queues.toml": b"\n[expert.call_back]\ntrunk = 'inward'\n",
    "phones.toml": b"[duty]\ntitle = 'x'\nnumber = '0555123'\ntrunk = 'inward'\nnext = 'queue:general'\n",
    "priorities.toml": b"[old]\ntitle = 'x'\nhead_start_seconds = 6\nlines = ['mian']\nkeys = ['service:7']",
}


def faults(**files: bytes) -> list[str]:
    """What check says of the demo plan with these files, warnings left out."""
    read = {path.name: path.read_bytes() for path in DEMO.glob("*.toml")}
    for name, text in files.items():
        file = f"{name}.toml"
        read[file] = text if file not in read else read[file] + text
    # a trunk that only brings calls
    read["trunks.toml"] += b"\n[inward]\nhosts = ['192.0.2.99']\n"
    found = check(read, {}, PROMPTS)
    return [str(f) for f in found.faults if not f.warning and f.file not in ("prompts.toml", "lines.toml")]


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("queues", b"\n[expert.widen]\n5 = 10\n", "expert.widen: does not say who rings at first"),
        ("queues", b"\n[expert.widen]\n0 = 10\n5 = 3\n", "expert.widen: does not widen"),
        ("queues", ADDED["queues.toml"], "nobody may call out through 'inward'"),
        ("queues", b"ring_seconds = 1\n" + ADDED["queues.toml"], "expert.ring_seconds: 1 is too small"),
        ("phones", ADDED["phones.toml"], "duty.trunk: nobody may call out through 'inward'"),
        ("phones", ADDED["phones.toml"].replace(b"queue:general", b"queue:gone"), "no such queue 'gone'"),
        ("priorities", ADDED["priorities.toml"], "old.lines: no such line 'mian'"),
        ("priorities", ADDED["priorities.toml"], "old.keys: menu 'service' has no key 7"),
        ("priorities", b"[old]\ntitle = 'x'\nhead_start_seconds = 60\n", "old: is nobody's"),
    ],
)
def test_a_mistake_in_waiting_is_told_where_it_stands(file: str, text: bytes, told: str) -> None:
    assert any(told in fault for fault in faults(**{file: text}))


def test_a_level_that_is_never_reached_leaves_nobody_to_ring() -> None:
    text = DEMO.joinpath("queues.toml").read_bytes().replace(b"1007 = 0, 1008 = 0", b"1007 = 5, 1008 = 5")
    read = {path.name: path.read_bytes() for path in DEMO.glob("*.toml")}
    read["queues.toml"] = text + b"widen = { 0 = 0, 20 = 3 }\n"
    assert any("nobody would ever ring" in str(f) for f in check(read, {}, PROMPTS).faults)


@st.composite
def roads(draw: st.DrawFn) -> dict[str, bytes]:
    """Queues and phones that lead anywhere, also into circles and to nowhere."""
    places = [f"queue:{q}" for q in "abcd"] + [f"phone:{p}" for p in "ab"] + ["message:end", "queue:none"]
    queues = "".join(
        f"[{q}]\ntitle = 'x'\nmembers = {{ 1001 = 0 }}\nnext = '{draw(st.sampled_from(places))}'\n"
        for q in "abcd"
    )
    phones = "".join(
        f"[{p}]\ntitle = 'x'\nnumber = '05551234567'\ntrunk = 't'\nnext = '{draw(st.sampled_from(places))}'\n"
        for p in "ab"
    )
    return {
        "city.toml": b"id = 'x'\ntitle = 'x'\nlast = 'message:end'\n",
        "trunks.toml": b"[t]\nhosts = ['192.0.2.1']\nout = '192.0.2.1'\n",
        "lines.toml": b"[l]\ntitle = 'x'\nnumbers = ['12345']\nfirst = 'queue:a'\n",
        "seats.toml": b"[1001]\n",
        "messages.toml": b"[end]\ntitle = 'x'\nprompt = 'sorry-busy'\n",
        "queues.toml": queues.encode(),
        "phones.toml": phones.encode(),
    }


@given(roads())
def test_a_plan_that_is_accepted_leads_every_queue_to_a_message(files: dict[str, bytes]) -> None:
    plan = check(files, {}, PROMPTS).plan
    if plan is None:
        return
    assert not list(dead_ends(plan))
    for queue in plan.queues:
        at, walked = Destination("queue", queue), 0
        while at.kind != "message":
            ((_, at),) = steps(plan, at)
            walked += 1
            assert walked <= len(plan.queues) + len(plan.phones)


def test_a_plan_of_roads_is_accepted_when_they_end() -> None:
    """The property above must not hold for want of accepted plans."""
    files = {
        "city.toml": b"id = 'x'\ntitle = 'x'\nlast = 'message:end'\n",
        "trunks.toml": b"[t]\nhosts = ['192.0.2.1']\nout = '192.0.2.1'\n",
        "lines.toml": b"[l]\ntitle = 'x'\nnumbers = ['12345']\nfirst = 'queue:a'\n",
        "seats.toml": b"[1001]\n",
        "messages.toml": b"[end]\ntitle = 'x'\nprompt = 'sorry-busy'\n",
        "queues.toml": b"[a]\ntitle = 'x'\nmembers = { 1001 = 0 }\nnext = 'phone:d'\n",
        "phones.toml": b"[d]\ntitle = 'x'\nnumber = '05551234567'\ntrunk = 't'\nnext = 'message:end'\n",
    }
    assert check(files, {}, PROMPTS).faults == ()


def test_the_greatest_head_start_that_holds_is_a_callers_own() -> None:
    told = {
        "old": {"title": "x", "head_start_seconds": 60, "callers": ("1390*", "13900000001"),
                "keys": ("service:1",)},
        "centre": {"title": "x", "head_start_seconds": 600, "callers": ("139*",), "lines": ("main",)},
    }  # fmt: skip
    classes = {name: Priority.model_validate(rule) for name, rule in told.items()}
    plan = demo().model_copy(update={"priorities": classes})
    text = render([plan], site())["extensions.conf"]
    listed = text.split("[demo-listed]")[1].split("\n[")[0]
    # Asterisk takes the most specific pattern only
    assert listed.count("HEAD_START=600)") == 3
    assert "__KEY_HEAD_START=60)" in text.split("[demo-menu-service]")[1].split("\n[")[0]


def test_without_classes_everybody_is_served_as_they_came() -> None:
    text = render([demo()], site())["extensions.conf"]
    priority = text.split("[demo-priority]")[1].split("\n[")[0]
    assert "HEAD_START=0" in priority
    assert "DB(" not in priority
