"""A spoken menu: a citizen says what they need and reaches the right seat; keys work all the time."""

from __future__ import annotations

import pytest

from lab.parties import Call
from lab.scenario import Lab
from tests.house import ROOT, House
from tests.live import speaking
from tests.live.test_recordings import http, until

VOICES = ROOT / "lab" / "voices"
pytestmark = pytest.mark.skipif(speaking.model() is None, reason=speaking.NO_MODEL)


async def ready(house: House) -> None:
    await until(
        "somebody would listen to a menu",
        lambda: http(house, "/metrics")[1],
        lambda told: b"hotline_spoken_up 1.0" in told,
        within=90,
    )


async def asked(city: Lab, call: Call, round: int = 1) -> None:
    """The question is over and somebody listens (ChanSpy on the caller's own leg, seen as observer)."""
    leg = (await call.id()).partition("-")[2]
    seen = 0

    def listens(event: dict[str, str]) -> bool:
        nonlocal seen
        if event["Event"] == "ChanSpyStart" and event["SpyeeUniqueid"] == leg:
            seen += 1
        return seen == round

    await city.house.event(f"{call.name} is listened to", listens, within=30)


async def told(city: Lab, call: Call, what: str, within: float = 20.0) -> dict[str, str]:
    """What the dialplan says of this call."""
    id = await call.id()
    return await city.house.event(
        f"{what} of {id}",
        lambda e: e["Event"] == "UserEvent" and e.get("What") == what and e.get("Call") == id,
        within,
    )


@pytest.mark.parametrize(("voice", "queue"), [("pension", "expert"), ("fund", "fund"), ("shop", "market")])
async def test_who_says_a_subject_waits_in_its_queue(house: House, city: Lab, voice: str, queue: str) -> None:
    await ready(house)
    call = await city.caller("13900000007").dials("12347")
    await asked(city, call)
    await call.says(VOICES / f"{voice}.wav")
    await call.waits_in(queue)
    chose = await told(city, call, "chose")
    assert (chose["By"], chose["Next"]) == ("voice", f"queue:{queue}")
    await call.hangs_up()
