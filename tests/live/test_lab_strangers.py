"""Peers nobody here wrote: SIPp calls as carriers do (and as none should), baresip sits at a seat."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import baresip, ears, sipp
from lab.scenario import Lab, secret_of
from tests.house import House

GREETED = 16
"""Seconds in which a call has been greeted and offered to a seat."""


async def test_a_sipp_caller_reaches_a_seat(house: House, city: Lab, tmp_path: Path) -> None:
    await city.staffed("1001")
    await city.seat("1001").will_answer(talk=1.0)
    outcome = await sipp.call(
        sipp.caller(hangs_up=False), tmp_path, number="12345", house=house.base, port=house.base + 60
    )
    assert (outcome.well, outcome.failed) == (1, 0), outcome.errors
    ring = await city.seat("1001").rings(within=1)
    assert ring["caller"] == "13900000009"


FORWARDED = {
    "Diversion": ["Diversion: <sip:12315@127.0.0.2>;reason=unconditional"],
    "Diversion with a name": [
        'Diversion: "市场监管" <sip:12315@127.0.0.2;user=phone>;reason=unconditional;counter=1'
    ],
    "History-Info": [
        "History-Info: <sip:12315@127.0.0.2?Reason=SIP%3Bcause%3D302>;index=1",
        "History-Info: <sip:12345@127.0.0.2>;index=1.1",
    ],
    # RFC 3261 7.3.1 allows it; res_pjsip_diversion reads one value of each line (asterisk_conf.merged)
    "History-Info in one line": [
        "History-Info: <sip:12315@127.0.0.2>;index=1, <sip:12345@127.0.0.2>;index=1.1"
    ],
    "History-Info in one line with names and reasons": [
        'History-Info: "某人, \\"甲\\"" <sip:+8613900000007@127.0.0.2?Reason=SIP%3Bcause%3D302>;index=1, '
        '"市场" <sip:12315;cpc=ordinary@127.0.0.2;user=phone>;index=1.1;mp=1, <sip:12345@127.0.0.2>;index=1.2'
    ],
    "Diversion from a telephone that was forwarded to 12315": [
        "Diversion: <sip:12315@127.0.0.2>;reason=unconditional",
        "Diversion: <sip:13900000007@127.0.0.2>;reason=no-answer",
    ],
}


@pytest.mark.parametrize("name", FORWARDED)
async def test_a_forwarding_carrier_names_the_original_number(
    house: House, city: Lab, tmp_path: Path, name: str
) -> None:
    await city.staffed("1005")
    await city.seat("1005").will_answer(talk=0.5)
    outcome = await sipp.call(
        sipp.caller(headers=FORWARDED[name], hangs_up=False),
        tmp_path,
        number="12345",
        house=house.base,
        port=house.base + 60,
    )
    assert outcome.well == 1, outcome.errors
    assert (await city.seat("1005").rings(within=1))["original"] == "12315"


ODD = {
    "late offer": sipp.caller(late_offer=True),
    "hold and back": sipp.caller(hold_ms=1000),
    "anonymous": sipp.caller(sender='"Anonymous" <sip:anonymous@anonymous.invalid>;tag=[call_number]'),
    "no user in From": sipp.caller(sender="<sip:[local_ip]>;tag=[call_number]"),
    "dialplan in From": sipp.caller(
        sender='"${SHELL(id)}\\"x)" <sip:1%24%7BSHELL(id)%7D@[local_ip]>;tag=[call_number]'
    ),
    "a name of 900 characters": sipp.caller(
        sender=f'"{"n" * 900}" <sip:[caller]@[local_ip]>;tag=[call_number]'
    ),
    "our own headers": sipp.caller(
        headers=[
            "X-Hotline-Call: demo-n1-1.1",
            "X-Hotline-Sip-Call: somebody else's",
            "X-Hotline-Line: luan/main",
        ]
    ),
    "a diversion that is none": sipp.caller(headers=["Diversion: not a diversion at all"]),
    "forty diversions": sipp.caller(headers=["Diversion: <sip:12315@127.0.0.2>;reason=unconditional"] * 40),
    "a tel address": sipp.caller(sender="<tel:+8613900000009>;tag=[call_number]"),
}


@pytest.mark.parametrize("name", ODD)
async def test_odd_sip_is_answered_and_leaves_nothing_behind(
    house: House, city: Lab, tmp_path: Path, name: str
) -> None:
    await city.staffed("1001")
    outcome = await sipp.call(
        ODD[name], tmp_path, number="12345", house=house.base, port=house.base + 60, within=30
    )
    assert (outcome.well, outcome.failed) == (1, 0), outcome.errors
    await city.quiet()
    call = await city.caller().dials("12345")
    await call.is_answered()
    await call.hangs_up()


@pytest.mark.parametrize(
    "body", ["v=0\r\nthis is no SDP", "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nt=0 0\r\n"]
)
async def test_a_call_that_cannot_be_heard_is_refused_and_the_next_one_is_not(
    house: House, city: Lab, tmp_path: Path, body: str
) -> None:
    scenario = sipp.caller(body=body, refused=(400, 415, 488, 500))
    outcome = await sipp.call(
        scenario, tmp_path, number="12345", house=house.base, port=house.base + 60, within=20
    )
    assert outcome.made == 1
    await city.quiet()
    call = await city.caller().dials("12345")
    await call.is_answered()
    await call.hangs_up()


async def test_baresip_at_a_seat_hears_the_caller_and_is_heard(
    house: House, city: Lab, voices: list[Path], tmp_path: Path
) -> None:
    async with (
        city.away("1001"),
        baresip.seat(
            tmp_path,
            city.seat("1001").name,
            secret_of(house.home, "demo-1001"),
            house=house.base,
            port=house.base + 64,
            say=voices[1],
        ) as phone,
    ):
        await city.staffed(keep="1001")
        call = await city.caller().dials("12345").says(voices[0], when="answer")
        await phone.talks(within=GREETED + 5)
        await call.hears(voices[1])
        await call.says(voices[2])
        await call.hangs_up()
        assert ears.contains(await phone.heard(), ears.load(voices[2]))


async def test_thirty_sipp_callers_at_once_all_reach_a_seat(house: House, city: Lab, tmp_path: Path) -> None:
    seats = ("1001", "1002", "1003", "1004", "1005", "1006")
    await city.staffed(*seats)
    for seat in seats:
        await city.seat(seat).will_answer(talk=0.3)
    since = len(city.house.events)
    outcome = await sipp.call(
        sipp.caller(hangs_up=False), tmp_path, number="12345", house=house.base, port=house.base + 60,
        calls=30, rate=10, within=90,
    )  # fmt: skip
    assert (outcome.well, outcome.failed) == (30, 0), outcome.errors
    served = [e for e in city.house.events[since:] if e["Event"] == "AgentConnect"]
    assert len(served) == 30
    assert len({e["Uniqueid"] for e in served}) == 30
