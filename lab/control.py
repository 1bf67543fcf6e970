"""The lab's door for commands of other processes: line JSON on loopback, port N+44.

First line ``{"secret": …}``; then requests ``{"id": 1, "do": "dial", …}`` answered by ``{"id": 1, "ok": …}``
or ``{"id": 1, "error": "…"}``. After ``watch`` every line of the phones' log comes as ``{"line": …}``.
When a connection ends, the calls it made are hung up and the phones it took over behave as before:
a killed ``cti lab call`` leaves no citizen behind.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lab.behaviour import Behaviour, Does
from lab.exchange import Exchange, Unknown
from lab.leg import Leg
from lab.switch import Order
from lab.wav import BadAudio, for_phones
from lab.wire import WireDown, WireRefused

log = logging.getLogger("lab")
OUTBOX = 10_000
"""Lines a watcher may be behind before it is cut off."""


class Door:
    """Serves the control port of one exchange."""

    def __init__(self, exchange: Exchange, secret: str) -> None:
        self.exchange = exchange
        self.secret = secret
        self._open: set[asyncio.StreamWriter] = set()

    async def run(self, port: int) -> None:
        """Listen until cancelled."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=1 << 20)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            # serve_forever() would wait, from Python 3.12 on, until the last visitor has gone
            for writer in tuple(self._open):
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitor = Visitor(self, writer)
        self._open.add(writer)
        try:
            first = json.loads(await asyncio.wait_for(reader.readline(), 5) or b"{}")
            if not hmac.compare_digest(str(first.get("secret", "")), self.secret):
                visitor.send({"error": "wrong secret"})
                return
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(visitor.deliver())
                while line := await reader.readline():
                    request = json.loads(line)
                    if request.get("do") == "press":
                        # a tone lasts: several phones may key at once
                        group.create_task(visitor.serve(request))
                    else:
                        await visitor.serve(request)
                sending.cancel()
        except* (ConnectionError, ValueError, TimeoutError):
            pass
        finally:
            self._open.discard(writer)
            await visitor.leave()
            writer.close()


class Visitor:
    """One connected command."""

    def __init__(self, door: Door, writer: asyncio.StreamWriter) -> None:
        self._door = door
        self._exchange = door.exchange
        self._writer = writer
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue(OUTBOX)
        self._undo: dict[str, Callable[[], Awaitable[None]]] = {}
        self._told: dict[str, Behaviour] = {}
        """How we told each phone to behave."""

    def send(self, message: dict[str, Any]) -> None:
        self._writer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")

    async def deliver(self) -> None:
        """Send what is in the outbox; ends the connection of one who does not read."""
        while True:
            self.send(await self._outbox.get())
            await self._writer.drain()

    def _watched(self, line: dict[str, Any]) -> None:
        try:
            self._outbox.put_nowait({"line": line})
        except asyncio.QueueFull:
            self._writer.close()

    async def serve(self, request: dict[str, Any]) -> None:
        number = request.pop("id", 0)
        try:
            do = _ORDERS.get(str(request.pop("do", "")))
            if do is None:
                raise Unknown("no such order")
            answer = {"id": number, "ok": await do(self, **request)}
        except (Unknown, BadAudio, WireDown, WireRefused, TypeError, ValueError) as why:
            answer = {"id": number, "error": str(why), "kind": type(why).__name__}
        await self._outbox.put(answer)

    async def leave(self) -> None:
        """Undo what this connection began, last thing first."""
        if self._watched in self._exchange.watchers:
            self._exchange.watchers.remove(self._watched)
        for undo in reversed(list(self._undo.values())):
            try:
                await undo()
            except (WireDown, WireRefused, Unknown) as why:
                log.info("not undone: %s", why)

    # --- orders ----------------------------------------------------------------------------------

    async def watch(self) -> None:
        if self._watched not in self._exchange.watchers:
            self._exchange.watchers.append(self._watched)

    async def catch_up(self) -> None:
        """What Asterisk had told when it was asked is in the log, and on its way to whoever watches."""
        await self._exchange.wire.ask("Ping")

    async def status(self) -> dict[str, Any]:
        site = self._exchange.site
        return {
            "phones": {s.name: self._exchange.registered.get(s.name, False) for s in site.seats},
            "carriers": [[c.city, c.trunk, c.source] for c in site.carriers],
            "numbers": [list(pair) for pair in site.numbers],
            "missed": sorted(self._exchange.missed),
            "house": bool(self._exchange.house_there),
            "legs": len(self._exchange.legs),
            "heard": str(site.heard),
        }

    async def dial(self, number: str, say: str = "", keep: bool = False, **more: Any) -> dict[str, Any]:
        audio = await self._audio(say)
        leg = await self._exchange.dial(Order(number=number, say=audio, **more))
        if not keep:
            self._undo[leg.id] = lambda: self._over(leg)
        return {"leg": leg.id, "city": leg.city, "heard": str(self._exchange.site.heard / f"{leg.id}.wav")}

    async def _over(self, leg: Leg) -> None:
        if leg.ended is None:
            await self._exchange.hang_up(leg)

    async def say(self, leg: str, audio: str) -> None:
        found = await self._audio(audio)
        if found is not None:
            await self._exchange.say(self._exchange.leg(leg), found)

    async def press(self, leg: str, keys: str) -> None:
        await self._exchange.press(self._exchange.leg(leg), keys)

    async def hold(self, leg: str) -> None:
        await self._exchange.hold(self._exchange.leg(leg))

    async def resume(self, leg: str) -> None:
        await self._exchange.resume(self._exchange.leg(leg))

    async def pick_up(self, leg: str, say: str = "", talk: float | None = None) -> None:
        await self._exchange.pick_up(self._exchange.leg(leg), await self._audio(say), talk)

    async def reject(self, leg: str, busy: bool = False) -> None:
        await self._exchange.reject(self._exchange.leg(leg), busy=busy)

    async def hang_up(self, leg: str) -> None:
        await self._exchange.hang_up(self._exchange.leg(leg))

    async def behave(self, phone: str, does: str, say: str = "", **more: Any) -> None:
        """Until this connection ends."""
        self._must_know(phone)
        behaviour = Behaviour(does=Does(does), say=await self._audio(say), **more)
        before = self._exchange.behaviours.get(phone)
        self._told[phone] = behaviour
        self._undo.setdefault("phone " + phone, lambda: self._as_before(phone, before))
        await self._exchange.behave(phone, behaviour)

    async def _as_before(self, phone: str, before: Behaviour | None) -> None:
        # undoing takes a while, and the next visitor may have told this phone something since
        if self._exchange.behaviours.get(phone) is self._told.get(phone):
            await self._exchange.behave(phone, before)

    async def usual(self, phone: str) -> None:
        """Back to what phones do when nobody told them."""
        self._must_know(phone)
        self._undo.pop("phone " + phone, None)
        await self._exchange.behave(phone, None)

    async def unregister(self, phone: str) -> None:
        self._must_know(phone)
        self._undo["net " + phone] = lambda: self._exchange.register(phone)
        await self._exchange.unregister(phone)

    async def register(self, phone: str, anew: bool = False) -> None:
        self._must_know(phone)
        self._undo.pop("net " + phone, None)
        await self._exchange.register(phone, anew=anew)

    async def note(self, line: dict[str, Any]) -> None:
        """What a phone outside the lab's Asterisk saw (``lab.handset``): the log is to be complete."""
        self._exchange.note(line)

    def _must_know(self, phone: str) -> None:
        names = {s.name for s in self._exchange.site.seats}
        if phone not in names and not phone.lstrip("+").isdigit():
            raise Unknown(f"no phone {phone!r} (phones: {', '.join(sorted(names)) or 'none'})")

    async def _audio(self, path: str) -> Path | None:
        if not path:
            return None
        return await asyncio.to_thread(for_phones, Path(path), self._exchange.site.audio)


_ORDERS: dict[str, Callable[..., Awaitable[Any]]] = {
    name: getattr(Visitor, name)
    for name in (
        *("watch", "catch_up", "status", "dial", "say", "press", "hold", "resume", "pick_up", "reject"),
        *("hang_up", "behave", "usual", "unregister", "register", "note"),
    )
}
