"""A mistake in the table of merged numbers is refused in one clear line."""

from __future__ import annotations

import re

import pytest

from plan.check import check
from tests.story.plan_files import ROOT, Edit, Files, add, standard_prompts
from tests.story.test_plan_injection import ATTACKS


def luan() -> Files:
    return {path.name: path.read_bytes() for path in (ROOT / "plans/luan").glob("*.toml")}


def row(name: str, old: str, new: str) -> Edit:
    """One change inside one row of numbers.toml."""

    def edit(files: Files) -> None:
        text = files["numbers.toml"].decode()
        start = text.index(f"\n[{name}]\n")
        end = text.find("\n[", start + 1)
        body = text[start:end] if end > 0 else text[start:]
        assert old in body, f"{old!r} is not in row {name}"
        files["numbers.toml"] = (
            text[:start] + body.replace(old, new, 1) + text[start + len(body) :]
        ).encode()

    return edit


def table(file: str, name: str, old: str, new: str) -> Edit:
    """One change inside one table of a file."""

    def edit(files: Files) -> None:
        head, start, rest = files[file].decode().partition(f"\n[{name}]\n")
        assert old in rest, f"{old!r} is not in {file} {name}"
        files[file] = (head + start + rest.replace(old, new, 1)).encode()

    return edit


def everybody_skilled(files: Files) -> None:
    """Every agent brings a skill, for callers of queue general."""
    files["agents.toml"] = files["agents.toml"].replace(b"\nseat = ", b"\nskills = { general = 0 }\nseat = ")


def both(*edits: Edit) -> Edit:
    def edit(files: Files) -> None:
        for one in edits:
            one(files)

    return edit


MISTAKES: dict[str, tuple[Edit, str]] = {
    "a line misspelt": (
        row("12336", 'line = "main"', 'line = "mian"'),
        "numbers.toml: 12336.line: no such line 'mian' (did you mean 'main'?)",
    ),
    "a caller from 110 who would end at a machine": (
        table("queues.toml", "emergency", "queue:emergency", "message:busy"),
        "queues.toml: emergency.next: a caller whom a centre handed over to queue:emergency would end at a "
        'machine (message:busy) (let them stay: next = "queue:emergency", or name a duty phone)',
    ),
    "a caller from 110 whom any seat would answer": (
        table("queues.toml", "emergency", "queue:emergency", "queue:general"),
        "queues.toml: emergency.next: seats that are not in queue:emergency would answer a centre's callers: "
        "1011, 1012, 1013, 1014, 1015 (stay in it, or name a queue with seats of queue:emergency only)",
    ),
    "a caller from 110 whom advice would lead to any seat": (
        add("advice.toml", '[[advice]]\ncallers = ["139*"]\nto = "queue:general"\nassumption = "x"\n'),
        "advice.toml: advice 1.to: seats that are not in queue:emergency would answer a centre's callers: "
        "1011, 1012, 1013, 1014, 1015 (stay in it, or name a queue with seats of queue:emergency only)",
    ),
    "an ordinary queue without end": (
        table("queues.toml", "market", "queue:general", "queue:market"),
        "queues.toml: market.next: callers would go in a circle: queue:market -> queue:market "
        "(let one end in a message)",
    ),
    "all callers in a queue that a centre's callers may stay in": (
        both(
            table("lines.toml", "emergency", "queue:emergency", "queue:general"),
            table("queues.toml", "general", "message:busy", "queue:general"),
        ),
        "queues.toml: general.next: callers of line 'main' would wait in queue:general with no way out (only "
        "callers whom a centre hands over may stay: end it in a message, give the centre a queue)",
    ),
    "all callers in a queue that a centre's callers go on to and stay in": (
        both(
            table("queues.toml", "market", "queue:general", "queue:emergency"),
            table("queues.toml", "market", "{ 1201 = 0, ", "{ "),
        ),
        "queues.toml: emergency.next: callers of line '12315' would wait in queue:emergency with no way out "
        "(only callers whom a centre hands over may stay: end it in a message, give the centre a queue)",
    ),
    "callers whom advice leads to where a centre's callers stay": (
        add(
            "advice.toml",
            '[[advice]]\ncallers = ["139*"]\nlines = ["main"]\nto = "queue:emergency"\nassumption = "x"\n',
        ),
        "advice.toml: advice 1.to: callers of line 'main' would wait in queue:emergency with no way out "
        "(only callers whom a centre hands over may stay: name another place)",
    ),
    "callers whom an overflow leads to where a centre's callers stay": (
        add("advice.toml", '[[overflow]]\nqueue = "general"\nto = "queue:emergency"\nassumption = "x"\n'),
        "advice.toml: overflow 1.to: callers of line 'main' would wait in queue:emergency with no way out "
        "(only callers whom a centre hands over may stay: name another place)",
    ),
    "a caller from 110 whom nobody could ever answer": (
        everybody_skilled,
        "queues.toml: emergency.next: callers stay here, and nobody ever answers: every agent has skills, "
        "and none has this one (give an agent the skill emergency: skills = { emergency = 0 } in "
        "agents.toml)",
    ),
    "a unit misspelt": (
        row("12336", 'unit = "land"', 'unit = "lnad"'),
        "numbers.toml: 12336.unit: no such unit 'lnad' (did you mean 'land'?)",
    ),
    "a trunk that is not there": (
        row("110", 'trunks = ["police"]', 'trunks = ["polcie"]'),
        "numbers.toml: 110.trunks: no such trunk 'polcie' (did you mean 'police'?)",
    ),
    "a kind misspelt": (
        row("12336", 'kind = "whole"', 'kind = "hole"'),
        "numbers.toml: 12336.kind: 'hole' is not known here (did you mean 'whole'?)",
    ),
    "a way that is none": (
        row("12336", 'line = "main"', 'line = "main"\nway = "parrallel"'),
        "numbers.toml: 12336.way: 'parrallel' is not known here (did you mean 'parallel'?)",
    ),
    "a date in quotes": (
        row("12336", "since = 2021-12-01", 'since = "2021-12-01"'),
        "numbers.toml: 12336.since: '2021-12-01' is not a date (like 2021-12-31, without quotes)",
    ),
    "cancelled before it is merged": (
        row("12336", "retired = 2022-01-01", "retired = 2021-11-01"),
        "numbers.toml: 12336.retired: 2021-11-01 is not after since 2021-12-01 (a row goes forward)",
    ),
    "a number in two rows from the same day": (
        row("12336", '"12336"', '"12336", "12312"'),
        "numbers.toml: 12312.numbers: '12312' stands in row '12336' too, from the same day on "
        "(give the later row a day it begins on: begins = 2030-01-01)",
    ),
    "a number that a line has": (
        row("12336", '"12336"', '"12336", "12345"'),
        "numbers.toml: 12336.numbers: '12345' belongs to line 'main' in lines.toml too "
        "(a merged number stands here only)",
    ),
    "a number that is a seat's": (
        row("12336", '"12336"', '"12336", "1001"'),
        "numbers.toml: 12336.numbers: '1001' is a seat's number too (give the seat another one)",
    ),
    "a dedicated seat with a number": (
        row("medical", 'line = "medical"', 'line = "medical"\nnumbers = ["12393"]'),
        "numbers.toml: medical.numbers: a dedicated seat has no number "
        '(a seat with a number of its own is kind = "dual" or "kept")',
    ),
    "a row without a number or a reason": (
        row("12333", 'numbers = ["12333"]\n', ""),
        'numbers.toml: 12333.numbers: has no number (add it, or say why there is none: assumption = "…")',
    ),
    "a dual number on the main line": (
        row("12315", 'line = "12315"', 'line = "main"'),
        "numbers.toml: 12315.line: 'main' is the main line (a line with a greeting and seats of its own)",
    ),
    "a line before that nobody knows": (
        row("12315", 'line = "12315"', 'line = "12315"\nbefore = "nowhere"'),
        "numbers.toml: 12315.before: no such line 'nowhere'",
    ),
    "parallel answering one after the other": (
        row("12315", 'line = "12315"', 'line = "12315"\nway = "parallel"'),
        "numbers.toml: 12315.way: parallel answering needs own seats and 12345's side by side in "
        "queue:market (the same lowest penalty for one of each)",
    ),
    "a centre's callers among all others": (
        row("110", 'line = "emergency"', 'line = "main"'),
        "numbers.toml: 110.line: everybody would answer a centre's calls "
        "(a queue of its own with the seats allowed for it, and a weight)",
    ),
    "a signed trunk for a number that is no centre": (
        row("12315", 'line = "12315"', 'line = "12315"\ntrunks = ["police"]'),
        "numbers.toml: 12315.trunks: means nothing for kind 'dual' "
        '(only a centre is known by who calls: kind = "linked")',
    ),
    "a centre that is cancelled": (
        row("110", "since = 2022-01-01", "since = 2022-01-01\nretired = 2030-01-01"),
        "numbers.toml: 110.retired: means nothing for kind 'linked' "
        "(only whole and dual numbers are cancelled)",
    ),
    "an announcement nobody has": (
        row("12336", "merged-12336", "merged-12337"),
        "numbers.toml: 12336.announcement: no such prompt 'merged-12337' (did you mean 'merged-12336'?)",
    ),
    "an entry without a clause": (
        add("units.toml", '[nobody]\ntitle = "x"'),
        "units.toml: nobody: has neither basis nor assumption "
        '(basis = "六安 2021 §二(一)2" for a clause, assumption = "…" where the notice is silent)',
    ),
    "a rule without a clause": (
        add("rules.toml", "[deadlines.urgent]\nworkdays = 1"),
        "rules.toml: deadlines.urgent: has neither basis nor assumption "
        '(basis = "六安 2021 §二(一)2" for a clause, assumption = "…" where the notice is silent)',
    ),
    "a deadline of no days": (
        add("rules.toml", '[deadlines.urgent]\nworkdays = 0\nbasis = "x"'),
        "rules.toml: deadlines.urgent.workdays: 0 is too small (at least 1)",
    ),
    "a line that nothing leads to": (
        add("lines.toml", '[lonely]\ntitle = "x"\nfirst = "queue:general"\nbasis = "x"'),
        "lines.toml: lonely.numbers: is missing, and no row of numbers.toml names this line "
        '(add numbers here, or a row with line = "lonely")',
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_one_line(name: str) -> None:
    edit, told = MISTAKES[name]
    files = luan()
    edit(files)
    found = check(files, {}, standard_prompts(), "luan")
    assert found.refused
    lines = [str(fault) for fault in found.faults]
    assert any(line.startswith(told) for line in lines), lines


def test_a_full_queue_must_not_refuse_a_centres_caller() -> None:
    files = luan()
    text = files["queues.toml"].decode()
    files["queues.toml"] = text.replace("weight = 10", "max_waiting = 5\nweight = 10", 1).encode()
    (fault, *_) = check(files, {}, standard_prompts(), "luan").faults
    assert "a centre's callers pass every limit: max_waiting = 0" in str(fault)


def test_own_seats_first_and_then_12345s_is_checked() -> None:
    files = luan()
    text = files["queues.toml"].decode()
    head, tail = text.split("[market]\n")
    tail = re.sub(r"members = .*\n", "members = { 1201 = 0 }\n", tail, count=1)
    tail = tail.replace('next = "queue:general"', 'next = "message:busy"', 1)
    files["queues.toml"] = f"{head}[market]\n{tail}".encode()
    found = check(files, {}, standard_prompts(), "luan")
    assert any("its own seats come first, and 12345's never" in str(fault) for fault in found.faults)


PLACES = (
    ("numbers.toml", 'line = "main"', "line = {}"),
    ("numbers.toml", 'numbers = ["12336"]', "numbers = [{}]"),
    ("numbers.toml", 'called = ["1234580"]', "called = [{}]"),
    ("numbers.toml", 'callers = ["110"]', "callers = [{}]"),
    ("numbers.toml", 'announcement = "merged-12336"', "announcement = {}"),
    ("numbers.toml", "[12336]", "[{}]"),
    ("units.toml", 'title = "市民政局"', "title = {}"),
    ("rules.toml", 'title = "督办单"', "title = {}"),
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_the_new_files_is_refused(attack: str) -> None:
    quoted = '"' + "".join(f"\\u{ord(char):04x}" for char in attack) + '"'
    for file, old, new in PLACES:
        files = luan()
        text = files[file].decode()
        assert old in text
        files[file] = text.replace(old, new.format(quoted), 1).encode()
        found = check(files, {}, standard_prompts(), "luan")
        assert found.refused, (file, old)
        assert all(str(fault).isprintable() for fault in found.faults)


def test_callers_from_110_may_go_on_to_a_duty_phone_and_stay_with_the_supervisors() -> None:
    files = luan()
    table("queues.toml", "emergency", "queue:emergency", "phone:duty")(files)
    add("phones.toml", '[duty]\ntitle = "值班"\nnumber = "05551234567"\ntrunk = "carrier"\n'
        'next = "queue:chiefs"\nassumption = "值班电话"\n')(files)  # fmt: skip
    add("queues.toml", '[chiefs]\ntitle = "班长"\nmembers = { 1011 = 0 }\nnext = "queue:chiefs"\n'
        'assumption = "班长"\n')(files)  # fmt: skip
    assert [str(fault) for fault in check(files, {}, standard_prompts()).faults] == []
