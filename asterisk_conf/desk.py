"""What a supervisor does to a call, as dialplan: listen in, take over, send back, move; and announce.

A channel gets here by an order (Originate or Redirect, ``cti.asterisk.do_desk``); what it does there it does
without the service, and every road ends with a voice or a hangup.

- AstDB ``hotline-urgent/<city>/<line>``: the sound played on that line after its greeting, as long as it
  stands there; it outlives restarts of Asterisk and of the service.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.desk_leads import desk_leads_contexts, led_by_desk
from asterisk_conf.held import may_hold
from asterisk_conf.in_step import in_step
from asterisk_conf.seat_leg import HEAD
from asterisk_conf.steps import Context
from asterisk_conf.transfer_state import IN_DANGER

HOW = {"listen": "", "whisper": "w", "barge": "B"}
"""How a supervisor is in a call, and ChanSpy's option for it."""
WAIT = 15.0
"""Seconds a supervisor's phone waits for the caller it takes over; the caller comes within milliseconds."""
LOOK = 0.5
"""Seconds between two looks whether there is still a caller to wait for."""
URGENT = "hotline-urgent"


def desk_contexts() -> Iterator[Context]:
    """All of them."""
    yield _watch()
    yield _watched()
    yield _taker()
    yield _taken()
    yield _freed()
    yield from desk_leads_contexts()
    yield _urgent()
    yield _line_order()


def _watch() -> Context:
    """The supervisor's own phone has answered. WATCH_LEG: the agent's leg; WATCHED: the call; BY: their seat.

    On the agent's leg a whisper reaches the agent alone. u: the leg by its Uniqueid; E, S: over when that
    leg is; d: keys 4, 5, 6 on the phone change between listen, whisper and barge. An order to change comes
    here again with another extension: a key that is played to ChanSpy may be lost, and nobody would know.
    """
    context = Context("desk-watch", None)
    for how, option in HOW.items():
        context.exten(how).landing().do("Set", "CDR_PROP(disable)=1").do("Set", f"HOW={how}")
        context.do("ExecIf", '$["${WATCHING}" = ""]?Set(CHANNEL(hangup_handler_push)=desk-watched,s,1)')
        context.do("Set", "WATCHING=1")
        _told(context, "watch", "Seat: ${SEAT}", "By: ${BY}", "How: ${HOW}", "State: begun")
        context.do("ChanSpy", "${WATCH_LEG}", f"qudES{option}")
        context.do("Hangup")
    return context


def _watched() -> Context:
    context = Context("desk-watched")
    _told(context, "watch", "Seat: ${SEAT}", "By: ${BY}", "How: ${HOW}", "State: ended")
    return context.do("Return")


def _taker() -> Context:
    """The supervisor's phone, while the caller is fetched. From here on it is a leg of the call."""
    context = Context("desk-taker").landing()
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "CHANNEL(accountcode)=${WATCHED}")
    # DAY is the caller's: all files of a call lie in one folder
    context.do("Set", "CALL_ID=${WATCHED}").do("GosubIf", '$["${DAY}" != ""]?record,s,1')
    may_hold(context)
    # a leg fetched away before it got here would take its own redirection for a hangup
    context.do("Set", "TAKER_READY=1").do("Set", "LOOKS=0")
    # a caller who hangs up on the way leaves nobody waiting
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:over", label="look")
    context.do("Wait", f"{LOOK:g}").do("Set", "LOOKS=$[${LOOKS} + 1]")
    context.do("GotoIf", f"$[${{LOOKS}} < {round(WAIT / LOOK)}]?look")
    return context.do("Hangup", label="over")


def _taken() -> Context:
    """The caller, on the way to the supervisor's phone TAKER (a channel). Nobody there: back to the head."""
    context = Context("desk-taken").landing().do("Gosub", "transfer-dropped", "s", "1")
    told = ("Call: ${CALL_ID}", "Queue: ${QUEUE}", "By: ${TAKEN_BY}")
    context.do("UserEvent", "Hotline", "What: taken", *told)
    in_step(context)
    context.do("Set", "SHARED(ELSEWHERE)=${TAKER}")
    context.do("Bridge", "${TAKER}", "x")
    led_by_desk(context)
    context.do("GotoIf", '$["${BRIDGERESULT}" = "SUCCESS"]?:lost')
    # as with every agent: whose phone is out of reach has not ended the talk
    context.do("Set", "PHONE=${CUT(TAKER,/,2)}").do("Set", "PHONE=${CUT(PHONE,-,1-2)}")
    context.do("Set", "CONTACT=${PJSIP_AOR(${PHONE},contact)}")
    context.do("GotoIf", '$["${CONTACT}" = ""]?lost')
    context.do("GotoIf", '$["${PJSIP_CONTACT(${CONTACT},status)}" = "Unreachable"]?lost:over')
    context.do("Goto", "desk-freed", "queue", "2", label="lost")
    context.do("Set", "LEFT_BY=agent", label="over")
    return context.do("Hangup", "16")


def _freed() -> Context:
    """The caller, taken from an agent by force: to the head of the queue, or out with a word."""
    context = Context("desk-freed", None)
    context.exten("queue").landing().do("Gosub", "transfer-dropped", "s", "1")
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-queue-${QUEUE},s,1)}?:lost")
    context.do("GotoIf", f"$[{IN_DANGER}]?transfer-back,s,2")
    context.do("Set", f"QUEUE_PRIO={HEAD}").do("Set", "SHARED(LOST)=1").do("Set", "HOPS=0")
    in_step(context)
    context.do("Playback", "hotline/caller-returned")
    context.do("Goto", "${CITY}-queue-${QUEUE}", "s", "1")
    # it never was in a queue: the line knows where its callers go
    context.do(
        "GotoIf", "${DIALPLAN_EXISTS(${CITY}-line-${LINE},s,1)}?${CITY}-line-${LINE},s,1", label="lost"
    )
    context.do("Set", "LEFT_BY=system").do("Hangup", "16")
    context.exten("end").landing().do("Gosub", "transfer-dropped", "s", "1")
    context.do("Playback", "hotline/goodbye").do("Set", "LEFT_BY=system")
    return context.do("Hangup", "16")


def move_waiter(context: Context) -> None:
    """Behind Queue(), when a supervisor took a waiting caller out: MOVE_TO names another queue."""
    context.do("Set", "TO=${MOVE_TO}").do("Set", "MOVE_TO=")
    context.do("GotoIf", '$["${QUEUESTATUS}" = "WITHDRAW" & "${TO}" != ""]?:stays')
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-queue-${TO},s,1)}?:stays")
    # a person decided this: it is no walk that went astray
    context.do("Set", "HOPS=0").do("StackPop").do("Goto", "${CITY}-queue-${TO}", "s", "1")
    context.do("Return", label="stays")


def _urgent() -> Context:
    """On every line after its greeting: what is announced there now, if anything is."""
    context = Context("desk-urgent")
    context.do("Set", f"URGENT=${{DB({URGENT}/${{CITY}}/${{LINE}})}}")
    context.do("GotoIf", '$["${URGENT}" = ""]?done')
    context.do("Playback", "${URGENT}")
    return context.do("Return", label="done")


def _line_order() -> Context:
    """The ;2 half of a Local channel made by an order: CITY, LINE, SOUND (empty: lowered), BY, ORDER."""
    context = Context("line-order")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-line-${LINE},s,1)}?:unknown")
    context.do("Set", f"KEY={URGENT}/${{CITY}}/${{LINE}}")
    context.do("ExecIf", '$["${SOUND}" = ""]?Set(GONE=${DB_DELETE(${KEY})}):Set(DB(${KEY})=${SOUND})')
    context.do(
        "UserEvent",
        "Hotline",
        "What: announced",
        "City: ${CITY}",
        "Line: ${LINE}",
        "Sound: ${SOUND}",
        "By: ${BY}",
    )
    context.do("Answer").do("Hangup")
    context.do("Set", "DB(hotline-order/${ORDER})=unknown-line", label="unknown").do("Hangup", "21")
    context.exten("1").do("Set", "CDR_PROP(disable)=1").do("Hangup")
    return context


def _told(context: Context, what: str, *headers: str) -> None:
    context.do(
        "UserEvent",
        "Hotline",
        f"What: {what}",
        "Call: ${WATCHED}",
        "City: ${CITY}",
        "Leg: ${UNIQUEID}",
        *headers,
    )
