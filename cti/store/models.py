"""History as tables. One row per call, one row per visit to a queue, one cursor per journal.

Times are seconds since the epoch, UTC. ``city`` stands in every row that is about a city.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, Float, Index, Integer, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: String(128),
        float: Float(53),
        int: Integer,
        bool: Boolean,
    }


class CallRow(Base):
    """A call, exactly once: the journal may say it again and again, the id decides."""

    __tablename__ = "calls"
    __table_args__ = (
        Index("calls_by_city_arrived", "city", "arrived"),
        Index("calls_by_arrived", "arrived"),
        Index("calls_by_caller", "caller"),
        Index("calls_by_consult_of", "consult_of"),
        Index("calls_owed", "arrived", sqlite_where=text("owed = 1"), postgresql_where=text("owed")),
        Index(
            "calls_by_callback_of",
            "callback_of",
            sqlite_where=text("callback_of != ''"),
            postgresql_where=text("callback_of != ''"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    city: Mapped[str]
    line: Mapped[str]
    trunk: Mapped[str]
    caller: Mapped[str]
    called: Mapped[str]
    original: Mapped[str]
    leg: Mapped[str]
    state: Mapped[str]
    since: Mapped[float]
    arrived: Mapped[float]
    greeted: Mapped[float | None]
    queue: Mapped[str]
    joined: Mapped[float | None]
    seat: Mapped[str]
    answered: Mapped[float | None]
    first_seat: Mapped[str]
    ended: Mapped[float | None]
    left_by: Mapped[str | None]
    cause: Mapped[int]
    visits: Mapped[int]
    advice: Mapped[str]
    advised_by: Mapped[str]
    menu: Mapped[str] = mapped_column(server_default="")
    menu_key: Mapped[str] = mapped_column(server_default="")
    recording: Mapped[str] = mapped_column(String(512))
    owed: Mapped[bool]
    consult_of: Mapped[str | None]
    stage: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str] = mapped_column(server_default="heard")
    callback_of: Mapped[str] = mapped_column(server_default="")
    direction: Mapped[str] = mapped_column(server_default="in")
    seconds_to_answer: Mapped[float | None]
    """From entering the line to an agent's voice: what the 15 s rule counts (GB/T 33358-2016)."""
    seconds_in_all: Mapped[float | None]


class VisitRow(Base):
    """One caller's time in one queue."""

    __tablename__ = "visits"
    __table_args__ = (Index("visits_by_city_queue_joined", "city", "queue", "joined"),)

    call: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    city: Mapped[str]
    queue: Mapped[str]
    leg: Mapped[str]
    joined: Mapped[float]
    outcome: Mapped[str]
    left: Mapped[float | None]
    position: Mapped[int]
    seat: Mapped[str]
    waited: Mapped[float]
    rang: Mapped[float]
    talked: Mapped[float | None]
    declined: Mapped[int]
    key: Mapped[str]
    source: Mapped[str] = mapped_column(server_default="heard")


class StintRow(Base):
    """One seat's part in one call."""

    __tablename__ = "stints"
    __table_args__ = (
        Index("stints_by_call", "call"),
        Index("stints_by_city_seat_began", "city", "seat", "began"),
        Index("stints_by_began", "began"),
    )

    leg: Mapped[str] = mapped_column(primary_key=True)
    call: Mapped[str]
    city: Mapped[str]
    seat: Mapped[str]
    queue: Mapped[str]
    began: Mapped[float]
    part: Mapped[str]
    answered: Mapped[float | None]
    ended: Mapped[float | None]
    ring: Mapped[float]
    talk: Mapped[float]
    hold: Mapped[float]
    wrap_up: Mapped[float | None]
    source: Mapped[str] = mapped_column(server_default="heard")


class RefillRow(Base):
    """A time when nobody of ours was listening, put right from Asterisk's own files."""

    __tablename__ = "refills"

    node: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[float] = mapped_column(primary_key=True)
    since: Mapped[float]
    calls: Mapped[int]
    """How many calls were put right."""
    done: Mapped[float]


class AuditRow(Base):
    """An order somebody gave: written when it began, again with its outcome."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_at", "at"), Index("audit_by_city_at", "city", "at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float]
    city: Mapped[str]
    who: Mapped[str]
    role: Mapped[str]
    did: Mapped[str]
    on: Mapped[str]
    told: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str]
    why: Mapped[str] = mapped_column(String(512))
    ended: Mapped[float | None]


class HandoffRow(Base):
    """A caller brought to somebody else, or handed to us: the whole record as JSON, and what finds it."""

    __tablename__ = "handoffs"
    __table_args__ = (Index("handoffs_by_city_asked", "city", "asked"), Index("handoffs_by_call", "call"))

    id: Mapped[str] = mapped_column(primary_key=True)
    call: Mapped[str]
    city: Mapped[str]
    direction: Mapped[str]
    centre: Mapped[str]
    asked: Mapped[float]
    outcome: Mapped[str]
    changed: Mapped[float]
    row: Mapped[str] = mapped_column(Text)


class FlagRow(Base):
    """A red flag in what was said: once a call and kind."""

    __tablename__ = "flags"
    __table_args__ = (Index("flags_by_city_at", "city", "at"),)

    call: Mapped[str] = mapped_column(primary_key=True)
    flag: Mapped[str] = mapped_column(primary_key=True)
    city: Mapped[str]
    words: Mapped[str] = mapped_column(Text)
    leg: Mapped[str]
    second: Mapped[float]
    at: Mapped[float]


class NoteRow(Base):
    """What a shift wrote for the next one. That it is done the audit trail says."""

    __tablename__ = "notes"
    __table_args__ = (Index("notes_by_city_at", "city", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float]
    city: Mapped[str]
    who: Mapped[str]
    role: Mapped[str]
    text: Mapped[str] = mapped_column(Text)


class CursorRow(Base):
    """How far this database has read a journal; saved in the transaction of what was read."""

    __tablename__ = "cursors"

    journal: Mapped[str] = mapped_column(primary_key=True)
    segment: Mapped[int] = mapped_column(BigInteger)
    offset: Mapped[int] = mapped_column(BigInteger)
