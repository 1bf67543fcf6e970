"""Every AMI defect of bare panoramisk, shown on it and shown mended here.

Each test is one scenario played by both; it returns whether the client did right. Bare panoramisk must
do wrong, or the test proves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from contextlib import suppress
from typing import Any, Protocol

import pytest
from panoramisk import CallManager, Manager

from calls.facts import LegEnded, LegStarted, Snapshot
from calls.orders import Originate
from cti.asterisk.link import Link
from cti.asterisk.wire.connection import Connection
from cti.errors import NotNow, Refused
from tests.fakes.ami_server import NEVER, FakeAmi, Headers, error, event, frame, success
from tests.fakes.told import Told

WANTED = frozenset({b"Hangup", b"OriginateResponse"})


class Client(Protocol):
    """What a scenario needs of either client."""

    heard: list[dict[str, str]]
    on_event: Callable[[dict[str, str]], None] | None

    async def open(self) -> None: ...
    def ask(self, values: dict[str, str]) -> Awaitable[object]: ...
    def feed(self, data: bytes) -> None: ...
    def alive(self) -> bool: ...
    def waiting(self) -> Container[str]: ...
    def close(self) -> None: ...


class Bare:
    """panoramisk as it comes."""

    def __init__(self, ami: FakeAmi, kind: type[Manager] = Manager) -> None:
        self.heard: list[dict[str, str]] = []
        self.on_event: Callable[[dict[str, str]], None] | None = None
        self.manager = kind(
            host="127.0.0.1",
            port=ami.port,
            username="u",
            secret="s",
            reconnect_timeout=0,
            ping_delay=1,
            ping_interval=1,
            loop=asyncio.get_running_loop(),
        )
        self.manager.register_event("*", self._hear)

    def _hear(self, _: object, message: Any) -> None:
        self.heard.append(dict(message))
        if self.on_event:
            self.on_event(dict(message))

    async def open(self) -> None:
        logged_in = asyncio.Event()
        self.manager.on_login = lambda _: logged_in.set()
        await self.manager.connect()
        await logged_in.wait()

    def ask(self, values: dict[str, str]) -> Awaitable[object]:
        future: Awaitable[object] = self.manager.send_action(values)
        return future

    def feed(self, data: bytes) -> None:
        self.manager.protocol.data_received(data)

    def alive(self) -> bool:
        return not self.manager.protocol.closed

    def waiting(self) -> Container[str]:
        found: Container[str] = self.manager.protocol.responses
        return found

    def close(self) -> None:
        # its close() reconnects: connection_lost always does
        self.manager.connect = lambda: None
        self.manager.close()


class Ours:
    def __init__(self, ami: FakeAmi) -> None:
        self.heard: list[dict[str, str]] = []
        self.on_event: Callable[[dict[str, str]], None] | None = None
        self.connection = Connection(ami.address, "u", "s", WANTED, self._hear, tick=0.05)

    def _hear(self, name: bytes, text: str) -> None:
        headers = dict(line.split(": ", 1) for line in text.split("\r\n") if ": " in line)
        self.heard.append(headers)
        if self.on_event:
            self.on_event(headers)

    async def open(self) -> None:
        await self.connection.open()

    def ask(self, values: dict[str, str]) -> Awaitable[object]:
        return self.connection.ask(values)

    def feed(self, data: bytes) -> None:
        self.connection.protocol.data_received(data)

    def alive(self) -> bool:
        return not self.connection.protocol.closed

    def waiting(self) -> Container[str]:
        found: Container[str] = self.connection.protocol.responses
        return found

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
async def ami() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as fake:
        yield fake


@pytest.fixture(params=["bare", "ours"])
async def client(request: pytest.FixtureRequest, ami: FakeAmi) -> AsyncIterator[Client]:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    made: Client = Bare(ami) if request.param == "bare" else Ours(ami)
    yield made
    made.close()


def judge(client: Client, right: bool) -> None:
    """Ours does right and bare panoramisk does wrong."""
    assert right is isinstance(client, Ours)


def wait(client: Client) -> float:
    """Seconds: an answer is ours as soon as it is there; bare panoramisk would wait for ever."""
    return 10.0 if isinstance(client, Ours) else 0.5


async def _answered(question: Awaitable[object], within: float = 1.0) -> bool:
    try:
        async with asyncio.timeout(within):
            await question
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("Atxfer", "Atxfer successfully queued"),
        ("CancelAtxfer", "CancelAtxfer successfully queued"),
        ("PlayDTMF", "DTMF successfully queued"),
        ("Originate", "Originate successfully queued"),
    ],
)
async def test_an_action_answered_successfully_queued_does_not_end_the_link(
    client: Client, ami: FakeAmi, action: str, message: str
) -> None:
    ami.answers[action] = success(message)
    await client.open()
    answered = await _answered(client.ask({"Action": action, "Channel": "PJSIP/demo-1001-1"}), wait(client))
    judge(client, answered and client.alive())


async def test_queue_add_ends_with_its_response(client: Client, ami: FakeAmi) -> None:
    ami.answers["QueueAdd"] = success("Added interface to queue")
    await client.open()
    judge(client, await _answered(client.ask({"Action": "QueueAdd", "Queue": "demo-general"}), wait(client)))


async def test_a_listener_that_raises_does_not_end_the_link(client: Client, ami: FakeAmi) -> None:
    def fails(_: dict[str, str]) -> None:
        raise ValueError("a bug in a listener")

    await client.open()
    client.on_event = fails
    with suppress(ValueError):
        client.feed(event("Hangup", Uniqueid="1").encode())
    # over the socket too: there the exception reaches asyncio, which closes the transport
    ami.say(event("Hangup", Uniqueid="2"))
    judge(client, await _answered(_ping(client), wait(client)) and client.alive())


async def _ping(client: Client) -> object:
    return await client.ask({"Action": "Ping"})


async def test_an_unanswered_action_is_not_sent_again_after_a_reconnect(ami: FakeAmi) -> None:
    """The server dies between taking an Originate and answering it: two calls would be made of one."""
    ami.answers["Originate"] = NEVER

    bare = Bare(ami)
    await bare.open()
    bare.ask({"Action": "Originate", "Channel": "PJSIP/demo-1001", "Async": "true"})
    await ami.comes("Originate")
    ami.drop()
    await ami.comes("Originate", 2)
    bare.close()

    ami.received.clear()
    told = Told()
    link = Link(ami.address, "u", "s", "n1", told)
    task = asyncio.create_task(link.run())
    try:
        await told.has(Snapshot)
        assert link._connection is not None
        flying = asyncio.create_task(link._connection.ask({"Action": "Originate", "Async": "true"}))
        await ami.comes("Originate")
        ami.drop()
        with pytest.raises(NotNow, match="outcome unknown"):
            await flying
        await ami.comes("QueueStatus", 2)
        assert len(ami.actions("Originate")) == 1
    finally:
        task.cancel()


async def test_an_event_after_a_timeout_is_heard_and_not_swallowed(client: Client, ami: FakeAmi) -> None:
    ami.answers["Originate"] = success("Originate successfully queued")
    await client.open()
    values = {"Action": "Originate", "Channel": "PJSIP/demo-1001", "Async": "true", "ActionID": "o1"}
    assert not await _answered(client.ask(values), 0.2)
    client.feed(event("OriginateResponse", ActionID="o1", Response="Failure").encode())
    judge(client, any(heard.get("Event") == "OriginateResponse" for heard in client.heard))


async def test_an_action_nobody_answers_is_forgotten_when_its_time_is_over(
    client: Client, ami: FakeAmi
) -> None:
    ami.answers["Getvar"] = NEVER
    await client.open()
    late = [f"late-{n}" for n in range(20)]
    asked = [client.ask({"Action": "Getvar", "Variable": "X", "ActionID": tag}) for tag in late]
    assert not any(await asyncio.gather(*(_answered(question, 0.05) for question in asked)))
    kept = [tag for tag in late if tag in client.waiting()]
    assert kept in ([], late)
    judge(client, not kept)


async def test_two_calls_of_one_second_are_two(ami: FakeAmi) -> None:
    """panoramisk's CallManager knows a call by its Uniqueid up to the dot: the second it began in."""
    legs = ("n1-1732190695.12", "n1-1732190695.13")

    def rings(action: Headers) -> str:
        leg = legs[len(ami.actions("Originate")) % 2]
        born = event("Newchannel", Channel=f"PJSIP/demo-1001-{leg[-2:]}", Uniqueid=leg, Linkedid=leg)
        queued = success("Originate successfully queued")(action)
        told = {"ActionID": action["ActionID"], "Response": "Success", "Uniqueid": leg}
        return born + queued + event("OriginateResponse", **told)

    ami.answers["Originate"] = rings
    ended = event("Hangup", Uniqueid=legs[1], Cause="16")
    async with asyncio.timeout(10):
        bare = Bare(ami, CallManager)
        await bare.open()
        values = {"Action": "Originate", "Channel": "PJSIP/demo-1001"}
        first, second = [await bare.manager.send_originate(dict(values)) for _ in legs]
        bare.feed(ended.encode())
        bare.close()
        assert first is second
        assert [(await first.queue.get()).event for _ in range(3)] == ["Newchannel", "Newchannel", "Hangup"]

        told = Told()
        link = Link(ami.address, "u", "s", "n1", told)
        task = asyncio.create_task(link.run())
        await told.has(Snapshot)
        order = Originate(endpoint="PJSIP/demo-1001", context="c", exten="s")
        assert [await link.do(order) for _ in legs] == list(legs)
        ami.say(ended)
        await told.has(LegEnded)
        task.cancel()
    assert [fact.leg for fact in told.facts if isinstance(fact, LegStarted)] == list(legs)
    assert [fact.leg for fact in told.facts if isinstance(fact, LegEnded)] == [legs[1]]


async def test_a_character_cut_by_a_segment_is_whole_again(client: Client) -> None:
    await client.open()
    raw = event("Hangup", CallerIDName="坐席张三").encode()
    cut = raw.index("张".encode()) + 1
    client.feed(raw[:cut])
    client.feed(raw[cut:])
    judge(client, client.heard[-1]["CallerIDName"] == "坐席张三")


async def test_a_line_break_in_a_value_is_no_second_header(client: Client, ami: FakeAmi) -> None:
    await client.open()
    with suppress(Refused):
        await client.ask({"Action": "Getvar", "Variable": "X\r\nCommand: core stop now"})
    judge(client, b"core stop now" not in ami.raw)


async def test_events_are_heard_in_the_order_they_came(ami: FakeAmi) -> None:
    """panoramisk runs coroutine callbacks as tasks of their own: whoever waits longer is later."""
    async with asyncio.timeout(10):
        order: list[str] = []
        finished = asyncio.Event()

        async def slow_first(_: object, message: Any) -> None:
            for _n in range(20 if message["Uniqueid"] == "1" else 1):
                await asyncio.sleep(0)
            order.append(message["Uniqueid"])
            if len(order) == 3:
                finished.set()

        bare = Bare(ami)
        bare.manager.register_event("Hangup", slow_first)
        await bare.open()
        raw = "".join(event("Hangup", Uniqueid=str(n)) for n in (1, 2, 3)).encode()
        bare.feed(raw)
        await finished.wait()
        bare.close()
        assert order != ["1", "2", "3"]

        ours = Ours(ami)
        await ours.open()
        ours.feed(raw)
        ours.close()
        assert [heard["Uniqueid"] for heard in ours.heard] == ["1", "2", "3"]


async def test_a_refused_login_is_told_and_not_tried_again_at_once(ami: FakeAmi) -> None:
    ami.answers["Login"] = error("Authentication failed")

    bare = Bare(ami)
    bare.manager.connect()
    for n in range(1, 4):
        await ami.comes("Login", n)
        ami.drop()  # Asterisk closes after a refusal
    bare.close()

    ours = Ours(ami)
    with pytest.raises(Refused, match="login as u: Authentication failed"):
        await ours.open()
    assert not ours.alive()


async def test_a_half_open_link_is_noticed(client: Client, ami: FakeAmi) -> None:
    await client.open()
    ami.deaf = True
    if isinstance(client, Ours):
        async with asyncio.timeout(5):  # 8 ticks of 50 ms, and a busy machine; 8 s with the real tick
            await client.connection.lost
    else:
        # two pings unanswered and it has not noticed
        await ami.comes("Ping", 2)
    judge(client, not client.alive())


async def test_a_timeout_says_that_the_outcome_is_unknown(ami: FakeAmi) -> None:
    ami.answers["Redirect"] = NEVER
    ours = Ours(ami)
    await ours.open()
    with pytest.raises(NotNow, match=r"Redirect: no answer in 0\.05 s, outcome unknown"):
        await ours.connection.ask({"Action": "Redirect"}, 0.05)
    ours.close()


async def test_a_port_that_does_not_speak_ami_is_not_waited_for() -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    try:
        address = ("127.0.0.1", server.sockets[0].getsockname()[1])
        with pytest.raises(NotNow, match="does not speak AMI"):
            await Connection(address, "u", "s", WANTED, lambda *_: None).open()
    finally:
        server.close()


async def test_an_endless_frame_ends_the_link_before_memory_does(ami: FakeAmi) -> None:
    ours = Ours(ami)
    await ours.open()
    for _ in range(6):
        ours.feed(b"X: " + b"x" * (1 << 20))
    assert (await ours.connection.lost) == "an AMI frame without end"


async def test_a_frame_with_an_extra_line_end_in_front_is_heard(ami: FakeAmi) -> None:
    """Asterisk 22 ends ConfbridgeStart with three line ends."""
    ours = Ours(ami)
    await ours.open()
    ours.feed(b"Event: ConfbridgeStart\r\n\r\n\r\n" + frame("Event: Hangup", "Uniqueid: 7").encode())
    ours.close()
    assert [heard["Uniqueid"] for heard in ours.heard] == ["7"]
