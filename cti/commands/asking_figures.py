"""Where the commands about figures and duties read: the service while it lives, else the database."""

from __future__ import annotations

import asyncio
import http.client
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from cti.commands.asking import SECONDS, Told, from_disk, served
from cti.errors import NotNow, Refused
from cti.home import Home
from cti.settings import database_url
from cti.settings import read as read_settings
from cti.store.history import History
from cti.web.ledger import LedgerAnswer, LedgerQuestion, TooMany, ledger_answer
from cti.web.staffing import DutiesQuestion, duty_answer
from queues.duties import Duty
from queues.ledger import Rows

if TYPE_CHECKING:
    from cti.kept import Kept

REFILL_SECONDS = 120.0


def ledger(home: Home, since: float, until: float, by: str, minutes: int, city: str | None) -> dict[str, Any]:
    """The ledger's answer: the service's, else counted here from the database. Raises NotNow, Refused."""
    asked = {"from": since, "to": until, "by": by, "minutes": minutes} | ({"city": city} if city else {})
    told = served(home, f"/api/ledger?{urlencode(asked)}", full=False)
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
    rows = served(home, f"/api/duties?{urlencode(asked)}", full=full)
    if rows is not None:
        return Told(rows, "service")
    kept, until = from_disk(home)
    question = DutiesQuestion.model_validate(asked)
    found = asyncio.run(_duties(home, kept, question))
    return Told([duty_answer(d, full=full).model_dump(mode="json") for d in found], "journal", until)


async def _duties(home: Home, kept: Kept, asked: DutiesQuestion) -> list[Duty]:
    history = History(database_url(read_settings(home), home))
    try:
        found = await kept.duties(asked.begins(time.time()), asked.city, history, older=asked.older)
    finally:
        await history.close()
    return [duty for duty in found if asked.wants(duty)]


def settle(home: Home, call: str, kind: str, reason: str) -> str:
    """Settle a duty by hand; the id of its row in the audit trail. Raises NotNow, Refused."""
    path = f"/api/duties/{kind}/{quote(call, safe='')}/settle"
    told = served(home, path, full=True, body={"reason": reason})
    if told is None:
        raise NotNow(f"no service answers on port {home.ports.api}; start it: cti up")
    return str(told["audit"])


def leave(home: Home, text: str, city: str | None) -> str:
    """Write a note for the next shift; its id. Raises NotNow, Refused."""
    told = served(home, "/api/duties/note", full=True, body={"text": text, "city": city or ""})
    if told is None:
        raise NotNow(f"no service answers on port {home.ports.api}; start it: cti up")
    return str(told["note"])


def refill(home: Home, since: float, until: float) -> int:
    """Have the service put right what nobody heard. Raises NotNow, Refused."""
    told = served(
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
