"""Recordings of real calls: a file for each leg, filed when it is over, heard by right, never absent."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab import ears
from lab.scenario import Lab
from lab.wav import read
from tests.house import ROOT, House
from tests.live.test_first_call import spoken

CHORUS = 16
STARTS = 0.5
"""Seconds from Asterisk's answer to the first sample of a caller who speaks at once."""


def http(
    house: House,
    path: str,
    *,
    role: str = "operator",
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{house.home.ports.api}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {house.home.tokens[role]}", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as why:
        return why.code, why.read(), dict(why.headers)


def rows(house: House, call: str) -> list[dict[str, Any]]:
    status, data, _ = http(house, f"/api/recordings?call={call}")
    assert status == 200, data
    return list(json.loads(data))


async def until(what: str, ask: Callable[[], Any], holds: Callable[[Any], bool], within: float = 20.0) -> Any:
    """Wait for an answer of the service: nothing tells from outside that it changed."""
    found: Any = None
    try:
        async with asyncio.timeout(within):
            while not holds(found := await asyncio.to_thread(ask)):  # noqa: ASYNC110  # the service tells nobody outside
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {within:g} s; last {found}") from None
    return found


async def filed(house: House, call: str, legs: int) -> list[dict[str, Any]]:
    return list(
        await until(
            f"{legs} recordings of {call} filed",
            lambda: rows(house, call),
            lambda found: [r["state"] for r in found] == ["filed"] * legs,
        )
    )


def samples(raw: bytes) -> ears.Samples:
    with wave.open(io.BytesIO(raw)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (1, 8000)
        told: ears.Samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64)
        return told


@pytest.fixture
async def ended_call(city: Lab, voices: list[Path]) -> str:
    """A citizen and 1001 spoke with each other; the citizen hung up."""
    await city.staffed("1001")
    call = await city.caller("13900000007").dials("12345").says(voices[0])
    await city.seat("1001").answers(call, say=voices[1], within=CHORUS)
    await call.hears(voices[1])
    await city.seat("1001").hears(voices[0])
    told = await call.id()
    await call.hangs_up()
    return told


async def test_each_leg_has_one_file_with_what_it_said_and_nothing_else(
    house: House, ended_call: str, voices: list[Path]
) -> None:
    found = {row["role"]: row for row in await filed(house, ended_call, 2)}
    assert found["seat"]["seat"] == "1001"
    for role, mine, other in (("caller", voices[0], voices[1]), ("seat", voices[1], voices[0])):
        row = found[role]
        purpose = urllib.parse.quote("核对录音")
        status, raw, _ = http(house, f"/api/recordings/{row['leg']}/audio?purpose={purpose}")
        assert status == 200
        assert hashlib.sha256(raw).hexdigest() == row["sha256"]
        assert row["short"] == 0.0
        assert abs(row["seconds"] - (row["ended"] - row["began"])) < 1.0
        heard = samples(raw)
        assert ears.contains(heard, ears.load(mine))
        assert not ears.contains(heard, ears.load(other))


async def test_a_caller_is_recorded_from_the_first_second_also_one_who_goes_before_any_seat(
    house: House, city: Lab, voices: list[Path]
) -> None:
    voice = min(voices, key=lambda wav: read(wav).seconds)
    # all of it is said while the greeting plays
    call = await city.caller("13900000017").dials("12345").says(voice, when="answer")
    id = await call.id()
    leg = id.partition("-")[2]
    begins = await call.sees("says", within=15)
    await call.sees("said", within=15)
    await call.hangs_up()
    up = await city.house.event(
        "Asterisk answers",
        lambda e: (e["Event"], e.get("Uniqueid"), e.get("ChannelStateDesc")) == ("Newstate", leg, "Up"),
        within=5,
    )
    [row] = await filed(house, id, 1)
    seats = [e for e in city.house.events if e["Event"] == "AgentCalled" and e.get("AccountCode") == id]
    assert seats == []
    assert (row["role"], row["leg"], row["short"]) == ("caller", leg, 0.0)
    late = row["began"] - float(up["Timestamp"])
    sound = samples(http(house, f"/api/recordings/{leg}/audio?purpose=whole")[1]) / 32768
    word = ears.contains(sound, ears.load(voice))
    assert word
    # that the file begins then is no claim: the voice stands in it where it was said
    moved = word.at - (begins["at"] - row["began"]) - ears.contains(ears.load(voice), ears.load(voice)).at
    print(f"recorded {late:.3f} s after the answer; words {moved:+.3f} s from where they were said")
    assert 0 <= late < STARTS
    assert abs(moved) < STARTS


async def test_listening_needs_the_right_and_a_purpose_and_leaves_a_row(
    house: House, ended_call: str
) -> None:
    leg = (await filed(house, ended_call, 2))[0]["leg"]
    assert http(house, f"/api/recordings/{leg}/audio?purpose=looking", role="observer")[0] == 403
    assert http(house, f"/api/recordings/{leg}/audio")[0] == 400
    assert http(house, f"/api/recordings/{leg}/audio?purpose=complaint-77")[0] == 200

    def audit() -> Any:
        status, data, _ = http(house, f"/api/audit?on={ended_call}&did=listen")
        return json.loads(data) if status == 200 else []

    told = await until("a row in the audit trail", audit, bool)
    assert json.loads(told[0]["told"]) == {"purpose": "complaint-77", "leg": leg}


async def test_a_player_gets_the_range_it_asks_for(house: House, ended_call: str) -> None:
    leg = (await filed(house, ended_call, 2))[0]["leg"]
    path = f"/api/recordings/{leg}/audio?purpose=ranges"
    _, whole, _ = http(house, path)
    status, part, headers = http(house, path, headers={"Range": "bytes=1000-2999"})
    assert (status, part) == (206, whole[1000:3000])
    assert headers["Content-Range"] == f"bytes 1000-2999/{len(whole)}"
    status, tail, _ = http(house, path, headers={"Range": "bytes=-500"})
    assert (status, tail) == (206, whole[-500:])
    assert http(house, path, headers={"Range": f"bytes={len(whole)}-"})[0] == 416


async def test_the_mix_holds_both_and_an_export_begins_with_a_notice_of_confidentiality(
    house: House, ended_call: str, voices: list[Path], tmp_path: Path
) -> None:
    await filed(house, ended_call, 2)
    mix = samples(http(house, f"/api/calls/{ended_call}/mix?purpose=review")[1])
    # they speak at the same time: apart in the stereo mix each is whole
    both = http(house, f"/api/calls/{ended_call}/mix?purpose=review&channels=2")[1]
    sides = np.frombuffer(both[44:], "<i2").astype(np.float64).reshape(-1, 2)
    assert ears.contains(sides[:, 0], ears.load(voices[0]))
    assert ears.contains(sides[:, 1], ears.load(voices[1]))
    assert len(mix) == len(sides)
    out = tmp_path / "call.wav"
    done = await asyncio.to_thread(
        house.cti, "recordings", "export", ended_call, "--purpose", "review", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    exported = samples(out.read_bytes())
    notice = ears.load(spoken("recording-secret", tmp_path))
    begins = exported[: len(exported) - len(mix)]
    assert len(begins) >= len(notice)
    assert ears.contains(begins, notice)
    # the call itself comes whole after it, and another notice would not pass for this one
    assert np.array_equal(exported[len(begins) :], mix)
    assert not ears.contains(begins, ears.load(spoken("recording", tmp_path)))


async def test_what_is_masked_is_silence_in_the_file_and_the_files_stay_in_step(
    house: House, city: Lab, voices: list[Path]
) -> None:
    await city.staffed("1001")
    call = await city.caller("13900000007").dials("12345")
    await city.seat("1001").answers(call, within=CHORUS)
    id = await call.id()
    await until(
        "both legs roll", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["rolling"] * 2
    )
    status, told, _ = http(house, f"/api/calls/{id}/mask", body={"on": True})
    assert (status, json.loads(told).get("count")) == (200, 2), told
    await until("paused", lambda: rows(house, id), lambda r: {x["state"] for x in r} == {"paused"})
    # the caller hears the agent all the same
    await city.seat("1001").says(voices[1], within=10)
    await call.hears(voices[1])
    assert http(house, f"/api/calls/{id}/mask", body={"on": False})[0] == 200
    await until("rolling", lambda: rows(house, id), lambda r: {x["state"] for x in r} == {"rolling"})
    await call.hangs_up()
    for row in await filed(house, id, 2):
        [(begin, end)] = row["pauses"]
        assert end - begin > 3.0
        assert row["short"] == 0.0
        sound = samples(http(house, f"/api/recordings/{row['leg']}/audio?purpose=mask")[1])
        # the pause begins and ends between two of Asterisk's frames and our ears
        inside = sound[int((begin + 0.3) * 8000) : int((end - 0.3) * 8000)]
        assert float(np.abs(inside).max()) == 0.0


async def test_a_masked_queues_recordings_are_silent_though_nobody_asks_for_it(
    house: House, city: Lab, voices: list[Path]
) -> None:
    await city.staffed("1006")
    call = await city.caller("13900000029").dials("12329")
    await city.seat("1006").rings(within=60, call=call)
    await city.seat("1006").answers(call)
    id = await call.id()
    await until("paused", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["paused"] * 2)
    # they hear each other all the same
    await city.seat("1006").says(voices[1], within=10)
    await call.hears(voices[1])
    await call.says(voices[0])
    await city.seat("1006").hears(voices[0])
    await call.hangs_up()
    for row in await filed(house, id, 2):
        assert (row["state"], row["short"]) == ("filed", 0.0)
        [(begin, _)] = row["pauses"]
        sound = samples(http(house, f"/api/recordings/{row['leg']}/audio?purpose=mask")[1])
        assert len(sound) / 8000 == pytest.approx(row["seconds"], abs=0.1), "the files stay in step"
        assert len(sound) / 8000 - begin > 4.0
        assert float(np.abs(sound[int((begin + 0.3) * 8000) :]).max()) == 0.0


async def test_who_joins_while_the_call_is_masked_is_masked_too(
    house: House, city: Lab, voices: list[Path]
) -> None:
    await city.staffed("1001")
    call = await city.caller("13900000007").dials("12345")
    await city.seat("1001").answers(call, within=CHORUS)
    await call.talks()
    await city.seat("1003").comes_back()
    id = await call.id()
    # asked for as soon as they talk, whether Asterisk has told of both recordings or not
    assert http(house, f"/api/calls/{id}/mask", body={"on": True})[0] == 200
    await until("both paused", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["paused"] * 2)
    wish = {"kind": "three", "to": "1003"}
    assert (await asyncio.to_thread(http, house, "/api/seats/demo/1001/transfer", body=wish))[0] == 200
    colleague = city.seat("1003")
    await colleague.answers(within=10)
    await until("three paused", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["paused"] * 3)
    await colleague.says(voices[2])
    await call.hears(voices[2])
    assert http(house, f"/api/calls/{id}/mask", body={"on": False})[0] == 200
    await until("all roll", lambda: rows(house, id), lambda r: {x["state"] for x in r} == {"rolling"})
    await call.hangs_up()
    await colleague.hangs_up()
    mine = next(row for row in await filed(house, id, 3) if row["seat"] == "1003")
    [(begin, end)] = mine["pauses"]
    assert begin < 1.0, "masked as soon as it was recorded"
    assert end - begin > 3.0
    sound = samples(http(house, f"/api/recordings/{mine['leg']}/audio?purpose=mask")[1])
    assert float(np.abs(sound[int((begin + 0.3) * 8000) : int((end - 0.3) * 8000)]).max()) == 0.0


async def test_a_held_call_is_shown_as_held_and_released_again(house: House, ended_call: str) -> None:
    await filed(house, ended_call, 2)
    assert http(house, f"/api/calls/{ended_call}/hold", body={"purpose": "court order 12"})[0] == 200
    assert all(row["held"] for row in rows(house, ended_call))
    assert http(house, f"/api/calls/{ended_call}/release", body={"purpose": "case closed"})[0] == 200
    assert not any(row["held"] for row in rows(house, ended_call))


async def test_a_recording_has_a_waveform(house: House, ended_call: str) -> None:
    leg = (await filed(house, ended_call, 2))[0]["leg"]
    told = json.loads(http(house, f"/api/recordings/{leg}/waveform?points=100")[1])
    assert len(told["peaks"]) == 100
    assert 0.05 < max(told["peaks"]) <= 1.0
    assert http(house, f"/api/recordings/{leg}/waveform.svg")[1].startswith(b"<svg")


async def test_check_finds_all_of_it_and_then_what_somebody_took_away(house: House, ended_call: str) -> None:
    found = await filed(house, ended_call, 2)
    since = str(min(row["began"] for row in found) - 30)
    done = await asyncio.to_thread(house.cti, "recordings", "check", "--from", since, "--deep", "--json")
    told = json.loads(done.stdout)
    assert [g for g in told["gaps"] if ended_call in json.dumps(g)] == []
    assert told["talk"] > 6
    assert told["orphans"] == []
    # a file of nobody's
    stray = house.home.recordings / "20200101" / "demo-n1-1.5" / "n1-1.5.wav"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"RIFF")
    victim = next(house.home.recordings.rglob(f"{found[0]['leg']}.wav*"))
    kept = victim.read_bytes()
    victim.unlink()
    # and what is there already, in another call's folder
    double = stray.parent / f"{found[1]['leg']}.wav"
    double.write_bytes(next(house.home.recordings.rglob(f"{found[1]['leg']}.wav*")).read_bytes())
    done = await asyncio.to_thread(house.cti, "recordings", "check", "--from", since, "--json")
    told = json.loads(done.stdout)
    stray.unlink()
    double.unlink()
    victim.write_bytes(kept)
    assert done.returncode == 1
    assert told["orphans"] == ["20200101/demo-n1-1.5/n1-1.5.wav"]
    assert [x["leg"] for x in told["lost"]] == [found[0]["leg"]]
    assert told["twice"] == [
        {"call": "demo-n1-1.5", "leg": found[1]["leg"], "file": f"20200101/demo-n1-1.5/{found[1]['leg']}.wav"}
    ]


async def test_the_agent_keys_a_pause_and_its_end_in_the_call(
    house: House, city: Lab, voices: list[Path]
) -> None:
    await city.staffed("1001")
    call = await city.caller("13900000007").dials("12345").says(voices[0])
    seat = city.seat("1001")
    await seat.answers(call, say=voices[1], within=CHORUS)
    await call.talks()
    id = await call.id()
    await seat.presses("*91")
    await until("paused", lambda: rows(house, id), lambda r: {x["state"] for x in r} == {"paused"})
    await seat.presses("*90")
    await until("rolling", lambda: rows(house, id), lambda r: {x["state"] for x in r} == {"rolling"})
    await call.hangs_up()
    assert all(len(row["pauses"]) == 1 for row in await filed(house, id, 2))


async def test_one_seat_calls_another_and_both_legs_are_recorded(
    house: House, city: Lab, voices: list[Path]
) -> None:
    await city.staffed("1001", "1002")
    await city.seat("1002").will_answer(say=voices[1])
    since = time.time()
    await city.seat("1001").dials("1002")
    await city.seat("1001").hears(voices[1])
    await city.seat("1001").hangs_up()

    def consultation() -> list[dict[str, Any]]:
        found = json.loads(http(house, "/api/recordings?seat=1002&limit=1")[1])
        # the last call of an earlier test is not this one
        return rows(house, found[0]["call"]) if found and found[0]["began"] > since - 1 else []

    found = await until("two legs filed", consultation, lambda r: [x["state"] for x in r] == ["filed"] * 2)
    assert sorted(row["seat"] for row in found) == ["1001", "1002"]
    await city.seat("1002").will_ring()


async def test_a_plan_that_is_applied_during_a_call_leaves_its_recording_whole(
    house: House, city: Lab, voices: list[Path], tmp_path: Path
) -> None:
    changed = tmp_path / "demo"
    shutil.copytree(ROOT / "plans/demo", changed)
    lines = (changed / "lines.toml").read_text("utf-8")
    greeting = 'greeting = "greeting"\n'
    assert greeting in lines
    (changed / "lines.toml").write_text(
        lines.replace(greeting, 'greeting = "greeting-welcome"\n', 1), "utf-8"
    )
    dialplan = house.home.asterisk / "etc/extensions.conf"
    await city.staffed("1001")
    call = await city.caller("13900000007").dials("12345")
    seat = city.seat("1001")
    await seat.answers(call, within=CHORUS)
    id = await call.id()
    await call.says(voices[0])
    await seat.hears(voices[0])
    # what is said while Asterisk reads the new plan is in the file too
    await seat.says(voices[1])
    before = dialplan.read_bytes()
    done = await asyncio.to_thread(house.cti, "plan", "apply", str(changed))
    assert done.returncode == 0, done.stderr
    assert dialplan.read_bytes() != before, "a plan that changes nothing is not taken over"
    await call.hears(voices[1])
    await call.says(voices[2])
    await seat.hears(voices[2])
    done = await asyncio.to_thread(house.cti, "plan", "apply", str(ROOT / "plans/demo"))
    assert done.returncode == 0, done.stderr
    await call.hangs_up()
    found = {row["role"]: row for row in await filed(house, id, 2)}
    for role, said in (("caller", (voices[0], voices[2])), ("seat", (voices[1],))):
        row = found[role]
        assert row["short"] == 0.0
        assert abs(row["seconds"] - (row["ended"] - row["began"])) < 1.0
        heard = samples(http(house, f"/api/recordings/{row['leg']}/audio?purpose=reload")[1])
        for voice in said:
            assert ears.contains(heard, ears.load(voice))
