"""Whatever text stands in a plan: it is refused, or Asterisk sees nothing but what we meant."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from asterisk_conf.ini import section
from asterisk_conf.render import render
from asterisk_conf.steps import Context
from plan.check import check
from plan.model import City, Line, Plan, Queue
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


def texts_of(raw: dict[str, dict[str, Any]]) -> Iterator[tuple[dict[str, Any] | list[Any], Any]]:
    """Every place in the plan's tables that holds text, and every name of a table."""
    stack: list[Any] = list(raw.values())
    while stack:
        at = stack.pop()
        pairs = list(at.items()) if isinstance(at, dict) else list(enumerate(at))
        for key, value in pairs:
            if isinstance(value, str):
                yield at, key
            elif isinstance(value, dict | list):
                stack.append(value)


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


RAW: dict[str, dict[str, Any]] = {name: tomllib.loads(text.decode()) for name, text in demo_files().items()}
LONG = ("units.toml", "places.toml")
"""Hundreds of values of a few kinds, which Asterisk never sees: the first of each kind stand for all."""


def short(value: Any) -> Any:
    """Every table and list with its first two members."""
    if isinstance(value, dict):
        return {k: short(v) for k, v in value.items()}
    return [short(v) for v in value[:2]] if isinstance(value, list) else value


SHORT = {name: short(dict(list(table.items())[:2])) if name in LONG else table for name, table in RAW.items()}
PLACES = len(list(texts_of(SHORT)))
NAMES = [(file, name) for file in SHORT if file not in ("city.toml", "advice.toml") for name in SHORT[file]]


def test_the_plan_survives_its_own_writing_as_toml() -> None:
    assert check(files_of(RAW), DEMO_SOUNDS, standard_prompts(), "demo").plan == demo()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_wherever_it_stands(attack: str) -> None:
    for number in range(PLACES):
        raw = copy.deepcopy(SHORT)
        at, key = list(texts_of(raw))[number]
        at[key] = attack
        found = check(files_of(raw), DEMO_SOUNDS, standard_prompts(), "demo")
        assert found.refused, (key, attack)
        assert all("\n" not in str(f) and str(f).isprintable() for f in found.faults)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_as_a_name_too(attack: str) -> None:
    for file, name in NAMES:
        raw = copy.deepcopy(SHORT)
        raw[file][attack] = raw[file].pop(name)
        found = check(files_of(raw), DEMO_SOUNDS, standard_prompts(), "demo")
        assert found.refused, (file, attack)
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
@given(places=st.lists(st.tuples(st.integers(0, PLACES - 1), any_text), min_size=1, max_size=4))
def test_any_text_is_refused_or_leaves_only_lines_that_were_meant(places: list[tuple[int, str]]) -> None:
    raw = copy.deepcopy(SHORT)
    targets = list(texts_of(raw))
    for number, text in places:
        at, key = targets[number]
        at[key] = text
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
