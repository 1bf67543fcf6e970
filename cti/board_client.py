"""The live board as a client has it: a snapshot and the changes laid over it (docs/socket.md)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from cti.errors import NotNow, Refused
from cti.home import Home

SECONDS = 5.0
LARGEST = 64 * 1024 * 1024
"""Bytes of one message: a snapshot of a large city has some hundred thousand."""
SIGNS = 200
"""Hand-off records, flags, alarms and prompts a client keeps: nothing takes them back."""
TOLD_TO_ALL = (
    "calls", "seats", "queues", "figures", "shortfalls", "watches", "announcements", "transfers", "handoffs",
)  # fmt: skip
SILENT = 45.0
"""A service that says nothing for so long, not even a ping's answer, is away."""


@dataclass(slots=True)
class Shown:
    """Rows by their own keys, as the service told them last."""

    seq: int = -1
    at: float = 0.0
    link: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    seats: dict[str, dict[str, Any]] = field(default_factory=dict)
    queues: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    shortfalls: dict[str, dict[str, Any]] = field(default_factory=dict)
    watches: dict[str, dict[str, Any]] = field(default_factory=dict)
    announcements: dict[str, dict[str, Any]] = field(default_factory=dict)
    transfers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Calls that talk to an agent or are being transferred, with the agent's buttons."""
    handoffs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Hand-off records: those of the last hour, and what changed since."""
    flags: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Supervisors only: red flags by call and kind."""
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Supervisors only: recordings that are missing or short, seats paused for not answering."""
    prompts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Agents only: flags of the call at their own seat."""

    def take(self, told: dict[str, Any]) -> bool:
        """One message. False: a change is missing, ask for a snapshot."""
        match told.get("kind"):
            case "snapshot":
                self._snapshot(told)
            case "prompt":
                row = told["row"]
                _newest(self.prompts, f"{row['call']} {row['flag']}", row)
            case "changes":
                if told["seq"] <= self.seq:
                    return True
                if told["seq"] != self.seq + 1:
                    return False
                self.seq, self.at = told["seq"], told["at"]
                for row in told["changes"]:
                    self._change(row)
        return True

    def _snapshot(self, told: dict[str, Any]) -> None:
        fresh = Shown(seq=told["seq"], at=told["at"], link=told["link"])
        for name in (*TOLD_TO_ALL, "flags", "alarms"):
            setattr(self, name, getattr(fresh, name))
        self.seq, self.at, self.link = fresh.seq, fresh.at, fresh.link
        for kind, rows in (("call", told["calls"]), ("seat", told["seats"]), ("watch", told["watches"])):
            for row in rows:
                self._change({"kind": kind, **row})
        for kind in ("transfer", "handoff", "flag", "alarm"):
            for row in told.get(f"{kind}s", ()):
                self._change({"kind": kind, **row})
        for row in (*told["boards"], *({"kind": "announcement", **a} for a in told["announcements"])):
            self._change(row)

    def _change(self, row: dict[str, Any]) -> None:
        match row["kind"]:
            case "call":
                self.calls[row["call"]] = row
                if row["ended"] is not None:
                    del self.calls[row["call"]]
            case "seat":
                self.seats[f"{row['city']}-{row['seat']}"] = row
            case "queue":
                self.queues[f"{row['city']}-{row['queue']}"] = row
            case "figure":
                self.figures[row["city"]] = row
            case "shortfall":
                self.shortfalls[f"{row['city']}-{row['queue']}"] = row
            case "watch":
                _put(self.watches, row["leg"], row)
            case "transfer":
                _put(self.transfers, row["call"], row)
            case "handoff":
                _newest(self.handoffs, row["id"], row)
            case "flag":
                _newest(self.flags, f"{row['call']} {row['flag']}", row)
            case "alarm":
                key = " ".join(str(row[name]) for name in ("city", "leg", "seat", "why"))
                _newest(self.alarms, key, row)
                if row.get("over"):
                    del self.alarms[key]
            case "announcement":
                _put(self.announcements, f"{row['city']}-{row['line']}", row)
            case "link":
                self.link = row
            case "gone" if "call" in row:
                self.calls.pop(row["call"], None)
            case "gone":
                rows = {"queue": self.queues, "shortfall": self.shortfalls, "figure": self.figures}
                key = f"{row['city']}-{row['queue']}" if row.get("queue") else row["city"]
                rows[row["board"]].pop(key, None)


def _newest(rows: dict[str, dict[str, Any]], key: str, row: dict[str, Any]) -> None:
    rows[key] = row
    while len(rows) > SIGNS:
        del rows[next(iter(rows))]


def _put(rows: dict[str, dict[str, Any]], key: str, row: dict[str, Any]) -> None:
    if row.get("over"):
        rows.pop(key, None)
    else:
        rows[key] = row


async def follow(home: Home, role: str = "observer") -> AsyncIterator[Shown]:
    """The board after each message. Raises NotNow when the service is away or goes, Refused by it."""
    try:
        token = json.loads(home.tokens_file.read_text())[role]
    except (OSError, ValueError, KeyError):
        raise NotNow(f"no {home.tokens_file}: is the hotline up? cti up") from None
    url = f"http://127.0.0.1:{home.ports.api}/api/socket"
    shown = Shown()
    timeout = aiohttp.ClientTimeout(total=None, connect=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers={"Authorization": f"Bearer {token}"}) as session,
            await asyncio.wait_for(
                session.ws_connect(url, heartbeat=SILENT / 2, max_msg_size=LARGEST), SECONDS
            ) as ws,
        ):
            async for message in ws:
                if message.type is aiohttp.WSMsgType.TEXT:
                    if not shown.take(json.loads(message.data)):
                        await ws.send_str('{"ask":"snapshot"}')
                        continue
                    yield shown
            if ws.close_code in (4401, 4408):
                raise Refused("the token is not valid any more")
    except aiohttp.WSServerHandshakeError as why:
        raise NotNow(f"port {home.ports.api} answers {why.status}: somebody else's service?") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as why:
        raise NotNow(f"no service answers on port {home.ports.api}: {type(why).__name__}") from None
    raise NotNow("the service went away")
