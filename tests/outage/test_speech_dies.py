"""Recognisers killed, frozen, missing, too few: no call notices, nothing is lost, the words come later."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cti.listening import BEHIND
from cti.settings import Settings
from lab.scenario import Lab
from tests.freezing import strike
from tests.house import House, ports, running
from tests.live import speaking
from tests.live.speaking import AUDIO, CLIP, COMPLAINT, needs_model
from tests.live.test_recordings import filed, http, rows, until
from tests.live.test_speech import listening, text, transcript
from tests.outage import hands
from tests.outage.conftest import tidy

MARGIN = 2.0
"""Seconds until a process that is ready has a voice again and tells of it."""
OVERLOAD = 3
"""So many times more voices than recognisers follow."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[House]:
    """One that listens."""
    folder = tmp_path_factory.mktemp("heard")
    with ports() as base, running(folder, base, plans, listens=True) as up:
        hands.until_ready(up.home)
        yield up


def recognisers(house: House) -> set[int]:
    """The processes below the service that follow calls (not the one for menus)."""
    found = set()
    for pid in hands.descendants(house.parts()["service"].pid):
        with contextlib.suppress(OSError):  # it may end meanwhile
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"cti.speech.worker" in words and b"menu" not in words:
                found.add(pid)
    return found


def dropped(house: House) -> float:
    """Legs whose live text was given up or never begun."""
    return float(http(house, "/metrics")[1].decode().split("\nhotline_speech_dropped ")[1].split()[0])


def spans(told: dict[str, Any]) -> list[tuple[float, str]]:
    """What the caller said, with when it began."""
    return [(s["start"], s["text"]) for s in told["said"] if s["role"] == "caller"]


async def talks(
    city: Lab, seat: str, number: str, line: str = "12345", says: Sequence[Path] = (CLIP, CLIP)
) -> tuple[Any, str]:
    """A citizen and a seat, each saying something."""
    call = await city.caller(number).dials(line).says(says[0])
    await city.seat(seat).answers(call, say=says[1], within=30)
    return call, await call.id()


async def complete(house: House, call: str) -> dict[str, Any]:
    """Wait until the words of a call that is over are whole."""
    told: dict[str, Any] = await until(
        "the words come",
        lambda: transcript(house, call),
        lambda t: bool(t["complete"] and text(t)),
        within=150,
    )
    return told


async def words_come(house: House, call: str, folder: Path, *wavs: Path) -> dict[str, Any]:
    """Wait until the words are whole; they are as good as what vosk alone makes of the recording."""
    told = await complete(house, call)
    [row] = [r for r in rows(house, call) if r["role"] == "caller"]
    path = folder / f"{call}.wav"
    path.write_bytes(http(house, f"/api/recordings/{row['leg']}/audio?purpose=test")[1])
    raw, _ = await asyncio.to_thread(speaking.raw, path)
    said = "".join(map(speaking.said_in, wavs or (CLIP,)))
    assert speaking.cer(said, text(told)) <= speaking.cer(said, raw) + 0.1
    return told


async def others_listen(house: House, victims: set[int]) -> float:
    """When other processes than these were ready (since the epoch)."""
    await until("others are there", lambda: recognisers(house), lambda now: now and not now & victims, 60)
    await listening(house)
    return time.time()


@needs_model
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_recognisers_that_die_or_freeze_in_the_middle_are_unnoticed_and_take_up_where_they_stood(
    house: House, city: Lab, how: signal.Signals, tmp_path: Path
) -> None:
    await listening(house)
    await city.staffed("1001")
    given_up = dropped(house)
    call, seat = await city.caller("13900000007").dials("12345"), city.seat("1001")
    await seat.answers(call, within=20)
    await call.talks()
    id = await call.id()
    # both legs stand at the same second: each is taken up behind its own last words
    await asyncio.gather(call.says(CLIP), seat.says(CLIP))
    first = await until(
        "a first span of both",
        lambda: transcript(house, id),
        lambda t: {s["role"] for s in t["said"]} >= {"caller", "seat"},
        within=60,
    )
    before = spans(first)
    # where the voices are taken up: on a busy machine long before their words were told
    stood = min({s["role"]: s["at"] + s["end"] - s["start"] for s in first["said"]}.values())
    saying = asyncio.ensure_future(call.says(COMPLAINT))
    await until(
        "the next words begin",
        lambda: transcript(house, id),
        lambda t: any(now["role"] == "caller" and now["text"] for now in t["now"]),
        within=60,
    )
    victims = recognisers(house)
    assert victims
    for pid in victims:
        strike(pid, how)
    back = asyncio.ensure_future(others_listen(house, victims))
    # both hear each other to the end
    await saying
    await call.hears(CLIP, within=30)
    await city.seat("1001").hears(COMPLAINT, within=30)
    # a voice that is too far behind is left to after-call work: a frozen process is found out in 12 s, and on
    # a busy machine another one takes its time to start
    in_time = await back - stood < BEHIND - MARGIN
    if in_time:
        # the call goes on, and what comes now is live text
        live = spans(
            await until(
                "text after the blow",
                lambda: transcript(house, id),
                lambda t: not t["complete"] and any(start > before[-1][0] for start, _ in spans(t)),
                within=60,
            )
        )
        assert live[: len(before)] == before
    await call.hangs_up()
    assert [row["short"] for row in await filed(house, id, 2)] == [0.0, 0.0]
    told = spans(await words_come(house, id, tmp_path, CLIP, COMPLAINT))
    if in_time:
        # no recording had to be read instead: the taps were taken up
        assert dropped(house) == given_up
        assert told[: len(before)] == before


@pytest.fixture
def narrow(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[House]:
    """One recogniser, as on a machine of two processors, and as many voices as it follows by default."""
    folder = tmp_path_factory.mktemp("narrow")
    (folder / "settings.toml").write_text("speech_workers = 1\n")
    beside = 100 * ("CTI_TEST_BASE" in os.environ)
    with ports() as base, running(folder, base + beside, plans, listens=True) as up:
        hands.until_ready(up.home)
        yield up


@needs_model
@pytest.mark.timeout(480)
async def test_three_times_more_voices_than_recognisers_follow_are_written_down_afterwards(
    narrow: House,
) -> None:
    voices = sorted(AUDIO.glob("aishell1*.wav")) + sorted(AUDIO.glob("aishell3*.wav"))
    most, said = Settings().speech_legs, speaking.said_in(CLIP)
    raw, _ = await asyncio.to_thread(speaking.raw, CLIP)
    alone = speaking.cer(said, raw)
    calls = -(-OVERLOAD * most // 2)
    async with Lab(narrow.home) as place:
        await listening(narrow)
        going = []
        for n in range(1, calls + 1):
            seats = [f"200{k}" for k in range(1, n + 1)]
            await place.staffed(*seats)
            agent = voices[n % len(voices)]
            call, id = await talks(place, seats[-1], f"1390000000{n}", "12301", (CLIP, agent))
            going.append((call, id, seats[-1], agent))
        beyond = 2 * calls - most
        await until(
            "the last were told there is no place", lambda: dropped(narrow), lambda n: n == beyond, 30
        )
        for call, _, seat, agent in going:
            await call.hears(agent, within=40)
            await place.seat(seat).hears(CLIP, within=40)
        for call, _, _, _ in going:
            await call.hangs_up()
            assert (await call.ends())["by"] == "self"
    for _, id, _, _ in going:
        assert [row["short"] for row in await filed(narrow, id, 2)] == [0.0, 0.0]
        told = await complete(narrow, id)
        assert text(told, "seat")
        assert speaking.cer(said, text(told)) <= alone + 0.1
    await tidy(narrow)


DISK_MB = 96


@pytest.fixture
def heard_on_a_small_disk(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[House]:
    """One that listens, in a small file system of its own."""
    folder = tmp_path_factory.mktemp("small")
    with hands.small_disk(folder, DISK_MB) as small, ports() as base:
        if not small:
            pytest.skip("by design: only root can mount a small disk")
        # the city outside does not live on our disk
        (folder / "lab").symlink_to(tmp_path_factory.mktemp("lab"))
        beside = 100 * ("CTI_TEST_BASE" in os.environ)
        with running(folder, base + beside, plans, listens=True) as up:
            hands.until_ready(up.home)
            yield up


@needs_model
async def test_on_a_full_disk_people_talk_on_and_what_was_recorded_is_written_down(
    heard_on_a_small_disk: House, tmp_path: Path
) -> None:
    house = heard_on_a_small_disk

    async def both_hear(place: Lab, number: str) -> str:
        call, id = await talks(place, "1001", number)
        await call.hears(CLIP, within=40)
        await place.seat("1001").hears(CLIP, within=40)
        await call.hangs_up()
        return id

    async with Lab(house.home) as place:
        await listening(house)
        await place.staffed("1001")
        before = await both_hear(place, "13900000001")
        await words_come(house, before, tmp_path)
        with hands.full_disk(house, True):
            during = await both_hear(place, "13900000002")
        after = await both_hear(place, "13900000003")
    kept = await until(
        "each leg has its row",
        lambda: rows(house, during),
        lambda r: len(r) == 2 and {x["state"] for x in r} <= {"missing", "filed"},
        within=60,
    )
    assert all(row["why"] for row in kept if row["state"] == "missing")
    if any(row["state"] == "filed" for row in kept):
        await until("what there is, is read", lambda: transcript(house, during), lambda t: t["complete"], 90)
    for call in (before, after):
        assert len(await filed(house, call, 2)) == 2
        await words_come(house, call, tmp_path)
    await until("no tap is left", lambda: list(house.home.taps.iterdir()), lambda left: not left)


@needs_model
async def test_a_tap_takes_no_more_of_the_disk_than_what_is_not_written_down_yet(
    house: House, city: Lab
) -> None:
    await listening(house)
    await city.staffed("1001")
    call = await city.caller("13900000007").dials("12345")
    await city.seat("1001").answers(call, within=20)
    await call.talks()
    leg = (await call.id()).partition("-")[2]
    tap = house.home.taps / f"{leg}.sln48"
    await call.says(COMPLAINT)
    await call.says(COMPLAINT)

    def held() -> tuple[int, int]:
        told = tap.stat()
        return told.st_blocks * 512, told.st_size

    await until("most of it is given back", held, lambda told: told[0] < told[1] / 2, within=60)
    await call.hangs_up()
    await until("the tap is gone", tap.exists, lambda there: not there)


MODEL = "to-come"
"""The folder of the deaf house's model, below its home."""


@pytest.fixture(scope="module")
def deaf(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[House]:
    """One that would listen, if its model were there."""
    folder = tmp_path_factory.mktemp("deaf")
    (folder / "settings.toml").write_text(f'speech_model = "{folder / MODEL}"\n')
    beside = 200 * ("CTI_TEST_BASE" in os.environ)
    with ports() as base, running(folder, base + beside, plans, listens=True) as up:
        hands.until_ready(up.home)
        yield up


@pytest.fixture(scope="module")
def recorded_unheard() -> dict[Path, str]:
    """By home: the call that was recorded while there was no model, one for all tests that ask for it."""
    return {}


@pytest.fixture
async def unheard(deaf: House, recorded_unheard: dict[Path, str]) -> str:
    """A call of which both legs are filed, and no model was there."""
    if deaf.home.root not in recorded_unheard:
        async with Lab(deaf.home) as place:
            await place.staffed("1001")
            call, id = await talks(place, "1001", "13900000007")
            await call.hears(CLIP, within=30)
            await place.seat("1001").hears(CLIP, within=30)
            await call.hangs_up()
        assert len(await filed(deaf, id, 2)) == 2
        recorded_unheard[deaf.home.root] = id
    return recorded_unheard[deaf.home.root]


async def test_without_a_model_calls_are_recorded_and_the_lack_is_told(deaf: House, unheard: str) -> None:
    assert {row["heard"] for row in rows(deaf, unheard)} == {"waiting"}
    told = json.loads(http(deaf, "/healthz")[1])
    assert told["ready"]
    assert b"hotline_speech_up 0.0" in http(deaf, "/metrics")[1]
    assert "cti speech fetch" in told["parts"]["speech"]["text"]
    assert transcript(deaf, unheard)["said"] == []


@needs_model
async def test_what_was_recorded_without_a_model_is_written_down_once_there_is_one(
    deaf: House, unheard: str, tmp_path: Path
) -> None:
    found = speaking.model()
    assert found is not None
    assert not transcript(deaf, unheard)["complete"]
    (deaf.home.root / MODEL).symlink_to(found, target_is_directory=True)
    told = await words_come(deaf, unheard, tmp_path)
    assert text(told, "seat")
    assert {row["heard"] for row in rows(deaf, unheard)} == {"done"}
