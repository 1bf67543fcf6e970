"""The lab's configuration: one address a trunk, one registration a seat, phone behaviour as data."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from lab.behaviour import Behaviour, Does
from lab.city import per_second
from lab.conf import SENDS, render
from lab.site import Carrier, LabSite, SeatPhone, carrier_for

CARRIERS = (Carrier("demo", "carrier", "127.0.0.2"), Carrier("luan", "telecom", "127.0.0.3"))
SITE = LabSite(
    folder=Path("/srv/home/lab"),
    version=(22, 10, 1),
    modules=Path("/usr/lib/asterisk/modules"),
    house=12340,
    sip=12380,
    ami=12382,
    http=12383,
    rtp=(21000, 21999),
    ami_secret="s3cret",
    carriers=CARRIERS,
    seats=(SeatPhone("demo", "1001", "one"), SeatPhone("luan", "1001", "two")),
)


def sections(text: str, kind: str) -> dict[str, dict[str, str]]:
    """The sections of a type, after what they inherit."""
    found: dict[str, dict[str, str]] = {}
    templates: dict[str, dict[str, str]] = {}
    for name, mark, body in re.findall(r"^\[([^\]]+)\](\([^)]*\))?\n((?:[^\[\n].*\n)*)", text, re.M):
        pairs = dict(line.split(" = ", 1) for line in body.splitlines() if " = " in line)
        if mark == "(!)":
            templates[name] = pairs
            continue
        whole = templates.get(mark.strip("()"), {}) | pairs
        if whole.get("type") == kind:
            found[name] = whole
    return found


def test_each_trunk_sends_from_an_address_of_its_own() -> None:
    pjsip = render(SITE)["pjsip.conf"]
    endpoints, transports = sections(pjsip, "endpoint"), sections(pjsip, "transport")
    for carrier in CARRIERS:
        transport = transports[endpoints[carrier.endpoint]["transport"]]
        assert transport["bind"] == f"{carrier.source}:12380"
    binds = [t["bind"] for t in transports.values()]
    assert len(binds) == len(set(binds))


def test_each_seat_registers_with_its_own_secret_and_tries_for_ever() -> None:
    pjsip = render(SITE)["pjsip.conf"]
    registrations, logins = sections(pjsip, "registration"), sections(pjsip, "auth")
    assert set(registrations) == {"demo-1001", "luan-1001"}
    for name, secret in (("demo-1001", "one"), ("luan-1001", "two")):
        assert logins[registrations[name]["outbound_auth"]]["password"] == secret
        assert registrations[name]["server_uri"] == "sip:127.0.0.1:12340"
        assert registrations[name]["auth_rejection_permanent"] == "no"
        assert int(registrations[name]["retry_interval"]) <= 3


def test_everything_listens_on_loopback_only() -> None:
    for name, text in render(SITE).items():
        for address in re.findall(r"(?:bind|bindaddr)\s*=\s*([0-9.]+)", text):
            assert address.startswith("127."), f"{name}: {address}"
    assert "permit = 127.0.0.1/255.255.255.255" in render(SITE)["manager.conf"]


def test_an_asterisk_before_22_gets_filters_it_understands() -> None:
    old = render(dataclasses.replace(SITE, version=(20, 6, 0)))["manager.conf"]
    assert "eventfilter = !Event: VarSet" in old
    assert "action(exclude)" not in old


def test_the_arguments_of_a_call_are_used_where_they_are_named() -> None:
    dialplan = render(SITE)["extensions.conf"]
    sends = dialplan[dialplan.index("[sends]") : dialplan.index("[caller]")]
    uses = {
        "number": "Called: ${ARG%d}",
        "caller": "Caller: ${ARG%d}",
        "city": "City: ${ARG%d}",
        "diversion": "Diversion)=<sip:${ARG%d}@",
        "history": "History-Info)=<sip:${ARG%d}@",
        "hear": '"${ARG%d}"="1"]?MixMonitor',
        "case": "X-Case-Number)=${ARG%d}",
        "handoff": "X-Hotline-Handoff)=${ARG%d}",
    }
    for name, used in uses.items():
        assert used % (SENDS.index(name) + 1) in sends, name


def test_a_behaviour_is_one_value_that_the_dialplan_cuts() -> None:
    assert Behaviour(does=Does.BUSY, after=0).text() == "busy|0||0|"
    told = Behaviour(after=1.5, say=Path("/srv/audio/ab.wav"), talk=20, hear=True).text()
    assert told.split("|") == ["answer", "1.5", "20", "1", "/srv/audio/ab"]


@pytest.mark.parametrize("path", ["/a|b.wav", "/a,b.wav", "/${SHELL(id)}.wav", "/a)b.wav"])
def test_a_path_cannot_become_dialplan(path: str) -> None:
    with pytest.raises(ValueError, match="means something to the dialplan"):
        Behaviour(say=Path(path)).text()


def test_the_city_chooses_the_trunk() -> None:
    assert carrier_for(CARRIERS, "luan") is CARRIERS[1]
    assert carrier_for(CARRIERS, "") is CARRIERS[0]
    assert carrier_for(CARRIERS, "nowhere") is None


def test_a_rate_is_read_or_refused_with_an_example() -> None:
    assert per_second("2/min") == pytest.approx(2 / 60)
    assert per_second("0.5/s") == 0.5
    assert per_second("30/h") == pytest.approx(30 / 3600)
    for wrong in ("2", "min/2", "-1/s", "0/s", "2/fortnight"):
        with pytest.raises(ValueError, match="like 2/min"):
            per_second(wrong)
