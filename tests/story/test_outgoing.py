"""Calls to citizens: what may be called, how the dialplan judges it, and what becomes of such a call."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_conf.render import render
from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.model import Call, CallState, Direction, LeftBy
from calls.orders import Order
from calls.story import tell
from cti.asterisk.files import written
from cti.errors import Refused
from cti.handoffs import Handoffs
from cti.refill import prove
from cti.switchboard import replay
from cti.truth.compare import compare
from cti.truth.files import cdrs, queue_log
from cti.truth.recount import recount
from cti.web.api import call_answer
from plan.explain import pages
from plan.model import Plan
from plan.outgoing import EMERGENCY, REFUSED, expression, judge, plain, samples
from queues.ledger import By, Rows, figures
from queues.stint import Part
from tests.story.a_call import CALL, CALLER, leg_now, said
from tests.story.plan_files import checked, demo, demo_files, site
from tests.story.test_hear import Heard

FILE = "outgoing.toml"
CITIZEN = LegId("n1-100.7")


def faults(old: str, new: str, file: str = FILE) -> list[str]:
    files = demo_files()
    text = files[file].decode()
    assert text.count(old) == 1, old
    files[file] = text.replace(old, new).encode()
    return [str(fault) for fault in checked(files).faults]


# --- the plan -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('trunks = ["carrier"]', 'trunks = ["carier"]', "no such trunk 'carier' (did you mean 'carrier'?)"),
        ('prefix = "9"', 'prefix = "1"', "1 is also how an emergency number begins: 110"),
        ('prefix = "9"', 'prefix = "9,System"', "'9,System' is not a prefix"),
        ('reveal = "supervisor"', 'reveal = "chief"', "outgoing.toml: reveal"),
        ('hide_numbers = "callbacks"', "hide_numbers = true", "outgoing.toml: hide_numbers"),
        ('"[2-8]xxxxxx",', '"[2-8]xxxxxx|x",', "is not a pattern of numbers"),
        ('"[2-8]xxxxxx",', '"[8-2]xxxxxx",', "[8-2] is no range (write [2-8])"),
        ('"[2-8]xxxxxx",', '"xx*",', "'xx*' means every number"),
        ('"[2-8]xxxxxx",', '"400xxxxxxx",', "'400xxxxxxx' is refused as '400' (lift = [\"400\"])"),
        ('"[2-8]xxxxxx",', '"00x*",', "is refused as 'international' (lift = [\"international\"])"),
        ('"[2-8]xxxxxx",', '"40[0-5]xxxx",', "some of '40[0-5]xxxx' is refused as '400'"),
        ('"[2-8]xxxxxx",', '"12",', "'12' is too short or too long"),
        ('present = "12345" ', 'present = "055599999" ', "whoever calls 055599999 back reaches no line"),
        ('prefix = "9"', 'prefix = "9"\nlift = ["40"]', "nothing is refused as '40' (did you mean '400'?)"),
        ('prefix = "9"', 'prefix = "9"\nnotice = "recordin"', "no such prompt 'recordin'"),
    ],
)
def test_a_rule_that_cannot_work_is_named_with_its_remedy(old: str, new: str, told: str) -> None:
    assert any(told in fault for fault in faults(old, new)), faults(old, new)


def test_a_trunk_without_a_way_out_calls_nobody() -> None:
    files = demo_files()
    text = files["trunks.toml"].decode().replace('out = "192.0.2.10"\nlab = true', "", 1)
    found = [str(x) for x in checked({**files, "trunks.toml": text.encode()}).faults]
    assert any("outgoing.toml: trunks: trunk 'carrier' has no way out" in fault for fault in found)


@pytest.mark.parametrize(
    ("number", "allowed", "kind"),
    [
        ("13900000001", True, "mobile"),
        ("016600000001", True, "mobile"),  # 0 before a mobile number of elsewhere
        ("01660000000", False, ""),
        ("013900000001", True, "mobile"),
        ("16600000001", True, "mobile"),
        ("5551234", True, "local"),
        ("05552345678", True, "landline"),
        ("05551234567", False, ""),  # no subscriber's number begins with 1
        ("02112345678", False, ""),
        ("02152345678", True, "landline"),
        ("16812345", False, "premium"),
        ("055516812345", False, "premium"),
        ("96123", False, "service-96"),
        ("02196123", False, "service-96"),
        ("4008123456", False, "400"),
        ("0085212345678", False, "international"),
        ("17951013900000001", False, "ip-prefix"),
        ("12333", False, ""),
        ("95588", False, ""),
        ("110", True, "emergency"),
        ("122", True, "emergency"),
        ("", False, ""),
    ],
)
def test_what_the_demo_city_may_call(number: str, allowed: bool, kind: str) -> None:
    verdict = judge(demo().outgoing, number)
    assert (verdict.allowed, verdict.kind) == (allowed, kind)


def test_a_plan_without_rules_calls_nobody_but_the_emergency_numbers() -> None:
    assert not judge(None, "13900000001").allowed
    assert all(judge(None, number).allowed for number in EMERGENCY)


def test_a_kind_that_is_lifted_is_allowed_where_a_pattern_says_so() -> None:
    rules = demo().outgoing
    assert rules is not None
    local = rules.allow["local"].model_copy(update={"patterns": ("400xxxxxxx",)})
    lifted = rules.model_copy(update={"lift": ("400",), "allow": {**rules.allow, "local": local}})
    assert judge(lifted, "4008123456").allowed
    assert not judge(rules.model_copy(update={"lift": ("400",)}), "4008123456").allowed


def test_numbers_as_carriers_and_people_write_them() -> None:
    assert plain("+8613900000001") == "13900000001"
    assert plain("0555-123 4567") == "05551234567"
    assert plain("+85212345678") == "0085212345678"
    assert plain("13900000001;x") == ""


def test_the_page_of_a_plan_tells_who_may_be_called() -> None:
    from datetime import date

    (section,) = [s for s in pages(demo(), date(2026, 11, 21)) if s.title.startswith("外呼")]
    text = "\n".join("|".join(row) for row in section.rows)
    for word in ("12345", "1[3-9]xxxxxxxxx", "拒绝 refused premium", "110、119、120、122", "supervisor"):
        assert word in text


# --- the dialplan -------------------------------------------------------------------------------


def context(name: str, plan: Plan | None = None) -> list[str]:
    text = render([plan or demo()], site())["extensions.conf"]
    found = re.search(rf"^\[{name}\]\n(.*?)(?=^\[|\Z)", text, re.M | re.S)
    return found[1].strip("\n").split("\n") if found else []


def judged_by_dialplan(number: str) -> tuple[str, str]:
    """VERDICT and KIND as Asterisk would find them: its steps one after the other."""
    steps = [line.split(",", 1)[1] if "exten" not in line else line.split(",", 2)[2] for line in RULES]
    labels = {m[1]: n for n, line in enumerate(RULES) if (m := re.search(r"\bn\(([a-z0-9]+)\)", line))}
    got, at = {"VERDICT": "", "KIND": ""}, 0
    while not steps[at].startswith("Return"):
        step, to = steps[at], ""
        if m := re.fullmatch(r'GotoIf\(\$\["\$\{NUMBER\}" = "(\d+)"\]\?([a-z0-9]+)\)', step):
            to = m[2] if number == m[1] else ""
        elif m := re.fullmatch(r"GotoIf\(\$\[\$\{LEN.*< (\d+) \| .*> (\d+)\]\?([a-z0-9]+)\)", step):
            to = "" if int(m[1]) <= len(number) <= int(m[2]) else m[3]
        elif m := re.fullmatch(r'GotoIf\(\$\{REGEX\("([^"]+)" \$\{NUMBER\}\)\}\?([a-z0-9]+)\)', step):
            to = m[2] if re.search(m[1], number) else ""
        elif m := re.fullmatch(r"Set\((VERDICT|KIND)=(.*)\)", step):
            got[m[1]] = m[2]
        else:
            assert step.startswith("Set("), step
        at = labels[to] if to else at + 1
    return got["VERDICT"], got["KIND"]


RULED = demo().outgoing
assert RULED is not None
RULES = context("demo-may-call")
DIGITS = st.from_regex(r"[0-9]{0,22}", fullmatch=True)
FITTING = st.sampled_from(
    [
        number
        for entries in (REFUSED, RULED.allow)
        for entry in entries.values()
        for pattern in entry.patterns
        for number in samples(pattern)
    ]
)


@given(st.one_of(DIGITS, FITTING, st.tuples(FITTING, DIGITS).map("".join), st.sampled_from(EMERGENCY)))
def test_the_dialplan_judges_a_number_as_the_plan_does(number: str) -> None:
    verdict = judge(RULED, number)
    refused = "refused" if verdict.kind else "unknown"
    wanted = "emergency" if verdict.emergency else "allowed" if verdict.allowed else refused
    assert judged_by_dialplan(number) == (wanted, verdict.kind)


def test_a_plan_without_rules_still_refuses_what_costs_more_than_a_call() -> None:
    verdict = judge(None, "16812345")
    assert (verdict.allowed, verdict.kind) == (False, "premium")
    bare = context("demo-may-call", demo().model_copy(update={"outgoing": None}))
    assert [line for line in RULES if "?r" in line] == [line for line in bare if "?r" in line]
    assert not [line for line in bare if "allowed" in line]


def test_a_number_a_waiting_caller_tells_is_judged_before_it_is_read_out_and_noted() -> None:
    steps = context("call-back")
    (judged,) = [n for n, line in enumerate(steps) if "Gosub(${CITY}-may-call,s,1)" in line]
    assert '"${VERDICT}" = "allowed"' in steps[judged + 1]
    assert steps[judged + 1].endswith("]?:refused)")
    for later in ("read-out", "call-back-note", "?note"):
        assert min(n for n, line in enumerate(steps) if later in line) > judged + 1


@given(FITTING)
def test_a_pattern_has_samples_that_fit(number: str) -> None:
    rules = demo().outgoing
    assert rules is not None
    entries = (*REFUSED.values(), *rules.allow.values())
    assert any(re.search(expression(p), number) for entry in entries for p in entry.patterns)


@given(st.text(max_size=30))
def test_no_text_becomes_a_pattern_that_means_more_to_asterisk_than_digits(text: str) -> None:
    files = demo_files()
    spoilt = files[FILE].decode().replace('"[2-8]xxxxxx"', f'"{text}"', 1)
    plan = checked({**files, FILE: spoilt.encode("utf-8", "replace")}).plan
    if plan is not None and plan.outgoing is not None:
        for pattern in plan.outgoing.allow["local"].patterns:
            assert re.fullmatch(r"[0-9x\[\]*-]+", pattern)


def test_what_is_dialled_is_digits_before_anything_else_looks_at_it() -> None:
    dialled = [line for line in context("demo-seats") if "EXTEN:1}" in line]
    assert dialled == [" same => n,Set(OUT_NUMBER=${FILTER(0-9,${EXTEN:1})})"]
    assert " same => n,Set(NUMBER=${FILTER(0-9,${OUT_NUMBER})})" in context("out-dialled")
    assert "exten => s,1,Set(OF=${FILTER(A-Za-z0-9.\\-,${OUT_OF})})" in context("out-ordered")


def test_reserved_channels_are_for_emergency_numbers_only() -> None:
    carrier = demo().trunks["carrier"]
    ways = [line for line in RULES if "Set(WAYS=demo-" in line]
    usual = f"demo-carrier/{carrier.channels - carrier.reserved}/${{NUMBER}}"
    assert [usual in line for line in ways] == [False] * 4 + [True] * 3
    assert f"demo-carrier/{carrier.channels}/110)" in ways[0]


def test_a_plan_without_rules_has_no_prefix_and_still_calls_110() -> None:
    plan = demo().model_copy(update={"outgoing": None})
    seats = "\n".join(context("demo-seats", plan))
    assert "_9!" not in seats
    assert "*16" not in seats
    assert "exten => 110,1," in seats
    assert not context("demo-hides-back", plan)


def test_what_phones_do_not_show_hangs_on_the_plan() -> None:
    rules = demo().outgoing
    assert rules is not None
    for hide, there in (("no", []), ("callbacks", ["back"]), ("always", ["back", "call"])):
        plan = demo().model_copy(update={"outgoing": rules.model_copy(update={"hide_numbers": hide})})
        assert [kind for kind in ("back", "call") if context(f"demo-hides-{kind}", plan)] == there


# --- the call -----------------------------------------------------------------------------------


def called(at: float = 100.0, **told: Any) -> list[Fact]:
    """Seat 1001 (leg CALLER, which names the call) calls a citizen through the carrier."""
    out = {"direction": "out", "seat": "1001", "original": "", **told}
    return [
        said(f.LegStarted, at, leg=CALLER, endpoint="demo-1001", channel="PJSIP/demo-1001-1", called="9139"),
        said(f.CallArrived, at, **out),
        said(f.LegAnswered, at, leg=CALLER),
        said(f.LegStarted, at + 1, leg=CITIZEN, endpoint="demo-carrier", called="", call=CALL),
    ]


def talks(at: float = 110.0) -> list[Fact]:
    return [
        *called(at - 10),
        said(f.GreetingEnded, at),
        said(f.LegJoined, at + 1, leg=CITIZEN),
        said(f.LegJoined, at + 1, leg=CALLER),
    ]


def over(at: float = 170.0, by: str = "caller") -> list[Fact]:
    ends = [
        said(f.LegLeft, at, leg=CITIZEN),
        said(f.LegEnded, at, leg=CITIZEN),
        said(f.LegLeft, at, leg=CALLER),
        said(f.CallLeft, at, by=by),
        said(f.LegEnded, at, leg=CALLER),
    ]
    return ends


def the_call(facts: list[Fact]) -> Call:
    return replay(facts).picture.calls[CALL]


def test_a_call_to_a_citizen_is_dialled_talked_and_over() -> None:
    dialled, talking, ended = the_call(called()), the_call(talks()), the_call([*talks(), *over()])
    assert (dialled.state, dialled.seat, dialled.direction) == (CallState.DIALLING, "1001", Direction.OUT)
    assert (talking.state, talking.seat, talking.answered) == (CallState.TALKING, "1001", 110.0)
    assert (ended.state, ended.left_by, ended.first_seat) == (CallState.ENDED, LeftBy.CALLER, "1001")


def test_the_seat_has_a_stint_of_it_with_ring_and_talk() -> None:
    (stint,) = [s for s in replay([*talks(), *over()]).stints.late.values() if s.call == CALL]
    assert (stint.part, stint.seat, stint.queue) == (Part.CALLED, "1001", "")
    assert (stint.ring, stint.talk, stint.ended) == (11.0, 59.0, 170.0)


def test_a_citizen_who_does_not_answer_leaves_a_stint_without_talk() -> None:
    facts = [*called(), said(f.LegEnded, 130.0, leg=CITIZEN, cause=17), *over(135.0, "system")[3:]]
    (stint,) = [s for s in replay(facts).stints.late.values() if s.call == CALL]
    assert (stint.part, stint.answered, stint.talk) == (Part.CALLED, None, 0.0)
    call = the_call(facts)
    assert (call.answered, call.left_by) == (None, LeftBy.SYSTEM)


def test_it_stands_in_no_figure_of_offered_and_answered_calls() -> None:
    board = replay([*talks(), *over()])
    stints = tuple(board.stints.late.values())
    rows = Rows([board.picture.calls[CALL]], (), stints)
    (row,) = figures(rows, 0.0, 1000.0)
    assert (row.offered, row.answered, row.connect_rate, row.open, row.talk.count) == (0, 0, None, 0, 0)
    # and is shown beside them, also for a seat that did nothing else
    for by, key in ((By.TOTAL, ""), (By.CITY, "demo"), (By.LINE, "demo/main"), (By.SEAT, "demo/1001")):
        (row,) = figures(rows, 0.0, 1000.0, by)
        assert (row.key, row.called_out, row.reached_out, row.talk_out.total) == (key, 1, 1, 59.0)
    hours = figures(rows, 0.0, 7200.0, By.INTERVAL)
    assert [row.called_out for row in hours] == [1, 0]
    assert [row.called_out for row in figures(rows, 0.0, 1000.0, By.QUEUE)] == []


def test_a_service_that_starts_in_the_middle_knows_whose_call_it_is() -> None:
    legs = (
        leg_now(leg=CALLER, endpoint="demo-1001", channel="PJSIP/demo-1001-1", bridge="b1", caller="12345"),
        leg_now(leg=CITIZEN, bridge="b1"),
    )
    call = the_call([said(f.Snapshot, 120.0, legs=legs)])
    assert (call.direction, call.seat, call.state) == (Direction.OUT, "1001", CallState.TALKING)
    assert call.caller == ""


async def test_an_agent_who_called_a_citizen_is_told_that_such_a_call_is_not_transferred() -> None:
    board, ordered = replay(talks()), list[Order]()

    async def do(order: Order) -> str:
        ordered.append(order)
        return ""

    handoffs = Handoffs(lambda: board, lambda: {"demo": demo()}, do, lambda fact: None, lambda record: None)
    with pytest.raises(Refused, match="called from this seat: such a call is not transferred"):
        await handoffs.wish("demo", "1001", "blind", "1003", {})
    assert ordered == []
    assert handoffs.now() == ()


def test_its_story_names_the_citizen_and_hides_the_number() -> None:
    lines = [line.zh for line in tell([*talks(), *over()], CALL)]
    assert lines[0] == "座席 1001 外呼 138****8000，显示 12345，中继 carrier"
    assert lines[1:] == ["市民已接听", "与座席 1001 接通", "市民挂机，通话结束（原因 16）"]


def test_an_answer_of_the_api_hides_the_number_also_of_a_stand_in() -> None:
    call = the_call(talks())
    assert (call_answer(call, full=False).caller, call_answer(call, full=True).caller) == (
        "138****8000",
        "13800138000",
    )
    stand_in = the_call([said(f.CallArrived, called="13800138000", callback_of="demo-n1-1.1")])
    assert call_answer(stand_in, full=False).called == "138****8000"


def test_what_the_dialplan_tells_becomes_facts() -> None:
    heard = Heard()
    (refused,) = heard(
        "UserEvent", UserEvent="Hotline", What="out-refused", City="demo", Seat="1001", Agent="8001",
        Number="16812345", Why="refused", Kind="premium", By="phone",
    )  # fmt: skip
    assert refused == f.OutgoingRefused(
        at=9.0, node="n1", city="demo", seat="1001", agent="8001", number="16812345", why="refused",
        kind="premium", by="phone",
    )  # fmt: skip
    assert heard("UserEvent", UserEvent="Hotline", What="out-refused", City="demo", Seat="x") == []


# --- Asterisk's own files -----------------------------------------------------------------------

LEG, AT = "n1-1732190695.12", 1732190695
OUT = CallId(f"demo-{LEG}")
USERFIELD = f"demo/main//carrier/12345/{AT}.500/demo-n1-1.1/1001/13900000061"


def files(tmp_path: Path, context: str, app: str, data: str) -> tuple[Path, Path]:
    moment = "2024-11-21 12:04:{:02d}"
    row = [str(OUT), "12345", "s", context, "", "PJSIP/demo-1001-8", "PJSIP/demo-carrier-9", app, data]
    row += [moment.format(n) for n in (55, 55)] + ["2024-11-21 12:05:25", "30", "30", "ANSWERED"]
    row += ["DOCUMENTATION", LEG, USERFIELD]
    (tmp_path / "Master.csv").write_text(",".join(f'"{x}"' for x in row) + "\n")
    line = f"{AT + 3}|{LEG}|demo-out|demo-1001|HOTLINECALLED|{AT + 3}.250"
    (tmp_path / "queue_log").write_text(line + "\n")
    return tmp_path / "queue_log", tmp_path / "Master.csv"


@pytest.mark.parametrize(
    ("context", "app", "data", "by"),
    [
        ("out-over", "Hangup", "16", LeftBy.CALLER),
        ("out-failed", "Hangup", "17", LeftBy.SYSTEM),
        ("out-dial", "Dial", "PJSIP/1@x", LeftBy.AGENT),
    ],
)
def test_what_nobody_heard_is_made_whole_from_the_files_and_recounts_the_same(
    tmp_path: Path, context: str, app: str, data: str, by: LeftBy
) -> None:
    log, master = files(tmp_path, context, app, data)
    (found,) = written(log, master, "n1", 0.0, AT + 1000.0)
    proof = prove(found)
    assert proof is not None
    call = proof.call
    assert (call.direction, call.seat, call.caller, call.called) == (
        Direction.OUT, "1001", "13900000061", "12345",
    )  # fmt: skip
    assert (call.answered, call.left_by, call.callback_of) == (AT + 3.25, by, "demo-n1-1.1")
    row = {name: getattr(call, name) for name in call.__dataclass_fields__}
    row |= {"left_by": call.left_by, "direction": "out"}
    truth = compare(recount(queue_log(log), cdrs(master)), {OUT: row}, {}, 0.0, AT + 1000.0)
    assert truth.differences == []
    assert (truth.offered, truth.connect_rate) == (0, None)
    wrong = compare(
        recount(queue_log(log), cdrs(master)), {OUT: row | {"seat": "1002"}}, {}, 0.0, AT + 1000.0
    )
    assert [d.what for d in wrong.differences] == ["seat"]
