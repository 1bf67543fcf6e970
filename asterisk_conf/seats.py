"""Signing in and pausing, in dialplan alone: it works with the service dead.

A phone dials a feature code, the service hands in an order: both end in ``seat-do``, so both have the same
outcome. What Asterisk remembers of it: ``asterisk_conf.seat_memory``.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.held import city_held_context, held_contexts
from asterisk_conf.seat_leg import seat_leg_contexts
from asterisk_conf.seat_memory import AGENT, MISSED, PAUSE, SEAT, WRAP_UP, db_delete
from asterisk_conf.site import Site
from asterisk_conf.steps import Context
from plan.model import Plan

CODES = {"11": "in", "12": "out", "13": "ready", "14": "pause", "15": "state"}
"""After the star: what a seat's phone dials, and what is done."""

_TOLD = ("City: ${CITY}", "Seat: ${SEAT}", "Agent: ${AGENT}", "Did: ${DID}", "Reason: ${REASON}")


# --- of one city --------------------------------------------------------------------------------


def city_seat_contexts(plan: Plan) -> Iterator[Context]:
    """What the plan says of its seats and persons, as small subroutines."""
    usual = Context(f"{plan.id}-usual", None)
    agents = Context(f"{plan.id}-agent", None)
    skilled = Context(f"{plan.id}-agent-skills", None)
    for number, agent in plan.staff.items():
        if agent.seat:
            usual.exten(agent.seat).do("Set", f"AGENT={number}").do("Return")
        agents.exten(number).do("Set", f"PIN={agent.pin}")
        if agent.wrap_up_seconds is not None:
            agents.do("Set", f"WRAP_UP={agent.wrap_up_seconds}")
        agents.do("Return")
        if agent.skills:
            skilled.exten(number)
            for queue, penalty in agent.skills.items():
                skilled.do("Gosub", "seat-join", "s", f"1({queue},{penalty})")
            skilled.do("Return")
    seated = Context(f"{plan.id}-seat-skills", None)
    for seat in plan.seats:
        seated.exten(seat)
        for queue, rule in plan.queues.items():
            if seat in rule.members:
                seated.do("Gosub", "seat-join", "s", f"1({queue},{rule.members[seat]})")
        seated.do("Return")
    pauses = Context(f"{plan.id}-pause", None)
    for name, pause in plan.pause_reasons.items():
        for word in (pause.key, name):
            pauses.exten(word).do("Set", f"REASON={name}").do("Return")
    pauses.exten("forced").do("Set", "REASON=forced").do("Return")
    leave = Context(f"{plan.id}-leave")
    for queue in plan.queues:
        leave.do("RemoveQueueMember", f"{plan.id}-{queue}", "PJSIP/${CITY}-${ARG1}")
    leave.do("Return")
    yield from (usual, agents, skilled, seated, pauses, leave, city_held_context(plan))


def feature_codes(context: Context, city: str) -> None:
    """The codes among what a seat's phone may dial."""
    for code, did in CODES.items():
        context.exten(f"_*{code}!").do("Gosub", "seat-code", "s", f"1({city},{did},${{EXTEN:3}})").do(
            "Hangup"
        )


# --- shared -------------------------------------------------------------------------------------


def seat_contexts(site: Site) -> Iterator[Context]:
    """All of them."""
    yield _code()
    yield _order()
    yield _do()
    yield _in()
    yield _join()
    yield _end()
    yield _out()
    yield _ready()
    yield _pause()
    yield _unwrap()
    yield _state()
    yield _queues()
    yield from seat_leg_contexts()
    yield from held_contexts()


def _code() -> Context:
    """A phone dialled a code. ARG1 city, ARG2 what to do, ARG3 the digits behind the code."""
    context = Context("seat-code")
    context.do("Set", "CDR_PROP(disable)=1")  # no call of a citizen
    context.do("Set", "CITY=${ARG1}").do("Set", "DID=${ARG2}").do("Set", "BY=phone")
    context.do("Set", "ENDPOINT=${CHANNEL(endpoint)}")
    context.do("Set", "SEAT=${CUT(ENDPOINT,-,2)}")
    context.do("Set", "GIVEN=${FILTER(0-9,${ARG3})}")
    context.do("GotoIf", '$["${DID}" = "in"]?who')
    # *14 alone is reason 1
    context.do("Set", 'REASON=${IF($["${GIVEN}" = "" & "${DID}" = "pause"]?1:${GIVEN})}')
    context.do("Goto", "act")
    context.do("Set", "AGENT=${GIVEN}", label="who")
    context.do("GotoIf", '$["${AGENT}" != ""]?pin')
    context.do("GosubIf", "${DIALPLAN_EXISTS(${CITY}-usual,${SEAT},1)}?${CITY}-usual,${SEAT},1")
    context.do("GotoIf", '$["${AGENT}" != ""]?pin')
    context.do("Answer")
    context.do("Read", "AGENT", "hotline/seat-enter-code", "6", "", "1", "8")
    context.do("Set", "PIN=", label="pin")
    context.do("GosubIf", "${DIALPLAN_EXISTS(${CITY}-agent,${AGENT},1)}?${CITY}-agent,${AGENT},1")
    context.do("GotoIf", '$["${PIN}" = ""]?act')
    context.do("Answer")
    context.do("Read", "KEYED", "hotline/seat-enter-pin", "8", "", "1", "8")
    context.do("GotoIf", '$["${KEYED}" = "${PIN}"]?act')
    context.do("Set", "OK=no").do("Set", "WHY=wrong-pin")
    context.do("UserEvent", "Hotline", "What: seat", *_TOLD, "By: ${BY}", "Ok: ${OK}", "Why: ${WHY}")
    context.do("Set", "SAY=seat-refused").do("Goto", "say")
    context.do("Gosub", "seat-do", "s", "1", label="act")
    # the work is done before anybody hears of it: a phone may hang up at once
    context.do("Answer", label="say")
    context.do("GotoIf", '$["${DID}" != "state" | "${AGENT}" = ""]?word')
    context.do("Playback", "hotline/seat-number").do("SayDigits", "${AGENT}")
    context.do("Playback", "hotline/${SAY}", label="word")
    return context.do("Return")


def _order() -> Context:
    """The ;2 half of a Local channel made by an order. CITY, SEAT, AGENT, DID, REASON, BY and ORDER came
    as variables. Answered means done; else AstDB ``hotline-order/<order>`` says why not."""
    context = Context("seat-order")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-seat-skills,${SEAT},1)}?:unknown")
    context.do("Gosub", "seat-do", "s", "1")
    context.do("GotoIf", '$["${OK}" = "yes"]?good')
    context.do("Set", "DB(hotline-order/${ORDER})=${WHY}").do("Hangup", "21")
    context.do("Set", "DB(hotline-order/${ORDER})=unknown-seat", label="unknown").do("Hangup", "21")
    context.do("Answer", label="good")
    context.do("Hangup")
    # the ;1 half, once ;2 has answered
    context.exten("1").do("Set", "CDR_PROP(disable)=1").do("Hangup")
    return context


def _do() -> Context:
    """CITY, SEAT, DID, BY, and AGENT or REASON where that is needed. Sets OK, WHY and SAY.

    One at a time for each city: two phones that sign in the same person must not both succeed.
    """
    context = Context("seat-do")
    context.do("Set", "OK=no").do("Set", "WHY=").do("Set", "SAY=seat-refused")
    context.do("Set", "MEMBER=PJSIP/${CITY}-${SEAT}")
    context.do("Set", "HELD=${LOCK(seats-${CITY})}")
    context.do("Set", f"HERE=${{DB({SEAT})}}")
    context.do("ExecIf", '$["${DID}" != "in"]?Set(AGENT=${HERE})')
    context.do("Gosub", "seat-${DID}", "s", "1")
    context.do("Set", "HELD=${UNLOCK(seats-${CITY})}")
    context.do("GotoIf", '$["${DID}" = "state" | "${DID}" = "unwrap"]?quiet')
    context.do("UserEvent", "Hotline", "What: seat", *_TOLD, "By: ${BY}", "Ok: ${OK}", "Why: ${WHY}")
    return context.do("Return", label="quiet")


def _in() -> Context:
    """One person one seat: whoever is bound elsewhere is ended there, whoever sat here is ended here."""
    context = Context("seat-in")
    context.do("GotoIf", '$["${AGENT}" = ""]?unknown')
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-agent,${AGENT},1)}?:unknown")
    context.do("Set", f"BEFORE=${{DB({AGENT})}}")
    context.do("GotoIf", '$["${BEFORE}" = "" | "${BEFORE}" = "${SEAT}"]?here')
    context.do("Gosub", "seat-end", "s", "1(${BEFORE},${AGENT},elsewhere)")
    context.do("GotoIf", '$["${HERE}" = "" | "${HERE}" = "${AGENT}"]?mine', label="here")
    context.do("Gosub", "seat-end", "s", "1(${SEAT},${HERE},replaced)")
    context.do("Gosub", "${CITY}-leave", "s", "1(${SEAT})", label="mine")
    db_delete(context, PAUSE, WRAP_UP, MISSED)
    context.do("Set", "JOINED=0")
    own = "${DIALPLAN_EXISTS(${CITY}-agent-skills,${AGENT},1)}"
    context.do("Gosub", f"${{IF({own}?${{CITY}}-agent-skills:${{CITY}}-seat-skills)}}",
               f"${{IF({own}?${{AGENT}}:${{SEAT}})}}", "1")  # fmt: skip
    context.do("GotoIf", "$[${JOINED} = 0]?none")
    context.do("Set", f"DB({AGENT})=${{SEAT}}").do("Set", f"DB({SEAT})=${{AGENT}}")
    context.do("Set", "OK=yes").do("Set", "SAY=seat-signed-in")
    context.do("Return")
    context.do("Set", "WHY=unknown-agent", label="unknown").do("Set", "SAY=seat-unknown-agent").do("Return")
    context.do("Set", "WHY=no-queue", label="none")
    db_delete(context, AGENT, SEAT)
    return context.do("Return")


def _join() -> Context:
    """ARG1 queue, ARG2 penalty."""
    context = Context("seat-join")
    context.do(
        "AddQueueMember", "${CITY}-${ARG1}", "${MEMBER}", "${ARG2}", "", "${CITY}-${SEAT}", "${MEMBER}"
    )
    context.do("Set", 'JOINED=$[${JOINED} + ("${AQMSTATUS}" = "ADDED")]')
    return context.do("Return")


def _end() -> Context:
    """A binding ends. ARG1 seat, ARG2 agent, ARG3 why (empty: signed out by itself, told by seat-do)."""
    context = Context("seat-end")
    context.do("Gosub", "${CITY}-leave", "s", "1(${ARG1})")
    db_delete(
        context,
        "hotline-seat/${CITY}/${ARG1}",
        "hotline-agent/${CITY}/${ARG2}",
        "hotline-pause/${CITY}/${ARG1}",
        "hotline-wrapup/${CITY}-${ARG1}",
        "hotline-missed/${CITY}/${ARG1}",
    )
    context.do("GotoIf", '$["${ARG3}" = ""]?quiet')
    told = ("City: ${CITY}", "Seat: ${ARG1}", "Agent: ${ARG2}", "Did: out", "Reason: ")
    context.do("UserEvent", "Hotline", "What: seat", *told, "By: system", "Ok: yes", "Why: ${ARG3}")
    return context.do("Return", label="quiet")


def _out() -> Context:
    context = Context("seat-out")
    context.do("GotoIf", '$["${HERE}" = ""]?nobody')
    context.do("Gosub", "seat-end", "s", "1(${SEAT},${HERE},)")
    context.do("Set", "OK=yes").do("Set", "SAY=seat-signed-out")
    context.do("Return")
    # whatever a lost binding left in the queues goes too
    context.do("Gosub", "${CITY}-leave", "s", "1(${SEAT})", label="nobody")
    context.do("Set", "WHY=not-signed-in").do("Set", "SAY=seat-state-away")
    return context.do("Return")


def _ready() -> Context:
    context = Context("seat-ready")
    context.do("GotoIf", '$["${HERE}" = ""]?nobody')
    db_delete(context, PAUSE)
    context.do("UnpauseQueueMember", "", "${MEMBER}")
    db_delete(context, WRAP_UP, MISSED)
    context.do("Set", "OK=yes").do("Set", "SAY=seat-ready")
    context.do("Return")
    context.do("Set", "WHY=not-signed-in", label="nobody").do("Set", "SAY=seat-state-away")
    return context.do("Return")


def _pause() -> Context:
    """REASON is a key or a reason of the plan; ``missed`` and ``lost`` only the house itself may give."""
    context = Context("seat-pause")
    context.do("GotoIf", '$["${HERE}" = ""]?nobody')
    context.do("GotoIf", '$["${BY}${REASON}" = "systemmissed" | "${BY}${REASON}" = "systemlost"]?good')
    context.do("GotoIf", '$["${REASON}" = ""]?unknown')
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-pause,${REASON},1)}?:unknown")
    context.do("Gosub", "${CITY}-pause", "${REASON}", "1")
    context.do("Set", f"DB({PAUSE})=${{REASON}}", label="good")
    context.do("PauseQueueMember", "", "${MEMBER}", "", "${REASON}")
    db_delete(context, WRAP_UP, MISSED)
    context.do("Set", "OK=yes").do("Set", "SAY=seat-paused")
    context.do("Return")
    context.do("Set", "WHY=unknown-reason", label="unknown").do("Return")
    context.do("Set", "WHY=not-signed-in", label="nobody").do("Set", "SAY=seat-state-away")
    return context.do("Return")


def _unwrap() -> Context:
    """Wrap-up ends, and only wrap-up: a pause made meanwhile stays.

    A kill may have taken the wrap-up's key and left the member paused for it (``seat_memory``). Only the
    house, which has seen that reason outlive its end, asks without a key.
    """
    context = Context("seat-unwrap")
    context.do("GotoIf", '$["${HERE}" = ""]?gone')
    context.do("GotoIf", f'$["${{DB({WRAP_UP})}}" = "" & "${{BY}}" != "system"]?other')
    why = f"${{DB({PAUSE})}}"
    context.do("GotoIf", f'$["{why}" = ""]?free')
    context.do("PauseQueueMember", "", "${MEMBER}", "", why).do("Goto", "ended")
    context.do("UnpauseQueueMember", "", "${MEMBER}", label="free")
    db_delete(context, WRAP_UP, label="ended")
    context.do("Set", "OK=yes").do("Set", "SAY=seat-ready")
    context.do("Return")
    db_delete(context, WRAP_UP, label="gone")
    context.do("Set", "WHY=no-wrap-up", label="other")
    return context.do("Return")


def _state() -> Context:
    context = Context("seat-state")
    context.do("Set", "OK=yes").do("Set", "SAY=seat-state-ready")
    context.do("ExecIf", f'$["${{DB({WRAP_UP})}}" != ""]?Set(SAY=seat-state-wrap-up)')
    context.do("ExecIf", f'$["${{DB({PAUSE})}}" != ""]?Set(SAY=seat-state-paused)')
    context.do("ExecIf", '$["${HERE}" = ""]?Set(SAY=seat-state-away)')
    return context.do("Return")


def _queues() -> Context:
    """The seat's queues change at once: lists ADD, SET and DROP of queue and level (``fund/2``).

    Whoever is paused is paused in an added queue too, for the same reason.
    """
    context = Context("seat-queues")
    context.do("GotoIf", '$["${HERE}" = ""]?nobody')
    why = f"${{DB({PAUSE})}}"
    context.do("Set", f"REASON={why}")
    wraps = f'$["${{REASON}}" = "" & "${{DB({WRAP_UP})}}" != ""]'
    context.do("ExecIf", f"{wraps}?Set(REASON=wrapup:${{DB({WRAP_UP})}})")
    for name in ("ADD", "SET", "DROP"):
        # additions first: a seat must not be without any queue in between
        label = name.lower()
        context.do("GotoIf", f'$["${{{name}}}" = ""]?past{label}', label=label)
        context.do("Set", f"ONE=${{SHIFT({name},:)}}")
        context.do("Set", "QUEUE=${CITY}-${CUT(ONE,/,1)}").do("Set", "LEVEL=${CUT(ONE,/,2)}")
        if name == "ADD":
            context.do(
                "AddQueueMember", "${QUEUE}", "${MEMBER}", "${LEVEL}", "", "${CITY}-${SEAT}", "${MEMBER}"
            )
            context.do("GotoIf", '$["${AQMSTATUS}" = "NOSUCHQUEUE"]?unknown')
            context.do("ExecIf", '$["${REASON}" != ""]?PauseQueueMember(${QUEUE},${MEMBER},,${REASON})')
        elif name == "SET":
            context.do("Set", "QUEUE_MEMBER(${QUEUE},penalty,${MEMBER})=${LEVEL}")
        else:
            context.do("RemoveQueueMember", "${QUEUE}", "${MEMBER}")
        context.do("Goto", label)
        context.do("NoOp", "next", label=f"past{label}")
    context.do("Set", "REASON=").do("Set", "OK=yes").do("Return")
    context.do("Set", "WHY=unknown-queue", label="unknown").do("Return")
    return context.do("Set", "WHY=not-signed-in", label="nobody").do("Return")
