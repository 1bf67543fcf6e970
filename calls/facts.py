"""Facts: what Asterisk did, in the past tense and in our words.

Only ``cti.asterisk.hear`` makes facts; rooms read them. Every fact carries the moment Asterisk
says it happened (``at``, seconds since the epoch, UTC) and the node that saw it, so that a journal
can be replayed and two nodes can be told apart.
"""

from __future__ import annotations

from typing import NewType

from calls.value import dataclass

CallId = NewType("CallId", str)
LegId = NewType("LegId", str)
"""Asterisk's Uniqueid of a channel; opaque to every room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened on node ``node`` at ``at`` (seconds since the epoch, UTC)."""

    at: float
    node: str


# --- the link to Asterisk -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp(Fact):
    """We are logged in and subscribed; a snapshot follows. ``boot`` changes when Asterisk restarted."""

    version: str
    boot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDown(Fact):
    why: str


# --- legs -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LegStarted(Fact):
    """A channel exists. ``call`` is None until the dialplan gave the call its id."""

    leg: LegId
    channel: str
    call: CallId | None
    endpoint: str
    """``demo-1001`` for PJSIP/demo-1001-00000001; empty for a channel without an endpoint."""
    caller: str
    called: str
    context: str
    linked: LegId
    """Asterisk's Linkedid: the oldest leg this one belongs to. Does not survive transfers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegBelongs(Fact):
    """The leg carries this CALL_ID (accountcode): the first time, or anew after a transfer."""

    leg: LegId
    call: CallId
    endpoint: str = ""
    """As in LegStarted, which was told when the leg was not yet of this call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRang(Fact):
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered(Fact):
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRenamed(Fact):
    """Masquerade or Rename: the same leg under another channel name."""

    leg: LegId
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegHeld(Fact):
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class LegUnheld(Fact):
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed(Fact):
    leg: LegId
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegJoined(Fact):
    """The leg entered a bridge. ``kind`` is ``basic`` (two parties), ``conference``, ``holding`` or other."""

    leg: LegId
    bridge: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLeft(Fact):
    leg: LegId
    bridge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded(Fact):
    """``cause`` is the Q.850 number Asterisk gives."""

    leg: LegId
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceJoined(Fact):
    leg: LegId
    room: str
    marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceLeft(Fact):
    leg: LegId
    room: str


# --- transfers seen -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindTransferred(Fact):
    """``by`` sent ``leg`` to ``to`` (context/extension) and left the call. ``ok`` False: nothing moved."""

    by: LegId
    leg: LegId | None
    to: str
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendedTransferred(Fact):
    """``original`` and ``consult`` are the transferer's two legs; ``joined`` now talk."""

    original: LegId
    consult: LegId
    joined: tuple[LegId, ...]
    ok: bool


# --- the call, told by our dialplan ---------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallArrived(Fact):
    """A call entered a line. ``original`` is the number the citizen dialled, kept to the end."""

    call: CallId
    leg: LegId
    city: str
    trunk: str
    line: str
    called: str
    original: str
    caller: str
    sip_call: str
    merged: str = ""
    """The row of numbers.toml that decided; empty: none."""
    how: str = ""
    """What that row means today: announced, silent, own, closed."""
    centre: str = ""
    """The row of the centre (110, 120 …) that handed the call over; empty: none did."""
    case: str = ""
    """That centre's case number."""
    story: str = ""
    """What it says of the caller and the matter."""
    callback_of: str = ""
    """This call is no citizen's but a stand-in's, or an agent's: it calls back the citizen of that call."""
    direction: str = ""
    """``out``: an agent at ``seat`` calls a citizen. Then ``leg`` is the seat's, ``caller`` still the
    citizen's number, and ``called`` the number the citizen sees."""
    seat: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingEnded(Fact):
    call: CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceAsked(Fact):
    """The question "where next?" ended. ``by`` answered it: service, failsafe or dialplan."""

    call: CallId
    status: str
    next: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuChosen(Fact):
    """``by``: ``key`` or ``voice``, empty when nothing was chosen. ``said``: what a voice said."""

    call: CallId
    menu: str
    key: str
    next: str
    by: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReached(Fact):
    """The caller has come to the end of a road, by whatever way: ``message`` is what speaks there."""

    call: CallId
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuListened(Fact):
    """A question of a spoken menu ended. ``status``: HEARD, UNCLEAR, NOTHING, KEYED, NOBODY (none would
    listen), SKIPPED (nobody was asked), SILENT (no answer), LIE (no key of this menu). ``sure``: percent."""

    call: CallId
    menu: str
    status: str
    round: int = 0
    said: str = ""
    sure: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackOwed(Fact):
    call: CallId
    caller: str
    line: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStarted(Fact):
    call: CallId
    leg: LegId
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLeft(Fact):
    """The caller's leg is over, said by the dialplan's hangup handler. ``by``: caller, agent or system."""

    call: CallId
    by: str
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackMoved(Fact):
    """How a promised call back stands: the dialplan's record of it, or what is left of it in queue_log.

    ``call`` is the call in which it was promised, ``state`` asked, standing, dialling, talking, resting,
    given-up or done; ``due``: when the next try is (epoch; 0 now). ``rank`` is the caller's place.
    """

    call: CallId
    city: str
    queue: str
    line: str
    number: str
    rank: int
    tries: int
    state: str
    due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyPhoneAnswered(Fact):
    """Somebody outside who answers for the hotline has the caller now."""

    call: CallId
    phone: str


# --- recording --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPaused(Fact):
    """What this leg says is kept out of its file from now on: the file goes on in silence, so that all files
    of a call stay in step. ``call`` None: not known yet."""

    leg: LegId
    call: CallId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingResumed(Fact):
    leg: LegId
    call: CallId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskAsked(Fact):
    """An agent keyed in the call that what is said now be kept out of its recordings, or (``on`` False) that
    they go on."""

    call: CallId
    leg: LegId
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskMissed(Fact):
    """A pause was asked for and Asterisk did not do it at once: what this leg says from ``since`` on is in
    its file and is to be made silence there. ``until`` None: the pause is still owed and asked for again.
    Or the end of a pause was: ``since`` then, until a moment that may be still to come, the file may have
    what was said during the pause. Moments are seconds since the epoch. Said by us."""

    leg: LegId
    call: CallId
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFiled(Fact):
    """The file of this leg was closed, checked and put away. ``seconds`` of sound; ``short``: seconds fewer
    than the leg lasted."""

    leg: LegId
    call: CallId
    file: str
    seconds: float
    sha256: str
    short: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMissing(Fact):
    """There should be a file and there is none that can be heard; ``why`` in one word (``never-started``,
    ``no-file``, ``empty``, ``broken``)."""

    leg: LegId
    call: CallId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRaised(Fact):
    """Danger in the words of ``leg``, heard while they were spoken: ``flag`` is its kind (gas, suicide …),
    ``words`` what was said around it, ``second`` its place in that leg's recording. Said by us, once a call
    and kind."""

    call: CallId
    flag: str
    words: str
    leg: LegId
    second: float


# --- transfers --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStepped(Fact):
    """A stage of a transfer. ``step``: asked, dialled, skipped, accepted, answered, joined, together, handed,
    refused, taken-back, target-left, agent-left, back, queued, over.

    ``to``: what the agent dialled; ``number``: what was dialled on ``trunk``, the ``way``-th of a centre.
    ``wished``: what the agent wished; ``kind``: what the dialplan made of it. What a step does not tell is
    empty."""

    call: CallId
    id: str
    step: str
    kind: str = ""
    to: str = ""
    seat: str = ""
    by: str = ""
    way: str = ""
    trunk: str = ""
    number: str = ""
    why: str = ""
    """Q.850 cause, as text."""
    caller: str = ""
    agent: str = ""
    wished: str = ""
    urgent: bool = False
    """The caller may be in danger: an emergency or utility centre is asked, or it is a hand-over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedToUs(Fact):
    """A centre hands a caller over: known by its trunk or its number. ``case``: its own case number;
    ``story``: what it wrote of it; ``of``: the hand-off record it says the caller comes back from."""

    call: CallId
    centre: str
    case: str
    trunk: str
    caller: str
    story: str = ""
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffNoted(Fact):
    """Words of a person or of a centre's computer for a hand-off record: (field, text). Said by us."""

    id: str
    call: CallId
    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRefilled(Fact):
    """All that Asterisk wrote down of one transfer whose call is over, in its order: something of it nobody
    heard. ``ended``: when the call was over. Said by us."""

    id: str
    call: CallId
    ended: float
    steps: tuple[TransferStepped, ...]


# --- the queue ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueJoined(Fact):
    call: CallId
    leg: LegId
    city: str
    queue: str
    position: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeft(Fact):
    """The visit is over for app_queue: answered or not (Leave precedes AgentConnect)."""

    call: CallId
    leg: LegId
    city: str
    queue: str
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAbandoned(Fact):
    """The caller hung up while waiting. ``waited`` in seconds."""

    call: CallId
    leg: LegId
    city: str
    queue: str
    position: int
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGaveUp(Fact):
    """Said by the dialplan: Queue() ended without an agent. ``status`` is QUEUESTATUS or KEY."""

    call: CallId
    city: str
    queue: str
    status: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatRang(Fact):
    call: CallId
    city: str
    queue: str
    seat: str
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatDeclined(Fact):
    """No answer, busy or refused. ``rang`` in seconds."""

    call: CallId
    city: str
    queue: str
    seat: str
    leg: LegId
    rang: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatAnswered(Fact):
    """``waited`` and ``rang`` in seconds, as app_queue counts them."""

    call: CallId
    city: str
    queue: str
    seat: str
    leg: LegId
    waited: float
    rang: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatFinished(Fact):
    """``reason``: caller, agent or transfer. ``waited`` and ``talked`` in seconds."""

    call: CallId
    city: str
    queue: str
    seat: str
    reason: str
    waited: float
    talked: float


# --- seats ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatSignedIn(Fact):
    city: str
    seat: str
    queue: str
    penalty: int
    paused: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatSignedOut(Fact):
    city: str
    seat: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatPaused(Fact):
    city: str
    seat: str
    queue: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatUnpaused(Fact):
    city: str
    seat: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatDevice(Fact):
    """``state`` as Asterisk's device states, lower case: not_inuse, inuse, busy, ringing, unavailable, …"""

    city: str
    seat: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneReachable(Fact):
    """A phone registered or answers OPTIONS again."""

    city: str
    seat: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneGone(Fact):
    city: str
    seat: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatActed(Fact):
    """Somebody did, or tried to do, something at a seat: signed in or out, paused, became ready.

    ``did``: in, out, pause, ready. ``by``: phone, api, supervisor or system. ``ok`` False: nothing changed,
    and ``why`` says why not (``unknown-agent``); for a system's ``out``, what for (elsewhere, replaced).
    """

    city: str
    seat: str
    agent: str
    did: str
    reason: str
    by: str
    ok: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBound(Fact):
    """The person with this number (工号) sits at this seat now, and nowhere else."""

    city: str
    seat: str
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentUnbound(Fact):
    """``why`` is empty when they signed out; elsewhere: they signed in at another seat; replaced: another
    person signed in here."""

    city: str
    seat: str
    agent: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatMissed(Fact):
    """A ring left unanswered. ``count`` in a row; at ``limit`` the seat is paused (0: never)."""

    call: CallId
    city: str
    seat: str
    count: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerReturned(Fact):
    """A seat's phone died while talking (Q.850 ``cause``); the caller goes back to the head of the queue."""

    call: CallId
    city: str
    queue: str
    seat: str
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRefused(Fact):
    """A seat wanted to call out and could not. ``why``: refused or unknown (the plan does not allow this
    number; ``kind`` is the entry that refuses it), not-signed-in, no-trunk. ``by``: phone, code or api."""

    city: str
    seat: str
    agent: str
    number: str
    why: str
    kind: str
    by: str


# --- supervisors ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchBegan(Fact):
    """A supervisor at seat ``by`` is in a call from now on, on leg ``leg``, heard by nobody (listen), by the
    agent at ``seat`` (whisper) or by both (barge)."""

    call: CallId
    city: str
    seat: str
    by: str
    how: str
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEnded(Fact):
    call: CallId
    city: str
    seat: str
    by: str
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTakenOver(Fact):
    """The caller left the agent for the supervisor at seat ``by``."""

    call: CallId
    city: str
    queue: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementSet(Fact):
    """Callers of this line hear ``sound`` after the greeting from now on; empty: nothing more."""

    city: str
    line: str
    sound: str
    by: str


# --- the whole truth at one moment ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LegNow:
    leg: LegId
    channel: str
    call: CallId | None
    endpoint: str
    linked: LegId
    caller: str
    called: str
    context: str
    up: bool
    bridge: str
    seconds: float
    held: bool | None = None
    """Whether a seat's phone has the other side on hold; None: it was not asked."""


@dataclass(frozen=True, slots=True)
class MemberNow:
    city: str
    seat: str
    queue: str
    penalty: int
    paused: bool
    reason: str
    device: str
    calls_taken: int
    in_call: bool


@dataclass(frozen=True, slots=True)
class WaiterNow:
    city: str
    queue: str
    leg: LegId
    position: int
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Fact):
    """CoreShowChannels + BridgeList + QueueStatus, all complete. A refused one is never made into this."""

    legs: tuple[LegNow, ...]
    members: tuple[MemberNow, ...]
    waiters: tuple[WaiterNow, ...]
    queues: tuple[tuple[str, str], ...]
    """(city, queue) of every queue Asterisk knows."""
    agents: tuple[tuple[str, str, str], ...] | None = None
    """(city, seat, agent) of everybody signed in; None: Asterisk could not be asked."""
    announcements: tuple[tuple[str, str, str], ...] | None = None
    """(city, line, sound) of every urgent announcement that stands; None: Asterisk could not be asked."""
    call_backs: tuple[tuple[CallId, str], ...] | None = None
    """Calls back that Asterisk remembers: the call and the record; None: it could not be asked."""
