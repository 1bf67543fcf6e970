"""A seat's leg in a call, in dialplan alone: missed rings, wrap-up and its end, the agent's number told.

It works with the service dead, as signing in does (``asterisk_conf.seats``).
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.held import ENDED_WITH
from asterisk_conf.seat_memory import MISSED, PAUSE, SEAT, WRAP_UP, db_delete
from asterisk_conf.steps import Context
from asterisk_conf.transfer_state import of_caller
from calls.model import GONE

FLOOR = 2
"""A wrap-up up to so many seconds is app_queue's own ``wrapuptime``; a longer one is a pause (decision 6)."""
REST = 10
"""Seconds a seat is left alone after a ring of full length: app_queue would offer the same caller to the same
empty chair again, however many colleagues are free."""
HEAD = 2_000_000_000
"""QUEUE_PRIO of a caller whom we lost: before everybody else (all ranks are lower, asterisk_conf.waiting)."""
HANDED_OVER = HEAD // 2
"""QUEUE_PRIO of a caller whom a centre handed over: before all others but one whom we lost."""


def cause_is(causes: tuple[int, ...], variable: str) -> str:
    """An expression: the variable holds one of these causes."""
    return "(" + " | ".join(f"0${{{variable}}} = {cause}" for cause in causes) + ")"


def seat_leg_contexts() -> Iterator[Context]:
    """All of them."""
    yield _seat_left()
    yield _wrap_up()
    yield _wind()
    yield _clock()
    yield _announce()


def seat_leg_begins(context: Context) -> None:
    """On the seat's channel before its INVITE leaves."""
    context.do("Set", "ENDPOINT=${CHANNEL(endpoint)}")
    context.do("Set", "SEAT=${CUT(ENDPOINT,-,2)}")
    context.do("Set", "RANG_AT=${EPOCH}")
    context.do("Set", "CHANNEL(hangup_handler_push)=seat-left,s,1")


def seat_leg_answered(context: Context) -> None:
    """On the seat's channel when it has answered."""
    context.do("Set", "SEAT_UP=1")
    db_delete(context, MISSED)


def _seat_left() -> Context:
    """Hangup handler of the seat's leg: a missed ring is counted, wrap-up begins."""
    context = Context("seat-left")
    context.do("Set", f"CAUSE=0{ENDED_WITH}")
    context.do("GotoIf", '$["${SEAT_UP}" = "1"]?talked')
    # 26: somebody else answered. 17, 21: busy, declined. Else only a ring of full length was missed: a
    # caller who left early is not the agent's fault.
    context.do("GotoIf", "$[${CAUSE} = 26]?bye")
    context.do("Set", "FULL=$[${EPOCH} - ${RANG_AT} >= 0${RING_SECONDS} - 1]")
    context.do("GotoIf", "$[${CAUSE} = 17 | ${CAUSE} = 21 | ${FULL}]?:bye")
    context.do("Set", f"MISSED=$[0${{DB({MISSED})}} + 1]").do("Set", f"DB({MISSED})=${{MISSED}}")
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
    told = f"Set({of_caller('SEAT_LEFT')}=${{CAUSE}})"
    context.do("ExecIf", f"${{CHANNEL_EXISTS(${{CALLER_CHANNEL}})}}?{told}", label="talked")
    context.do("Set", f"AGENT=${{DB({SEAT})}}")
    context.do("GotoIf", '$["${AGENT}" = ""]?bye')
    # a dead phone looks free until it is asked again (qualify): nobody may be sent there meanwhile
    context.do("GotoIf", f"$[{cause_is(GONE, 'CAUSE')}]?:lived")
    # but when it is the caller's leg that died, this one ended with its cause, and the phone answers
    lives = '"${IMPORT(${CALLER_CHANNEL},CHANNEL(checkhangup))}" = "0"'
    context.do("Set", "CONTACT=${PJSIP_AOR(${ENDPOINT},contact)}")
    context.do("GotoIf", f'$[{lives} | "${{CONTACT}}" = ""]?lost')
    context.do("GotoIf", '$["${PJSIP_CONTACT(${CONTACT},status)}" = "Unreachable"]?lost')
    context.do("NoOp", "the phone lives", label="lived")
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
    context.do("GotoIf", f'$["${{DB({SEAT})}}" = "" | "${{DB({PAUSE})}}" != ""]?done')
    context.do("Set", "UNTIL=$[${EPOCH} + ${WRAP_UP}]")
    context.do("Set", f"DB({WRAP_UP})=${{UNTIL}}")
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
