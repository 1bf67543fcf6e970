"""Where a transfer's people meet, and who leads the caller on.

Caller, agent and whoever is asked meet in a conference room named by CALL_ID. Agent and target are marked
in it; the caller goes where the last marked one leaves (``end_marked``): to the head of the queue, or out
when the talk was over. Who leaves says so in ``asterisk_conf.transfer_gone``; the net below all of it is
``asterisk_conf.transfer_watch``.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.desk_leads import led_by_desk
from asterisk_conf.in_step import in_step
from asterisk_conf.seat_leg import HEAD, cause_is
from asterisk_conf.site import Site
from asterisk_conf.steps import Context
from asterisk_conf.transfer_blind import blind_contexts
from asterisk_conf.transfer_gone import gone_contexts
from asterisk_conf.transfer_state import (
    CALLER,
    LED,
    closed,
    of_caller,
    settled,
    tell,
    told_asked,
    told_room,
)
from asterisk_conf.transfer_watch import watch_context
from asterisk_conf.waiting import queue_ends
from calls.model import GONE

LOOKS = 20
"""Looks, 0.05 s apart, after which a colleague goes to the caller whatever became of the agent, and the
caller on without whoever was asked."""
REFUSED_LATELY = 10
"""Seconds after a centre's refusal, or that of whom the caller was sent to, in which an agent who hangs up
may believe that it rings."""
ROOM_MENU = "transfer-keys"
"""In confbridge.conf: the keys of a seat's phone in a room (``asterisk_conf.transfer.room_keys``)."""
_URGENT = '"${SHARED(URGENT)}" = "1"'
_BROUGHT = '("${CUT(NOW,:,1)}" = "three" | "${CUT(NOW,:,1)}" = "handoff")'
"""A wish that leads nobody out of a room."""


def room_profiles() -> str:
    """For confbridge.conf."""
    return "".join(
        f"[transfer-{name}]\ntype = user\nquiet = yes\n{options}\n"
        for name, options in (
            ("marked", "marked = yes\nmusic_on_hold_when_empty = no\n"),
            ("caller", "end_marked = yes\nmusic_on_hold_when_empty = no\n"),
        )
    )


def moved_on(context: Context) -> None:
    """On the caller's channel when it fell out of a talk: was it transferred?"""
    settled(context)
    context.do("GotoIf", '$["${SHARED(OVER)}" = "1"]?:transfer-caller,s,2')


def room_contexts(site: Site) -> Iterator[Context]:
    """All of them."""
    yield _target()
    yield _joins()
    yield _agent()
    yield _caller()
    yield _why()
    yield _back(site)
    yield _dropped()
    yield _up()
    yield _seat_up()
    yield from blind_contexts()
    yield watch_context()
    yield from gone_contexts()


def _target() -> Context:
    """Dials somebody into the room."""
    context = Context("transfer-target")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("Set", f"{of_caller('DIALLING')}=${{CHANNEL(name)}}")
    # said first, looked then: whoever goes meanwhile hangs this up, or it ends by itself
    context.do("GotoIf", f'$["${{CUT(SHARED(TRANSFER,{CALLER}),:,3)}}" = "${{TRANSFER_ID}}"]?:over')
    # what a phone is told of the call it rings for
    for name in ("SIP_CALL", "LINE", "ORIGINAL", "OF"):
        context.do("Set", f"__{name}=${{IMPORT({CALLER},{name})}}")
    context.do("Set", "TO_OPTIONS=")
    context.do("Gosub", "${CITY}-to", "${TO}", "1")
    context.do("GotoIf", '$["${DIALSTATUS}" = "ANSWER"]?over')
    context.do("GotoIf", f'$["${{CUT(SHARED(TRANSFER,{CALLER}),:,3)}}" = "${{TRANSFER_ID}}"]?:over')
    # they go on talking without
    urgent = f'"${{{of_caller("URGENT")}}}" = "1"'
    context.do("ExecIf", f"$[{urgent}]?Set({of_caller('REFUSED_AT')}=${{EPOCH}})")
    context.do("Set", f"{of_caller('TRANSFER')}=")
    tell(context, "refused", "Status: ${DIALSTATUS}", "Cause: ${HANGUPCAUSE}")
    return context.do("Hangup", label="over")


def _joins() -> Context:
    """Who was asked comes into the room. Only while the caller, and this transfer, is still there."""
    context = Context("transfer-joins").landing()
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    in_step(context)
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:over")
    context.do("Set", "LOOKS=0")
    context.do("Set", f"MOVE=${{{of_caller('TRANSFER')}}}", label="look")
    context.do("GotoIf", '$["${CUT(MOVE,:,3)}" = "${TRANSFER_ID}"]?:over')
    # The colleague of a consultation leaves it in the same instant as the agent, who may have taken the
    # caller back: the agent's own thread says which, by clearing TRANSFER or by its end.
    asked = f'"${{CUT(MOVE,:,1)}}" = "consult" & "${{{of_caller("AGENT_IN")}}}" = "1"'
    context.do("Set", "LOOKS=$[${LOOKS} + 1]")
    context.do("GotoIf", f"$[{asked} & ${{LOOKS}} <= {LOOKS}]?:comes")
    context.do("Wait", "0.05").do("Goto", "look")
    # recorded where it speaks, on its own leg (transfer-seat-up, transfer-way-up): this may be a Local one
    context.do("Set", f"{of_caller('TARGET_JOINED')}=1", label="comes")
    tell(context, "joined")
    told_room(context, "in", of=f"${{{of_caller('TARGET')}}}")
    _bring_caller(context)
    # a Local channel's own phone keys where it is: in its talk with that channel
    own = '"${CHANNEL(channeltype)}" = "PJSIP"'
    menu = f"${{IF($[{own}]?{ROOM_MENU}:)}}"
    context.do("ConfBridge", "${CALL_ID}", "default_bridge", "transfer-marked", menu)
    return context.do("Hangup", "16", label="over")


def _bring_caller(context: Context) -> None:
    """Somebody comes into the room: the caller too. Each says first and then looks, so one of them sees."""
    context.do("Set", f"{of_caller('READY')}=1")
    context.do("ExecIf", f'$["${{{of_caller("WHERE")}}}" = "hold"]?'
               "ChannelRedirect(${CALLER_CHANNEL},transfer-caller,s,comes)")  # fmt: skip


def _agent() -> Context:
    """The agent's channel, out of the talk."""
    context = Context("transfer-agent", None)
    context.exten("room").landing()
    context.do("Gosub", "transfer-agent", "watched", "1")
    in_step(context)
    # the caller left meanwhile: nobody to talk to
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:over")
    told_room(context, "in")
    _bring_caller(context)
    context.do("ConfBridge", "${CALL_ID}", "default_bridge", "transfer-marked", ROOM_MENU)
    context.do("Hangup", "16", label="over")
    context.exten("consult").landing()
    context.do("Gosub", "transfer-agent", "watched", "1")
    told_room(context, "out")
    in_step(context)
    context.do("Set", f"MOVE=${{{of_caller('TRANSFER')}}}")
    # taken back before anybody was asked
    context.do("GotoIf", '$["${MOVE}" = ""]?room,2')
    context.do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}")
    # F: when the agent hangs up, the colleague goes to the caller; g: else the agent does
    context.do("Set", "TO_OPTIONS=HgF(transfer-joins^s^1)")
    context.do("Gosub", "${CITY}-to", "${CUT(MOVE,:,2)}", "1")
    context.do("GotoIf", f'$["${{{of_caller("TRANSFER")}}}" = "${{MOVE}}"]?:room,2')
    tell(context, "refused", "Status: ${DIALSTATUS}", "Cause: ${HANGUPCAUSE}")
    context.do("Set", f"{of_caller('TRANSFER')}=")
    context.do("Goto", "room", "2")
    context.exten("watched")
    context.do("Set", f"{of_caller('AGENT_IN')}=1")
    context.do("Set", "WATCHED=1")
    return context.do("Return")


def _caller() -> Context:
    """The caller's channel, out of a talk: what the transfer means for it."""
    context = Context("transfer-caller").landing()
    led_by_desk(context)
    in_step(context)
    context.do("Set", "AWAY_SEEN=0${SHARED(AWAY)}")
    context.do("Set", "MOVE=${SHARED(TRANSFER)}")
    context.do("GotoIf", '$["${CUT(MOVE,:,1)}" = "blind"]?transfer-blind,s,2')
    context.do("Set", "ROOM=${CALL_ID}")
    context.do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}")
    # an agent who comes brings the caller along who is held, so nobody is who goes into the room anyway
    context.do("Set", 'SHARED(WHERE)=${IF($["${CUT(MOVE,:,1)}" = "consult"]?hold:room)}')
    # said first, looked then: an agent who goes has said so before it looks where the caller is
    gone = '"${SHARED(AGENT_IN)}" = "0" & "${SHARED(TARGET_IN)}" != "1"'
    context.do("GotoIf", f'$["${{MOVE}}" != "" & {gone}]?transfer-back,s,2')
    context.do("GotoIf", '$["${CUT(MOVE,:,1)}" = "consult" & "${SHARED(READY)}" != "1"]?:enter')
    # While the agent asks a colleague; an emergency never consults. ConfBridge's own music mutes its
    # listener, and MixMonitor then gets no sound to write (seen on 22.10): files would fall out of step.
    context.do("MusicOnHold", "", "14400")
    # in this very extension: from between two steps nobody is redirected into another one (Context.landing)
    context.do("NoOp", label="comes")
    context.do("Set", "SHARED(WHERE)=room", label="enter").do("Set", "SHARED(OVER)=")
    told_room(context, "in")
    context.do("ConfBridge", "${CALL_ID}", "default_bridge", "transfer-caller")
    context.do("Set", "SHARED(WHERE)=")
    told_room(context, "out")
    led_by_desk(context)
    # whoever was brought into this very room later: it is the same talk, and theirs to end
    context.do("Set", "NOW=${SHARED(TRANSFER)}")
    here = f"0${{SHARED(AWAY)}} = 0${{AWAY_SEEN}} & {_BROUGHT}"
    context.do("GotoIf", f"$[{here}]?:settles").do("Set", "MOVE=${NOW}")
    context.do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}", label="settles")
    settled(context, "${TRANSFER_ID}")
    context.do("Set", "NOW=${SHARED(TRANSFER)}")
    # the agent left the room to ask somebody, and may be back already
    context.do("GotoIf", f"$[{LED}]?transfer-caller,s,2")
    context.do("GotoIf", '$["${NOW}" = ""]?ended')
    context.do("GotoIf", '$["${CUT(NOW,:,3)}" != "${CUT(MOVE,:,3)}"]?transfer-caller,s,2')
    # Whoever was asked is somewhere between answering and this room, or has just left it: their own leg says
    # which (TARGET_IN). The agent may have gone in that moment.
    context.do("Set", "SHARED(WHERE)=room").do("Set", "LOOKS=0")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]", label="target")
    away = '"${CUT(NOW,:,1)}" = "consult" | "${SHARED(TARGET_IN)}" != "1"'
    context.do("GotoIf", f"$[{away} | ${{LOOKS}} > {LOOKS}]?gone")
    context.do("GotoIf", "$[0${CONFBRIDGE_INFO(marked,${CALL_ID})} > 0]?enter")
    context.do("Wait", "0.05").do("Goto", "target")
    context.do("NoOp", "nobody comes", label="gone")
    # handed over and talked to the end: only a centre's caller comes back
    talked = '"${SHARED(HANDED)}" = "1" & "${SHARED(TARGET_JOINED)}" = "1"'
    context.do("GotoIf", f'$[{talked} & "${{SHARED(URGENT)}}" != "1"]?over')
    context.do("Goto", "transfer-back", "s", "2")
    context.do("Gosub", "transfer-why", "s", "1", label="over")
    led_by_desk(context)
    context.do("GotoIf", '$["${SHARED(TARGET_IN)}" = "1"]?transfer-back,s,2')
    context.do("GotoIf", f"$[{cause_is(GONE, 'SHARED(TARGET_CAUSE)')}]?transfer-back,s,2")
    context.do("GotoIf", '$["${SHARED(KEYED)}" != ""]?transfer-back,s,2')
    context.do("Set", "LEFT_BY=agent")
    tell(context, "over")
    context.do("Hangup", "16")
    # No transfer any more. The agent asked to leave caller and target to each other in the instant in which
    # the target hung up (TARGET_IN lasts a millisecond longer than the target): that ends no talk.
    context.do("GotoIf", '$["${SHARED(LEAVES)}" != ""]?left', label="ended")
    # a phone says nothing of a centre's refusal: who hangs up now may think the centre has the caller
    context.do("GotoIf", f"$[${{EPOCH}} - 0${{SHARED(REFUSED_AT)}} <= {REFUSED_LATELY}]?danger")
    context.do("GotoIf", f"$[${{EPOCH}} - 0${{SHARED(UNSENT_AT)}} <= {REFUSED_LATELY}]?transfer-back,s,2")
    # the agent was the last and ended the talk, or the phone died
    context.do("Set", "LOOKS=0")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]", label="look")
    context.do("GotoIf", '$["${SHARED(AGENT_CAUSE)}" != "" | ${LOOKS} > 10]?known')
    context.do("Wait", "0.1").do("Goto", "look")
    # not the cause of some colleague who was asked before
    context.do("Set", "SEAT_LEFT=${SHARED(AGENT_CAUSE)}", label="known").do("Goto", "talked", "s", "known")
    # as the transfer it was: an emergency's caller hears ringing
    context.do("GotoIf", f"$[{_URGENT}]?:transfer-back,s,2", label="left")
    context.do("Set", "DANGER=1", label="danger").do("Goto", "transfer-back", "s", "2")
    # the phone's own REFER
    context.do("GotoIf", f"$[{_URGENT}]?named", label="refer")
    in_step(context)
    context.do("Set", "MOVE=${SHARED(TRANSFER)}", label="named")
    context.do("Set", "TRANSFER_ID=${CUT(MOVE,:,3)}").do("Set", "BY=phone").do("Set", "KIND=blind")
    context.do("Set", "WISHED=blind")
    context.do("Set", "TO=${CUT(MOVE,:,2)}").do("Set", "SEAT=${CUT(CUT(MEMBERINTERFACE,/,2),-,2)}")
    told_asked(context)
    # such a phone hangs up by itself
    context.do("Set", "SHARED(AGENT_IN)=0")
    tell(context, "agent-left")
    return context.do("Goto", "transfer-blind", "s", "2")


def _why() -> Context:
    """The target's leg ends in a thread of its own: its handler says why (TARGET_CAUSE)."""
    context = Context("transfer-why")
    context.do("Set", "LOOKS=0")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]", label="look")
    context.do("GotoIf", '$["${SHARED(TARGET_IN)}" != "1" | ${LOOKS} > 10]?known')
    context.do("Wait", "0.1").do("Goto", "look")
    return context.do("Return", label="known")


def _back(site: Site) -> Context:
    """Nobody is with the caller: the head of the queue. In an emergency it hears ringing, no music."""
    context = Context("transfer-back").landing()
    led_by_desk(context)
    # not where it could be led from, while it waits for the lock: a redirection then would end it
    context.do("Set", "SHARED(WHERE)=")
    closed(context)
    context.do("Set", "MOVE=${SHARED(TRANSFER)}")
    # from which transfer: whoever else would lead the caller back sees that it went by itself
    context.do("ExecIf", '$["${MOVE}" != ""]?Set(SHARED(BACK)=${CUT(MOVE,:,3)})')
    context.do("ExecIf", f"$[{_URGENT}]?Set(DANGER=1)")
    # a wish that was keyed and came too late
    context.do("Set", "KEYED=${SHARED(KEYED)}").do("Set", "SHARED(KEYED)=")
    context.do("GotoIf", '$["${KEYED}" = ""]?none')
    urgent = "${DIALPLAN_EXISTS(${CITY}-urgent,${CUT(KEYED,/,2)},1)}"
    context.do("ExecIf", f'$["${{CUT(KEYED,/,1)}}" = "handoff" | {urgent}]?Set(DANGER=1)')
    context.do("Set", "SHARED(TRANSFER)=", label="none").do("Set", "SHARED(LEAVES)=")
    context.do("Set", "AWAY_SEEN=0${SHARED(AWAY)}")
    context.do("ExecIf", '$["${SHARED(DIALLING)}" != ""]?SoftHangup(${SHARED(DIALLING)})')
    tell(context, "back")
    context.do("Set", f"QUEUE_PRIO={HEAD}").do("Set", "SHARED(LOST)=1")
    context.do("GotoIf", '$["${DANGER}" = "1"]?urgent')
    # short: until it is over the caller is in no queue
    context.do("Playback", "hotline/please-wait")
    context.do("Goto", "${CITY}-queue-${QUEUE}", "s", "enter")
    context.do("Gosub", "queue-enter", "s", "1", label="urgent")
    context.do("Gosub", "seat-wind", "s", "1")
    # the levels go on from what was waited so far, also when the time below is over
    levels = "${CITY}-levels,queue-${QUEUE},1"
    context.do("Set", "RULE=").do("GosubIf", f"${{DIALPLAN_EXISTS({levels})}}?{levels}")
    ends = queue_ends(site, "", "${RULE}", "")
    context.do("Queue", "${CITY}-${QUEUE}", "crib(seat-leg^s^1)", "", "", "600", *ends)
    context.do("Gosub", "queued-out", "s", "1(${QUEUE})")
    context.do("GotoIf", '$["${QUEUESTATUS}" = "CONTINUE"]?talked,s,1')
    # a person in danger is not sent to a machine
    return context.do("Wait", "1").do("Goto", "urgent")


def _dropped() -> Context:
    """On a caller whom a supervisor takes out of whatever it was in: no transfer moves it any more."""
    context = Context("transfer-dropped")
    led = '"${SHARED(TRANSFER)}" != "" | "${SHARED(WHERE)}" = "sent"'
    context.do("Set", "LEFT=").do("ExecIf", f"$[{led}]?Set(LEFT=${{SHARED(AGENT)}})")
    context.do("Set", "SHARED(WHERE)=")
    closed(context)
    context.do("Set", "MOVE=${SHARED(TRANSFER)}")
    # said first, hung up then: an agent who goes leads nobody back who is led already
    context.do("ExecIf", '$["${MOVE}" != ""]?Set(SHARED(BACK)=${CUT(MOVE,:,3)})')
    context.do("Set", "SHARED(TRANSFER)=").do("Set", "SHARED(LEAVES)=")
    # a watch of before ends, and nobody is followed who was led away before
    context.do("Set", "SHARED(WATCH)=$[0${SHARED(WATCH)} + 1]").do("Set", "AWAY_SEEN=0${SHARED(AWAY)}")
    context.do("ExecIf", '$["${LEFT}" != ""]?SoftHangup(${LEFT})')
    context.do("ExecIf", '$["${SHARED(DIALLING)}" != ""]?SoftHangup(${SHARED(DIALLING)})')
    context.do("GotoIf", '$["${ROOM}" = ""]?done')
    context.do("Set", "ROOM=")
    context.do("SoftHangup", "${SHARED(AGENT)}").do("CONFKICK", "${CALL_ID}", "all")
    return context.do("Return", label="done")


def _up() -> Context:
    """On the target's channel when it has answered, before anybody hears it."""
    context = Context("transfer-up")
    context.do("Gosub", "transfer-reached", "s", "1")
    context.do("GotoIf", '$["${GOSUB_RETVAL}" = "late"]?late')
    context.do("Set", f"{of_caller('TARGET')}=${{CHANNEL(name)}}")
    context.do("Set", f"{of_caller('TARGET_CAUSE')}=0")
    context.do("Set", f"{of_caller('TARGET_IN')}=1")
    context.do("Set", "CHANNEL(hangup_handler_push)=transfer-target-gone,s,1")
    context.do("Set", f"MOVE=${{{of_caller('TRANSFER')}}}")
    # a blind transfer is over when somebody has answered
    sent = '"${CUT(MOVE,:,1)}" = "blind"'
    context.do("ExecIf", f"$[{sent}]?Set({of_caller('WHERE')}=)")
    context.do("ExecIf", f"$[{sent}]?Set({of_caller('ELSEWHERE')}=${{CHANNEL(name)}})")
    context.do("ExecIf", f"$[{sent}]?Set({of_caller('TRANSFER')}=)")
    tell(context, "answered")
    return context.do("Return", label="late")


def _seat_up() -> Context:
    context = Context("transfer-seat-up")
    context.do("Gosub", "transfer-reached", "s", "1")
    context.do("GotoIf", '$["${GOSUB_RETVAL}" = "late"]?late')
    context.do("Gosub", "seat-joined", "s", "1(target)")
    context.do("Gosub", "transfer-up", "s", "1")
    return context.do("Return", label="late")
