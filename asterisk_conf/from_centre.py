"""A call that a centre (110, 12333 …) hands over: known by trunk or number, first in line, with its case."""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.seat_leg import HEAD
from asterisk_conf.steps import Context
from plan.model import Plan

FROM_CENTRE = HEAD // 2
"""QUEUE_PRIO of a call that a centre handed over: before everybody but callers whom we lost."""


def known_centres(plan: Plan) -> Context:
    """``<city>-from-centre``: the numbers centres call from."""
    numbers = Context(f"{plan.id}-from-centre", None)
    for name, centre in plan.centres.items():
        for number in centre.numbers:
            _is_centre(numbers.exten(number), name, centre.queue).do("Return")
    return numbers


def _is_centre(context: Context, name: str, queue: str) -> Context:
    return context.do("Set", f"__CENTRE={name}").do("Set", f"CENTRE_QUEUE={queue}")


def centre_arrives(context: Context, plan: Plan, trunk: str) -> None:
    """On the caller's channel when it arrived: does a centre hand it over? Then it goes before others, and
    where the centre has a queue of its own, straight there."""
    context.do("Set", "CENTRE_QUEUE=")
    own = [(name, centre) for name, centre in plan.centres.items() if trunk in centre.calls_from]
    if len(own) == 1:
        _is_centre(context, own[0][0], own[0][1].queue)
    else:
        known = f"${{DIALPLAN_EXISTS({plan.id}-from-centre,${{CALLER}},1)}}"
        context.do("GosubIf", f"{known}?{plan.id}-from-centre,${{CALLER}},1").do("NoOp", "by number")
    context.do("GosubIf", '$["${CENTRE}" != ""]?transfer-to-us,s,1')
    context.do("GotoIf", f'$["${{CENTRE_QUEUE}}" != ""]?{plan.id}-queue-${{CENTRE_QUEUE}},s,1')


def from_centre_contexts() -> Iterator[Context]:
    """What all cities share of it."""
    yield _to_us()


def _to_us() -> Context:
    """CENTRE hands over: X-Case-Number is its own number of the case."""
    context = Context("transfer-to-us")
    context.do("Set", f"QUEUE_PRIO={FROM_CENTRE}")
    context.do("Set", "__CASE=${FILTER(A-Za-z0-9\\-,${PJSIP_HEADER(read,X-Case-Number)})}")
    context.do("Set", "__CASE=${CASE:0:40}")
    context.do("UserEvent", "Hotline", "What: handed-to-us", "Call: ${CALL_ID}", "Centre: ${CENTRE}",
               "Case: ${CASE}", "Trunk: ${TRUNK}", "Caller: ${CALLER}")  # fmt: skip
    context.do("GotoIf", '$["${CENTRE_QUEUE}" = ""]?line')
    # a person who was with the police a moment ago is greeted by a person
    context.do("Answer")
    context.do("Gosub", "record", "s", "1")
    context.do("UserEvent", "Hotline", "What: greeted", "Call: ${CALL_ID}")
    return context.do("Return", label="line")
