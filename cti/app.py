"""The service: builds its parts and owns the one TaskGroup."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import structlog

from calls.facts import CallBackMoved, CallId
from calls.model import SeatState
from cti import kept, plan_folder
from cti.asterisk.agi import Advice
from cti.asterisk.agi import Question as Asked
from cti.asterisk.link import Link
from cti.callbacks import CallBackKeeper
from cti.centres import Centres
from cti.desk_doors import DeskDoors
from cti.drafting import Drafting
from cti.errors import Broken, NotNow, Refused
from cti.handoffs import Handoffs
from cti.home import NODE, Home
from cti.live_board import LiveBoard
from cti.nudge import Nudger
from cti.plan_skills import Skills
from cti.proposals import Proposals
from cti.recording_parts import RecordingParts
from cti.recounting import Recounting
from cti.refill import Refiller, Silence
from cti.retention import OldNotes
from cti.settings import BadSettings, Settings, database_url, read
from cti.speech import where
from cti.spoken import SpokenMenus
from cti.staffing import Staffing
from cti.store.drain import Drain
from cti.store.duties import DutyStore
from cti.store.history import History, Past
from cti.store.journal import Journal, Limits, Reader
from cti.store.keeping import fact_of
from cti.store.picture import LivePicture, connect
from cti.store.tickets import TicketStore
from cti.switchboard import Board, Heard, Switchboard
from cti.web.flags import FlagDoor
from cti.web.metrics import Metrics
from cti.web.recordings import Recordings
from cti.web.roster import RosterDoor
from cti.web.server import Web
from cti.web.socket import Socket
from cti.web.tickets import Tickets
from cti.web.transfer import Rights, TransferDoor
from cti.web.truth import TruthDoor
from cti.web.who import Role, Who
from ivr.advice import Known, Question, where_next
from plan.model import Plan
from plan.outgoing import hides
from plan.recordings import for_operators
from queues.wrap_up import overdue

log = structlog.get_logger("app")

BACKOFF = (0.2, 0.5, 1.0, 2.0, 5.0)
STEADY = 60.0
LOOK_AT_PLANS = 1.0
LOOK_AT_WRAP_UPS = 2.0
SWITCH_SECONDS = 0.0005
"""The loop waits for the interpreter's lock at most about so long while a thread (journal, history)
computes. Python's own 5 ms, several times in one question, would be heard by a caller."""


class Plans:
    """The plans in force, read again when a link moves. A plan that cannot be read leaves the old one."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._links: dict[str, Path | None] = {}
        self.by_city: dict[str, Plan] = {}

    def look(self) -> bool:
        """True when something changed."""
        told = self._home.state().get("cities")
        cities = tuple(told) if isinstance(told, list) and told else self._home.cities()
        links = {city: plan_folder.in_force(self._home, city) for city in cities}
        if links == self._links or (self.by_city and not any(links.values())):
            # no plan left is no plan of an operator's: the home was deleted
            return False
        self._links = links
        plans = {}
        for city in cities:
            try:
                plans[city] = plan_folder.load(self._home.plan(city))
            except (plan_folder.BadPlan, OSError) as why:
                log.error("plan not read, the one before stays", city=city, why=str(why))
                if city in self.by_city:
                    plans[city] = self.by_city[city]
        self.by_city = plans
        return True


class Service:
    """All parts of the service, wired. ``run`` ends by cancellation."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self.home = home
        self.plans = Plans(home)
        self.plans.look()
        ports = home.ports
        reader = Reader(home.journal)
        # the board at the journal's end: what was open when the last service died
        self.switchboard = Switchboard(kept.last_board(reader))
        limits = Limits(
            sync_seconds=settings.journal_fsync_ms / 1000, keep_seconds=settings.journal_keep_days * 86400.0
        )
        self.journal = Journal(
            home.journal, limits, checkpoint=kept.checkpoint(self._board, lambda: self.refiller.silences)
        )
        self.history = History(database_url(settings, home))
        self.drain = Drain(self.journal, self.history)
        self.refiller = Refiller(
            NODE, (home.queue_log, home.cdr), self.history, self.journal, self.drain, self._board,
            self.switchboard.hear, self.switchboard.recall,
        )  # fmt: skip
        self.refiller.remember(reader)
        self.live = LivePicture(
            connect(settings.redis or None),
            kept.everything(self._board),
            lambda: self._board().queues_now(),
            node=NODE,
            # in our own process nobody else looks
            pause_seconds=0.2 if settings.redis else 10.0,
        )
        self.staffing = Staffing(lambda: self.plans.by_city, self._board)
        self.metrics = Metrics(
            [
                *kept.gauges(self.journal, self.drain, self._board, lambda: self.refiller.waiting),
                ("hotline_seats_short", "People missing at their seats for the target", self.staffing.short),
                ("hotline_sockets", "Live boards open", lambda: float(self.live_board.hub.clients)),
                (
                    "hotline_socket_gaps",
                    "Times a slow board missed changes",
                    lambda: float(self.live_board.hub.gaps),
                ),
            ],
            lambda: self._board().picture.live(),
        )
        self.switchboard.listen(kept.journal_ear(self.journal))
        self.switchboard.listen(kept.picture_ear(self.live))
        self.switchboard.listen(self.refiller.hear)
        self.switchboard.listen(self._count)
        self.live_board = LiveBoard(
            self._board,
            self.staffing.shortfalls,
            self.history,
            lambda: self.plans.by_city,
            lambda: self.recordings.filer.alarms,
        )
        self.switchboard.listen(self.live_board.hear)
        self.link = Link(
            ("127.0.0.1", ports.ami), "service", home.secrets["ami_service"], NODE, self.switchboard.hear
        )
        self.nudger = Nudger(self._board, self.link.do)
        self.switchboard.listen(self.nudger.hear)
        self.recordings = RecordingParts(
            home, settings, self.history, self.switchboard, lambda: self.plans.by_city, self.link.do,
            lambda row: self.desk.note(row),
        )  # fmt: skip
        self.recordings.filer.alarmed = self.live_board.alarmed
        self.metrics.look(self.recordings.gauges())
        self.spoken = SpokenMenus(
            ("127.0.0.1", ports.audio),
            lambda: self.plans.by_city,
            lambda: where.model(settings.speech_model, home.models),
            most=settings.speech_legs if settings.speech else 0,
        )
        self.metrics.look(self.spoken.gauges())
        self.switchboard.listen(self.spoken.hear)
        self.skills = Skills(self.link.do)
        promised = (fact for record in reader.recent(2) if (fact := fact_of(record)) is not None)
        self.call_backs = CallBackKeeper(
            self.link.do,
            lambda: self.link.up,
            (fact for fact in promised if isinstance(fact, CallBackMoved)),
        )
        self.switchboard.listen(self.call_backs.hear)
        self.advice = Advice(("127.0.0.1", ports.agi), self._where_next, self.spoken.scripts)
        reading = kept.Kept(
            self.switchboard,
            reader,
            history=self.history,
            journal=self.journal,
            drain=self.drain,
            live=self.live,
            refiller=lambda since, until: self.refiller.put_right(Silence(since, until)),
            shortfalls=self.staffing.shortfalls,
            more_health=self.recordings.health,
        )
        self.handoffs = Handoffs(
            self._board, lambda: self.plans.by_city, self.link.do, self.switchboard.hear,
            self.switchboard.recall, self.history,
        )  # fmt: skip
        self.desk = DeskDoors(
            home, self._board, lambda: self.plans.by_city, self.link.do, self.journal, reading.call
        )
        self.switchboard.listen(self.desk.hear)
        self.centres = Centres(
            home.root / "centres.json", lambda: self.plans.by_city, self._board, self.handoffs,
            self.desk.note, self.journal,
        )  # fmt: skip
        self.switchboard.listen(self.centres.hear)
        self.old_notes = OldNotes(DutyStore(self.history), settings.journal_keep_days, self.desk.note)
        socket = Socket(self.live_board.hub)
        doors, session = (*self.desk.doors(self.history), socket), self.desk.sessions.who
        self.drafting = Drafting(
            self.recordings.listening, TicketStore(self.history), reading.call, lambda: self.plans.by_city
        )
        self.proposals = Proposals(
            self._board, lambda: self.plans.by_city, self.drafting.fields, self.handoffs.note
        )
        self.switchboard.listen(self.proposals.hear)
        self.recordings.read_along.append(self.proposals.changed)
        self.drafting.changed = self.proposals.changed
        archive, note = self.recordings.archive, self.desk.note
        transfers = TransferDoor(
            self.handoffs,
            self.centres.take,
            Rights(self._agent_at, archive.sits_in, self._reads),
            lambda asked, city: Past(asked.since, asked.until, city, asked.most),
            note,
        )
        doors = (
            *doors,
            Recordings(archive, note),
            Tickets(self.drafting, archive.sits_in, archive.bars, note, self._hidden),
            FlagDoor(reading.flags, archive.sits_in),
            transfers,
            RosterDoor(self.desk.city, self.staffing.today, self.staffing.outlook),
            TruthDoor(Recounting(home)),
        )
        self.web = Web(
            settings.host, ports.api, reading, home.tokens, self.metrics, doors, session, self._hides
        )
        socket.who = self.web.who
        self._show_seats()

    async def run(self) -> None:
        """Run until cancelled; what was heard is on disk when it ends."""
        parts = {
            "advice": self.advice.run,
            "spoken menus": self.spoken.run,
            "voices": self.spoken.server.run,
            "link": self.link.run,
            "web": self.web.run,
            "drain": self.drain.run,
            "refill": self.refiller.run,
            "nudge": self.nudger.run,
            "call-backs": self.call_backs.run,
            "centres": self.centres.run,
            "picture": self.live.run,
            "plans": self._follow_plans,
            "wrap-ups": self._end_wrap_ups,
            "staffing": self.staffing.run,
            **self.recordings.runs(),
            "old notes": self.old_notes.run,
            "tickets": self.drafting.run,
            "proposals": self.proposals.run,
            "board": self.live_board.run,
            "sockets": self.live_board.hub.run,
        }
        try:
            async with asyncio.TaskGroup() as group:
                for name, run in parts.items():
                    group.create_task(keep_running(name, run), name=name)
        finally:
            await asyncio.to_thread(self.journal.close)
            await self.history.close()

    def _agent_at(self, city: str, seat: str) -> str:
        known = self._board().seats.seats.get((city, seat))
        return "" if known is None else known.agent

    def _reads(self, city: str) -> Role:
        """Who may read what was said in every call of this city, whatever its classes."""
        plan = self.plans.by_city.get(city)
        return Role.OPERATOR if plan is None or for_operators(plan) else Role.SUPERVISOR

    def _hides(self, city: str) -> bool:
        """Whether whole numbers are shown only to whoever asks for one: in this city, or (empty) in any."""
        plans = self.plans.by_city
        return any(hides(plan, ours=False) for name, plan in plans.items() if city in ("", name))

    def _hidden(self, who: Who, call: str) -> bool:
        """Whether this person may not see the number of this call's citizen."""
        known = self._board().picture.calls.get(CallId(call))
        if known is None or who.full:
            return who.hides and not who.full
        return self.live_board.hides(known)

    def _board(self) -> Board:
        return self.switchboard.board

    def _count(self, heard: Heard) -> None:
        self.metrics.heard(heard.fact, heard.calls)

    def _where_next(self, asked: Asked) -> str | None:
        plan = self.plans.by_city.get(asked.city)
        if plan is None:
            return None
        question = Question(call=asked.call, line=asked.line, caller=asked.caller, called=asked.called)
        # looking at every seat for each caller is dear, and only an overflow asks for it
        seen = known(self._board(), asked.city) if plan.overflow else Known()
        to = where_next(plan, question, seen)
        return None if to is None else str(to)

    async def _follow_plans(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AT_PLANS)
            await self.skills.give()
            before = self.plans.by_city
            if self.plans.look():
                self._show_seats()
                seats = self._board().seats.seats.values()
                self.skills.changed(before, self.plans.by_city, seats)
                log.info("plans read", cities=sorted(self.plans.by_city))

    async def _end_wrap_ups(self) -> None:
        """What the dialplan's clock left standing: Asterisk restarted and no caller came since."""
        while True:
            await asyncio.sleep(LOOK_AT_WRAP_UPS)
            if not self.link.up:
                continue
            for order in overdue(self._board().seats.seats.values(), time.time()):
                try:
                    await self.link.do(order)
                except Refused as why:
                    # over meanwhile, or a pause that only looks like one of ours
                    log.warning("wrap-up not ended", city=order.city, seat=order.seat, why=str(why))

    def _show_seats(self) -> None:
        for city, plan in self.plans.by_city.items():
            self.switchboard.plan_seats(city, tuple(plan.seats), time.time())


def known(board: Board, city: str) -> Known:
    """What the advice may know of the queues: nothing while the picture is stale."""
    if board.picture.stale_since is not None:
        return Known()
    staffed: dict[str, list[str]] = {queue: [] for at, queue in board.queues if at == city}
    for seat in board.seats.seats.values():
        if seat.city != city or seat.state in (SeatState.AWAY, SeatState.UNREACHABLE, SeatState.PAUSED):
            continue
        for queue in seat.queues:
            staffed.setdefault(queue, []).append(seat.name)
    return Known(staffed)


async def keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """A part that fails is logged and started again with back-off; the others go on."""
    failures = 0
    while True:
        began = time.monotonic()
        try:
            await run()
            why = "it returned"
        except (Refused, NotNow, Broken, OSError) as told:
            why = f"{type(told).__name__}: {told}"
        except Exception as bug:
            log.exception("part failed", part=name)
            why = repr(bug)
        failures = 0 if time.monotonic() - began > STEADY else failures + 1
        pause = BACKOFF[min(failures, len(BACKOFF) - 1)] * random.uniform(0.8, 1.2)
        log.error("part ended, starts again", part=name, why=why, again_in=round(pause, 1))
        await asyncio.sleep(pause)


def log_as_json(level: str) -> None:
    """One JSON line for each event, to standard output; the supervisor keeps the file."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(Unfailing()),  # type: ignore[arg-type]  # declared as TextIO, but structlog's PrintLogger calls only write and flush, which Unfailing has
    )


class Unfailing:
    """Standard output for the log: on a full disk a line is lost, never the part that wrote it."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            sys.stdout.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stdout.flush()


def serve(home: Home) -> int:
    """Run the service of this home until SIGTERM or SIGINT. Returns the exit code."""
    try:
        settings = read(home)
    except BadSettings as why:
        sys.stderr.write(f"{why}\n")
        return 2
    log_as_json(settings.log_level)
    sys.setswitchinterval(SWITCH_SECONDS)
    log.info("service starts", pid=os.getpid(), home=str(home.root))
    with alone(home):
        asyncio.run(_until_told(home, settings))
    log.info("service ends")
    return 0


@contextlib.contextmanager
def alone(home: Home) -> Iterator[None]:
    """Hold the home as its one service (flock(2), gone with the process); waits for another one's end.

    A supervisor killed before it noted the service it had started leaves one that the next knows nothing of.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    with home.service_lock_file.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("another service has this home, waiting for its end", home=str(home.root))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def _until_told(home: Home, settings: Settings) -> None:
    service = Service(home, settings)
    # what is there now stays: a full collection would look through all of it, for 100 ms and more,
    # while callers wait for advice
    gc.collect()
    gc.freeze()
    running = asyncio.create_task(service.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return
