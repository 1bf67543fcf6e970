"""A spoken menu whose listener is absent, killed, frozen, lying or deaf: the caller has the keys, in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from asterisk_conf.spoken import PATIENCE
from cti.settings import AUDIO
from lab.parties import Call
from lab.scenario import Lab
from lab.wire import Event
from tests.freezing import strike
from tests.house import House, ports, running
from tests.live.speaking import needs_model
from tests.live.spoken_town import (
    SECONDS,
    VOICES,
    ask_again,
    listened_to,
    nobody_left,
    reaches_by_voice,
    ready,
    talk_city,
    told,
)
from tests.outage import hands, lying_ear
from tests.outage.awake import awake
from tests.outage.lying_ear import LyingEar, Manner
from tests.outage.measured import note
from tests.outage.witness import Witness, at

ASKED = 1.5
"""Seconds an absent or frozen service may cost a caller before the keys: its budget of 0.8 s, and the whole
seconds of Originate()."""
LISTENED = SECONDS + PATIENCE + 1.5
"""Seconds from the end of the question to the keys, whatever the listener does."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city whose calls begin with a spoken menu."""
    folder = tmp_path_factory.mktemp("talk")
    plans = [talk_city(folder / "plan")]
    with ports() as base, running(folder, base, plans, listens=True) as up:
        hands.until_ready(up.home)
        yield up


@pytest_asyncio.fixture
async def city(house: House) -> AsyncIterator[Lab]:
    async with Lab(house.home) as lab:
        await ask_again(house)
        yield lab
    async with Lab(house.home, by_hand=False) as lab:
        await lab.quiet()


@pytest_asyncio.fixture
async def witness(house: House) -> AsyncIterator[Witness]:
    async with Witness(house.home) as eye:
        yield eye


async def has_the_keys(city: Lab, call: Call, status: set[str]) -> Event:
    """The listening ends with one of these, and a key then leads to its queue; nobody is dropped."""
    listened = await told(city, call, "listened", within=30)
    assert listened["Status"] in status
    await call.presses("1")
    await call.waits_in("market")
    assert (await told(city, call, "chose"))["By"] == "key"
    await call.hangs_up()
    assert (await call.ends())["by"] == "self", "the caller was dropped"
    return listened


async def dials(city: Lab) -> Call:
    return await city.caller("13900000007").dials("12345")


# --- the service ------------------------------------------------------------------------------------------


async def test_an_absent_service_costs_a_caller_nothing_but_the_question(
    house: House, city: Lab, witness: Witness
) -> None:
    with hands.without_service(house):
        for status in ({"SILENT", "SKIPPED"}, {"SKIPPED"}):
            call = await dials(city)
            listened = await has_the_keys(city, call, status)
            asked = await told(city, call, "asked")
            assert note("spoken menu, service absent", at(listened) - at(asked), ASKED) <= ASKED


async def test_a_frozen_service_costs_the_first_caller_its_budget_and_the_next_ones_nothing(
    house: House, city: Lab
) -> None:
    with hands.frozen(hands.ours(house)):
        for _ in range(2):
            call = await dials(city)
            listened = await has_the_keys(city, call, {"SILENT", "SKIPPED"})
            asked = await told(city, call, "asked")
            assert note("spoken menu, service frozen", at(listened) - at(asked), ASKED) <= ASKED
    hands.until_ready(house.home)


@awake
async def test_a_frozen_service_leaves_the_next_one_its_time_to_listen(house: House, city: Lab) -> None:
    """No address is named in the settings: it is the port beside ours."""
    [beside] = house.home.ports.agi_more
    await ask_again(house)
    with hands.frozen(hands.ours(house)):
        async with LyingEar(beside, beside + AUDIO, lying_ear.ends_at_once, "nothing") as other:
            await has_the_keys(city, await dials(city), {"NOTHING"})
        assert {"listen", "voice", "heard"} <= set(other.asked)
    hands.until_ready(house.home)


@needs_model
async def test_a_service_killed_while_it_listens_gives_the_caller_the_keys_at_once(
    house: House, city: Lab
) -> None:
    await ready(house)
    call = await dials(city)
    began = await listened_to(city, call)
    hands.kill(house.parts()["service"])
    listened = await has_the_keys(city, call, {"SILENT"})
    assert note("spoken menu, service killed", at(listened) - at(began), 2.0) <= 2.0
    hands.until_ready(house.home)


@needs_model
async def test_a_service_frozen_while_it_listens_holds_nobody(house: House, city: Lab) -> None:
    await ready(house)
    call = await dials(city)
    began, listener = await listened_to(city, call), recogniser(house)
    with hands.frozen(hands.ours(house)):
        listened = await has_the_keys(city, call, {"SILENT"})
        assert note("spoken menu, frozen listening", at(listened) - at(began), LISTENED) <= LISTENED
        after = await has_the_keys(city, await dials(city), {"SKIPPED"})
        assert after["Round"] == "0"
    hands.until_ready(house.home)
    await ready(house)
    # a service that slept too does not kill the healthy on waking
    assert recogniser(house) == listener


# --- the recogniser ---------------------------------------------------------------------------------------


def recogniser(house: House) -> int:
    """The process that listens to menus; 0: there is none."""
    for pid in hands.descendants(house.parts()["service"].pid):
        with contextlib.suppress(OSError):  # it may end meanwhile
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"cti.speech.worker" in words and b"menu" in words:
                return pid
    return 0


@needs_model
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_recogniser_killed_or_frozen_in_the_middle_gives_the_keys_and_the_next_one_listens(
    house: House, city: Lab, blow: signal.Signals
) -> None:
    await ready(house)
    call = await dials(city)
    began = await listened_to(city, call)
    victim = recogniser(house)
    assert victim
    strike(victim, blow)
    listened = await has_the_keys(city, call, {"NOTHING", "UNCLEAR"})
    assert note(f"recogniser {blow.name}", at(listened) - at(began), LISTENED) <= LISTENED
    # a frozen one is found out by its silence and killed
    await asyncio.to_thread(
        hands.until, "there is another recogniser", lambda: recogniser(house) not in (0, victim), 40
    )
    await ready(house)
    call = await dials(city)
    await reaches_by_voice(city, call, VOICES / "fund.wav", "fund")
    await call.hangs_up()


# --- somebody lies ----------------------------------------------------------------------------------------

FRAME = b"\x10\x01\x40" + bytes(320)
VOICE_LIES: dict[str, Manner | None] = {
    "nobody at the port": None,
    "ends at once": lying_ear.ends_at_once,
    "resets": lying_ear.resets,
    "never closes": lying_ear.reads_for_ever,
    "never reads": lying_ear.never_reads,
    "garbage": lying_ear.sends(bytes(range(1, 256)) * 40),
    "half a header, held": lying_ear.sends(b"\x10\x01"),
    "half a frame, held": lying_ear.sends(FRAME[:100]),
    "an empty frame": lying_ear.sends(b"\x10\x00\x00"),
    "a flood of noise": lying_ear.floods,
}
HEARD_LIES: dict[str, str | None] = {
    "a key of no menu": "key:7:99:",
    "two keys": "key:12:99:",
    "no key": "key::99:",
    "a place for a key": "key:queue.market:99:",
    "oversized": "key:1:" + "9" * 60_000,
    "dialplan": "key:1,1)${SHELL(id)}&System(id):99:x",
    "an unknown word": "market",
    "nothing at all": "",
    "never answers": None,
}


@pytest.fixture(scope="module")
def dead(house: House) -> Iterator[None]:
    """The service was killed and its supervisor cannot start it again."""
    with hands.without_service(house):
        taken = house.home.ports
        # of a killed process the last thread closes the sockets, and it may be late
        hands.until("its ports are free", lambda: all(map(_free, (taken.agi, taken.audio))), 10)
        yield


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("how", VOICE_LIES)
@awake
async def test_an_audiosocket_that_lies_leads_nobody_anywhere_and_holds_nobody(
    house: House, city: Lab, how: str
) -> None:
    home_ports = house.home.ports
    await ask_again(house)
    async with LyingEar(home_ports.agi, home_ports.audio, VOICE_LIES[how], "nothing") as liar:
        call = await dials(city)
        began = await listened_to(city, call)
        listened = await has_the_keys(city, call, {"NOTHING", "SILENT"})
        assert "listen" in liar.asked
        assert ("voice" in liar.asked) is (VOICE_LIES[how] is not None), "the lie was never told"
        assert note(f"AudioSocket: {how}", at(listened) - at(began), LISTENED) <= LISTENED
        await nobody_left(city, call)


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("how", HEARD_LIES)
@awake
async def test_a_lie_about_what_was_heard_is_no_key(house: House, city: Lab, how: str) -> None:
    home_ports = house.home.ports
    await ask_again(house)
    async with LyingEar(home_ports.agi, home_ports.audio, lying_ear.ends_at_once, HEARD_LIES[how]) as liar:
        call = await dials(city)
        began = await listened_to(city, call)
        listened = await has_the_keys(city, call, {"LIE", "SILENT"})
        assert "heard" in liar.asked, "the lie was never told"
        assert note(f"heard: {how}", at(listened) - at(began), LISTENED) <= LISTENED


# --- no model ---------------------------------------------------------------------------------------------


async def test_without_a_model_the_keys_come_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("deaf")
    (folder / "settings.toml").write_text('speech_model = "/nonexistent"\n')
    plans, beside = [talk_city(folder / "plan")], 100 * ("CTI_TEST_BASE" in os.environ)
    with ports() as base, running(folder, base + beside, plans, listens=True) as deaf:
        hands.until_ready(deaf.home)
        async with Lab(deaf.home) as city:
            call = await dials(city)
            listened = await has_the_keys(city, call, {"NOBODY"})
            asked = await told(city, call, "asked")
            assert note("spoken menu, no model", at(listened) - at(asked), ASKED) <= ASKED
