"""From TOML text to tables: syntax, keys, types and values, each fault with its place.

A fault in one table hides none in another.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from plan import model
from plan.faults import Fault, spoken
from plan.rule import Rule
from plan.spoken import spoken_of
from plan.words import CITY, NAME, SEAT, did_you_mean, shown

T = TypeVar("T", bound=model.Rule)

TABLES: Mapping[str, type[model.Rule]] = {
    "trunks": model.Trunk,
    "lines": model.Line,
    "menus": model.Menu,
    "queues": model.Queue,
    "seats": model.Seat,
    "agents": model.Agent,
    "pauses": model.Pause,
    "messages": model.Message,
    "phones": model.Phone,
    "priorities": model.Priority,
    "prompts": model.Prompt,
    "numbers": model.Merged,
    "units": model.Unit,
    "centres": model.Centre,
    "contacts": model.Contact,
    "recordings": model.RecordingClass,
}
"""File (without .toml) to what each of its tables is."""
FILES = tuple(
    f"{name}.toml"
    for name in ("city", *TABLES, "advice", "roster", "forecast", "rules", "places", "outgoing")
)
MAX_BYTES = 1_000_000
"""Of one file; a hotline plan is some kilobytes."""


def toml_of(name: str, content: bytes, found: list[Fault]) -> dict[str, Any] | None:
    """The tables of one file, or None and the fault that keeps them from being read."""
    if len(content) > MAX_BYTES:
        found.append(Fault(name, "", f"is {len(content)} bytes long", f"at most {MAX_BYTES}"))
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        line = content.count(b"\n", 0, bad.start) + 1
        found.append(Fault(name, f"line {line}", "is not UTF-8 text", "save the file as UTF-8, not GBK"))
        return None
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as bad:
        found.append(_syntax(name, text, str(bad)))
    except (RecursionError, ValueError):
        # tomllib gives up on thousands of nested brackets, int() on thousands of digits
        found.append(Fault(name, "", "is nested too deeply or has a number too long", "a plan needs neither"))
    return None


def _syntax(name: str, text: str, why: str) -> Fault:
    at = re.search(r"\(at line (\d+), column (\d+)\)", why)
    lines = text.splitlines()
    number = int(at[1]) if at else max(len(lines), 1)
    line = lines[number - 1] if number <= len(lines) else ""
    what = re.sub(r"\s*\(at .*\)", "", why)
    hint = "a line is: key = value, text in straight quotes"
    if stray := re.search(r"[“”‘’＝＂［］｛｝，]", line):
        plain = {
            "“": '"',
            "”": '"',
            "‘": '"',
            "’": '"',
            "＝": "=",
            "＂": '"',
            "［": "[",
            "］": "]",
            "｛": "{",
            "｝": "}",
            "，": ",",
        }
        hint = f"full-width {stray[0]!r} outside of a text: write {plain[stray[0]]!r}"
    elif "overwrite" in what or "twice" in what:
        what, hint = "the same key or table stands there twice", "keep one of them"
    return Fault(name, f"line {number}", f"not TOML: {what}", hint)


def city_of(raw: dict[str, Any] | None, folder: str | None, found: list[Fault]) -> model.City | None:
    """city.toml, whose id is the folder's name where the folder's name says something."""
    if raw is None:
        return None
    city = rule_of("city.toml", (), raw, model.City, found)
    told = raw.get("id")
    if folder is not None and isinstance(told, str) and CITY.fullmatch(told) and told != folder:
        found.append(
            Fault(
                "city.toml",
                "id",
                f"{shown(told)} is not the folder's name {shown(folder)}",
                "rename one of them",
            )
        )
    return city


def tables_of(file: str, raw: dict[str, Any], rule: type[T], found: list[Fault]) -> Iterator[tuple[str, T]]:
    """Name and content of each table of a kind. A faulty one comes as far as it is sound, or not at all."""
    numbered = {model.Seat: "a seat's number", model.Agent: "an agent's number (工号)"}.get(rule)
    pattern, what = (SEAT, numbered) if numbered else (NAME, "a name")
    shared = {key: text for key in ("basis", "assumption") if isinstance(text := raw.get(key), str)}
    for name, table in raw.items():
        if name in shared:
            # said once at the top of the file, it holds for each table that says neither
            rule_of(file, (), {name: table}, Rule, found)
            continue
        if not pattern.fullmatch(name):
            hint = "3 to 6 digits" if numbered else "lower case letters, digits and hyphens, at most 24"
            found.append(Fault(file, shown(name), f"is not {what}", hint))
        if not isinstance(table, dict):
            found.append(
                Fault(
                    file,
                    shown(name)[1:-1],
                    "stands outside of a table",
                    f"put it below a line like [{_example(rule)}]",
                )
            )
            continue
        if shared and not table.keys() & shared.keys():
            table = {**shared, **table}
        made = rule_of(file, (name,), table, rule, found) or _partly(table, rule)
        if made is not None and pattern.fullmatch(name):
            yield name, made


def _example(rule: type[model.Rule]) -> str:
    return {
        model.Seat: "1001",
        model.Agent: "8001",
        model.Trunk: "carrier",
        model.Line: "main",
        model.Queue: "general",
        model.Merged: "12315",
        model.Unit: "police",
        model.RecordingClass: "handed",
    }.get(rule, "welcome")


def rule_of(
    file: str, place: tuple[str, ...], raw: dict[str, Any], rule: type[T], found: list[Fault]
) -> T | None:
    try:
        return rule.model_validate(_tuples(raw))
    except ValidationError as bad:
        for error in bad.errors(include_url=False):
            fields = _fields(rule, error["loc"])
            found.append(spoken(file, {**error, "loc": (*place, *error["loc"])}, fields))
    return None


def _partly(raw: dict[str, Any], rule: type[T]) -> T | None:
    """A faulty table as far as it is sound, so that the places it names are checked in the same run."""
    if rule.__name__ not in ("Line", "Menu", "Queue", "Message", "Merged", "Phone"):
        return None
    told = _tuples(raw)
    faulty: set[int | str] = set()
    try:
        rule.model_validate(told)
    except ValidationError as bad:
        faulty = {error["loc"][0] for error in bad.errors(include_url=False)}
    empty: dict[str, Any] = {"members": {}, "keys": {}, "numbers": ()}
    whole: dict[str, Any] = {}
    for name, field in rule.model_fields.items():
        whole[name] = (
            empty.get(name, "") if field.is_required() else field.get_default(call_default_factory=True)
        )
        if name in told and name not in faulty:
            whole[name] = told[name]
        if name == "spoken":
            whole[name] = spoken_of(whole[name])
        if name == "call_back" and isinstance(whole[name], dict):
            whole[name] = model.CallBack.model_validate(whole[name])
    return rule.model_construct(None, **whole)  # type: ignore[return-value]  # pydantic's mypy plugin types model_construct of a class in a variable as BaseModel; it is rule's own


def _fields(rule: type[BaseModel], at: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys of the table at this place of a rule: its own, or those of a table inside it."""
    for part in at[:-1]:
        field = rule.model_fields.get(str(part))
        inner = () if field is None else (field.annotation, *get_args(field.annotation))
        rule = next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), rule)
    return tuple(rule.model_fields)


def _tuples(value: Any) -> Any:
    """TOML's lists as tuples: frozen values all the way down."""
    if isinstance(value, list):
        return tuple(_tuples(v) for v in value)
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return value


def advice_of(
    raw: dict[str, Any], found: list[Fault]
) -> tuple[tuple[model.Advice, ...], tuple[model.Overflow, ...]]:
    """The two lists of advice.toml."""
    advice: list[model.Advice] = []
    overflow: list[model.Overflow] = []
    for kind, entries in raw.items():
        if kind not in ("advice", "overflow"):
            found.append(
                Fault(
                    "advice.toml",
                    shown(kind)[1:-1],
                    "unknown table",
                    did_you_mean(kind, ("advice", "overflow")),
                )
            )
            continue
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            found.append(Fault("advice.toml", kind, "is not a list of tables", f"start each with [[{kind}]]"))
            continue
        for number, entry in enumerate(entries, 1):
            place = (f"{kind} {number}",)
            if kind == "advice" and (a := rule_of("advice.toml", place, entry, model.Advice, found)):
                advice.append(a)
            if kind == "overflow" and (o := rule_of("advice.toml", place, entry, model.Overflow, found)):
                overflow.append(o)
    return tuple(advice), tuple(overflow)


def rules_of(raw: dict[str, Any], found: list[Fault]) -> model.Rules | None:
    """rules.toml; None when there is none or it has a fault."""
    return rule_of("rules.toml", (), raw, model.Rules, found) if raw else None


def outgoing_of(raw: dict[str, Any] | None, found: list[Fault]) -> model.Outgoing | None:
    """outgoing.toml; None when there is none or it has a fault."""
    return None if raw is None else rule_of("outgoing.toml", (), raw, model.Outgoing, found)
