"""The switchboard: fact -> every room's step -> what changed -> whoever listens.

The only place rooms meet; dispatch only. ``hear`` is synchronous and never raises: a listener that
fails is logged and counted, and the next listener still hears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from calls import facts as f
from calls.facts import CallId, Fact
from calls.model import Call, Seat
from calls.picture import Picture, absorb
from calls.standing import Standing
from calls.standing import step as step_standing
from calls.step import step as step_calls
from calls.value import dataclass, field, replace
from queues import seat as seat_room
from queues import stint as stint_room
from queues import visit as visit_room
from queues.now import QueueNow, queues_now
from queues.seat import Seats
from queues.stint import Stint, Stints
from queues.visit import Visit, Visits
from recording import flagged as flags_room
from recording import table as recording_room
from recording.flagged import Flag, Flags
from recording.table import Recording, Recordings
from transfer import handoff as handoff_room
from transfer.handoff import Handoff, Moves
from transfer.merge import follow, merger

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the rooms know, as one value."""

    picture: Picture = field(default_factory=Picture)
    seats: Seats = field(default_factory=Seats)
    visits: Visits = field(default_factory=Visits)
    queues: frozenset[tuple[str, str]] = frozenset()
    """(city, queue) of every queue Asterisk told of."""
    stints: Stints = field(default_factory=Stints)
    standing: Standing = field(default_factory=Standing)
    recordings: Recordings = field(default_factory=Recordings)
    moves: Moves = field(default_factory=Moves)
    flags: Flags = field(default_factory=Flags)

    def queues_now(self) -> list[QueueNow]:
        return queues_now(self.picture.calls.values(), self.seats.seats.values(), self.queues)


@dataclass(frozen=True, slots=True)
class Heard:
    """One fact and all it changed."""

    fact: Fact
    call: CallId | None
    """The call the fact is about, also when it names a leg only."""
    board: Board
    calls: tuple[Call, ...] = ()
    forgotten: tuple[CallId, ...] = ()
    """Ended calls that left the picture."""
    seats: tuple[Seat, ...] = ()
    visits: tuple[Visit, ...] = ()
    stints: tuple[Stint, ...] = ()
    recordings: tuple[Recording, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    flags: tuple[Flag, ...] = ()


Listener = Callable[[Heard], None]


def fold(board: Board, fact: Fact) -> Board:
    """The board after one fact. Pure: the same facts give the same board."""
    picture = board.picture
    if isinstance(fact, f.AttendedTransferred) and (merged := merger(picture, fact)) is not None:
        picture = step_calls(picture, fact)
        touched = picture.touched
        picture = absorb(picture, merged.kept, merged.lost, fact.at)
        picture = replace(picture, touched=picture.touched | touched)
    else:
        fact = follow(picture, fact)
        picture = step_calls(picture, fact)
    queues = board.queues
    if isinstance(fact, f.Snapshot):
        queues = frozenset(fact.queues)
    seats = seat_room.step(board.seats, fact)

    def agent_at(city: str, seat: str) -> str:
        known = seats.seats.get((city, seat))
        return "" if known is None else known.agent

    def was_answered(call: CallId) -> bool:
        known = picture.calls.get(call)
        return known is not None and known.answered is not None

    return Board(
        picture=picture,
        seats=seats,
        visits=visit_room.step(board.visits, fact),
        queues=queues,
        stints=stint_room.step(board.stints, fact),
        standing=step_standing(board.standing, fact),
        recordings=recording_room.step(board.recordings, fact),
        moves=handoff_room.step(board.moves, fact, agent_at, was_answered),
        flags=flags_room.step(board.flags, fact),
    )


def replay(facts: Iterable[Fact], board: Board | None = None) -> Board:
    """The board a journal ends with."""
    board = board or Board()
    for fact in facts:
        board = fold(board, fact)
    return board


class Switchboard:
    """Holds the board and tells the listeners. One per process, called from one thread."""

    def __init__(self, board: Board | None = None) -> None:
        self.board = board or Board()
        self.facts_heard = 0
        self.listeners_failed = 0
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """The listener is called once per fact, in order, and must return at once."""
        self._listeners.append(listener)

    def hear(self, fact: Fact) -> None:
        before = self.board
        # a leg that ends is known only before, a leg that starts only after
        call = before.picture.call_of(fact)
        self.board = fold(before, fact)
        call = call or self.board.picture.call_of(fact)
        self.facts_heard += 1
        self._tell(before, fact, call)

    def plan_seats(self, city: str, names: tuple[str, ...], at: float) -> None:
        """Show a plan's seats before anybody signs in."""
        seats = seat_room.planned(self.board.seats, city, names, at)
        self.board = replace(self.board, seats=seats)

    def recall(self, record: Handoff) -> None:
        """A hand-off record of history is on the board again; nothing has happened to it."""
        self.board = replace(self.board, moves=handoff_room.recalled(self.board.moves, record))

    def _tell(self, before: Board, fact: Fact, call: CallId | None) -> None:
        board = self.board
        old, new, touched = before.picture.calls, board.picture.calls, board.picture.touched
        # looking through all calls for those that are gone is dear, and seldom finds any
        gone = len(old) + sum(c not in old for c in touched) - len(new)
        heard = Heard(
            fact=fact,
            call=call,
            board=board,
            calls=tuple(new[c] for c in sorted(touched)),
            forgotten=tuple(old.keys() - new.keys()) if gone else (),
            seats=tuple(board.seats.seats[k] for k in sorted(board.seats.touched)),
            visits=board.visits.touched,
            stints=board.stints.touched,
            recordings=board.recordings.touched,
            handoffs=board.moves.touched,
            flags=board.flags.touched,
        )
        for listener in self._listeners:
            try:
                listener(heard)
            except Exception as why:
                self.listeners_failed += 1
                log.exception("listener failed", fact=type(fact).__name__, call=call, why=repr(why))
