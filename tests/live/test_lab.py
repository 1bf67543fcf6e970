"""The lab against the running hotline: a call is heard, seen and told as it was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import ears
from lab.client import Unheard
from lab.scenario import Lab
from tests.house import ROOT, House

CHORUS = 1 + 15
"""Seconds in which a call has been greeted and offered to a seat."""


async def test_caller_and_agent_hear_each_other(city: Lab, voices: list[Path]) -> None:
    await city.staffed("1001")
    words, reply = voices[0], voices[1]
    call = await city.caller("13900000001").dials("12345").says(words)
    ring = await city.seat("1001").rings(within=CHORUS, call=call)
    assert ring["caller"] == "13900000001"
    assert ring["original"] == "12345"
    await city.seat("1001").answers(call, say=reply)
    await call.hears(reply)
    await city.seat("1001").hears(words)
    assert not ears.contains(call.recording(), ears.load(voices[2]))
    assert ring["call"] == await call.id()
    await city.seat("1001").hangs_up()
    assert (await call.ends())["by"] == "far"


async def test_the_recording_of_a_call_begins_with_the_greeting(city: Lab) -> None:
    await city.staffed("1001")
    call = await city.caller().dials("12345")
    await call.rings_at("1001", within=CHORUS)
    await call.hangs_up()
    heard = await call.recorded()
    assert ears.sound_seconds(heard[: 3 * 8000]) > 1.5
    assert not ears.musical(heard[: 4 * 8000])


async def test_a_seat_that_rejects_leaves_the_caller_waiting_for_the_next(city: Lab) -> None:
    await city.staffed("1001", "1002")
    call = await city.caller().dials("12345")
    await call.waits_in("general", within=CHORUS)
    first = await call.rings_at(within=CHORUS)
    await city.seat(first["phone"].removeprefix("demo-")).rejects()
    other = "1002" if first["phone"] == "demo-1001" else "1001"
    await city.seat(other).answers(call)
    await call.reaches(other)
    await call.hangs_up()


async def test_a_key_leads_to_the_queue_of_the_menu(city: Lab) -> None:
    call = await city.caller().dials("12346").presses("2")
    await call.waits_in("fund", within=30)
    await call.hangs_up()


async def test_a_forwarded_number_is_kept_to_the_seat(city: Lab) -> None:
    await city.staffed("1005")
    call = await city.caller().dials("12345", diversion="12315")
    assert (await call.rings_at("1005", within=CHORUS))["original"] == "12315"
    await call.hangs_up()


async def test_a_wait_that_is_not_met_says_what_happened_instead(city: Lab) -> None:
    await city.staffed()
    call = await city.caller("13900000002").dials("12345")
    await call.is_answered()
    with pytest.raises(Unheard, match=r"demo-1001 rings: not within 0.5 s; instead .*citizen answered"):
        await city.seat("1001").rings(within=0.5)
    await call.hangs_up()


async def test_a_phone_that_vanishes_while_it_rings_does_not_end_the_call(city: Lab) -> None:
    async with city.handset("1001") as phone:
        await city.staffed("1002", keep="1001")
        call = await city.caller().dials("12345")
        ringing = await call.rings_at(within=CHORUS)
        if ringing["phone"] == "demo-1002":
            await city.seat("1002").rejects()
        await phone.rings(within=CHORUS)
        phone.dies()
        await city.seat("1002").answers(call, within=25)
        await call.hangs_up()


async def test_the_phone_that_died_talking_is_told_as_lost(city: Lab) -> None:
    async with city.handset("1001") as phone:
        await city.staffed(keep="1001")
        call = await city.caller().dials("12345")
        await phone.answers(within=CHORUS)
        await call.reaches("1001")
        phone.dies()
        end = await city.client.line(
            "1001 is lost", lambda x: x["phone"] == "demo-1001" and x["what"] == "ended", within=5
        )
        assert end["by"] == "lost"
        await call.hangs_up()


async def test_every_leg_of_the_log_has_an_end_and_its_call_id(city: Lab) -> None:
    await city.staffed("1001")
    await city.seat("1001").will_answer(talk=1.0)
    call = await city.caller("13900000003").dials("12345")
    await city.seat("1001").rings(call=call, within=CHORUS + 10)
    await call.ends(within=CHORUS + 10)
    await city.seat("1001").sees("ended", within=5, after=0)
    lines = [json.loads(x) for x in (city.home.lab / "phones.jsonl").read_text().splitlines()]
    mine = [x for x in lines if call.sip_call in (x["sip_call"], x["caller_sip_call"])]
    seat = [x["what"] for x in mine if x["phone"] == "demo-1001"]
    caller = [x["what"] for x in mine if x["phone"] == "citizen" and x["what"] != "pause"]
    assert seat == ["rings", "answered", "ended"]
    assert caller == ["sent", "answered", "ended"]
    assert {x["call"] for x in mine if x["phone"] == "demo-1001"} == {await call.id()}
    assert [x["by"] for x in mine if x["what"] == "ended"] == ["self", "far"]


def lab_command(house: House, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cti", "lab", *words, "--home", str(house.home.root)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


async def test_two_commands_play_both_sides_of_a_call(
    house: House, city: Lab, voices: list[Path], tmp_path: Path
) -> None:
    await city.staffed("1001")
    heard, seat_heard = tmp_path / "caller.wav", tmp_path / "seat.wav"
    seat = lab_command(
        house, "phone", "1001", "--answer", "--after", "0.5s", "--hang-up", "9s",
        "--say", str(voices[1]), "--hear", str(seat_heard), "--json",
    )  # fmt: skip
    assert seat.stderr is not None
    assert "demo-1001: answer" in seat.stderr.readline()
    call = lab_command(
        house, "call", "12345", "--say", str(voices[0]), "--hear", str(heard), "--for", "50s", "--json"
    )
    out, err = call.communicate(timeout=90)
    assert call.returncode == 0, err
    told = json.loads(out)
    assert set(told) == {"call", "answered", "seat", "seconds_to_seat", "left_by", "heard"}
    assert (told["answered"], told["seat"], told["left_by"]) == (True, "1001", "agent")
    assert 0 < told["seconds_to_seat"] < 25
    assert ears.contains(ears.listen(Path(told["heard"])), ears.load(voices[1]))
    out, err = seat.communicate(timeout=30)
    phone = json.loads(out)
    assert [c["call"] for c in phone["calls"]] == [told["call"]]
    assert ears.contains(ears.listen(seat_heard), ears.load(voices[0]))


async def test_a_killed_command_leaves_no_citizen_behind(house: House, city: Lab) -> None:
    await city.staffed()
    command = lab_command(house, "call", "12345", "--from", "13900000004", "--for", "2m")
    sent = await city.client.line("the call", lambda x: x["caller"] == "13900000004", within=20)
    command.send_signal(signal.SIGKILL)
    command.communicate()
    end = await city.client.line(
        "its end", lambda x: x["leg"] == sent["leg"] and x["what"] == "ended", within=5
    )
    assert end["by"] == "self", end


async def test_no_seat_means_exit_code_one(house: House, city: Lab) -> None:
    await city.staffed()
    command = lab_command(house, "call", "12345", "--for", "3s", "--json")
    out, _ = command.communicate(timeout=60)
    assert command.returncode == 1
    told = json.loads(out)
    assert (told["answered"], told["seat"], told["left_by"]) == (False, None, "timeout")
    assert told["call"].startswith("demo-")
