"""The draft at its door: a plan folder, a moment and spans in, plain values out; for command and worker."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cti import vault
from cti.errors import Refused
from cti.home import Home
from cti.ring import Ring
from cti.settings import read
from cti.speech.ear import Ear, heard, in_order
from cti.speech.pinyin import sounds
from cti.speech.recorded import pcm_of
from plan.check import check
from plan.land import Area, Unit
from recording.check import HEADER, header_of
from recording.draft.fields import Occasion
from recording.draft.make import Drafter, as_json
from recording.recognised import Recognised
from recording.table import MESSAGE

LABELS = {
    "name": "姓名", "phone": "电话", "address": "地址", "time": "时间", "kind": "类型", "subject": "事项",
    "unit": "承办", "flags": "警示",
    "title": "标题", "story": "内容",
}  # fmt: skip
LAND = ("units.toml", "places.toml")


@dataclass(frozen=True, slots=True)
class KnownCall:
    """What the machine knows of a call whose words are asked for."""

    id: str
    city: str
    at: datetime
    legs: tuple[Path, ...]
    """Its recordings, the caller's own first."""
    ring: Path = Path()
    """The key ring's file, for those that are sealed."""


def occasion_of(folder: Path | None, at: datetime | None, caller: str = "", line: str = "") -> Occasion:
    """The occasion with a plan's units and places. Raises Refused when the plan's files are faulty.

    Only units.toml, places.toml and the city's time zone are read: a draft needs no sound plan.
    """
    zone = ZoneInfo("Asia/Shanghai")
    units: dict[str, Unit] = {}
    areas: tuple[Area, ...] = ()
    if folder is not None:
        if not folder.is_dir():
            raise Refused(f"{folder}: no such plan folder")
        units, areas = _land(folder)
        zone = ZoneInfo(_timezone(folder))
    moment = at or datetime.now(zone)
    local = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
    return Occasion(local, caller, line, units=units, areas=areas, sounds=sounds)


def _land(folder: Path) -> tuple[dict[str, Unit], tuple[Area, ...]]:
    files = {name: (folder / name).read_bytes() for name in LAND if (folder / name).is_file()}
    city = b'id = "x"\ntitle = "x"\nlast = ""\n'
    checked = check({"city.toml": city, **files}, {}, {"sorry-not-in-service"})
    if checked.plan is None:
        raise Refused("\n".join(f"{folder}/{fault}" for fault in checked.faults))
    return checked.plan.units, checked.plan.areas


def _timezone(folder: Path) -> str:
    try:
        told = tomllib.loads((folder / "city.toml").read_text("utf-8")).get("timezone")
    except (OSError, ValueError):
        told = None
    return told if isinstance(told, str) else "Asia/Shanghai"


def draft(spans: Sequence[Recognised], occasion: Occasion) -> dict[str, Any]:
    """The draft's fields as plain values."""
    return as_json(Drafter(occasion).draft(spans, occasion), occasion)


def only_plan(home: Home) -> Path | None:
    """The plan in force of a home with one city; None without one. Raises Refused when it has several."""
    cities = home.cities()
    if len(cities) > 1:
        raise Refused(f"several cities ({', '.join(cities)}): say which with --plan FOLDER")
    return home.plan(cities[0]) if cities else None


def known_call(home: Home, call: str) -> KnownCall:
    """The call's recordings and what else is known. Raises Refused when nothing of it was recorded.

    Recordings lie in ``<day>/<call>/<leg>.wav``; the caller's leg gives the call its id.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]{0,15}-[A-Za-z0-9._-]{1,80}", call):
        raise Refused(f"{call!r} is no call's id; cti calls --past 20 lists them")
    folders = sorted(home.recordings.glob(f"*/{call}"))
    # one that is sealed is named by the plain file it was
    names = {p.with_name(p.name.removesuffix(vault.SUFFIX)) for f in folders for p in f.glob("*.wav*")}
    legs = sorted(p for p in names if not p.name.startswith(".") and not p.stem.endswith(MESSAGE))
    if not legs:
        shelf = read(home).recording_shelf
        far = f"; what is only on {shelf} the service drafts: GET /api/calls/{call}/draft" if shelf else ""
        raise Refused(f"nothing of call {call} is recorded below {home.recordings}{far}")
    city, _, own = call.partition("-")
    legs.sort(key=lambda path: path.stem != own)
    began = re.search(r"(\d{9,10})\.\d+$", own)
    at = datetime.fromtimestamp(float(began[1]) if began else legs[0].stat().st_mtime, ZoneInfo("UTC"))
    return KnownCall(call, city, at, tuple(legs), keys_of(home))


def keys_of(home: Home) -> Path:
    """The key ring's file by this home's settings."""
    told = read(home).recording_keys
    return Path(told) if told else home.recording_keys


def _leg(call: KnownCall, path: Path) -> tuple[bytes, int, float]:
    """Samples, their rate, and when the first was spoken. Raises Refused, NotNow, Broken."""
    if path.exists():
        pcm, rate = pcm_of(path)
        return pcm, rate, path.stat().st_mtime - len(pcm) / 2 / rate
    sealed = vault.Sealed(Ring(call.ring), path.with_name(path.name + vault.SUFFIX))
    raw = sealed.read(0, sealed.size)
    header = header_of(raw)
    if header is None:
        raise Refused(f"{path.name}: not a wav file")
    return raw[HEADER:], header.rate, float(sealed.meta["began"] or 0.0)


def said_in(call: KnownCall, ear: Ear) -> Iterator[Recognised]:
    """What all legs said, in order. A leg's own beginning is told from its file's end and length."""
    spans: list[Recognised] = []
    first = None
    for path in call.legs:
        pcm, rate, began = _leg(call, path)
        first = began if first is None else first
        own = path is call.legs[0]
        offset = 0.0 if own else max(0.0, began - first)
        spans += heard(ear, pcm, rate, "caller" if own else "agent", offset)
    yield from in_order(spans)


def shown(name: str, field: dict[str, Any]) -> str:
    """One field for a person: the value, how sure, what else it could be."""
    value, options = field["value"], [option["value"] for option in field["alternatives"]]
    if name == "unit":
        value, options = field["title"], [option["title"] for option in field["alternatives"]]
    if value in (None, "", []):
        return "—" + (f"  （或 {'、'.join(map(_plain, options))}）" if options else "")
    text = _plain(value)
    if name in ("title", "story", "flags"):
        return text
    other = f"  （或 {'、'.join(map(_plain, options))}）" if options else ""
    return f"{text}  {field['confidence']:.0%}{other}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        if "text" in value:
            return str(value["text"])
        if "start" in value:
            start, end = (datetime.fromisoformat(value[key]) for key in ("start", "end"))
            same = end - start <= timedelta(days=1) and end.date() == start.date()
            return f"{start:%Y-%m-%d %H:%M} – {end:{'%H:%M' if same else '%Y-%m-%d %H:%M'}}"
        return "".join(map(str, value.values()))
    if isinstance(value, list):
        return "、".join(map(str, value))
    return str(value)
