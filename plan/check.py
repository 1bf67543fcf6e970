"""From the files of a city folder to a Plan, or to every fault at once.

Pure: the caller read the files (bytes) and looked into the wav files. A fault in one file hides none in
another: each table is read on its own, and references are followed as far as they can be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plan import model
from plan.faults import Fault
from plan.handed import faults_of_handed
from plan.land_check import areas_of
from plan.menu_check import faults_of_menus
from plan.merged_check import faults_of_merged
from plan.outgoing_check import faults_of_outgoing
from plan.reach_check import faults_of_reach
from plan.recordings import faults_of_recordings
from plan.roads import faults_of_roads
from plan.roster_check import roster_of
from plan.spoken_check import faults_of_spoken
from plan.staff import faults_of_staff
from plan.tables import FILES, TABLES, advice_of, city_of, outgoing_of, rules_of, tables_of, toml_of
from plan.waiting import faults_of_waiting
from plan.words import did_you_mean, host_of, shown


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
        table = toml_of(name, files[name], found)
        if table is not None:
            raw[name] = table
    if "city.toml" not in files:
        found.append(Fault("city.toml", "", "is missing", "it names the city: id, title, last"))
    city = city_of(raw.get("city.toml"), folder, found)
    tables: dict[str, dict[str, Any]] = {
        name: dict(tables_of(f"{name}.toml", raw.get(f"{name}.toml", {}), rule, found))
        for name, rule in TABLES.items()
    }
    advice, overflow = advice_of(raw.get("advice.toml", {}), found)
    # a stand-in where city.toml is unusable, so that the references of all other files are still checked
    parts: dict[str, Any] = {
        **tables,
        "city": city or model.City.model_construct(id="x", title="x", last=""),
        "advice": advice,
        "overflow": overflow,
        "rules": rules_of(raw.get("rules.toml", {}), found),
        "outgoing": outgoing_of(raw.get("outgoing.toml"), found),
    }
    plan = model.Plan.model_construct(**parts)
    plan = plan.model_copy(update={"roster": roster_of(raw, plan, found)})
    plan = plan.model_copy(update={"areas": areas_of(raw.get("places.toml"), found)})
    known = {
        kind: {name for name, table in raw.get(f"{kind}.toml", {}).items() if isinstance(table, dict)}
        for kind in TABLES
    }
    found += faults_of_roads(plan, known)
    found += faults_of_staff(plan, known, frozenset(_told(found, "queues.toml", "members")))
    found += faults_of_waiting(plan, known)
    found += faults_of_spoken(plan)
    found += faults_of_menus(plan, known)
    found += _numbers(plan)
    found += faults_of_merged(plan, known)
    found += faults_of_handed(plan)
    found += _hosts(plan)
    found += faults_of_reach(plan)
    found += faults_of_outgoing(plan)
    found += faults_of_recordings(plan, known)
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


def _told(found: list[Fault], file: str, key: str) -> Iterator[str]:
    """Tables whose ``key`` has a fault already: it need not be told twice."""
    for fault in found:
        name, _, rest = fault.place.partition(".")
        if fault.file == file and rest.partition(".")[0] == key:
            yield name


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
    if plan.outgoing is not None:
        yield "outgoing.toml", "notice", plan.outgoing.notice
    for name, line in plan.lines.items():
        yield "lines.toml", f"{name}.greeting", line.greeting
        if line.notice:
            yield "lines.toml", f"{name}.notice", line.notice
    for name, row in plan.numbers.items():
        for key, prompt in (("announcement", row.prompt), ("closed", row.closed)):
            yield "numbers.toml", f"{name}.{key}", prompt
    for name, menu in plan.menus.items():
        yield "menus.toml", f"{name}.prompt", menu.prompt
        if menu.spoken is not None:
            yield "menus.toml", f"{name}.spoken.prompt", menu.spoken.prompt
            yield "menus.toml", f"{name}.spoken.again", menu.spoken.again
    for name, queue in plan.queues.items():
        yield "queues.toml", f"{name}.reassure", queue.reassure
    for name, message in plan.messages.items():
        yield "messages.toml", f"{name}.prompt", message.prompt


__all__ = ["FILES", "Checked", "Fault", "Sound", "check", "plan_prompts", "together"]
