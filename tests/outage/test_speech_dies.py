"""Recognisers killed, frozen, missing, too few: no call notices, nothing is lost, the words come later."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.babble import babble_file
from lab.scenario import Lab
from tests.house import House, ports, running
from tests.live import speaking
from tests.live.conftest import AUDIO
from tests.live.test_recordings import filed, http, rows, until
from tests.live.test_speech import clip, listening, text, transcript
from tests.outage import hands
from tests.outage.conftest import tidy

needs_model = pytest.mark.skipif(
    speaking.model() is None or not (AUDIO / "manifest.json").is_file(), reason=speaking.NO_MODEL
)


def recognisers(house: House) -> list[int]:
    """The processes below the service that run a recogniser."""
    service = house.parts()["service"].pid
    found = []
    for pid in hands.descendants(service):
        if b"cti.speech.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
            found.append(pid)
    return found


async def talks(city: Lab, seat: str = "1001", number: str = "13900000007") -> tuple[Any, str]:
    """A citizen and a seat, both saying the clip."""
    wav, _ = clip()
    call = await city.caller(number).dials("12345").says(wav)
    await city.seat(seat).answers(call, say=wav, within=20)
    return call, await call.id()


async def words_come(house: House, call: str, folder: Path) -> None:
    """Wait until the words are whole; they are as good as what vosk alone makes of the recording."""
    told = await until(
        "the words come",
        lambda: transcript(house, call),
        lambda t: bool(t["complete"] and text(t)),
        within=150,
    )
    [row] = [r for r in rows(house, call) if r["role"] == "caller"]
    path = folder / f"{call}.wav"
    path.write_bytes(http(house, f"/api/recordings/{row['leg']}/audio?purpose=test")[1])
    raw, _ = await asyncio.to_thread(speaking.raw, path)
    _, said = clip()
    assert speaking.cer(said, text(told)) <= speaking.cer(said, raw) + 0.1


@needs_model
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_recogniser_that_dies_or_freezes_in_the_middle_is_unnoticed_and_takes_up_where_it_stood(
    house: House, city: Lab, how: signal.Signals, tmp_path: Path
) -> None:
    wav, _ = clip()
    await listening(house)
    await city.staffed("1001")
    call, id = await talks(city)
    before = recognisers(house)
    assert before
    os.kill(before[0], how)
    # both hear each other to the end
    await call.hears(wav, within=30)
    await city.seat("1001").hears(wav, within=30)
    await call.hangs_up()
    assert len(await filed(house, id, 2)) == 2
    await words_come(house, id, tmp_path)
    assert recognisers(house) != before


@pytest.fixture
def narrow(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[House]:
    """One recogniser for one voice."""
    folder = tmp_path_factory.mktemp("narrow")
    (folder / "settings.toml").write_text("speech_workers = 1\nspeech_legs = 1\n")
    with ports() as base, running(folder, base + 100 * ("CTI_TEST_BASE" in os.environ), plans) as up:
        hands.until_ready(up.home)
        yield up


@needs_model
async def test_more_voices_than_recognisers_are_written_down_afterwards(
    narrow: House, tmp_path: Path
) -> None:
    wav, _ = clip()
    async with Lab(narrow.home) as place:
        await listening(narrow)
        await place.staffed("1001", "1002")
        first, one = await talks(place, "1001", "13900000001")
        second, two = await talks(place, "1002", "13900000002")
        await first.hears(wav, within=40)
        await second.hears(wav, within=40)
        for seat in ("1001", "1002"):
            await place.seat(seat).hears(wav, within=40)
        await first.hangs_up()
        await second.hangs_up()
    for call in (one, two):
        assert len(await filed(narrow, call, 2)) == 2
        await words_come(narrow, call, tmp_path)
    assert b"hotline_speech_dropped 3.0" in http(narrow, "/metrics")[1]
    await tidy(narrow)


async def test_without_a_model_calls_are_recorded_and_the_lack_is_told(
    tmp_path_factory: pytest.TempPathFactory, plans: list[Path]
) -> None:
    folder = tmp_path_factory.mktemp("deaf")
    voices = [babble_file(tmp_path_factory.mktemp("voices"), seed, 4.0) for seed in (1, 2)]
    (folder / "settings.toml").write_text('speech_model = "/nonexistent"\n')
    with ports() as base, running(folder, base + 100 * ("CTI_TEST_BASE" in os.environ), plans) as deaf:
        hands.until_ready(deaf.home)
        async with Lab(deaf.home) as place:
            await place.staffed("1001")
            call = await place.caller("13900000007").dials("12345").says(voices[0])
            await place.seat("1001").answers(call, say=voices[1], within=20)
            await call.hears(voices[1], within=30)
            id = await call.id()
            await call.hangs_up()
        assert len(await filed(deaf, id, 2)) == 2
        told = json.loads(http(deaf, "/healthz")[1])
        assert told["ready"]
        assert b"hotline_speech_up 0.0" in http(deaf, "/metrics")[1]
        assert "cti speech fetch" in told["parts"]["speech"]["text"]
        assert transcript(deaf, id)["said"] == []
