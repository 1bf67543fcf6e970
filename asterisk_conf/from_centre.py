"""A call that a centre (110, 12333 …) hands over: known by trunk or number before anything is told of it or
refused, past every limit, first in line, with the centre's case, story and the hand-off it answers.

Who is a centre stands in numbers.toml (``linked``, dated) and in centres.toml (``calls_from``, ``numbers``);
both end in CENTRE, so that what follows is one road.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.merged import Sound, stage_steps
from asterisk_conf.seat_leg import HANDED_OVER
from asterisk_conf.steps import Context
from plan.merged import Merged, stages
from plan.model import Plan

CASE = r"A-Za-z0-9._/\-"
CASE_LENGTH = 64
STORY = r"A-Za-z0-9%._~\-"
"""Percent-encoded UTF-8 (RFC 3986)."""
STORY_LENGTH = 1200
"""Of the encoded story: some 130 Chinese characters. An AMI line and a SIP header hold it."""
RECORD = r"A-Za-z0-9.\-"
"""What ids of hand-off records are written with: by the service, or ``TRANSFER_ID`` of a key."""


def centre_context(plan: Plan, sound: Sound) -> Context:
    """``<city>-centre``: whose sign a trunk (``trunk-police``) or a calling number (``caller-110``) is, and
    ``of-110``: who answers for that centre."""
    context = Context(f"{plan.id}-centre", None)
    known: set[str] = set()
    for name, row in plan.numbers.items():
        found = tuple(s for s in stages(name, row, plan.main) if s.treatment == "own")
        for exten in _signs(row):
            # the first row that names it wins; two for one sign would be a plan's mistake
            if row.kind == "linked" and found and exten not in known:
                known.add(exten)
                stage_steps(context.exten(exten), plan, found, sound)
    for exten, name in _signs_of_centres(plan):
        if exten not in known:
            known.add(exten)
            context.exten(exten).do("Set", f"__CENTRE={name}").do("Return")
    for name, centre in plan.centres.items():
        if centre.queue:
            context.exten(f"of-{name}").do("Set", f"CENTRE_QUEUE={centre.queue}").do("Return")
    # looked up and never found: a context without extensions is none for Asterisk
    return context.exten("none").do("Return")


def _signs(row: Merged) -> Iterator[str]:
    yield from (f"trunk-{trunk}" for trunk in row.trunks)
    for caller in row.callers:
        yield f"_caller-{caller[:-1]}!" if caller.endswith("*") else f"caller-{caller}"


def _signs_of_centres(plan: Plan) -> Iterator[tuple[str, str]]:
    for trunk in plan.trunks:
        callers = [name for name, centre in plan.centres.items() if trunk in centre.calls_from]
        # centres that share a trunk are told apart by their numbers
        if len(callers) == 1:
            yield f"trunk-{trunk}", callers[0]
    for name, centre in plan.centres.items():
        yield from ((f"caller-{number}", name) for number in centre.numbers)


def centre_arrives(context: Context, plan: Plan) -> None:
    """On the caller's channel when it arrived: a centre's caller goes before others, and where the centre has
    a queue of its own, straight there."""
    context.do("GosubIf", '$["${CENTRE}" != ""]?handed-to-us,s,1')
    context.do("GotoIf", f'$["${{CENTRE_QUEUE}}" != ""]?{plan.id}-queue-${{CENTRE_QUEUE}},s,1')


def from_centre_contexts() -> Iterator[Context]:
    """What all cities share of it."""
    yield _known()
    yield _said()
    yield _to_us()


def _known() -> Context:
    """CITY, TRUNK and CALLER are known. Sets CENTRE (it stays as it is when the called number told it) and
    CENTRE_QUEUE."""
    context = Context("from-centre")
    context.do("Set", "CENTRE_QUEUE=")
    context.do("Set", "SIGN=trunk-${TRUNK}")
    # a line of the centre's own says more than the number it shows
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-centre,${SIGN},1)}?sign")
    context.do("Set", "SIGN=caller-${CALLER}")
    context.do("GosubIf", "${DIALPLAN_EXISTS(${CITY}-centre,${SIGN},1)}?${CITY}-centre,${SIGN},1",
               label="sign")  # fmt: skip
    context.do("GotoIf", '$["${CENTRE}" = ""]?nobody')
    context.do("Gosub", "centre-said", "s", "1")
    own = "${DIALPLAN_EXISTS(${CITY}-centre,of-${CENTRE},1)}"
    context.do("GosubIf", f"{own}?${{CITY}}-centre,of-${{CENTRE}},1")
    return context.do("Return", label="nobody")


def _said() -> Context:
    """What a centre sends along, believed from centres only: its case number in either of two headers, its
    story, and which of our records its call comes back from."""
    context = Context("centre-said")
    context.do("ExecIf", '$["${ROW_NUMBER}" != ""]?Set(__ORIGINAL=${ROW_NUMBER})')
    context.do("Set", f"__CASE={_header('X-Hotline-Case', CASE)}")
    context.do("ExecIf", f'$["${{CASE}}" = ""]?Set(__CASE={_header("X-Case-Number", CASE)})')
    context.do("Set", f"__CASE=${{CASE:0:{CASE_LENGTH}}}")
    context.do("Set", f"__STORY={_header('X-Hotline-Story', STORY)}")
    context.do("Set", f"__STORY=${{STORY:0:{STORY_LENGTH}}}")
    context.do("Set", f"HANDOFF={_header('X-Hotline-Handoff', RECORD)}")
    context.do("Set", "HANDOFF=${HANDOFF:0:64}")
    context.do("Set", f"QUEUE_PRIO={HANDED_OVER}")
    return context.do("Return")


def _header(name: str, letters: str) -> str:
    return f"${{FILTER({letters},${{PJSIP_HEADER(read,{name})}})}}"


def _to_us() -> Context:
    """CENTRE hands over, and the call has arrived: the record begins."""
    context = Context("handed-to-us")
    # in whatever queue: somebody who may be in danger hears a person or ringing, no music
    urgent = "${DIALPLAN_EXISTS(${CITY}-urgent,${CENTRE},1)}"
    context.do("Set", f"WAITS_RINGING=${{IF($[{urgent}]?r:)}}")
    context.do("UserEvent", "Hotline", "What: handed-to-us", "Call: ${CALL_ID}", "Centre: ${CENTRE}",
               "Case: ${CASE}", "Story: ${STORY}", "Of: ${HANDOFF}", "Trunk: ${TRUNK}",
               "Caller: ${CALLER}")  # fmt: skip
    context.do("GotoIf", '$["${CENTRE_QUEUE}" = ""]?line')
    # a person who was with the police a moment ago is greeted by a person
    context.do("Answer")
    context.do("Gosub", "record", "s", "1")
    context.do("UserEvent", "Hotline", "What: greeted", "Call: ${CALL_ID}")
    return context.do("Return", label="line")
