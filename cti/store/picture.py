"""The live picture in Redis, for whoever wants to look without asking us. Rebuildable, so allowed to lose.

Keys, all with the same prefix: ``cti:n1:call:<id>``, ``cti:n1:seat:<city>/<seat>``,
``cti:n1:queue:<city>/<queue>`` are hashes; the sets ``cti:n1:calls``, ``…:seats``, ``…:queues`` name
them. Changes are collected (the last value of a key wins) and written in pipelines by one task; the
switchboard never waits for Redis. After any failure the whole picture is written anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from calls.codec import to_dict
from calls.facts import CallId
from calls.model import Call, Seat
from queues.now import QueueNow

log = structlog.get_logger(__name__)

Hash = Mapping[str, str]
Value = Call | Seat | QueueNow
Place = tuple[str, str]
"""(calls | seats | queues, name)."""


def connect(url: str | None) -> Redis:
    """A client for ``redis://`` or ``unix://``; None: an in-process one, seen by this process only."""
    if url is None:
        fake: Redis = FakeAsyncRedis(decode_responses=True)
        return fake
    # RESP3 with a closed idle connection fails in redis-py 8.1.0
    client: Redis = Redis.from_url(
        url, protocol=2, decode_responses=True, socket_timeout=2.0, socket_connect_timeout=2.0
    )
    return client


def call_place(call: CallId) -> Place:
    return ("calls", call)


def place_of(value: Value) -> Place:
    match value:
        case Call():
            return call_place(value.id)
        case Seat():
            return ("seats", f"{value.city}/{value.name}")
        case QueueNow():
            return ("queues", f"{value.city}/{value.name}")


class LivePicture:
    """``note`` and ``forget`` at any time; ``run`` writes until it is cancelled."""

    def __init__(
        self,
        client: Redis,
        whole: Callable[[], Iterable[Call | Seat]],
        queues: Callable[[], Iterable[QueueNow]] = tuple,
        *,
        node: str = "n1",
        batch: int = 10,
        most_waiting: int = 5000,
        retry_seconds: float = 1.0,
        pause_seconds: float = 0.2,
    ) -> None:
        """``whole`` gives all there is, for a first write and after a failure; ``queues`` are counted anew
        once per writing, however many calls and seats changed. ``pause_seconds`` after each writing let
        the changes of a busy moment become one; ``batch`` keeps one turn of the loop short."""
        self.ok = False
        self.status = "starting"
        """``ok``, or why Redis does not follow."""
        self._client = client
        self._whole = whole
        self._queues = queues
        self._prefix = f"cti:{node}"
        self._batch = batch
        self._most = most_waiting
        self._retry = retry_seconds
        self._pause = pause_seconds
        self._dirty: dict[Place, Value | None] = {}
        self._anew = True
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()

    def note(self, values: Iterable[Call | Seat]) -> None:
        """These values are the last ones."""
        for value in values:
            self._put(place_of(value), value)

    def forget(self, calls: Iterable[CallId]) -> None:
        for call in calls:
            self._put(call_place(call), None)

    async def settled(self) -> None:
        """Wait until Redis has everything noted so far."""
        await self._settled.wait()

    async def run(self) -> None:
        try:
            mine = asyncio.current_task()
            # wait_for() of Python 3.11, which the client uses, may answer where it should be cancelled
            while mine is None or not mine.cancelling():
                await self._wake_or_anew()
                try:
                    await self._write()
                except (RedisError, OSError, TimeoutError) as why:
                    if self.ok or self.status == "starting":
                        log.warning("redis does not follow", why=str(why))
                    self.ok, self.status = False, str(why) or type(why).__name__
                    self._anew = True
                    self._dirty.clear()
                    await asyncio.sleep(self._retry)
                    continue
                await self._rest()
        finally:
            await self._client.aclose()

    def _put(self, place: Place, value: Value | None) -> None:
        if self._anew:
            self._settled.clear()
            return  # the whole picture is written anyway
        if place not in self._dirty and len(self._dirty) >= self._most:
            self._anew = True
            self._dirty.clear()
        else:
            self._dirty[place] = value
        self._settled.clear()
        self._wake.set()

    async def _rest(self) -> None:
        if not self._dirty and not self._anew:
            self._settled.set()
        await asyncio.sleep(self._pause)

    async def _wake_or_anew(self) -> None:
        if not self._dirty and not self._anew:
            self._settled.set()
            await self._wake.wait()
        self._wake.clear()

    async def _write(self) -> None:
        if self._anew:
            await self._clear()
            self._anew = False
            # what is noted while this is written comes after it
            self._dirty = {place_of(value): value for value in self._whole()}
        for queue in self._queues():
            self._dirty[place_of(queue)] = queue
        while self._dirty:
            some = dict(list(self._dirty.items())[: self._batch])
            for place in some:
                del self._dirty[place]
            async with self._client.pipeline(transaction=False) as pipe:
                for (kind, name), value in some.items():
                    key = self._key(kind, name)
                    # a field that is gone must not stay
                    pipe.delete(key)
                    if value is None:
                        pipe.srem(f"{self._prefix}:{kind}", name)
                    else:
                        fields: dict[Any, Any] = dict(_hash(value))
                        pipe.hset(key, mapping=fields)
                        pipe.sadd(f"{self._prefix}:{kind}", name)
                await pipe.execute()
            # an in-process Redis answers without ever giving the loop its turn
            await asyncio.sleep(0)
        if not self.ok:
            log.info("redis follows")
        self.ok, self.status = True, "ok"

    async def _clear(self) -> None:
        """Drop what a former life left, found through the sets that name it."""
        for kind in ("calls", "seats", "queues"):
            names: Any = await self._members(kind)
            async with self._client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.delete(self._key(kind, name))
                pipe.delete(f"{self._prefix}:{kind}")
                await pipe.execute()

    async def _members(self, kind: str) -> Any:
        answer: Any = self._client.smembers(f"{self._prefix}:{kind}")
        return await answer

    def _key(self, kind: str, name: str) -> str:
        return f"{self._prefix}:{kind.removesuffix('s')}:{name}"


def _hash(value: Value) -> Hash:
    """Redis knows text only: None is absent, truth is 0 or 1."""
    return {k: _text(v) for k, v in to_dict(value).items() if v is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list):
        return ",".join(str(v) for v in value)
    return str(value)
