"""The advice server: one question, one answer, whatever else knocks at its port."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from panoramisk import fast_agi

from cti.asterisk import agi
from cti.asterisk.agi import Advice, Question, Session
from cti.asterisk.link import Link
from cti.errors import NotNow, Refused
from tests.fakes.ami_server import FakeAmi, event
from tests.fakes.told import Told

BUDGET = 0.8
"""Seconds for the whole question (decision 1)."""
HEAD = (
    b"agi_network: yes\nagi_network_script: where-next\nagi_request: agi://127.0.0.1/where-next\n"
    b"agi_callerid: 13800000001\nagi_dnid: 12345\nagi_arg_1: demo-n1-1732190695.12\nagi_arg_2: demo\n"
    b"agi_arg_3: main\nagi_arg_4: 13800000001\nagi_arg_5: 12345\n\n"
)
QUESTION = Question("demo-n1-1732190695.12", "demo", "main", "13800000001", "12345")


def answer(question: Question) -> str | None:
    return "queue:general" if question == QUESTION else None


@pytest.fixture
async def advice() -> AsyncIterator[Advice]:
    made = Advice(("127.0.0.1", 0), answer)
    task = asyncio.create_task(made.run())
    await made.listening.wait()
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def starved() -> float:
    """Seconds in which this thread could have run and had no processor (proc(5), schedstat: on the runqueue).
    Work that holds it up is not among them, nor is sleep."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


async def ask(advice: Advice, head: bytes = HEAD) -> tuple[bytes, float]:
    """Ask as Asterisk does; the command that came and the seconds it took."""
    begun = time.perf_counter()
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(*advice.address)
        writer.write(head)
        command = await reader.readline()
        took = time.perf_counter() - begun
        if command:
            writer.write(b"200 result=1\n")
        assert await reader.read() == b""
        writer.close()
    return command, took


async def own_seconds(advice: Advice) -> float:
    """What the question took, without what a busy machine took: that is not the service's doing."""
    before = starved()
    command, took = await ask(advice)
    assert command == b'SET VARIABLE NEXT "queue:general"\n'
    return took - (starved() - before)


async def in_budget(advice: Advice) -> None:
    assert await own_seconds(advice) < BUDGET


async def test_a_question_gets_one_destination(advice: Advice) -> None:
    await in_budget(advice)


async def test_time_in_which_an_answer_holds_the_loop_is_the_services_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # a busy machine may take a second more, and it is to be answered all the same
    monkeypatch.setattr(agi, "SESSION_SECONDS", 20.0)

    def slow(question: Question) -> str | None:
        time.sleep(BUDGET + 0.15)
        return answer(question)

    holding = Advice(("127.0.0.1", 0), slow)
    task = asyncio.create_task(holding.run())
    await holding.listening.wait()
    assert await own_seconds(holding) > BUDGET
    task.cancel()


async def test_no_advice_is_said_so_that_it_differs_from_a_service_that_died(advice: Advice) -> None:
    command, _ = await ask(advice, HEAD.replace(b"agi_arg_3: main", b"agi_arg_3: other"))
    assert command == b'SET VARIABLE NEXT "default"\n'


async def test_an_answer_that_fails_is_no_advice() -> None:
    def fails(_: Question) -> str | None:
        raise ZeroDivisionError

    broken = Advice(("127.0.0.1", 0), fails)
    task = asyncio.create_task(broken.run())
    await broken.listening.wait()
    for _ in range(2):
        command, _took = await ask(broken)
        assert command == b'SET VARIABLE NEXT "default"\n'
    task.cancel()


async def test_a_quote_in_an_answer_stays_inside_the_value() -> None:
    odd = Advice(("127.0.0.1", 0), lambda _: 'queue:"x\\y')
    task = asyncio.create_task(odd.run())
    await odd.listening.wait()
    command, _ = await ask(odd)
    task.cancel()
    assert command == b'SET VARIABLE NEXT "queue:\\"x\\\\y"\n'


async def test_an_unknown_script_is_closed(advice: Advice) -> None:
    command, _ = await ask(advice, HEAD.replace(b"agi_network_script: where-next", b"agi_network_script: x"))
    assert command == b""
    await in_budget(advice)


async def test_a_bare_connect_is_survived(advice: Advice) -> None:
    for _ in range(20):
        _, writer = await asyncio.open_connection(*advice.address)
        writer.close()
        await writer.wait_closed()
    await in_budget(advice)


async def test_ten_thousand_lines_of_garbage_are_survived(advice: Advice) -> None:
    reader, writer = await asyncio.open_connection(*advice.address)
    with suppress(ConnectionError):
        for n in range(10_000):
            writer.write(b"\xff\xfe garbage %d \x00: agi_network_script\n" % n)
        await writer.drain()
        await reader.read()
    writer.close()
    await in_budget(advice)


async def test_half_a_head_is_survived_and_cut_off(advice: Advice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection(*advice.address)
    writer.write(HEAD[: len(HEAD) // 2])
    await in_budget(advice)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_five_hundred_idle_connections_are_survived(advice: Advice) -> None:
    idle = await asyncio.gather(*(asyncio.open_connection(*advice.address) for _ in range(500)))
    await in_budget(advice)
    for _, writer in idle:
        writer.close()


async def test_more_connections_than_allowed_are_turned_away(
    advice: Advice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agi, "OPEN_CONNECTIONS", 3)
    idle = [await asyncio.open_connection(*advice.address) for _ in range(3)]
    reader, writer = await asyncio.open_connection(*advice.address)
    with suppress(ConnectionError):
        assert await reader.read() == b""
    for _, other in (*idle, (reader, writer)):
        other.close()


async def test_a_peer_that_never_confirms_is_cut_off(advice: Advice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi, "SESSION_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection(*advice.address)
    writer.write(HEAD)
    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"SET VARIABLE NEXT")
    writer.close()


async def test_a_burst_of_events_does_not_cost_the_question_its_budget(advice: Advice) -> None:
    async with FakeAmi() as ami:
        told = Told()
        task = asyncio.create_task(Link(ami.address, "u", "s", "n1", told).run())
        await ami.comes("QueueStatus")
        burst = event("Hangup", Channel="PJSIP/demo-1001-1", Uniqueid="n1-1.1", Cause="16") * 20_000
        ami.say(burst)
        for _ in range(5):
            await in_budget(advice)
        await told.until(lambda facts: len(facts) == 20_002)
        task.cancel()


async def test_a_taken_port_is_told(advice: Advice) -> None:
    with pytest.raises(Refused, match="cannot listen on"):
        await Advice(advice.address, answer).run()


# --- panoramisk's own, beside ours ----------------------------------------------------------


def _session(kind: str) -> tuple[Any, asyncio.StreamReader]:
    class Pipe:
        def write(self, data: bytes) -> None: ...
        async def drain(self) -> None: ...

    reader = asyncio.StreamReader()
    made = fast_agi.Request if kind == "bare" else Session
    return made(None, {}, reader, Pipe()), reader


@pytest.mark.parametrize("kind", ["bare", "ours"])
@pytest.mark.parametrize(
    "before",
    [
        b"HANGUP\n200 result=1\n",
        b"520-Invalid command syntax.  Proper usage follows:\nUsage: X\n more\n520 End of proper usage.\n",
    ],
    ids=["after HANGUP", "after a 520"],
)
async def test_each_command_gets_its_own_answer(kind: str, before: bytes) -> None:
    session, reader = _session(kind)
    reader.feed_data(before + b"200 result=7\n")
    await session.send_command("NOOP")
    try:
        second = await session.send_command("GET VARIABLE X")
    except ValueError:
        # bare panoramisk reads a line of the usage text as an answer
        second = {}
    assert (second.get("result") == ("7", "")) is (kind == "ours")


async def test_a_command_after_the_peer_is_gone_is_not_now() -> None:
    session, reader = _session("ours")
    reader.feed_eof()
    with pytest.raises(NotNow):
        await session.send_command("NOOP")
    with pytest.raises(Refused):
        await session.send_command("NOOP\nHANGUP")


SERVER = textwrap.dedent(
    """
    import asyncio, sys
    from panoramisk import fast_agi
    from cti.asterisk.agi import Server

    async def main():
        loop = asyncio.get_running_loop()
        app = fast_agi.Application(loop=loop) if sys.argv[1] == "bare" else Server()
        server = await asyncio.start_server(app.handler, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())
    """
)


@pytest.mark.parametrize("kind", ["bare", "ours"])
async def test_a_connection_closed_without_data_does_not_freeze_the_loop(kind: str) -> None:
    """In a process of its own: bare panoramisk spins for ever and only a signal ends it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, kind, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await writer.wait_closed()
        # a second visitor with a whole head: an unknown script is closed at once by a live server
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"agi_network_script: none\n\n")
        closed = True
        try:
            # the other one never does; ours may be without a processor for a while
            async with asyncio.timeout(20 if kind == "ours" else 2):
                await reader.read()
        except TimeoutError:
            closed = False
        writer.close()
    finally:
        process.kill()
        await process.wait()
    assert closed is (kind == "ours")
