"""A second, strict reader of rendered files: it knows what may stand in them, and names what else does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from plan.model import DestinationKind, Plan

# fmt: off
APPLICATIONS = frozenset({
    "AGI", "Answer", "Dial", "ExecIf", "Goto", "GotoIf", "Gosub", "GosubIf", "Hangup", "MixMonitor", "NoOp",
    "Playback", "Queue", "QueueLog", "Read", "Record", "Return", "Set", "StackPop", "UserEvent",
})
FUNCTIONS = frozenset({
    "CALLERID", "CDR", "CHANNEL", "CUT", "DIALPLAN_EXISTS", "FILTER", "GLOBAL", "GROUP", "GROUP_COUNT",
    "HASH", "IF", "LEN", "PJSIP_HEADER", "REDIRECTING", "STRFTIME", "TIMEOUT",
})
SHARED = frozenset({
    "general", "globals", "arrive", "record", "hop", "ask-service", "ask-nobody", "queued-out", "talked",
    "seat-leg", "seat-joined", "left",
})
# fmt: on
STEP = re.compile(
    r"(?:exten => (?:s|T|\+?[0-9]+|_\[\+0-9\*#?\]!),1| same => n)(?:\([a-z0-9]+\))?,([A-Za-z]+)\((.*)\)"
)
CALLED = re.compile(r"([A-Z_]{2,})\(")
GENERAL = re.compile(
    r"(?:static|writeprotect|clearglobalvars|extenpatternmatchnew) = (?:yes|no)|PLAN_HASH = [0-9a-f]{64}"
)
KEYED = re.compile(r"[A-Za-z0-9_(),-]+ (?:=|=>) ?[\x20-\x3a\x3c-\x7e]*")


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
        if head := re.fullmatch(r"\[([a-z0-9_-]+)\]", line):
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
    # the text of UserEvent headers has no functions of its own but IF
    return all(name in FUNCTIONS for name in CALLED.findall(found[2]))


def _sections(name: str, plan: Plan) -> frozenset[str] | None:
    city = plan.id
    seats = {f"{city}-{seat}" for seat in plan.seats}
    match name:
        case "extensions.conf":
            kinds: tuple[DestinationKind, ...] = ("line", "queue", "menu", "message")
            own = {f"{city}-{kind}-{one}" for kind in kinds for one in plan.names(kind)}
            own |= {f"{city}-from-{trunk}" for trunk in plan.trunks}
            own |= {f"{city}-{rest}" for rest in ("number", "not-in-service", "last", "seats")}
            return SHARED | own
        case "pjsip.conf":
            trunks = {f"{city}-{trunk}" for trunk in plan.trunks}
            return frozenset(seats | trunks | {"global", "system", "udp", "tcp"})
        case "queues.conf":
            return frozenset({f"{city}-{queue}" for queue in plan.queues} | {"general"})
    return None
