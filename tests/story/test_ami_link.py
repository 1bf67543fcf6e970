"""The link: subscribe, snapshot, then facts in order; lost, found again, never silently wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from calls.facts import Fact, LegEnded, LegId, LegStarted, LinkDown, LinkUp, Snapshot
from calls.orders import HangUp, Originate, ReadVariable, Redirect, Reload
from cti.asterisk.link import Link
from cti.errors import NotNow, Refused
from tests.fakes.ami_server import NEVER, FakeAmi, Headers, error, event, frame, listing, success
from tests.fakes.told import Told

LEG = "n1-1732190695.12"
ROW = {"Channel": "PJSIP/demo-carrier-00000001", "Uniqueid": LEG, "Linkedid": LEG, "ChannelState": "6"}


@pytest.fixture
async def ami() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as fake:
        yield fake


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def link(ami: FakeAmi, told: Told) -> AsyncIterator[Link]:
    made = Link(ami.address, "u", "s", "n1", told, now=lambda: 5.0, tick=0.05)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()


async def test_a_snapshot_comes_before_what_happens_next(ami: FakeAmi, told: Told, link: Link) -> None:
    ami.answers["CoreShowChannels"] = listing([("CoreShowChannel", ROW)], "CoreShowChannelsComplete")
    await told.has(Snapshot)
    ami.say(event("Hangup", Uniqueid=LEG, Cause="16"))
    await told.has(LegEnded)
    up, snapshot, ended = told.facts
    assert up == LinkUp(at=5.0, node="n1", version="22.10.1", boot="2026-11-21T08:00:00")
    assert isinstance(snapshot, Snapshot)
    assert [leg.leg for leg in snapshot.legs] == [LEG]
    assert snapshot.queues == (("demo", "general"),)
    assert ended == LegEnded(at=5.0, node="n1", leg=LegId(LEG), cause=16)


async def test_a_snapshot_asks_each_seat_that_talks_whether_it_holds_the_other_side(
    ami: FakeAmi, told: Told, link: Link
) -> None:
    legs = [("demo-1001-1", "b1"), ("demo-1002-2", "b2"), ("demo-1003-3", "b3"), ("demo-1004-4", "")]
    rows = [
        {"Channel": f"PJSIP/{name}", "Uniqueid": f"n1-1.{n}", "Linkedid": f"n1-1.{n}", "BridgeId": bridge}
        for n, (name, bridge) in enumerate([*legs, ("demo-carrier-5", "b1")])
    ]
    ami.answers["CoreShowChannels"] = listing(
        [("CoreShowChannel", row) for row in rows], "CoreShowChannelsComplete"
    )

    def holds(action: Headers) -> str | None:
        if action["Channel"] == "PJSIP/demo-1003-3":
            return error("No such channel")(action)
        value = "1" if action["Channel"] == "PJSIP/demo-1001-1" else "0"
        return success(Variable=action["Variable"], Value=value)(action)

    ami.answers["Getvar"] = holds
    await told.has(Snapshot)
    (snapshot,) = (fact for fact in told.facts if isinstance(fact, Snapshot))
    assert [leg.held for leg in snapshot.legs] == [True, False, None, None, None]
    assert {action["Variable"] for action in ami.actions("Getvar")} == {"CHANNEL(rtp,hold)"}


async def test_what_happens_during_the_snapshot_is_told_after_it(
    ami: FakeAmi, told: Told, link: Link
) -> None:
    def meanwhile(action: Headers) -> str:
        empty = listing([], "BridgeListComplete")(action)
        assert empty is not None
        return event("Newchannel", Channel="PJSIP/demo-1001-1", Uniqueid="n1-1.1", Linkedid="n1-1.1") + empty

    ami.answers["BridgeList"] = meanwhile
    await told.has(LegStarted)
    assert told.kinds() == ["LinkUp", "Snapshot", "LegStarted"]


async def test_a_refused_snapshot_is_asked_again_and_never_taken_for_an_empty_one(
    ami: FakeAmi, told: Told, link: Link
) -> None:
    ami.answers["QueueStatus"] = error("Invalid/unknown command")
    await ami.comes("QueueStatus", 3)
    assert told.facts == []
    assert isinstance(link.trouble, Refused)
    with pytest.raises(NotNow):
        await link.do(Reload(parts=("queues",)))
    ami.answers["QueueStatus"] = listing([("QueueParams", {"Queue": "demo-general"})], "QueueStatusComplete")
    await told.has(Snapshot)
    assert link.trouble is None


@pytest.mark.parametrize("action", ["CoreShowChannels", "BridgeList", "QueueStatus"])
async def test_a_cut_list_is_asked_again(ami: FakeAmi, told: Told, link: Link, action: str) -> None:
    whole = ami.answers[action]
    ami.answers[action] = listing([], f"{action}Complete", said=3)
    await ami.comes(action, 2)
    assert told.facts == []
    ami.answers[action] = whole
    await told.has(Snapshot)


async def test_a_lost_link_is_told_and_found_again_with_a_new_snapshot(
    ami: FakeAmi, told: Told, link: Link
) -> None:
    await told.has(Snapshot)
    ami.drop()
    await told.has(Snapshot, 2)
    assert told.kinds() == ["LinkUp", "Snapshot", "LinkDown", "LinkUp", "Snapshot"]


async def test_a_link_lost_in_the_middle_of_a_snapshot_starts_over(
    ami: FakeAmi, told: Told, link: Link
) -> None:
    def cut(action: Headers) -> str:
        del ami.answers["BridgeList"]
        ami.answers["BridgeList"] = listing([], "BridgeListComplete")
        ami.drop()
        return ""

    ami.answers["BridgeList"] = cut
    await told.has(Snapshot)
    assert told.kinds() == ["LinkUp", "Snapshot"]
    assert len(ami.actions("Login")) == 2


async def test_silence_of_a_half_open_link_is_told(ami: FakeAmi, told: Told, link: Link) -> None:
    await told.has(Snapshot)
    ami.deaf = True
    await told.has(LinkDown)
    assert link.up is False


async def test_a_refused_login_is_reported_and_backed_off(
    ami: FakeAmi, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    enough = asyncio.Event()
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 6:
            enough.set()
            await asyncio.get_running_loop().create_future()
        await real_sleep(0)

    ami.answers["Login"] = error("Authentication failed")
    monkeypatch.setattr("cti.asterisk.link.asyncio.sleep", sleep)
    monkeypatch.setattr("cti.asterisk.link.random.uniform", lambda a, b: 1.0)
    link = Link(ami.address, "u", "wrong", "n1", told)
    task = asyncio.create_task(link.run())
    async with asyncio.timeout(10):
        await enough.wait()
    task.cancel()
    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    assert isinstance(link.trouble, Refused)
    assert "Authentication failed" in str(link.trouble)
    assert told.facts == []


async def test_a_reader_that_fails_loses_one_fact_and_not_the_link(ami: FakeAmi, told: Told) -> None:
    def fussy(fact: Fact) -> None:
        told(fact)
        if isinstance(fact, Snapshot):
            raise ValueError("a bug in the picture")

    task = asyncio.create_task(Link(ami.address, "u", "s", "n1", fussy).run())
    await told.has(Snapshot)
    ami.say(event("Hangup", Uniqueid=LEG))
    await told.has(LegEnded)
    task.cancel()
    assert told.kinds() == ["LinkUp", "Snapshot", "LegEnded"]


async def test_a_burst_is_heard_in_slices_so_that_others_get_their_turn(
    ami: FakeAmi, told: Told, link: Link
) -> None:
    await told.has(Snapshot)
    turns = 0
    burst = event("Hangup", Uniqueid="n1-1.1").encode() * 2000
    connection = link._connection
    assert connection is not None
    connection.protocol.data_received(burst)
    while sum(isinstance(fact, LegEnded) for fact in told.facts) < 2000:
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 2000 // 200 - 1
    assert link.up


# --- orders ---------------------------------------------------------------------------------


async def test_an_order_becomes_one_action(ami: FakeAmi, told: Told, link: Link) -> None:
    ami.answers["CoreShowChannels"] = listing([("CoreShowChannel", ROW)], "CoreShowChannelsComplete")
    ami.answers["Getvar"] = success(Variable="PLAN_HASH", Value="abc")
    await told.has(Snapshot)
    await link.do(HangUp(leg=LegId(LEG)))
    await link.do(Redirect(leg=LegId("n1-9.9"), context="demo-queue-general", exten="s"))
    await link.do(Reload(parts=("queues", "dialplan")))
    assert await link.do(ReadVariable(name="PLAN_HASH")) == "abc"
    sent = [
        {key: text for key, text in headers.items() if key not in ("Action", "ActionID")}
        for name in ("Hangup", "Redirect", "Reload", "Getvar")
        for headers in ami.actions(name)
    ]
    assert sent == [
        {"Channel": "PJSIP/demo-carrier-00000001", "Cause": "16"},
        {"Channel": "n1-9.9", "Context": "demo-queue-general", "Exten": "s", "Priority": "1"},
        {"Module": "app_queue.so"},
        {"Module": "pbx_config.so"},
        {"Variable": "PLAN_HASH"},
    ]


async def test_asterisks_no_is_told_in_its_own_words(ami: FakeAmi, told: Told, link: Link) -> None:
    ami.answers["Hangup"] = error("No such channel")
    await told.has(Snapshot)
    with pytest.raises(Refused, match="Hangup: No such channel"):
        await link.do(HangUp(leg=LegId(LEG)))


async def test_an_unloaded_optional_module_does_not_spoil_a_reload(
    ami: FakeAmi, told: Told, link: Link
) -> None:
    def only_core(action: Headers) -> str | None:
        good = action["Module"] == "res_pjsip.so"
        return (success("Module Reloaded") if good else error("No such module"))(action)

    ami.answers["Reload"] = only_core
    await told.has(Snapshot)
    await link.do(Reload(parts=("pjsip",)))
    assert len(ami.actions("Reload")) == 4
    with pytest.raises(Refused, match=r"reload of app_queue\.so: No such module"):
        await link.do(Reload(parts=("queues",)))
    with pytest.raises(Refused, match="cannot reload 'everything'"):
        await link.do(Reload(parts=("everything",)))


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"Response": "Failure", "Reason": "3"}, "nobody answered"),
        ({"Response": "Failure", "Reason": "5"}, "busy"),
    ],
)
async def test_an_originate_ends_with_its_outcome_and_not_with_queued(
    ami: FakeAmi, told: Told, link: Link, outcome: dict[str, str], words: str
) -> None:
    def originate(action: Headers) -> str:
        queued = success("Originate successfully queued")(action)
        assert queued is not None
        return queued + event("OriginateResponse", ActionID=action["ActionID"], **outcome)

    ami.answers["Originate"] = originate
    await told.has(Snapshot)
    with pytest.raises(Refused, match=words):
        await link.do(Originate(endpoint="PJSIP/demo-1001", context="c", exten="s"))


async def test_an_answered_originate_tells_its_leg(ami: FakeAmi, told: Told, link: Link) -> None:
    def originate(action: Headers) -> str:
        queued = success("Originate successfully queued")(action)
        assert queued is not None
        return queued + event(
            "OriginateResponse",
            ActionID=action["ActionID"],
            Response="Success",
            Reason="4",
            Uniqueid="n1-2.2",
        )

    ami.answers["Originate"] = originate
    await told.has(Snapshot)
    order = Originate(endpoint="PJSIP/demo-1001", context="c", exten="s", variables=(("A", "1"), ("B", "2")))
    assert await link.do(order) == "n1-2.2"
    with pytest.raises(Refused, match="a comma"):
        await link.do(Originate(endpoint="x", context="c", exten="s", variables=(("A", "1,B=2"),)))


async def test_an_order_in_flight_when_the_link_dies_has_an_unknown_outcome(
    ami: FakeAmi, told: Told, link: Link
) -> None:
    ami.answers["Redirect"] = NEVER
    await told.has(Snapshot)
    order = asyncio.create_task(link.do(Redirect(leg=LegId(LEG), context="c", exten="s")))
    await ami.comes("Redirect")
    ami.drop()
    with pytest.raises(NotNow, match="outcome unknown"):
        await order
    await told.has(Snapshot, 2)
    assert len(ami.actions("Redirect")) == 1


async def test_a_banner_that_comes_in_pieces_is_one_banner(told: Told) -> None:
    refused = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in (b"Aste", b"risk Call Manager/11.0", b".0\r"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"\n")
        action = (await reader.readuntil(b"\r\n\r\n")).decode()
        tag = action.split("ActionID: ")[1].split("\r\n")[0]
        writer.write(frame("Response: Error", f"ActionID: {tag}", "Message: Authentication failed").encode())
        await reader.read()
        refused.set()

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    link = Link(("127.0.0.1", server.sockets[0].getsockname()[1]), "u", "s", "n1", told)
    task = asyncio.create_task(link.run())
    async with asyncio.timeout(5):
        await refused.wait()
    task.cancel()
    server.close()
    assert "Authentication failed" in str(link.trouble)
