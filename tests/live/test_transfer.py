"""Transfers on the real Asterisk: by keys on a phone, so that nothing of ours is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab.scenario import Lab
from tests.house import House, house_with
from tests.live.seat_town import plan_at
from tests.live.transfer_town import centre, step_told, talking, until_gone


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("transfers")
    with house_with(folder, plan_at(folder)) as up:
        yield up


@pytest_asyncio.fixture
async def town(house: House, city: Lab) -> AsyncIterator[Lab]:
    await city.staffed("1001", "1002")
    for number in ("110", "1100", "119", "120", "05557001"):
        await centre(city, number).will_ring()
    yield city


async def test_one_key_hands_a_caller_to_110_and_all_three_hear_each_other(town: Lab, tmp_path: Path) -> None:
    talk, call = await talking(town, tmp_path)
    police = centre(town, "110")
    await talk.parties["agent"].presses("*110")
    await police.rings(within=5)
    await talk.speak("ringing", "caller", "agent")
    await police.answers()
    talk.joins("target", police)
    await step_told(town, call, "joined")
    await talk.speak("together", "caller", "agent", "target")
    await talk.parties["agent"].hangs_up()
    await step_told(town, call, "handed")
    await talk.speak("handed", "caller", "target")
    await until_gone(call, police)
    heard = await talk.heard()
    assert heard["caller"] == {
        ("ringing", "agent"),
        ("together", "agent"),
        ("together", "target"),
        ("handed", "target"),
    }
    assert heard["agent"] == {("ringing", "caller"), ("together", "caller"), ("together", "target")}
    assert heard["target"] == {("together", "caller"), ("together", "agent"), ("handed", "caller")}
