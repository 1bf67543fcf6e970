"""Signing in, pausing and wrapping up, in dialplan alone: it works with the service dead.

A phone dials a feature code, the service hands in an order: both end in ``seat-do``, so both have the same
outcome. What stands where:

- AstDB ``hotline-seat/<city>/<seat>``: the agent at the seat; ``hotline-agent/<city>/<agent>``: the seat.
- AstDB ``hotline-pause/<city>/<seat>``: why the seat is paused, other than wrap-up.
- AstDB ``hotline-wrapup/<city>-<seat>``: when its wrap-up, or its rest after a missed ring, ends (epoch);
  there as long as it lasts.
- AstDB ``hotline-missed/<city>/<seat>``: rings left unanswered in a row.
- app_queue's members, which it keeps itself (``persistentmembers``), with the same pause as reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.site import Site
from asterisk_conf.steps import Context
from plan.model import Plan

CODES = {"11": "in", "12": "out", "13": "ready", "14": "pause", "15": "state"}
"""After the star: what a seat's phone dials, and what is done."""
FLOOR = 2
"""A wrap-up up to so many seconds is app_queue's own ``wrapuptime``; a longer one is a pause (decision 4)."""
REST = 10
"""Seconds a seat is left alone after a ring of full length: app_queue would offer the same caller to the same
empty chair again, however many colleagues are free."""
HEAD = 2_000_000_000
"""QUEUE_PRIO of a caller whom we lost: before everybody else (all ranks are lower, asterisk_conf.waiting)."""
GONE = (18, 20, 27, 38, 41, 44)
"""Q.850 causes of a seat's phone that did not hang up but vanished: no response, absent, out of order,
network out of order, temporary failure, not available (what res_pjsip gives when no sound came)."""


def cause_is(causes: tuple[int, ...], variable: str) -> str:
    """An expression: the variable holds one of these causes."""
    return "(" + " | ".join(f"0${{{variable}}} = {cause}" for cause in causes) + ")"


_AGENT = "hotline-agent/${CITY}/${AGENT}"
_SEAT = "hotline-seat/${CITY}/${SEAT}"
_PAUSE = "hotline-pause/${CITY}/${SEAT}"
_WRAP_UP = "hotline-wrapup/${CITY}-${SEAT}"
_MISSED = "hotline-missed/${CITY}/${SEAT}"
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
    yield from (usual, agents, skilled, seated, pauses, leave)


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
    yield _seat_left()
    yield _wrap_up()
    yield _wind()
    yield _clock()
    yield _announce()


def _db_delete(context: Context, *keys: str) -> None:
    for key in keys:
        context.do("Set", f"GONE=${{DB_DELETE({key})}}")


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
    context.do("Set", f"HERE=${{DB({_SEAT})}}")
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
    context.do("Set", f"BEFORE=${{DB({_AGENT})}}")
    context.do("GotoIf", '$["${BEFORE}" = "" | "${BEFORE}" = "${SEAT}"]?here')
    context.do("Gosub", "seat-end", "s", "1(${BEFORE},${AGENT},elsewhere)")
    context.do("GotoIf", '$["${HERE}" = "" | "${HERE}" = "${AGENT}"]?mine', label="here")
    context.do("Gosub", "seat-end", "s", "1(${SEAT},${HERE},replaced)")
    context.do("Gosub", "${CITY}-leave", "s", "1(${SEAT})", label="mine")
    _db_delete(context, _PAUSE, _WRAP_UP, _MISSED)
    context.do("Set", "JOINED=0")
    own = "${DIALPLAN_EXISTS(${CITY}-agent-skills,${AGENT},1)}"
    context.do("Gosub", f"${{IF({own}?${{CITY}}-agent-skills:${{CITY}}-seat-skills)}}",
               f"${{IF({own}?${{AGENT}}:${{SEAT}})}}", "1")  # fmt: skip
    context.do("GotoIf", "$[${JOINED} = 0]?none")
    context.do("Set", f"DB({_AGENT})=${{SEAT}}").do("Set", f"DB({_SEAT})=${{AGENT}}")
    context.do("Set", "OK=yes").do("Set", "SAY=seat-signed-in")
    context.do("Return")
    context.do("Set", "WHY=unknown-agent", label="unknown").do("Set", "SAY=seat-unknown-agent").do("Return")
    context.do("Set", "WHY=no-queue", label="none")
    _db_delete(context, _AGENT, _SEAT)
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
    _db_delete(
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
    context.do("UnpauseQueueMember", "", "${MEMBER}")
    _db_delete(context, _PAUSE, _WRAP_UP, _MISSED)
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
    context.do("PauseQueueMember", "", "${MEMBER}", "", "${REASON}", label="good")
    context.do("Set", f"DB({_PAUSE})=${{REASON}}")
    _db_delete(context, _WRAP_UP, _MISSED)
    context.do("Set", "OK=yes").do("Set", "SAY=seat-paused")
    context.do("Return")
    context.do("Set", "WHY=unknown-reason", label="unknown").do("Return")
    context.do("Set", "WHY=not-signed-in", label="nobody").do("Set", "SAY=seat-state-away")
    return context.do("Return")


def _unwrap() -> Context:
    """Wrap-up ends, and only wrap-up: a pause made meanwhile stays."""
    context = Context("seat-unwrap")
    context.do("GotoIf", f'$["${{DB({_WRAP_UP})}}" = ""]?other')
    _db_delete(context, _WRAP_UP)
    context.do("UnpauseQueueMember", "", "${MEMBER}")
    context.do("Set", "OK=yes").do("Set", "SAY=seat-ready")
    context.do("Return")
    context.do("Set", "WHY=no-wrap-up", label="other")
    return context.do("Return")


def _state() -> Context:
    context = Context("seat-state")
    context.do("Set", "OK=yes").do("Set", "SAY=seat-state-ready")
    context.do("ExecIf", f'$["${{DB({_WRAP_UP})}}" != ""]?Set(SAY=seat-state-wrap-up)')
    context.do("ExecIf", f'$["${{DB({_PAUSE})}}" != ""]?Set(SAY=seat-state-paused)')
    context.do("ExecIf", '$["${HERE}" = ""]?Set(SAY=seat-state-away)')
    return context.do("Return")


def _queues() -> Context:
    """The seat's queues change at once: lists ADD, SET and DROP of queue and level (``fund/2``).

    Whoever is paused is paused in an added queue too, for the same reason.
    """
    context = Context("seat-queues")
    context.do("GotoIf", '$["${HERE}" = ""]?nobody')
    why = f"${{DB({_PAUSE})}}"
    context.do("Set", f"REASON={why}")
    wraps = f'$["${{REASON}}" = "" & "${{DB({_WRAP_UP})}}" != ""]'
    context.do("ExecIf", f"{wraps}?Set(REASON=wrapup:${{DB({_WRAP_UP})}})")
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


# --- a seat's leg in a call ---------------------------------------------------------------------


def seat_leg_begins(context: Context) -> None:
    """On the seat's channel before its INVITE leaves."""
    context.do("Set", "ENDPOINT=${CHANNEL(endpoint)}")
    context.do("Set", "SEAT=${CUT(ENDPOINT,-,2)}")
    context.do("Set", "RANG_AT=${EPOCH}")
    context.do("Set", "CHANNEL(hangup_handler_push)=seat-left,s,1")


def seat_leg_answered(context: Context) -> None:
    """On the seat's channel when it has answered."""
    context.do("Set", "SEAT_UP=1")
    _db_delete(context, _MISSED)


def _seat_left() -> Context:
    """Hangup handler of the seat's leg: a missed ring is counted, wrap-up begins."""
    context = Context("seat-left")
    context.do("Set", "CAUSE=0${HANGUPCAUSE}")
    context.do("GotoIf", '$["${SEAT_UP}" = "1"]?talked')
    # 26: somebody else answered. 17, 21: busy, declined. Else only a ring of full length was missed: a
    # caller who left early is not the agent's fault.
    context.do("GotoIf", "$[${CAUSE} = 26]?bye")
    context.do("Set", "FULL=$[${EPOCH} - ${RANG_AT} >= 0${RING_SECONDS} - 1]")
    context.do("GotoIf", "$[${CAUSE} = 17 | ${CAUSE} = 21 | ${FULL}]?:bye")
    context.do("Set", f"MISSED=$[0${{DB({_MISSED})}} + 1]").do("Set", f"DB({_MISSED})=${{MISSED}}")
    context.do("UserEvent", "Hotline", "What: missed", "Call: ${CALL_ID}", "City: ${CITY}", "Seat: ${SEAT}",
               "Count: ${MISSED}", "Of: ${MISSED_RINGS}")  # fmt: skip
    context.do("GotoIf", "$[0${MISSED_RINGS} = 0 | ${MISSED} < 0${MISSED_RINGS}]?rest")
    context.do("Set", "REASON=missed")
    context.do("Set", "DID=pause", label="pause").do("Set", "BY=system")
    context.do("Gosub", "seat-do", "s", "1")
    context.do("Return", label="bye")
    context.do("GotoIf", "${FULL}?:bye", label="rest")
    context.do("Set", f"WRAP_UP={REST}").do("Gosub", "seat-wrap-up", "s", "1(rest)").do("Return")
    # the caller's leg looks at this (context talked): did the agent hang up, or did the phone die?
    context.do("Set", "MASTER_CHANNEL(SEAT_LEFT)=${CAUSE}", label="talked")
    context.do("Set", f"AGENT=${{DB({_SEAT})}}")
    context.do("GotoIf", '$["${AGENT}" = ""]?bye')
    # a dead phone looks free until it is asked again (qualify): nobody may be sent there meanwhile
    context.do("GotoIf", f"$[{cause_is(GONE, 'CAUSE')}]?lost")
    context.do("GosubIf", "${DIALPLAN_EXISTS(${CITY}-agent,${AGENT},1)}?${CITY}-agent,${AGENT},1")
    context.do("GotoIf", f"$[0${{WRAP_UP}} <= {FLOOR}]?bye")
    context.do("Gosub", "seat-wrap-up", "s", "1(wrapup)")
    context.do("Return")
    context.do("Set", "REASON=lost", label="lost").do("Goto", "pause")
    return context


def _wrap_up() -> Context:
    """ARG1 wrapup or rest; CITY, SEAT, WRAP_UP in seconds. Whoever paused while talking stays so."""
    context = Context("seat-wrap-up")
    context.do("Set", "HELD=${LOCK(seats-${CITY})}")
    context.do("GotoIf", f'$["${{DB({_SEAT})}}" = "" | "${{DB({_PAUSE})}}" != ""]?done')
    context.do("Set", "UNTIL=$[${EPOCH} + ${WRAP_UP}]")
    context.do("Set", f"DB({_WRAP_UP})=${{UNTIL}}")
    context.do("PauseQueueMember", "", "PJSIP/${CITY}-${SEAT}", "", "${ARG1}:${UNTIL}")
    context.do("Set", "HELD=${UNLOCK(seats-${CITY})}", label="done")
    context.do("Gosub", "seat-wind", "s", "1")
    return context.do("Return")


# --- the clock that ends wrap-ups -----------------------------------------------------------------

CLOCK = "seat-clock"


def _wind() -> Context:
    """Start the clock when there is a wrap-up and no clock: at its begin, and when a caller enters a queue
    (a restart of Asterisk stops the clock, not the wrap-ups)."""
    context = Context("seat-wind")
    context.do("GotoIf", "$[${EPOCH} < 0${GLOBAL(CLOCK_AT)} + 5]?done")
    context.do("GotoIf", '$["${DB_KEYS(hotline-wrapup)}" = ""]?done')
    context.do("Set", "GLOBAL(CLOCK_AT)=${EPOCH}")
    # never answered: the whole life of the clock is this Originate's ringing
    context.do("Originate", f"Local/s@{CLOCK}/n", "exten", CLOCK, "1", "1", "86400", "a")
    return context.do("Return", label="done")


def _clock() -> Context:
    """One channel for all wrap-ups of all seats; it is there only as long as there is one."""
    context = Context(CLOCK)
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "GLOBAL(CLOCK_AT)=${EPOCH}", label="tick")
    context.do("Wait", "1")
    context.do("Set", "REST=${DB_KEYS(hotline-wrapup)}")
    context.do("GotoIf", '$["${REST}" = ""]?end')
    context.do("Set", "ONE=${SHIFT(REST)}", label="next")
    context.do("GotoIf", "$[${EPOCH} < 0${DB(hotline-wrapup/${ONE})}]?more")
    context.do("Set", "CITY=${CUT(ONE,-,1)}").do("Set", "SEAT=${CUT(ONE,-,2)}")
    context.do("Set", "DID=unwrap").do("Set", "BY=system")
    context.do("Gosub", "seat-do", "s", "1")
    context.do("GotoIf", '$["${REST}" = ""]?tick:next', label="more")
    # a wrap-up that began after the look and saw this clock running would wait for ever
    context.do("Set", "GLOBAL(CLOCK_AT)=0", label="end")
    context.do("GotoIf", '$["${DB_KEYS(hotline-wrapup)}" = ""]?:tick')
    context.do("Hangup")
    context.exten("1").do("Hangup")
    return context


def _announce() -> Context:
    """On the caller's channel, by the AGI program ``announce``: 工号 8001 为您服务."""
    context = Context("seat-announce")
    context.do("Set", "ENDPOINT=${CUT(MEMBERINTERFACE,/,2)}")
    context.do("Set", "AGENT=${DB(hotline-seat/${CITY}/${CUT(ENDPOINT,-,2)})}")
    context.do("GotoIf", '$["${AGENT}" = ""]?done')
    context.do("Playback", "hotline/seat-number")
    context.do("SayDigits", "${AGENT}")
    context.do("Playback", "hotline/seat-serves")
    return context.do("Return", label="done")
