"""A second, strict reader of rendered files: it knows what may stand in them, and names what else does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from plan.model import DestinationKind, Plan

# fmt: off
APPLICATIONS = frozenset({
    "AGI", "AddQueueMember", "Answer", "Bridge", "ChanSpy", "Dial", "ExecIf", "Goto", "GotoIf",
    "Gosub", "GosubIf", "Hangup",
    "MixMonitor", "MusicOnHold", "NoOp", "Originate", "PauseQueueMember", "PlayTones", "Playback", "Queue",
    "QueueLog",
    "Read", "Record",
    "TryExec",
    "CONFKICK", "ChannelRedirect", "ConfBridge", "SoftHangup", "StopPlayTones",
    "RemoveQueueMember", "Return", "SayDigits", "Set", "StackPop", "UnpauseQueueMember", "UserEvent", "Wait",
    "WaitDigit",
})
FUNCTIONS = frozenset({
    "CONFBRIDGE_INFO",
    "CALLERID", "CDR", "CDR_PROP", "CEIL", "CHANNEL", "CHANNELS", "CHANNEL_EXISTS", "CONNECTEDLINE", "CUT",
    "DB", "DB_DELETE", "DB_KEYS", "DIALPLAN_EXISTS", "FILTER", "FLOOR",
    "GLOBAL", "GROUP", "GROUP_COUNT", "HASH", "IF", "IMPORT", "LEN", "LOCAL", "LOCK", "MASTER_CHANNEL",
    "PJSIP_AOR", "PJSIP_CONTACT",
    "PJSIP_HEADER", "QUEUE_MEMBER", "QUEUE_WAITING_COUNT", "REDIRECTING", "REGEX", "SET", "SHARED", "SHIFT",
    "STRFTIME", "TIMEOUT", "UNLOCK",
})
SHARED = frozenset({
    "general", "globals", "arrive", "record", "hop", "ask-service", "ask-apart", "ask-nobody", "queued-out",
    "listen", "ask-apart-ready", "ask-apart-listen", "ask-apart-spy",
    "talked", "seat-leg", "seat-joined", "left", "owed", "seat-code", "seat-order", "seat-do", "seat-in",
    "seat-join", "seat-end", "seat-out", "seat-ready", "seat-pause", "seat-unwrap", "seat-state", "seat-left",
    "seat-wrap-up", "seat-wind", "seat-clock", "seat-announce", "origin", "origin-from",
    "held-wind", "held-clock", "held-look",
    "from-centre", "centre-said", "handed-to-us", "seat-queues", "desk-watch", "desk-watched",
    "desk-taker", "desk-taken", "desk-freed", "desk-leads", "desk-led", "desk-urgent", "line-order",
    "queue-enter", "queue-rank", "queue-paced", "waits-over",
    "duty-up", "call-back", "call-back-note", "call-back-told", "read-out", "stand-up", "stand-in",
    "stand-in-left", "stand-in-citizen", "stand-in-citizen-up", "stand-in-citizen-left",
    "transfer-key", "transfer-room-key", "transfer-go", "transfer-target", "transfer-joins", "transfer-agent",
    "transfer-caller", "transfer-blind", "transfer-back", "transfer-up", "transfer-seat-up",
    "transfer-way-up",
    "transfer-invite",
    "transfer-way", "transfer-watch", "transfer-why",
    "transfer-sent", "transfer-rings", "transfer-stops", "transfer-reached",
    "transfer-agent-gone", "transfer-dropped", "transfer-target-gone", "transfer-room-ends",
    "consult", "consulted", "recording-mask",
    "out-ordered", "out-last", "out-dialled", "out-refused", "out-way", "out-dial", "out-over", "out-failed",
    "out-invite", "out-up", "out-left",
})
# fmt: on
STEP = re.compile(
    r"(?:exten => (?:s|T|\+?[0-9]+|_\[\+0-9\*#?\]!|_\*1[1-6]!|_\+?[0-9]+!|"
    r"_\[a-z\]\[a-z0-9\]\.|PAUSE|SIGN),1| same => n)"
    r"(?:\([a-z0-9]+\))?,([A-Za-z]+)\((.*)\)"
)
PAUSES = frozenset({"busy", "break", "lunch", "training", "meeting", "forced"})
MODES = frozenset({"listen", "whisper", "barge", "queue", "end"})
"""And how a supervisor is in a call, or where a caller goes from there."""
"""Extensions with letters: the reasons of a plan without pauses.toml."""
SIGN = r"none|of-[a-z0-9-]+|trunk-[a-z0-9-]+|caller-\+?[0-9]+|_caller-\+?[0-9]+!"
"""Extensions of ``<city>-centre``: who hands calls over."""
MOVES = frozenset({"room", "consult", "watched", "comes"})
IN_ROOM = frozenset({"blind", "three", "together", "leave", "takeback", "mask", "unmask", "to[0-9]+"})
"""Keys in a room."""
PLACES = "[0-9]+w[0-9]|queue-[a-z0-9-]+"
STEP = re.compile(
    STEP.pattern.replace("PAUSE", "|".join([PLACES, *sorted(PAUSES | MODES | MOVES | IN_ROOM)])).replace(
        "SIGN", SIGN
    )
)
CALLED = re.compile(r"([A-Z_]{2,})\(")
GENERAL = re.compile(
    r"(?:static|writeprotect|clearglobalvars|extenpatternmatchnew) = (?:yes|no)|PLAN_HASH = [0-9a-f]{64}"
    r"|PACE-[a-z][a-z0-9-]* = [0-9]+|TRANSFER_KEYS = [a-z0-9#]+"
)
KEYED = re.compile(r"[A-Za-z0-9_(),:.\[\]*-]+ (?:=|=>) ?[\x20-\x3a\x3c-\x7e]*")


def strangers(files: Mapping[str, str], plan: Plan) -> list[str]:
    """Lines nobody meant."""
    found: list[str] = []
    for name, text in files.items():
        if name == "failsafe.json":
            continue
        found += [line.strip() for line in _lines(name, text, _sections(name, plan))]
    return found


def _lines(name: str, text: str, sections: frozenset[str] | None) -> Iterator[str]:
    for number, line in enumerate(text.split("\n")):
        if not line or (number == 0 and line.startswith("; written by")):
            continue
        # a rule for callers who waited before has their seconds behind the queue's name
        behind = r"(?:\.[0-9]+)?" if name == "queuerules.conf" else ""
        if head := re.fullmatch(rf"\[([a-z0-9_-]+){behind}\]", line):
            if sections is not None and head[1] not in sections:
                yield line
        elif name == "extensions.conf":
            if not (GENERAL.fullmatch(line) or _step(line)):
                yield line
        elif not KEYED.fullmatch(line):
            yield line


def _step(line: str) -> bool:
    found = STEP.fullmatch(line)
    if found is None or found[1] not in APPLICATIONS:
        return False
    # the text of UserEvent headers has no functions of its own but IF; ExecIf runs applications
    known = FUNCTIONS | APPLICATIONS if found[1] == "ExecIf" else FUNCTIONS
    return all(name in known for name in CALLED.findall(found[2]))


def _sections(name: str, plan: Plan) -> frozenset[str] | None:
    city = plan.id
    seats = {f"{city}-{seat}" for seat in plan.seats}
    match name:
        case "extensions.conf":
            kinds: tuple[DestinationKind, ...] = ("line", "queue", "menu", "message", "phone")
            own = {f"{city}-{kind}-{one}" for kind in kinds for one in plan.names(kind)}
            own |= {f"{city}-from-{trunk}" for trunk in plan.trunks}
            own |= {
                f"{city}-{rest}" for rest in ("number", "not-in-service", "last", "seats", "usual", "agent")
            }
            own.add(f"{city}-centre")
            own |= {f"{city}-{rest}" for rest in ("agent-skills", "seat-skills", "pause", "leave", "held")}
            own |= {f"{city}-{rest}" for rest in ("priority", "listed", "levels")}
            offers = [queue for queue, rule in plan.queues.items() if rule.call_back is not None]
            own |= {f"{city}-{kind}-{queue}" for kind in ("keys", "callback", "stand-in") for queue in offers}
            own |= {
                f"{city}-{rest}" for rest in ("to", "to-place", "to-cancelled", "urgent", "way", "transfer")
            }
            own |= {f"{city}-{rest}" for rest in ("out", "may-call", "hides-back", "hides-call")}
            return SHARED | own
        case "pjsip.conf":
            trunks = {f"{city}-{trunk}" for trunk in plan.trunks}
            return frozenset(seats | trunks | {"global", "system", "udp", "tcp"})
        case "queues.conf" | "queuerules.conf":
            return frozenset({f"{city}-{queue}" for queue in plan.queues} | {"general"})
    return None
