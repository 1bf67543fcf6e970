"""Where the showing commands read: the service while it lives, else the journal on disk."""

from __future__ import annotations

import asyncio
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from calls.facts import CallId
from calls.model import Call
from cti.errors import NotNow, Refused
from cti.home import Home
from cti.web import api

if TYPE_CHECKING:
    from cti.kept import Kept

SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and where it comes from."""

    rows: Any
    source: str
    """``service``, or ``journal``."""
    until: float | None = None
    """The last moment the journal knows of."""


def calls(home: Home, *, full: bool, past: int = 0) -> Told:
    """Calls in progress; with ``past`` the last so many of history. Raises NotNow when none can be read."""
    path = f"/api/history/calls?{urlencode({'limit': past})}" if past else "/api/calls"
    rows = served(home, path, full=full)
    if rows is not None:
        return Told(rows, "service")
    kept, until = from_disk(home)
    found = list(kept.live_calls())
    if past:
        found = asyncio.run(_past(home, past))
    return Told([api.call_answer(c, full=full).model_dump(mode="json") for c in found], "journal", until)


def seats(home: Home) -> Told:
    rows = served(home, "/api/seats", full=False)
    if rows is not None:
        return Told(rows, "service")
    kept, until = from_disk(home)
    return Told([api.seat_answer(s).model_dump(mode="json") for s in kept.seats()], "journal", until)


def queues(home: Home) -> Told:
    rows = served(home, "/api/queues", full=False)
    if rows is not None:
        return Told(rows, "service")
    kept, until = from_disk(home)
    return Told([api.queue_answer(q).model_dump(mode="json") for q in kept.queues()], "journal", until)


def story(home: Home, call: str, *, full: bool) -> Told:
    """One call as prose. Raises Refused when there is no such call, or several."""
    path = f"/api/calls/{quote(call, safe='')}/story" + ("?full=true" if full else "")
    rows = served(home, path, full=full)
    if rows is not None:
        return Told(rows, "service")
    kept, until = from_disk(home)
    return Told(asyncio.run(_story(kept, call, full)), "journal", until)


async def _story(kept: Kept, call: str, full: bool) -> dict[str, Any]:
    if call == "last":
        last = await kept.latest()
        if last is None:
            raise Refused("there has been no call yet")
        call = last
    else:
        found = await kept.beginning(call)
        if call not in found and len(found) > 1:
            raise Refused(f"{call!r} begins several calls: {', '.join(found[:5])}")
        call = call if call in found or not found else found[0]
    lines = await kept.story(CallId(call), full=full)
    if not lines:
        raise Refused(f"no story of a call {call!r} is kept")
    return api.story_answer(call, list(lines)).model_dump(mode="json")


async def _past(home: Home, most: int) -> list[Call]:
    from cti.store.history import History, Past, sqlite_url

    history = History(sqlite_url(home.database))
    try:
        return await history.calls(Past(most=most))
    finally:
        await history.close()


def from_disk(home: Home) -> tuple[Kept, float | None]:
    """The board as the journal leaves it, and its last moment. Raises NotNow when there is no journal."""
    # a living service answers without any of these, and they take longer than the answer
    from cti.kept import Kept, last_board
    from cti.store.journal import Reader, segments
    from cti.switchboard import Switchboard

    if not segments(home.journal):
        raise NotNow(
            f"no service answers on port {home.ports.api} and {home.journal} holds no journal;"
            " start it: cti up"
        )
    reader = Reader(home.journal)
    board = last_board(reader)
    return Kept(Switchboard(board), reader), board.picture.stale_since


def draft(home: Home, call: str) -> dict[str, Any] | None:
    """The fields of a call's draft as the service makes them, which knows the menu's key, earlier tickets of
    the caller and what the agent typed; None while no service has all the words of this call."""
    path = f"/api/calls/{quote(call, safe='')}"
    try:
        words, told = (served(home, f"{path}/{what}", full=True) for what in ("transcript", "draft"))
    except (NotNow, Refused):
        return None
    # where its recogniser found nothing, the recordings are listened to again
    return dict(told["fields"]) if words and told and told["complete"] and words["said"] else None


def served(
    home: Home, path: str, *, full: bool, body: dict[str, Any] | None = None, seconds: float = SECONDS
) -> Any:
    """The service's answer as plain JSON; None when no service answers."""
    try:
        tokens = json.loads(home.tokens_file.read_text())
        token = tokens["operator" if full else "observer"]
    except (OSError, ValueError, KeyError):
        return None
    door = http.client.HTTPConnection("127.0.0.1", home.ports.api, timeout=seconds)
    try:
        told_body = None if body is None else json.dumps(body)
        method = "GET" if body is None else "POST"
        door.request(method, path, body=told_body, headers={"Authorization": f"Bearer {token}"})
        answer = door.getresponse()
        told = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        door.close()
    if answer.status == 200:
        return told
    detail = told.get("detail", "") if isinstance(told, dict) else ""
    if answer.status == 401:
        return None  # somebody else's service on this port
    if answer.status == 503:
        raise NotNow(detail)
    raise Refused(detail)
