"""One contract for the live picture, held against the in-process Redis and a real one alike."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from calls import facts as f
from calls.facts import CallId
from calls.model import Call, CallState, Seat
from cti.store.picture import LivePicture, connect
from cti.switchboard import replay
from tests.live import servers
from tests.story.a_call import CALL, answered, said

BOARD = replay([said(f.SeatSignedIn, 50.0), *answered()])
TALK = BOARD.picture.calls[CALL]
SEAT = BOARD.seats.seats[("demo", "1001")]
EVERYTHING: list[Call | Seat] = [TALK, SEAT]


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    with servers.redis() as running:
        yield running


@pytest.fixture(params=["in-process", "redis-server"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    url = None if request.param == "in-process" else request.getfixturevalue("server").url
    made = connect(url)
    await made.flushall()
    yield made
    await made.aclose()


async def hash_of(client: Redis, key: str) -> dict[str, str]:
    answer: Any = client.hgetall(key)
    found: dict[str, str] = await answer
    return found


async def names(client: Redis, kind: str) -> set[str]:
    answer: Any = client.smembers(f"cti:n1:{kind}")
    found: set[str] = await answer
    return found


def is_ok(picture: LivePicture) -> bool:
    return picture.ok


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_calls_seats_and_queues_stand_in_redis_under_plain_names(client: Redis) -> None:
    picture = LivePicture(client, lambda: EVERYTHING, BOARD.queues_now)
    running = asyncio.create_task(picture.run())
    await picture.settled()
    call = await hash_of(client, f"cti:n1:call:{CALL}")
    assert (call["state"], call["seat"], call["queue"], call["owed"]) == ("talking", "1001", "general", "0")
    assert "ended" not in call
    seat = await hash_of(client, "cti:n1:seat:demo/1001")
    assert (seat["state"], seat["call"], seat["queues"]) == ("busy", CALL, "general")
    queue = await hash_of(client, "cti:n1:queue:demo/general")
    assert (queue["talking"], queue["waiting"]) == ("1", "0")
    await ended(running)


async def test_the_last_value_wins_and_a_forgotten_call_is_gone(client: Redis) -> None:
    picture = LivePicture(client, list)
    running = asyncio.create_task(picture.run())
    await picture.settled()
    other = replace(TALK, id=CallId("demo-n1-2.1"))
    for state in (CallState.GREETED, CallState.WAITING, CallState.ENDED):
        picture.note([replace(TALK, state=state), other])
    picture.forget([other.id])
    await picture.settled()
    assert (await hash_of(client, f"cti:n1:call:{CALL}"))["state"] == "ended"
    assert await names(client, "calls") == {CALL}
    assert await hash_of(client, f"cti:n1:call:{other.id}") == {}
    await ended(running)


async def test_what_a_former_life_left_is_dropped_at_start(client: Redis) -> None:
    former = LivePicture(client, lambda: [replace(TALK, id=CallId("demo-n1-0.1"))])
    running = asyncio.create_task(former.run())
    await former.settled()
    picture = LivePicture(client, lambda: EVERYTHING)
    now = asyncio.create_task(picture.run())
    await picture.settled()
    assert await names(client, "calls") == {CALL}
    assert await hash_of(client, "cti:n1:call:demo-n1-0.1") == {}
    await ended(running)
    await ended(now)


async def test_too_many_changes_become_one_writing_of_the_whole(client: Redis) -> None:
    picture = LivePicture(client, lambda: EVERYTHING, most_waiting=3)
    running = asyncio.create_task(picture.run())
    await picture.settled()
    picture.note([replace(TALK, id=CallId(f"demo-n1-{n}.9")) for n in range(50)])
    await picture.settled()
    assert await names(client, "calls") == {CALL}
    await ended(running)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("trouble", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_redis_that_dies_or_freezes_is_seen_and_gets_the_whole_picture_when_it_is_back(
    trouble: signal.Signals,
) -> None:
    with servers.redis() as server:
        client = connect(server.url)
        now = list(EVERYTHING)
        picture = LivePicture(client, lambda: now, retry_seconds=0.05)
        running = asyncio.create_task(picture.run())
        await picture.settled()
        assert is_ok(picture)
        server.tell(trouble)
        picture.note([replace(TALK, state=CallState.MOVING)])
        now[0] = replace(TALK, state=CallState.ENDED)
        async with asyncio.timeout(20):
            while picture.status == "ok":  # noqa: ASYNC110  # looked at from outside, as /healthz does
                await asyncio.sleep(0.01)
        assert not is_ok(picture)
        if trouble is signal.SIGKILL:
            server.kill()
            server.start()
        else:
            server.tell(signal.SIGCONT)
        await picture.settled()
        look = connect(server.url)
        assert (await hash_of(look, f"cti:n1:call:{CALL}"))["state"] == "ended"
        await look.aclose()
        await ended(running)


async def test_a_picture_that_ends_does_so_though_the_client_swallows_the_cancellation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As wait_for() of Python 3.11 does when its answer comes in the same instant."""
    picture = LivePicture(connect(None), lambda: EVERYTHING)
    writing = asyncio.Event()

    async def swallows() -> None:
        writing.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    monkeypatch.setattr(picture, "_write", swallows)
    running = asyncio.create_task(picture.run())
    await writing.wait()
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=30)
    assert done == {running}
