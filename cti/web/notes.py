"""A note that the leaving shift writes for the next one: written here, read with the open duties."""

from __future__ import annotations

import time
import unicodedata
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, Field

from calls.audit import Audited
from calls.note import ShiftNote
from cti.web.answers import Answered, json_of, told
from cti.web.orders import DoneAnswer, NoSuch, SeatBody, SettleBody
from cti.web.trail import Trail, row_of
from cti.web.who import WHO, Role, Who

MOST = 2000
"""Characters of a note: a page."""
LONGEST_ID = 64


def _text(typed: str) -> str:
    text = typed.replace("\r\n", "\n").strip()
    if not text:
        raise ValueError("is empty: write what the next shift has to know")
    if len(text) > MOST:
        raise ValueError(f"at most {MOST} characters, this has {len(text)}: shorten it, or write two notes")
    # a terminal would do what control characters say
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
        raise ValueError("has control characters: write plain text")
    return text


class NoteBody(SeatBody):
    text: Annotated[
        str,
        AfterValidator(_text),
        Field(description=f"what the next shift has to know, at most {MOST} characters"),
    ]


class NotedAnswer(DoneAnswer):
    """The note is on disk; /api/duties has it as soon as the database does."""

    note: str = Field(description="its id")


class NoteDoor:
    """POST /api/duties/note, and its end."""

    def __init__(
        self,
        city: Callable[[str, Who], str],
        keep: Callable[[ShiftNote], Awaitable[None]],
        find: Callable[[str], Awaitable[ShiftNote | None]],
        note: Callable[[Audited], None],
    ) -> None:
        """``city``: the one that is meant, raises NoSuch; ``keep``: returns when it is on disk, raises
        NotNow; ``note`` writes a row of the audit trail."""
        self._city, self._keep, self._find = city, keep, find
        self._trail = Trail(note)

    def add(self, app: web.Application) -> None:
        app.router.add_post("/api/duties/note", self._write)
        app.router.add_post("/api/duties/note/{note}/settle", self._settle)

    async def _write(self, request: web.Request) -> web.Response:
        who = request[WHO]
        body = await told(request, NoteBody)
        city = self._named(body.city, who)
        id = f"{city}-note-{uuid.uuid4().hex[:16]}"
        # its text may hold a citizen's number, and the trail has none
        row = row_of(who, city, "note", id, {"characters": len(body.text)})
        self._allowed(row, who, Role.AGENT)
        written = ShiftNote(
            id=id, at=time.time(), city=city, who=who.name, role=who.role.value, text=body.text
        )
        with self._trail.order(row):
            await self._keep(written)
        return json_of(NotedAnswer(audit=row.id, note=id))

    async def _settle(self, request: web.Request) -> web.Response:
        who, id = request[WHO], request.match_info["note"]
        if len(id) > LONGEST_ID or not id.isprintable():
            raise Answered(400, "not a note", "note")
        body = await told(request, SettleBody)
        city = self._named(id.partition("-")[0], who)
        row = row_of(who, city, "settle-note", id, body.model_dump())
        self._allowed(row, who, Role.SUPERVISOR)
        try:
            with self._trail.order(row):
                if await self._find(id) is None:
                    raise NoSuch(f"no note {id!r}; GET /api/duties?kind=note tells which there are", "note")
        except NoSuch as why:
            raise Answered(404, str(why), why.field) from None
        return json_of(DoneAnswer(audit=row.id))

    def _named(self, city: str, who: Who) -> str:
        try:
            return self._city(city, who)
        except NoSuch as why:
            raise Answered(404, str(why), why.field) from None

    def _allowed(self, row: Audited, who: Who, least: Role) -> None:
        """Raises Answered, and leaves a row, when this person may not."""
        why = ""
        if not who.sees(row.city):
            why = f"you are signed in for {who.city}, this is {row.city}"
        elif not who.may(least):
            why = f"this needs the role {least}, you are {who.role}"
        if why:
            self._trail.denied(row, why)
            raise Answered(403, why)
