"""What stands on the caller's channel while it is transferred, and how each step is told.

Variables of the caller's channel (SHARED), for legs elsewhere read and write them:

- TRANSFER ``<kind>:<to>:<id>`` while a transfer is under way; kind is blind, consult, three or handoff.
- AGENT_IN, TARGET_IN, TARGET_JOINED, HANDED: who is there. An agent's and a target's leg say in their
  hangup handlers that they are gone, and whoever is the last moves the caller: each first says so and then
  looks, so of two at one instant at least one sees both.
- AGENT, TARGET: their channels; DIALLING: the channel that dials the target.
- AWAY: counts how often an agent was led out of a talk; the caller's AWAY_SEEN says how far it followed.
  (TRANSFER may be empty again: a busy colleague refuses before the caller has looked.)
- AWAITED: 1 while the citizen of a call back has not answered yet (``asterisk_conf.callback``): the caller is
  nobody's voice so far, and no wish moves it.
- OVER: 1 when the caller has fallen out of a talk and no wish was accepted before; no wish moves it from then
  on, until a seat has answered it again or it is in a room (``settled``).
- KEYED: ``<kind>/<to>`` of a wish keyed in the talk until it is accepted or refused.
- SEAT_LEFT: the cause with which the last seat's leg ended; empty while one talks.
- LOST: 1 from when we led the caller back to the queue until a seat has answered (``waiting``).
- ELSEWHERE: who has the caller, a channel, when it is somebody else than the seat that app_queue rang (handed
  over, sent on, taken over), until the caller is in a queue again: what becomes of that seat's phone is
  nothing to them.
- BACK: the transfer from which the caller went back to the queue; REFUSED_AT: when a centre refused.
- TURN_2, TURN_3 …: ``<id>:<epoch>``, from when on a centre's second, third … way is tried in that transfer;
  the way before says so when it begins, and with 0 when it has failed.
- URGENT: 1 when the newest transfer's target is one of ``<city>-urgent``, or it is a hand-over.
- LEAVES: the transfer whose agent asked to leave it to caller and target.
- WATCH: the number of the newest watch (``transfer_watch.watched``).
- WHERE: ``room`` as long as the caller is there or on the last steps to it, ``hold`` while the agent asks a
  colleague, ``sent`` while somebody rings for a caller passed on blindly; READY: somebody is in the room
  again.
- RINGS: the channels that ring for a caller passed on blindly; REACHED, STOPPED: the transfer in which one of
  them answered, or none is wanted any more (``transfer_blind``); UNSENT_AT: when it came to nothing and the
  agent was still there.

Every step is told: UserEvent ``What: transfer``; and written into queue_log, for a service that is dead now
(``cti.asterisk.stages`` reads it there).
"""

from __future__ import annotations

from asterisk_conf.steps import Context

CALLER = "${CALLER_CHANNEL}"
IN_DANGER = '("${DANGER}" = "1" | "${SHARED(URGENT)}" = "1")'
"""On the caller's channel: a person in danger, brought to a centre or back from one."""
NOW = "${STRFTIME(,,%s.%3q)}"
LED = "0${SHARED(AWAY)} != 0${AWAY_SEEN}"
"""On the caller's channel: an agent was led out of a talk, and it has not followed yet."""


WISHES = "transfer-${CALL_ID}"
"""The lock under which a wish is accepted (``transfer-go``), or a caller goes on without one."""


def of_caller(name: str) -> str:
    return f"SHARED({name},{CALLER})"


def settled(context: Context, known: str = "") -> None:
    """On the caller's channel, fallen out of a talk: was a wish accepted before (OVER is 0), or is it too
    late for any (1)? ``known``: the transfer, under way, that brought it into this talk."""
    none = '"${SHARED(TRANSFER)}" = ""'
    if known:
        none = f'({none} | "${{CUT(SHARED(TRANSFER),:,3)}}" = "{known}")'
    _under_lock(context, f"$[{none} & 0${{SHARED(AWAY)}} = 0${{AWAY_SEEN}}]")


def closed(context: Context) -> None:
    """On the caller's channel, which goes away from whoever it was with: no wish of theirs moves it."""
    _under_lock(context, "1")


def _under_lock(context: Context, over: str) -> None:
    """One step: a redirection between two would leave the lock held for the rest of the call."""
    told = f"${{LOCK({WISHES})}}${{SET(SHARED(OVER)={over})}}${{UNLOCK({WISHES})}}"
    context.do("Set", f"SETTLED={told}")


def wished(context: Context, wish: str) -> None:
    """On the caller's channel: the phone's own transfer. ACCEPTED is 1 when it is the one under way now, and
    0 when that is another one."""
    # one step, as above; the value to keep or to take is chosen by name: IF() would part it at its colons
    steps = (
        f"LOCK({WISHES})",
        "SET(WISH_0=${SHARED(TRANSFER)})",
        f"SET(WISH_1={wish})",
        'SET(ACCEPTED=$["${WISH_0}" = "" | "${SHARED(HANDED)}" = "1"])',
        "SET(SHARED(TRANSFER)=${WISH_${ACCEPTED}})",
        # what was handed over before is so no more; where another one is under way nothing is
        "SET(SHARED(HANDED)=0)",
        f"UNLOCK({WISHES})",
    )
    context.do("Set", f"SETTLED={''.join(f'${{{step}}}' for step in steps)}")


def wishes_done(context: Context) -> None:
    """On a leg that has ended: a wish accepted in that instant has written down all it does."""
    context.do("Set", f"HELD=${{LOCK({WISHES})}}${{UNLOCK({WISHES})}}")


def tell(context: Context, step: str, *headers: str, label: str = "") -> Context:
    told = ("Call: ${CALL_ID}", "Id: ${TRANSFER_ID}", f"Step: {step}", *headers)
    context.do("UserEvent", "Hotline", "What: transfer", *told, label=label)
    written = "/".join((step, "${TRANSFER_ID}", NOW, *(header.replace(": ", "=", 1) for header in headers)))
    return context.do("QueueLog", "NONE", "${CUT(CALL_ID,-,2-)}", "NONE", "HOTLINETRANSFER", written)


def told_room(context: Context, step: str, when: str = "", label: str = "", of: str = "") -> None:
    """Who comes into the room, leaves a talk or a room, or is gone, for queue_log: app_queue writes down when
    a caller's talk with the agent it rang ended, and nothing of what follows.

    ``of``: the channel told of when it is another one: a seat's phone that a Local channel brings in."""
    leg, name = (f"${{IMPORT({of},UNIQUEID)}}", of) if of else ("${UNIQUEID}", "${CHANNEL(name)}")
    words = ("NONE", "${CUT(CALL_ID,-,2-)}", name, "HOTLINEROOM", f"{step}/{leg}/{NOW}")
    if when:
        context.do("ExecIf", f"$[{when}]?QueueLog({','.join(words)})", label=label)
    else:
        context.do("QueueLog", *words, label=label)


def told_asked(context: Context, label: str = "") -> None:
    tell(context, "asked", "City: ${CITY}", "Seat: ${SEAT}", "Kind: ${KIND}", "To: ${TO}", "By: ${BY}",
          "Wished: ${WISHED}", f"Urgent: ${{{of_caller('URGENT')}}}",
          f"Caller: ${{{of_caller('CALLER')}}}", "Agent: ${DB(hotline-seat/${CITY}/${SEAT})}",
          label=label)  # fmt: skip
