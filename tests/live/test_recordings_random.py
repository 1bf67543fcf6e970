"""Random calls and transfers, hang-ups in any order, a service that dies: all talk is recorded, once."""

from __future__ import annotations

import asyncio
import json
import os
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from recording.check import LATE, Stretch, holes
from tests.house import House, ports, running
from tests.live.dead_trunk import DeadTrunk
from tests.live.moves_at_random import Night
from tests.live.moves_plan import moves_plan
from tests.outage.hands import until_ready

FEW, MANY = 24, 500
SEED = int(os.environ.get("CTI_MOVES_SEED", "4712"))
FILED = 150.0
"""Seconds in which what a dead service missed is found on disk: a file must have been still for long."""

pytestmark = pytest.mark.timeout(3000)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hotline of its own: short voices, short rings; recordings are sealed at once."""
    folder, home = tmp_path_factory.mktemp("plan"), tmp_path_factory.mktemp("home")
    (home / "settings.toml").write_text("recording_seal_after_seconds = 0\nspeech = false\n")
    with DeadTrunk() as dead:
        plan = moves_plan(folder, f"127.0.0.1:{dead.port}")
        with ports() as base, running(home, base, [plan]) as up:
            yield up


@pytest.fixture(scope="module")
def night(town: House, full_size: bool) -> tuple[Night, float]:
    """The calls, and when they began."""
    began = time.time() - 1
    # few callers are over before many a seed's first kill
    first = None if full_size else FEW // 2
    night = Night(town, SEED, MANY if full_size else FEW, kill=True, first_kill=first)
    asyncio.run(night.run())
    # it may have been killed a moment before the last caller went
    until_ready(town.home)
    return night, began


def _checked(town: House, began: float) -> dict[str, Any]:
    done = town.cti("recordings", "check", "--from", str(began), "--deep", "--json", timeout=300)
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _rows(town: House, call: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{town.home.ports.api}/api/recordings?call={call}",
        headers={"Authorization": f"Bearer {town.home.tokens['operator']}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return list(json.loads(answer.read()))


def test_every_second_of_talk_is_in_exactly_one_filed_recording(
    town: House, night: tuple[Night, float]
) -> None:
    at_night, began = night
    assert at_night.killed > 0
    assert {"asked", "answered", "joined", "handed", "back"} <= set(at_night.counted)
    end = time.monotonic() + FILED
    told = _checked(town, began)
    while not told["whole"] and time.monotonic() < end:
        time.sleep(2.0)
        told = _checked(town, began)
    print(json.dumps({**told, "steps": at_night.counted, "killed": at_night.killed}))
    assert told["whole"], json.dumps(told, indent=1)
    assert float(told["talk"]) > 5


def test_whoever_took_part_is_recorded_as_asterisks_own_events_tell(
    town: House, night: tuple[Night, float]
) -> None:
    """Colleagues, centres, rooms: each leg for as long as it heard anybody. Our own ledger is not asked."""
    wrong: list[str] = []
    seconds, legs = 0.0, 0
    for one in night[0].told:
        trace = one.trace
        if trace is None:
            continue
        found = _rows(town, trace.call)
        files = [
            Stretch(r["leg"], r["began"], r["began"] + r["seconds"]) for r in found if r["state"] == "filed"
        ]
        talk = [Stretch(leg, a, b) for leg, spans in trace.talks.items() for a, b in spans]
        seconds += sum(s.end - s.begin for s in talk)
        legs += len(trace.talks)
        left = holes(talk, files, LATE)
        extra = {r["leg"] for r in found} - set(trace.talks) - {trace.call.partition("-")[2]}
        silent = {s.leg for s in talk if s.end - s.begin > LATE}
        if left.gaps or left.twice or (extra - silent and any(r["state"] != "filed" for r in found)):
            shown = [(r["leg"], r["state"], r["why"], r["began"], r["seconds"]) for r in found]
            wrong.append(f"{one.plot}\n  {left}\n  more {extra}\n  {shown}\n  talk {talk}")
    print({"legs": legs, "seconds of talk": round(seconds, 1), "wrong": len(wrong)})
    assert not wrong, "\n".join(wrong)
    assert seconds > 60


def test_nothing_of_it_lies_open_on_the_disk(town: House, night: tuple[Night, float]) -> None:
    end = time.monotonic() + 30
    while (left := list(town.home.recordings.rglob("*.wav"))) and time.monotonic() < end:
        time.sleep(0.5)
    assert [p.name for p in left] == []
    assert list(town.home.recordings.rglob("*.wav.sealed"))
