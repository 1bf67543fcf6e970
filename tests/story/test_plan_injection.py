"""Whatever text stands in a plan: it is refused, or Asterisk sees nothing but what we meant."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from asterisk_conf.ini import section
from asterisk_conf.render import render
from asterisk_conf.steps import Context
from plan.check import Checked, check
from plan.faults import Fault
from plan.land import Area
from plan.model import Advice, City, Line, Outgoing, Overflow, Plan, Queue, Rules
from plan.roster import Forecast
from plan.roster_check import LISTS, SINGLE
from plan.roster_check import TABLES as ROSTER_TABLES
from plan.tables import FILES, TABLES, toml_of
from tests.story.plan_files import DEMO_SOUNDS, demo, demo_files, site, standard_prompts
from tests.story.strict_dialplan import strangers

ATTACKS = [
    "x)\n same => n,System(touch /tmp/x)",
    "x)\r\n\r\nAction: Originate\r\nChannel: Local/s@x",
    "${SHELL(id)}",
    "$[1+1]",
    "x;y",
    "a,b",
    "a&b",
    "a|b",
    "a^b",
    "x]\n[globals]",
    "#exec id",
    "gеneral",  # the second letter is Cyrillic
    "ｇeneral",
    "general\u200b",
    "general\u202e",
    "general\x00",
    "general\n",
    "`id`",
    "$(id)",
    "../../../etc/passwd",
    '"><script>',
    "a\\,b",
    "x@y",
]


Kind = tuple[str, ...]
"""Where something stands: the file and the keys to it, numbers and names of tables as ``*``."""
Tables = dict[str, dict[str, Any]]
"""File to its tables."""


class Spot(NamedTuple):
    """One key of a table, or one place of a list, in a plan's tables."""

    kind: Kind
    at: dict[str, Any] | list[Any]
    key: Any


def spots(raw: Tables) -> Iterator[Spot]:
    """All there are."""
    todo: list[tuple[Kind, Any]] = [((file,), table) for file, table in raw.items()]
    while todo:
        above, at = todo.pop()
        for key, value in list(at.items() if isinstance(at, dict) else enumerate(at)):
            named = len(above) == 1 and above[0].removesuffix(".toml") in (*TABLES, "forecast")
            kind = (*above, "*" if named or str(key).isdigit() else key)
            yield Spot(kind, at, key)
            if isinstance(value, dict | list):
                todo.append((kind, value))


def texts(raw: Tables) -> Iterator[Spot]:
    return (spot for spot in spots(raw) if isinstance(spot.at[spot.key], str))


def names(raw: Tables) -> Iterator[Spot]:
    return (spot for spot in spots(raw) if isinstance(spot.at, dict))


def kinds(found: Iterable[Spot]) -> list[int]:
    """The first of each kind stands for all: one rule checks them all."""
    first: dict[Kind, int] = {}
    for number, spot in enumerate(found):
        first.setdefault(spot.kind, number)
    return list(first.values())


def toml(value: Any) -> str:
    """Tables as TOML, only as far as plan files need it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(str(k))} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: str) -> str:
    def escape(char: str) -> str:
        if char in '"\\' or ord(char) < 32 or ord(char) == 127:
            return f"\\u{ord(char):04x}"
        return char

    return '"' + "".join(escape(c) for c in text) + '"'


def files_of(raw: dict[str, dict[str, Any]]) -> dict[str, bytes]:
    return {
        name: "\n".join(f"{quoted(k)} = {toml(v)}" for k, v in table.items()).encode("utf-8", "surrogatepass")
        for name, table in raw.items()
    }


RAW: Tables = {name: tomllib.loads(text.decode()) for name, text in demo_files().items()}
UNITS = ("urban", "housing", "market", "fund")
"""Those the demo's menus and rules name; hundreds of values of a few kinds, which Asterisk never sees."""
TRIED, NAMED = 3, 1
"""Attacks that each kind of text and each kind of name meets, in turn; all of them under `make prove`."""
MORE = tomllib.loads("""
["contacts.toml"]
basis = "示范"

["phones.toml".duty]
title = "值班电话"
number = "05551234567"
trunk = "carrier"
next = "message:sorry"

["priorities.toml".elder]
title = "老年人"
head_start_seconds = 60
lines = ["main"]
callers = ["13900000001", "1380*"]
keys = ["service:1"]

["pauses.toml".busy]
title = "示忙"
key = "1"

["numbers.toml".12345-old]
title = "整体并入"
kind = "whole"
numbers = ["12336"]
called = ["1234580"]
unit = "urban"
line = "main"
before = "service"
announcement = "merged"
since = 2021-12-01
retired = 2022-01-01
assumption = "示范"

["numbers.toml".linked]
title = "双向联动"
kind = "linked"
line = "handed"
trunks = ["centres-b"]
callers = ["12110", "12119*"]
assumption = "示范"

["lines.toml".handed]
title = "联动来电"
first = "queue:handed"

["queues.toml".handed]
title = "联动来电"
members = { 1001 = 0, 1002 = 10 }
widen = { 0 = 0, 20 = 10 }
next = "queue:handed"

["queues.toml".general.call_back]
trunk = "carrier"

["menus.toml".say.spoken]
tries = 1

["menus.toml".service.kinds]
1 = "complaint"

["outgoing.toml"]
lift = ["premium"]

["outgoing.toml".allow.mobile]
trunks = ["carrier"]

["outgoing.toml".refuse.shops]
title = "商家"
patterns = ["400*"]
trunks = ["carrier"]

["units.toml".urban]
keywords = ["公交集团"]

["roster.toml".rest]
days_in_a_row = 6

["roster.toml".patterns.week]
week = ["day", "day", "day", "day", "day", "rest", "rest"]
weekend = "rest"
holiday = "rest"

["roster.toml".people.8008]
seat = "1008"
breaks = { day = ["12:00-12:30"] }

[["roster.toml".swaps]]
who = ["8001", "8002"]
dates = [2026-11-03]

[["roster.toml".absences]]
who = "8003"
first = 2026-11-09
last = 2026-11-11
reason = "年休假"

[["roster.toml".extra]]
who = "8005"
date = 2026-11-09
shift = "early"
seat = "1003"

["rules.toml".deadlines.inquiry]
note = "即时答复"
assumption = "示范"

["rules.toml".extension]
not_for = ["突发类事项"]
assumption = "示范"

["rules.toml".returns]
decides = "urban"
assumption = "示范"

["rules.toml".redo]
when = "不满意"
assumption = "示范"
cases = [{ title = "尽快办理", assumption = "示范" }]

["rules.toml".bonus_most]
points = 5.0
assumption = "示范"

["rules.toml".assessment]
form = "日常"
assumption = "示范"

["rules.toml"]
flow = [{ title = "受理", assumption = "示范" }]
supervision = [{ title = "督办", assumption = "示范" }]
reports = [{ title = "月报", every = "month", to = ["市政府"], holds = "总量", assumption = "示范" }]
figures = [{ title = "按时反馈率", assumption = "示范" }]
alarms = [{ title = "约谈", figure = "rank", every = "month", by = "市政府", assumption = "示范" }]
scores = [{ title = "按时", points = 5.0, assumption = "示范" }]
bonus = [{ title = "加分", points = 5.0, assumption = "示范" }]
vetoes = [{ title = "泄密", assumption = "示范" }]
liability = [{ when = "推诿", then = "问责", to = ["纪委"], assumption = "示范" }]
refused = [{ title = "涉密", assumption = "示范" }]
ways = [{ title = "网站", assumption = "示范" }]
duties = [{ title = "值班", assumption = "示范" }]
""")
"""What a plan may say and the demo does not."""
RULES: dict[str, dict[str, type[BaseModel]]] = {
    **{f"{name}.toml": {"*": rule} for name, rule in TABLES.items()},
    "city.toml": {"": City},
    "rules.toml": {"": Rules},
    "outgoing.toml": {"": Outgoing},
    "advice.toml": {"advice": Advice, "overflow": Overflow},
    "places.toml": {"areas": Area},
    "roster.toml": {**ROSTER_TABLES, **LISTS, **SINGLE},
    "forecast.toml": {"*": Forecast},
}
"""File to what its tables are: all (``*``), the file itself, or those below a key."""


def short(value: Any) -> Any:
    """Every table and list with its first two members."""
    if isinstance(value, dict):
        return {k: short(v) for k, v in value.items()}
    return [short(v) for v in value[:2]] if isinstance(value, list) else value


def together(one: Any, other: Any) -> Any:
    """Tables laid into tables; what is no table comes from the other."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return {
        **one,
        **{key: together(one[key], value) if key in one else value for key, value in other.items()},
    }


def told(table: dict[str, Any], rule: type[BaseModel]) -> None:
    """Say as text what a table leaves to its default, so that it is attacked too."""
    for name, field in rule.model_fields.items():
        if isinstance(field.default, str):
            table.setdefault(name, field.default)
        inside = table.get(name)
        for kind in rules_in(field.annotation):
            members = inside if isinstance(inside, list) else [inside]
            if isinstance(inside, dict) and get_origin(field.annotation) is dict:
                members = list(inside.values())
            for member in members:
                if isinstance(member, dict):
                    told(member, kind)


def parts_of(annotation: Any) -> Iterator[Any]:
    """The plain types an annotation is made of; of a table with free keys its values'."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is None:
        yield annotation
    elif origin is not Literal:
        inner = inner[:1] if origin is Annotated else inner[1:] if origin is dict else inner
        for part in inner:
            yield from parts_of(part)


def rules_in(annotation: Any) -> list[type[BaseModel]]:
    return [p for p in parts_of(annotation) if isinstance(p, type) and issubclass(p, BaseModel)]


def tables_of(file: str, raw: Tables) -> Iterator[tuple[type[BaseModel], dict[str, Any]]]:
    """Every table of a file with its rule."""
    for key, rule in RULES[file].items():
        at = raw[file] if key in ("", "*") else raw[file].get(key, {})
        many = at if isinstance(at, list) else [at] if key in ("", *SINGLE) else list(at.values())
        yield from ((rule, table) for table in many if isinstance(table, dict))


def everything() -> Tables:
    """The demo and what it does not say, every text of a table said."""
    demo = {**RAW, "units.toml": {name: short(RAW["units.toml"][name]) for name in UNITS}}
    demo["places.toml"] = short(RAW["places.toml"])
    whole: Tables = copy.deepcopy(together(demo, MORE))
    for file in whole:
        for rule, table in tables_of(file, whole):
            told(table, rule)
    return whole


ALL = everything()
WRITTEN = files_of(ALL)
TEXTS, NAMES = kinds(texts(ALL)), kinds(names(ALL))


def spoilt(found: Callable[[Tables], Iterator[Spot]], number: int, spoil: Callable[[Spot], None]) -> Checked:
    """What check says when one spot is not as it was."""
    file = list(found(ALL))[number].kind[0]
    raw = {file: copy.deepcopy(ALL[file])}
    spoil(list(found(raw))[number - first_of(found, file)])
    files = {**WRITTEN, **files_of(raw)}

    def read(name: str, content: bytes, faults: list[Fault]) -> dict[str, Any] | None:
        return ALL[name] if name != file else toml_of(name, content, faults)

    with pytest.MonkeyPatch.context() as patch:
        # the other files are the same each time
        patch.setattr("plan.check.toml_of", read)
        return check(files, DEMO_SOUNDS, standard_prompts(), "demo")


@cache
def first_of(found: Callable[[Tables], Iterator[Spot]], file: str) -> int:
    return next(number for number, spot in enumerate(found(ALL)) if spot.kind[0] == file)


def share(numbers: list[int], attack: str, tried: int, full_size: bool) -> list[int]:
    """The spots that this attack is tried at."""
    turn = ATTACKS.index(attack)
    mine = ((at * tried + n) % len(ATTACKS) == turn for at in range(len(numbers)) for n in range(tried))
    return numbers if full_size else [numbers[at // tried] for at, is_mine in enumerate(mine) if is_mine]


def silent(rule: type[BaseModel], tables: list[dict[str, Any]], at: str) -> Iterator[str]:
    """Keys that may hold text and stand in none of these tables."""
    for name, field in rule.model_fields.items():
        values = [table[name] for table in tables if name in table]
        if inner := rules_in(field.annotation):
            below = [v for value in values for v in ([value] if isinstance(value, dict) else value)]
            if get_origin(field.annotation) is dict:
                below = [v for value in values for v in value.values()]
            yield from silent(inner[0], [v for v in below if isinstance(v, dict)], f"{at}.{name}")
        elif str in parts_of(field.annotation) and not list(texts({"": {"": values}})):
            yield f"{at}.{name}"


def test_every_key_of_every_plan_file_that_may_hold_text_is_attacked() -> None:
    assert set(RULES) == set(FILES) == set(ALL)
    unsaid = []
    for file in FILES:
        by_rule: dict[type[BaseModel], list[dict[str, Any]]] = {rule: [] for rule in RULES[file].values()}
        for rule, table in tables_of(file, ALL):
            by_rule[rule].append(table)
        unsaid += [
            key for rule, tables in by_rule.items() for key in silent(rule, tables, f"{file} {rule.__name__}")
        ]
    assert unsaid == []


def test_the_plan_survives_its_own_writing_as_toml() -> None:
    assert check(files_of(RAW), DEMO_SOUNDS, standard_prompts(), "demo").plan == demo()


def test_what_is_attacked_is_a_plan_without_fault() -> None:
    found = check(WRITTEN, DEMO_SOUNDS, standard_prompts(), "demo")
    assert [str(f) for f in found.faults if not f.warning] == []
    assert found.plan is not None
    assert strangers(render([found.plan], site(found.plan)), found.plan) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_wherever_it_stands(attack: str, full_size: bool) -> None:
    def put(spot: Spot) -> None:
        spot.at[spot.key] = attack

    for number in share(TEXTS, attack, TRIED, full_size):
        found = spoilt(texts, number, put)
        assert found.refused, (list(texts(ALL))[number].kind, attack)
        assert all("\n" not in str(f) and str(f).isprintable() for f in found.faults)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_as_a_name_too(attack: str, full_size: bool) -> None:
    def put(spot: Spot) -> None:
        assert isinstance(spot.at, dict)
        spot.at[attack] = spot.at.pop(spot.key)

    for number in share(NAMES, attack, NAMED, full_size):
        found = spoilt(names, number, put)
        assert found.refused, (list(names(ALL))[number].kind, attack)
        assert all(str(f).isprintable() for f in found.faults)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_plan_built_by_hand_refuses_attacks_too(attack: str) -> None:
    with pytest.raises(ValidationError):
        City(id="demo", title=attack, last="message:sorry")
    with pytest.raises(ValidationError):
        Line(title="x", numbers=(attack,), first="queue:general")
    with pytest.raises(ValidationError):
        Queue(title="x", members={"1001": 0}, next=f"message:{attack}")
    with pytest.raises(ValidationError):
        Plan(city=City(id="demo", title="x"), queues={attack: demo().queues["general"]})


@pytest.mark.parametrize(
    "attack", [a for a in ATTACKS if not a.isascii() or "\n" in a or ";" in a or "\x00" in a]
)
def test_the_writer_refuses_what_would_be_a_second_line_or_a_comment(attack: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        section("x", [("key", attack)])
    with pytest.raises(ValueError, match="not a"):
        Context("x").do("NoOp", attack)


awkward = st.text(
    st.sampled_from(list("a1:-_,;&|^()[]{}$\\\"'`<>=#*+!.%/@ \n\r\t\0")) | st.characters(codec="utf-8"),
    max_size=30,
)
nearly_right = st.sampled_from(
    ["queue:general", "message:sorry", "12345", "general", "greeting", "demo", "1001"]
)
any_text = st.one_of(
    awkward, st.builds(str.__add__, nearly_right, awkward), st.builds(str.__add__, awkward, nearly_right)
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    places=st.lists(
        st.tuples(st.sampled_from(range(len(list(texts(ALL))))), any_text), min_size=1, max_size=4
    )
)
def test_any_text_is_refused_or_leaves_only_lines_that_were_meant(places: list[tuple[int, str]]) -> None:
    raw = copy.deepcopy(ALL)
    targets = list(texts(raw))
    for number, text in places:
        targets[number].at[targets[number].key] = text
    plan = check(files_of(raw), DEMO_SOUNDS, standard_prompts(), None).plan
    if plan is not None:
        files = render([plan], site(plan))
        assert strangers(files, plan) == []


def test_the_demo_plans_files_hold_only_lines_that_were_meant() -> None:
    assert strangers(render([demo()], site()), demo()) == []


def test_the_strict_reader_finds_a_line_that_was_not_meant() -> None:
    files = render([demo()], site())
    for line in (
        " same => n,System(id)",
        " same => n,Set(X=${SHELL(id)})",
        "#exec id",
        "exten => s,2,NoOp()",
    ):
        spoilt = {**files, "extensions.conf": files["extensions.conf"] + line + "\n"}
        assert strangers(spoilt, demo()) == [line.strip()], line
    spoilt = {**files, "pjsip.conf": files["pjsip.conf"] + "[demo-evil]\ntype = endpoint\n"}
    assert strangers(spoilt, demo()) == ["[demo-evil]"]
    assert re.search(r"^\[demo-1001\]$", files["pjsip.conf"], re.MULTILINE)
