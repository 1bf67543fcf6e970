"""From the files of a city folder to a Plan, or to every fault at once.

Pure: the caller read the files (bytes) and looked into the wav files. A fault in one file hides none in
another: each table is read on its own, and references are followed as far as they can be.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from plan import model
from plan.faults import Fault, spoken
from plan.roads import faults_of_roads
from plan.words import CITY, NAME, SEAT, WrongWord, did_you_mean, host_of, shown

T = TypeVar("T", bound=model.Rule)

TABLES: Mapping[str, type[model.Rule]] = {
    "trunks": model.Trunk,
    "lines": model.Line,
    "menus": model.Menu,
    "queues": model.Queue,
    "seats": model.Seat,
    "messages": model.Message,
    "prompts": model.Prompt,
}
"""File (without .toml) to what each of its tables is."""
FILES = tuple(f"{name}.toml" for name in ("city", *TABLES, "advice"))
MAX_BYTES = 1_000_000
"""Of one file; a hotline plan is some kilobytes."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What a wav file holds. ``fault`` is why it could not be read, empty when it could."""

    rate: int = 0
    channels: int = 0
    bits: int = 0
    seconds: float = 0.0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """``plan`` is None exactly when a fault is more than a warning."""

    plan: model.Plan | None
    faults: tuple[Fault, ...]

    @property
    def refused(self) -> bool:
        return self.plan is None


def check(
    files: Mapping[str, bytes],
    sounds: Mapping[str, Sound],
    standard_prompts: Collection[str],
    folder: str | None = None,
) -> Checked:
    """Read a plan.

    ``files``: name (``queues.toml``) to content. ``sounds``: every wav below the folder, by its path
    there. ``standard_prompts``: names of the shipped prompts. ``folder``: the folder's name, where it
    says something (the city's id must be the same); None for a stored version.
    """
    found: list[Fault] = []
    raw: dict[str, dict[str, Any]] = {}
    for name in sorted(files):
        if name not in FILES:
            found.append(Fault(name, "", "no plan file has this name", did_you_mean(name, FILES)))
            continue
        table = _toml(name, files[name], found)
        if table is not None:
            raw[name] = table
    if "city.toml" not in files:
        found.append(Fault("city.toml", "", "is missing", "it names the city: id, title, last"))
    city = _city(raw.get("city.toml"), folder, found)
    tables: dict[str, dict[str, Any]] = {
        name: dict(_tables(f"{name}.toml", raw.get(f"{name}.toml", {}), rule, found))
        for name, rule in TABLES.items()
    }
    advice, overflow = _advice(raw.get("advice.toml", {}), found)
    # a stand-in where city.toml is unusable, so that the references of all other files are still checked
    parts: dict[str, Any] = {
        **tables,
        "city": city or model.City.model_construct(id="x", title="x", last=""),
        "advice": advice,
        "overflow": overflow,
    }
    plan = model.Plan.model_construct(**parts)
    known = {kind: set(raw.get(f"{kind}.toml", {})) for kind in TABLES}
    found += faults_of_roads(plan, known)
    found += _numbers(plan)
    found += _hosts(plan)
    found += _prompts(plan, sounds, standard_prompts, known["prompts"])
    if city is not None and plan.lines and not city.last:
        found.append(
            Fault(
                "city.toml", "last", "is missing", "the message at the end of every road, like message:sorry"
            )
        )
    if plan.lines and not known["trunks"]:
        found.append(
            Fault("trunks.toml", "", "no trunk, but lines: nobody could call", "add [carrier] with its hosts")
        )
    faults = tuple(
        dict.fromkeys(
            sorted(found, key=lambda f: (f.warning, FILES.index(f.file) if f.file in FILES else 99))
        )
    )
    return Checked(None if any(not f.warning for f in faults) else plan, faults)


def together(plans: Collection[model.Plan]) -> tuple[Fault, ...]:
    """Faults that only several cities on one machine can have: the trunk decides the city."""
    owner: dict[str, str] = {}
    found = []
    for plan in plans:
        for name, trunk in plan.trunks.items():
            for host in trunk.hosts:
                first = owner.setdefault(host_of(host), plan.id)
                if first != plan.id:
                    found.append(
                        Fault(
                            f"{plan.id}/trunks.toml",
                            f"{name}.hosts",
                            f"{shown(host)} is a trunk of '{first}' too",
                            "a call's trunk decides its city: give each city its own",
                        )
                    )
    return tuple(found)


def _toml(name: str, content: bytes, found: list[Fault]) -> dict[str, Any] | None:
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


def _city(raw: dict[str, Any] | None, folder: str | None, found: list[Fault]) -> model.City | None:
    if raw is None:
        return None
    city = _rule("city.toml", (), raw, model.City, found)
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


def _tables(file: str, raw: dict[str, Any], rule: type[T], found: list[Fault]) -> Iterator[tuple[str, T]]:
    pattern, what = (SEAT, "a seat's number") if rule is model.Seat else (NAME, "a name")
    for name, table in raw.items():
        if not pattern.fullmatch(name):
            hint = (
                "3 to 6 digits"
                if rule is model.Seat
                else "lower case letters, digits and hyphens, at most 24"
            )
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
        made = _rule(file, (name,), table, rule, found) or _partly(table, rule)
        if made is not None and pattern.fullmatch(name):
            yield name, made


def _example(rule: type[model.Rule]) -> str:
    return {model.Seat: "1001", model.Trunk: "carrier", model.Line: "main", model.Queue: "general"}.get(
        rule, "welcome"
    )


def _rule(
    file: str, place: tuple[str, ...], raw: dict[str, Any], rule: type[T], found: list[Fault]
) -> T | None:
    try:
        return rule.model_validate(_tuples(raw))
    except ValidationError as bad:
        for error in bad.errors(include_url=False):
            fields = _fields(rule)
            found.append(spoken(file, {**error, "loc": (*place, *error["loc"])}, fields))
    return None


def _partly(raw: dict[str, Any], rule: type[T]) -> T | None:
    """A faulty table as far as it is sound, so that the places it names are checked in the same run."""
    if rule.__name__ not in ("Line", "Menu", "Queue", "Message"):
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
        whole[name] = empty.get(name, "") if field.is_required() else field.default
        if name in told and name not in faulty:
            whole[name] = told[name]
    return rule.model_construct(None, **whole)  # type: ignore[return-value]  # mypy loses T in the plugin


def _fields(rule: type[BaseModel]) -> tuple[str, ...]:
    return tuple(rule.model_fields)


def _tuples(value: Any) -> Any:
    """TOML's lists as tuples: frozen values all the way down."""
    if isinstance(value, list):
        return tuple(_tuples(v) for v in value)
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return value


def _advice(
    raw: dict[str, Any], found: list[Fault]
) -> tuple[tuple[model.Advice, ...], tuple[model.Overflow, ...]]:
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
            if kind == "advice" and (a := _rule("advice.toml", place, entry, model.Advice, found)):
                advice.append(a)
            if kind == "overflow" and (o := _rule("advice.toml", place, entry, model.Overflow, found)):
                overflow.append(o)
    return tuple(advice), tuple(overflow)


def _numbers(plan: model.Plan) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for name, line in plan.lines.items():
        for number in line.numbers:
            if number not in owner:
                owner[number] = name
            elif owner[number] == name:
                yield Fault("lines.toml", f"{name}.numbers", f"'{number}' stands there twice", "keep one")
            else:
                yield Fault(
                    "lines.toml",
                    f"{name}.numbers",
                    f"'{number}' belongs to line '{owner[number]}' too",
                    "a number has one line",
                )
            if number in plan.seats:
                yield Fault(
                    "lines.toml",
                    f"{name}.numbers",
                    f"'{number}' is a seat's number too",
                    "give the seat another one",
                )


def _hosts(plan: model.Plan) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for name, trunk in plan.trunks.items():
        if not trunk.hosts and not trunk.lab:
            yield Fault("trunks.toml", f"{name}.hosts", "is empty", "the addresses the carrier sends from")
        for host in trunk.hosts:
            first = owner.setdefault(host_of(host), name)
            if first != name:
                yield Fault(
                    "trunks.toml",
                    f"{name}.hosts",
                    f"'{host}' belongs to trunk '{first}' too",
                    "an address has one trunk",
                )


def _prompts(
    plan: model.Plan, sounds: Mapping[str, Sound], standard: Collection[str], known: set[str]
) -> Iterator[Fault]:
    named = set(standard) | known
    for file, place, prompt in plan_prompts(plan):
        if prompt and prompt not in named:
            yield Fault(
                file,
                place,
                f"no such prompt '{prompt}'",
                did_you_mean(prompt, named) or "name it in prompts.toml",
            )
    for name, own in plan.prompts.items():
        if not own.text and not own.wav:
            yield Fault("prompts.toml", name, "has neither text nor wav", 'add text = "…"')
        if not own.wav:
            continue
        place = f"{name}.wav"
        sound = sounds.get(own.wav)
        if sound is None:
            yield Fault("prompts.toml", place, f"no such file '{own.wav}'", did_you_mean(own.wav, sounds))
        elif sound.fault:
            yield Fault(
                "prompts.toml",
                place,
                f"'{own.wav}' cannot be played: {sound.fault}",
                "8000 Hz, mono, 16 bit PCM",
            )
        elif (sound.rate, sound.channels, sound.bits) != (8000, 1, 16):
            is_so = f"{sound.rate} Hz, {sound.channels} channel(s), {sound.bits} bit"
            yield Fault(
                "prompts.toml", place, f"'{own.wav}' is {is_so}", f"sox {own.wav} -r 8000 -c 1 -b 16 new.wav"
            )
        elif not 0.1 <= sound.seconds <= 300:
            yield Fault("prompts.toml", place, f"'{own.wav}' lasts {sound.seconds:.1f} s", "0.1 to 300 s")


def plan_prompts(plan: model.Plan) -> Iterator[tuple[str, str, str]]:
    """Every prompt a plan speaks of: file, place, name."""
    if plan.city.not_in_service:
        yield "city.toml", "not_in_service", plan.city.not_in_service
    for name, line in plan.lines.items():
        yield "lines.toml", f"{name}.greeting", line.greeting
        if line.notice:
            yield "lines.toml", f"{name}.notice", line.notice
    for name, menu in plan.menus.items():
        yield "menus.toml", f"{name}.prompt", menu.prompt
    for name, message in plan.messages.items():
        yield "messages.toml", f"{name}.prompt", message.prompt


__all__ = ["FILES", "Checked", "Fault", "Sound", "WrongWord", "check", "plan_prompts", "together"]
