"""Recordings, what was said in them, and legal holds, as tables. Times are seconds since the epoch, UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text, true
from sqlalchemy.orm import Mapped, mapped_column

from cti.store.models import Base


class RecordingRow(Base):
    """One leg's file, or the fact that there is none."""

    __tablename__ = "recordings"
    __table_args__ = (
        Index("recordings_by_call", "call"),
        Index("recordings_by_city_began", "city", "began"),
        Index("recordings_by_state", "state", "ended"),
        Index("recordings_by_kept", "kept", "ended"),
        Index("recordings_by_short", "short", "ended"),
    )

    leg: Mapped[str] = mapped_column(primary_key=True)
    call: Mapped[str]
    city: Mapped[str]
    line: Mapped[str]
    seat: Mapped[str]
    role: Mapped[str]
    state: Mapped[str]
    why: Mapped[str]
    began: Mapped[float | None]
    ended: Mapped[float | None]
    seconds: Mapped[float]
    short: Mapped[float]
    pauses: Mapped[str] = mapped_column(Text)
    apart: Mapped[str] = mapped_column(Text, server_default="[]")
    file: Mapped[str] = mapped_column(String(512))
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    sealed: Mapped[bool]
    heard: Mapped[str]
    kept: Mapped[str] = mapped_column(server_default="disk")
    original: Mapped[str] = mapped_column(server_default="")


class SpanRow(Base):
    """One stretch of speech: ``start`` and ``end`` are seconds in the leg's file, ``at`` when it was said."""

    __tablename__ = "spans"
    __table_args__ = (Index("spans_by_call", "call"), Index("spans_by_city_at", "city", "at"))

    leg: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    call: Mapped[str]
    city: Mapped[str]
    at: Mapped[float]
    start: Mapped[float]
    end: Mapped[float]
    text: Mapped[str] = mapped_column(Text)
    sound: Mapped[str] = mapped_column(Text)
    """Its toneless syllables, each with a blank around it: found by sound when characters are misheard."""
    confidence: Mapped[float]
    words: Mapped[str] = mapped_column(Text)


class SpokenRow(Base):
    """All words of one leg without blanks, and all their syllables: what a search looks through."""

    __tablename__ = "spoken"

    leg: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    sound: Mapped[str] = mapped_column(Text)


class HoldRow(Base):
    """A call whose recordings nobody may delete."""

    __tablename__ = "holds"

    call: Mapped[str] = mapped_column(primary_key=True)
    who: Mapped[str]
    why: Mapped[str] = mapped_column(String(512))
    since: Mapped[float]


class TicketRow(Base):
    """A ticket, as a call made it."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index("tickets_by_call", "call"),
        Index("tickets_by_city_made", "city", "made"),
        Index("tickets_by_caller", "city", "caller", "made"),
        Index("tickets_by_complete", "complete", "made"),
    )

    number: Mapped[str] = mapped_column(primary_key=True)
    city: Mapped[str]
    call: Mapped[str]
    original: Mapped[str]
    caller: Mapped[str]
    line: Mapped[str]
    made: Mapped[float]
    by: Mapped[str]
    fields: Mapped[str] = mapped_column(Text)
    draft: Mapped[str] = mapped_column(Text)
    transcript: Mapped[str] = mapped_column(Text)
    complete: Mapped[bool] = mapped_column(server_default=true())
    """All of the talk is in ``transcript``; else it is put in as soon as it is known."""


class TypedRow(Base):
    """What an agent typed into a field of a call's draft, until the ticket is made. ``value`` is JSON."""

    __tablename__ = "typed"
    __table_args__ = (Index("typed_by_at", "at"),)

    call: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    at: Mapped[float]
