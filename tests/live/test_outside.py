"""A machine behind a router: phones outside are told the router's address, and voices go both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.scenario import Lab
from tests.house import House, ports, running
from tests.live.packets import seen_outside
from tests.live.test_first_call import CHORUS

OUTSIDE = "127.0.0.99"
"""Every address of loopback is this machine's: a router that translates to itself."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Only 127.0.0.1 counts as inside; the carrier calls from another address."""
    home = tmp_path_factory.mktemp("home")
    (home / "settings.toml").write_text(
        f'host = "0.0.0.0"\noutside_address = "{OUTSIDE}"\nlocal_networks = ["127.0.0.1/32"]\n'
    )
    with ports() as base, running(home, base) as up:
        yield up


async def test_who_calls_from_outside_is_told_the_routers_address_and_talks_with_a_seat_inside(
    house: House, city: Lab, voices: list[Path]
) -> None:
    await city.staffed("1001")
    with seen_outside(house, "outside") as packets:
        call = await city.caller("13900000007").dials("12345")
        await city.seat("1001").answers(call, say=voices[1], within=CHORUS)
        await call.says(voices[0])
        await call.hears(voices[1])
        await city.seat("1001").hears(voices[0])
        await call.hangs_up()
    told = {}
    for packet in packets():
        media = re.search(r"^c=IN IP4 (\S+)", packet.text, re.MULTILINE)
        if (
            packet.status == 200
            and media
            and "INVITE" in packet.header("CSeq")
            and "12345" in packet.header("To")
        ):
            told["sound"], told["contact"] = media[1], packet.header("Contact")
    assert told["sound"] == OUTSIDE
    assert OUTSIDE in told["contact"]
