"""A phone that dies while it holds a caller: they would hear music, and nobody would come.

A phone that holds may send nothing, neither sound nor RTCP, for as long as it likes, so its silence tells
nothing (``rtp_timeout_hold``). What tells is that it no longer answers Asterisk's own question (qualify): a
phone that SIP does not reach cannot take the caller back. One channel for each city looks while a seat of it
talks, with the service dead too. A talk without hold is none of its business: sound may come where SIP does
not.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.steps import Context
from plan.model import Plan

CLOCK = "held-clock"
LOOK = 2
"""Seconds between two looks."""
KNOWN_AFTER = 5
"""Seconds after which at the latest Asterisk knows that a phone does not answer (``asterisk_conf.pjsip``)."""
LEAST = 5
"""Seconds a phone may be out of reach, whatever the plan says: a network hiccup is no death."""
ENDED_WITH = '${IF($["${SHARED(DEAD)}" = "1"]?27:${HANGUPCAUSE})}'
"""On a seat's leg that has ended: why. 27 (Q.850: out of order) stands for a leg that was ended here, since
SoftHangup() gives no cause."""


def city_held_context(plan: Plan) -> Context:
    """``<city>-held``: a look at each seat's phone."""
    context = Context(f"{plan.id}-held")
    context.do("Set", f"DEAD_AFTER={max(LEAST, plan.city.dead_after_seconds - KNOWN_AFTER)}")
    for seat in plan.seats:
        context.do("Gosub", "held-look", "s", f"1({plan.id}-{seat})")
    return context.do("Return")


def held_contexts() -> Iterator[Context]:
    """What all cities share of it."""
    yield _wind()
    yield _clock()
    yield _look()


def may_hold(context: Context) -> None:
    """On a seat's channel that talks from now on."""
    context.do("Gosub", "held-wind", "s", "1")


def _wind() -> Context:
    """CITY. Start the city's clock when there is none."""
    context = Context("held-wind")
    # the clock runs as long as one of these is there
    context.do("Set", "GROUP(talks)=${CITY}")
    context.do("GotoIf", "$[${EPOCH} < 0${GLOBAL(HELD_AT_${CITY})} + 5]?done")
    context.do("Set", "GLOBAL(HELD_AT_${CITY})=${EPOCH}")
    # never answered: as with the clock of wrap-ups, this ringing is its whole life
    context.do("Originate", f"Local/s@{CLOCK}/n", "exten", CLOCK, "1", "1", "86400", "av(CITY=${CITY})")
    return context.do("Return", label="done")


def _clock() -> Context:
    """CITY. One channel for all phones of a city; it is there only as long as one of them talks."""
    context = Context(CLOCK)
    talks = "0${GROUP_COUNT(${CITY}@talks)} > 0"
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "GLOBAL(HELD_AT_${CITY})=${EPOCH}", label="tick")
    context.do("Wait", f"{LOOK}")
    context.do("Gosub", "${CITY}-held", "s", "1")
    context.do("GotoIf", f"$[{talks}]?tick")
    # a talk that began after the look and saw this clock running would have none
    context.do("Set", "GLOBAL(HELD_AT_${CITY})=0")
    context.do("GotoIf", f"$[{talks}]?tick")
    context.do("Hangup")
    context.exten("1").do("Set", "CDR_PROP(disable)=1").do("Hangup")
    return context


def _look() -> Context:
    """ARG1 the phone. Out of reach for DEAD_AFTER seconds, its talks end in which it holds the other one."""
    context = Context("held-look")
    context.do("Set", "CONTACT=${PJSIP_AOR(${ARG1},contact)}")
    # a registration runs out, or goes with its connection, while nobody answers
    context.do("GotoIf", '$["${CONTACT}" = ""]?out')
    context.do("GotoIf", '$["${PJSIP_CONTACT(${CONTACT},status)}" = "Unreachable"]?:here')
    context.do("Set", "SINCE=${HASH(GONE,${ARG1})}", label="out")
    context.do("ExecIf", '$["${SINCE}" = ""]?Set(HASH(GONE,${ARG1})=${EPOCH})')
    context.do("GotoIf", '$["${SINCE}" = "" | ${EPOCH} - 0${SINCE} < ${DEAD_AFTER}]?done')
    context.do("Set", "ALL=${CHANNELS(^PJSIP/${ARG1}-)}")
    context.do("GotoIf", '$["${ALL}" = ""]?done', label="next")
    context.do("Set", "ONE=${SHIFT(ALL, )}")
    # Whoever is held knows it: the phone's own CHANNEL(rtp,hold), read from here, would wait for the thread
    # that serves the phone while it holds the channel's lock, for which that thread may wait.
    context.do("Set", "PEER=${IMPORT(${ONE},BRIDGEPEER)}")
    context.do("GotoIf", '$["${IMPORT(${PEER},CHANNEL(onhold))}" = "1"]?:next')
    # its handlers, and the caller, are to see what it was
    context.do("Set", "SHARED(DEAD,${ONE})=1").do("SoftHangup", "${ONE}").do("Goto", "next")
    context.do("Set", "HASH(GONE,${ARG1})=", label="here")
    return context.do("Return", label="done")
