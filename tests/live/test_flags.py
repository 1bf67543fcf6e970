"""A citizen tells of danger: supervisor and agent know it while they talk, and nobody else does."""

from __future__ import annotations

import array
import asyncio
import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calls.facts import CallId, FlagRaised
from cti.home import Home
from cti.speech.ear import heard
from cti.speech.recorded import pcm_of
from cti.store.journal import Reader
from cti.store.keeping import fact_of
from cti.web.who import Role
from lab.babble import babble_file
from lab.scenario import Lab
from lab.wav import Sound, write
from tests.house import ROOT, House, ports, running
from tests.live import speaking
from tests.live.desk_town import Screen, account, person, screen
from tests.live.seat_town import GREETED, plan_at, seat_is
from tests.live.test_desk_socket import killed
from tests.live.test_recordings import http, until
from tests.live.test_speech import listening, transcript

PROMPT = ROOT / "asterisk_conf/sounds/zh/hotline/merged-96119.alaw"
SAID = "我 家 煤气 味 很 重"


def people(home: Home) -> None:
    account(home, "chief", Role.SUPERVISOR)
    account(home, "other", Role.SUPERVISOR, city="luan")
    account(home, "looker", Role.OBSERVER)
    account(home, "zhang", Role.AGENT, agent="8001")
    account(home, "li", Role.AGENT, agent="8002")


@pytest.fixture(scope="module")
def warned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hotline whose recogniser hears the same words in every voice."""
    folder = tmp_path_factory.mktemp("warned")
    packages, model, home = (folder / name for name in ("packages", "model", "home"))
    for made in (packages, model / "am", home):
        made.mkdir(parents=True)
    shutil.copy(ROOT / "tests/fakes/in_vosks_place.py", packages / "vosk.py")
    (model / "am/final.mdl").touch()
    (model / "says.txt").write_text(SAID, "utf-8")
    (home / "settings.toml").write_text(f'speech_model = "{model}"\nspeech_workers = 1\n')
    with ports() as base, contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            # no other house may hear so
            patch.setenv("PYTHONPATH", str(packages), prepend=":")
            up = stack.enter_context(running(home, base, (plan_at(folder),), listens=True))
        people(up.home)
        yield up


def flags_of(board: Screen, call: str) -> list[dict[str, Any]]:
    return [row for row in board.shown.flags.values() if row["call"] == call]


def raised(home: Home, call: str) -> list[FlagRaised]:
    """Every time it was raised, as the journal has it."""
    found = [fact_of(record) for record in Reader(home.journal).mentioning(f'"of":"{call}"')]
    return [x for x in found if isinstance(x, FlagRaised) and x.call == CallId(call)]


async def test_danger_is_on_the_supervisors_and_the_agents_screen_while_they_talk_and_nowhere_else(
    warned: House, tmp_path: Path, silence: Path
) -> None:
    home = warned.home
    chief, other, looker, zhang, li = [
        await person(home, name) for name in ("chief", "other", "looker", "zhang", "li")
    ]
    async with (
        Lab(home) as city, screen(chief) as whole, screen(other) as elsewhere, screen(looker) as observer,
        screen(zhang) as mine, screen(li) as colleague,
    ):  # fmt: skip
        await listening(warned)
        await city.staffed("1001", "1002")
        call = await city.caller("13900001234").dials("12345").says(babble_file(tmp_path, 3, 20.0))
        await city.seat("1001").answers(call, say=silence, within=GREETED)
        id = await call.id()
        await whole.until("a red flag", lambda b: [f for f in b.flags.values() if f["call"] == id])
        prompt = await mine.until("a prompt", lambda b: b.prompts.get(f"{id} gas"))
        assert whole.shown.calls[id]["ended"] is None
        [flag] = flags_of(whole, id)
        assert (flag["flag"], flag["words"]) == ("gas", "我家煤气味很重")
        assert "119" in prompt["advice"]
        assert await chief.gets(f"calls/{id}/flags") == (
            200,
            [{k: v for k, v in flag.items() if k != "kind"}],
        )
        assert (await zhang.gets(f"calls/{id}/flags"))[0] == 200
        assert [(await who.gets(f"calls/{id}/flags"))[0] for who in (other, looker, li)] == [403, 403, 403]
        assert (await chief.gets("calls/demo-n1-1.999/flags"))[0] == 404
        await call.hangs_up()
        for one in (whole, elsewhere, observer, mine, colleague):
            await one.until("a call that is over", lambda b: id not in b.calls)
        for one in (elsewhere, observer, colleague):
            assert "煤气" not in json.dumps(one.said, ensure_ascii=False)
        assert not [m for m in whole.said if m["kind"] == "prompt"]
    await until("a transcript", lambda: transcript(warned, id), lambda t: t["complete"], within=60)
    await until("it is in the journal", lambda: raised(home, id), bool)
    assert len(raised(home, id)) == 1
    board = json.loads(warned.cti("board", "--once", "--json", "--full").stdout)
    assert [f["call"] for f in board["flags"]] == [id]
    assert json.loads(warned.cti("board", "--once", "--json").stdout)["flags"] == []
    assert "煤气味" in warned.cti("story", id, "--full").stdout
    assert "煤气" not in warned.cti("story", id).stdout


async def test_a_service_killed_after_a_flag_still_shows_it_and_does_not_raise_it_again(
    warned: House, tmp_path: Path, silence: Path
) -> None:
    home = warned.home
    chief, zhang = await person(home, "chief"), await person(home, "zhang")
    async with Lab(home) as city:
        await listening(warned)
        await city.staffed("1001")
        call = await city.caller("13900001234").dials("12345").says(babble_file(tmp_path, 4, 20.0))
        await city.seat("1001").answers(call, say=silence, within=GREETED)
        id = await call.id()
        async with screen(chief) as board:
            await board.until("a red flag", lambda b: b.flags.get(f"{id} gas"))
        # a screen may be milliseconds ahead of the disk, and what was on neither is heard again
        await until("it is in the journal", lambda: raised(home, id), bool)
        await killed(warned)
        await seat_is(home, "1001", state="busy", within=30)
        async with screen(chief) as board, screen(zhang) as mine:
            assert [f["flag"] for f in flags_of(board, id)] == ["gas"]
            assert f"{id} gas" in mine.shown.prompts or await mine.until(
                "the prompt again", lambda b: b.prompts.get(f"{id} gas")
            )
        await call.hangs_up()
        # the words come from the recording now: the same danger a second time
        told = await until("its words", lambda: transcript(warned, id), lambda t: t["complete"], within=120)
    assert "煤气" in "".join(s["text"] for s in told["said"])
    assert len(raised(home, id)) == 1
    status, data, _ = http(warned, f"/api/calls/{id}/flags")
    assert (status, [f["flag"] for f in json.loads(data)]) == (200, ["gas"])


# --- a real recogniser ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fire(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped prompt that names a hotline for fire hazards (火灾隐患), cut after its 火灾: the model
    understands the word, and every machine has the voice."""
    pcm, rate = pcm_of(PROMPT)
    spans = list(heard(speaking.ear(), pcm, rate))
    ends = next(w.end for span in spans for w in span.words if "火灾" in w.text)
    sound = array.array("h", pcm[: int((ends + 0.02) * rate) * 2])
    sound.extend([0] * (rate * 3))
    path = tmp_path_factory.mktemp("fire") / "fire.wav"
    write(path, Sound(rate, sound))
    return path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One that listens, with the demo plan."""
    folder = tmp_path_factory.mktemp("listens")
    with ports() as base, running(folder, base, listens=True) as up:
        yield up


@speaking.needs_model
async def test_a_real_recogniser_hears_the_danger_before_the_citizen_hangs_up(
    house: House, city: Lab, silence: Path, fire: Path
) -> None:
    account(house.home, "chief", Role.SUPERVISOR)
    chief = await person(house.home, "chief")
    await listening(house)
    await city.staffed("1001")
    call = await city.caller("13900000009").dials("12345")
    await city.seat("1001").answers(call, say=silence, within=16)
    id = await call.id()
    async with screen(chief) as board:
        await call.talks()
        saying = asyncio.ensure_future(call.says(fire))
        flag = await board.until("a red flag", lambda b: b.flags.get(f"{id} fire"), within=40)
        assert board.shown.calls[id]["ended"] is None
        assert "火" in flag["words"]
        await saying
    await call.hangs_up()
