"""Where the showing commands read: the service while it lives, else the journal on disk."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from calls.facts import CallId
from calls.model import Call
from cti.errors import NotNow, Refused
from cti.home import Home
from cti.kept import Kept, last_board
from cti.settings import database_url
from cti.settings import read as read_settings
from cti.store.history import History, Past, sqlite_url
from cti.store.journal import Reader, segments
from cti.switchboard import Switchboard
from cti.web import api
from cti.web.ledger import LedgerAnswer, LedgerQuestion, TooMany, ledger_answer
from cti.web.staffing import DutiesQuestion, duty_answer
from queues.duties import Duty
from queues.ledger import Rows

SECONDS = 3.0
REFILL_SECONDS = 120.0


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
    rows = _served(home, path, full=full)
    if rows is not None:
        return Told(rows, "service")
    kept, until = _from_disk(home)
    found = list(kept.live_calls())
    if past:
        found = asyncio.run(_past(home, past))
    return Told([api.call_answer(c, full=full).model_dump(mode="json") for c in found], "journal", until)


def seats(home: Home) -> Told:
    rows = _served(home, "/api/seats", full=False)
    if rows is not None:
        return Told(rows, "service")
    kept, until = _from_disk(home)
    return Told([api.seat_answer(s).model_dump(mode="json") for s in kept.seats()], "journal", until)


def queues(home: Home) -> Told:
    rows = _served(home, "/api/queues", full=False)
    if rows is not None:
        return Told(rows, "service")
    kept, until = _from_disk(home)
    return Told([api.queue_answer(q).model_dump(mode="json") for q in kept.queues()], "journal", until)


def story(home: Home, call: str, *, full: bool) -> Told:
    """One call as prose. Raises Refused when there is no such call, or several."""
    path = f"/api/calls/{quote(call, safe='')}/story" + ("?full=true" if full else "")
    rows = _served(home, path, full=full)
    if rows is not None:
        return Told(rows, "service")
    kept, until = _from_disk(home)
    return Told(asyncio.run(_story(kept, call, full)), "journal", until)


def ledger(home: Home, since: float, until: float, by: str, minutes: int, city: str | None) -> dict[str, Any]:
    """The ledger's answer: the service's, else counted here from the database. Raises NotNow, Refused."""
    asked = {"from": since, "to": until, "by": by, "minutes": minutes} | ({"city": city} if city else {})
    told = _served(home, f"/api/ledger?{urlencode(asked)}", full=False)
    if told is not None:
        return dict(told)
    question = LedgerQuestion.model_validate({**asked, "city": city})
    try:
        return asyncio.run(_counted(home, question, since, until)).model_dump(mode="json")
    except TooMany as why:
        raise Refused(str(why)) from None


async def _counted(home: Home, asked: LedgerQuestion, since: float, until: float) -> LedgerAnswer:
    url = database_url(read_settings(home), home)
    if url.startswith("sqlite") and not home.database.exists():
        raise NotNow(f"no service answers on port {home.ports.api} and there is no {home.database}: cti up")
    history = History(url)
    try:
        span = await history.span(since, until, asked.city)
    finally:
        await history.close()
    return ledger_answer(asked, Rows(span.calls, span.visits, span.stints), since, until)


def duties(home: Home, since: float | None, city: str | None, *, settled: bool, full: bool) -> Told:
    """What a shift hands over: the service's answer, else found here from disk. Raises NotNow, Refused."""
    told = {"from": since, "city": city, "all": "true" if settled else None}
    asked = {key: value for key, value in told.items() if value is not None}
    rows = _served(home, f"/api/duties?{urlencode(asked)}", full=full)
    if rows is not None:
        return Told(rows, "service")
    kept, until = _from_disk(home)
    question = DutiesQuestion.model_validate(asked)
    found = asyncio.run(_duties(home, kept, question))
    return Told([duty_answer(d, full=full).model_dump(mode="json") for d in found], "journal", until)


async def _duties(home: Home, kept: Kept, asked: DutiesQuestion) -> list[Duty]:
    history = History(database_url(read_settings(home), home))
    try:
        found = await kept.duties(asked.begins(time.time()), asked.city, history)
    finally:
        await history.close()
    return [duty for duty in found if asked.wants(duty)]


def refill(home: Home, since: float, until: float) -> int:
    """Have the service put right what nobody heard. Raises NotNow, Refused."""
    told = _served(
        home, "/api/ledger/refill", full=True, body={"from": since, "to": until}, seconds=REFILL_SECONDS
    )
    if told is None:
        raise NotNow(f"no service answers on port {home.ports.api}; start it: cti up")
    return int(told["calls"])


def settled(home: Home, seconds: float) -> bool:
    """Wait until what the service has heard and refilled is in the database; at once when none lives."""
    end = time.monotonic() + seconds
    while (waiting := _waiting(home)) is not None:
        if not waiting:
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.2)  # a gauge tells nobody that it changed
    return True


def _waiting(home: Home) -> float | None:
    """What is not yet in the database; None when no service answers."""
    door = http.client.HTTPConnection("127.0.0.1", home.ports.api, timeout=SECONDS)
    try:
        door.request("GET", "/metrics")
        text = door.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        door.close()
    names = ("hotline_journal_behind_bytes ", "hotline_journal_waiting ", "hotline_refills_waiting ")
    return sum(float(line.split()[1]) for line in text.splitlines() if line.startswith(names))


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
    history = History(sqlite_url(home.database))
    try:
        return await history.calls(Past(most=most))
    finally:
        await history.close()


def _from_disk(home: Home) -> tuple[Kept, float | None]:
    if not segments(home.journal):
        raise NotNow(
            f"no service answers on port {home.ports.api} and {home.journal} holds no journal;"
            " start it: cti up"
        )
    reader = Reader(home.journal)
    board = last_board(reader)
    return Kept(Switchboard(board), reader), board.picture.stale_since


def _served(
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
