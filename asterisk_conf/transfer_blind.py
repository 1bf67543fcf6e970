"""A caller passed on without a word: whoever is asked rings, and the agent stays until they have answered.

The caller's own channel dials. Whether a phone that rings is still wanted is decided in one place, under one
lock: it was reached (REACHED), or nobody waits for it any more (STOPPED), never both. The caller is never
redirected meanwhile: while a phone that has answered is prepared, Asterisk serves the caller's channel by
itself, and a redirection in that moment ends it as if it had hung up.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.desk_leads import led_by_desk
from asterisk_conf.seat_leg import HEAD, cause_is
from asterisk_conf.steps import Context
from asterisk_conf.transfer_state import LED, closed, of_caller, settled, tell, told_room
from calls.model import GONE

TAKE_BACK = "*80"
LOOK = "0.3"
"""Seconds between two looks of the agent's leg: is somebody reached, is the caller back?"""
LOOKS = 40
"""Looks, 0.05 s apart, in which the agent comes into the room before the caller does."""
OURS = '"${TRANSFER_ID}" != "" & '


def blind_contexts() -> Iterator[Context]:
    """All of them."""
    yield _blind()
    yield _sent()
    yield _rings()
    yield _stops()
    yield _reached()


def _blind() -> Context:
    """The caller's channel, MOVE known. It hears ringing until somebody answers; nobody does: back to the
    agent, who waits, or to the head of the queue."""
    context = Context("transfer-blind").landing()
    context.do("Set", "TO=${CUT(MOVE,:,2)}").do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}")
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-to-place,${TO},1)}?place")
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-to,${TO},1)}?:transfer-back,s,2")
    context.do("Set", "SHARED(WHERE)=sent")
    context.do("GotoIf", '$["${SHARED(STOPPED)}" = "${TRANSFER_ID}"]?nobody')
    there = '"${SHARED(AGENT_IN)}" = "1" & 0${CHANNEL_EXISTS(${SHARED(AGENT)})}'
    context.do("Set", f"BRIEF=${{IF($[{there}]?0:1)}}")
    # a phone's own REFER: a centre that rings is never cut
    urgent = '"${SHARED(URGENT)}" = "1"'
    context.do("ExecIf", f"$[{urgent}]?Set(BRIEF=0)")
    context.do("Set", "TO_OPTIONS=gr")
    context.do("Gosub", "${CITY}-to", "${TO}", "1")
    led_by_desk(context, label="nobody")
    context.do("Set", "NOW=${SHARED(TRANSFER)}")
    context.do("GotoIf", '$["${SHARED(REACHED)}" = "${TRANSFER_ID}"]?talked')
    # taken back, and already on the way to somebody else
    other = '"${NOW}" != "" & "${CUT(NOW,:,3)}" != "${TRANSFER_ID}"'
    context.do("GotoIf", f"$[({other}) | {LED}]?transfer-caller,s,2")
    context.do("GotoIf", f"$[{there}]?:transfer-back,s,2")
    # said first, looked then: an agent who hangs up now has said so, or the watch sees it
    context.do("Set", "SHARED(TRANSFER)=")
    context.do("GotoIf", '$["${SHARED(STOPPED)}" = "${TRANSFER_ID}"]?agent')
    tell(context, "refused", "Status: ${DIALSTATUS}", "Cause: ${HANGUPCAUSE}")
    context.do("Set", "SHARED(UNSENT_AT)=${EPOCH}")
    # not before the agent: whoever is wished for meanwhile would find the caller in an empty room
    context.do("Set", "LOOKS=0", label="agent")
    led_by_desk(context, label="waits")
    context.do("GotoIf", f"$[{there}]?:transfer-back,s,2")
    context.do("GotoIf", f'$["${{SHARED(TRANSFER)}}" != "" | {LED}]?transfer-caller,s,2')
    context.do("GotoIf", f"$[0${{CONFBRIDGE_INFO(marked,${{CALL_ID}})}} > 0 | ${{LOOKS}} > {LOOKS}]?comes")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]").do("Wait", "0.05").do("Goto", "waits")
    context.do("Set", "ROOM=${CALL_ID}", label="comes").do("Goto", "transfer-caller", "s", "enter")
    # who answered and was gone before anything could be said of it: the agent has left for them
    context.do("GotoIf", '$["${CUT(NOW,:,3)}" = "${TRANSFER_ID}"]?transfer-back,s,2', label="talked")
    # whoever answered passed the caller on
    settled(context)
    context.do("GotoIf", '$["${SHARED(OVER)}" = "1"]?:transfer-caller,s,2')
    # a centre's caller comes back, whoever put the handset down
    context.do("GotoIf", f"$[{urgent}]?transfer-back,s,2")
    context.do("Gosub", "transfer-why", "s", "1")
    led_by_desk(context)
    context.do("GotoIf", f"$[{cause_is(GONE, 'SHARED(TARGET_CAUSE)')}]?transfer-back,s,2")
    context.do("GotoIf", '$["${SHARED(KEYED)}" != ""]?transfer-back,s,2')
    context.do("Set", "LEFT_BY=agent")
    tell(context, "over")
    context.do("Hangup", "16")
    context.do("Set", f"QUEUE_PRIO={HEAD}", label="place")
    closed(context)
    context.do("Set", "SHARED(TRANSFER)=")
    tell(context, "queued")
    return context.do("Goto", "${CITY}-to-place", "${TO}", "1")


def _sent() -> Context:
    """The agent's channel, out of the talk: it hears ringing too, and takes back with ``TAKE_BACK``."""
    context = Context("transfer-sent").landing()
    context.do("Gosub", "transfer-agent", "watched", "1")
    told_room(context, "out")
    context.do("Set", f"MOVE=${{{of_caller('TRANSFER')}}}")
    # taken back before anybody was asked, or refused already
    context.do("GotoIf", '$["${MOVE}" = ""]?transfer-agent,room,2')
    context.do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}").do("Set", "KEYS=")
    context.do("PlayTones", "ring")
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:over", label="look")
    context.do("GotoIf", f'$["${{{of_caller("REACHED")}}}" = "${{TRANSFER_ID}}"]?over')
    context.do("GotoIf", f'$["${{{of_caller("TRANSFER")}}}" = "${{MOVE}}"]?:back')
    # Read() would have silence instead of the tone (transmit_silence)
    context.do("WaitDigit", LOOK)
    context.do("ExecIf", '$["${WAITDIGITSTATUS}" = "DTMF"]?Set(KEYS=${KEYS}${WAITDIGITRESULT})')
    context.do("GotoIf", f'$["${{KEYS:-{len(TAKE_BACK)}}}" = "{TAKE_BACK}"]?:look')
    context.do("Set", "KEYS=").do("Gosub", "transfer-stops", "s", "1(back)").do("Goto", "look")
    context.do("StopPlayTones", label="back").do("Goto", "transfer-agent", "room", "2")
    context.do("Hangup", "16", label="over")
    return context


def _rings() -> Context:
    """On a channel that is about to ring for a caller. ARG1: ``seat`` for a seat's own phone."""
    context = Context("transfer-rings")
    context.do("GosubIf", '$["${ARG1}" = "seat"]?seat-leg,s,1')
    # said first, looked then: whoever stops the ringing has said so before it looks whom to stop
    context.do("Set", f"{of_caller('RINGS')}=${{{of_caller('RINGS')}}}${{CHANNEL(name)}}&")
    stopped = f'{OURS}"${{{of_caller("STOPPED")}}}" = "${{TRANSFER_ID}}"'
    context.do("ExecIf", f"$[{stopped}]?SoftHangup(${{CHANNEL(name)}})")
    return context.do("Return")


def _stops() -> Context:
    """Nobody is to be reached any more: ARG1 ``back``: the agent takes the caller back; else the agent is
    gone and it has rung long enough. Returns ``late`` when somebody was reached."""
    context = Context("transfer-stops")
    context.do("Set", "HELD=${LOCK(answer-${CALL_ID})}")
    # an agent whose colleague has just answered goes on looking for what it was sent for: no wish stands now
    context.do("Set", f"LOCAL(MOVE)=${{{of_caller('TRANSFER')}}}")
    context.do("Set", "LOCAL(TRANSFER_ID)=${CUT(MOVE,:,3)}")
    reached = f'"${{{of_caller("REACHED")}}}" = "${{TRANSFER_ID}}"'
    context.do("GotoIf", f'$["${{CUT(MOVE,:,1)}}" != "blind" | {reached}]?late')
    context.do("Set", f"{of_caller('STOPPED')}=${{TRANSFER_ID}}")
    context.do("ExecIf", f'$["${{ARG1}}" = "back"]?Set({of_caller("TRANSFER")}=)')
    context.do("Set", "HELD=${UNLOCK(answer-${CALL_ID})}")
    context.do("GotoIf", '$["${ARG1}" = "back"]?:quiet')
    tell(context, "taken-back")
    context.do("Set", f"ALL=${{{of_caller('RINGS')}}}", label="quiet")
    context.do("GotoIf", '$["${ALL}" = ""]?done', label="next")
    context.do("SoftHangup", "${SHIFT(ALL,&)}").do("Goto", "next")
    context.do("Return", label="done")
    context.do("Set", "HELD=${UNLOCK(answer-${CALL_ID})}", label="late")
    return context.do("Return", "late")


def _reached() -> Context:
    """On a channel that was answered. Returns ``late`` when nobody waits for it any more."""
    context = Context("transfer-reached")
    context.do("Set", "HELD=${LOCK(answer-${CALL_ID})}")
    stopped = f'{OURS}"${{{of_caller("STOPPED")}}}" = "${{TRANSFER_ID}}"'
    context.do("GotoIf", f"$[{stopped}]?late")
    context.do("Set", f"{of_caller('REACHED')}=${{TRANSFER_ID}}")
    context.do("Set", "HELD=${UNLOCK(answer-${CALL_ID})}")
    context.do("Return")
    context.do("Set", "HELD=${UNLOCK(answer-${CALL_ID})}", label="late")
    # Dial() then goes on as if nobody had answered
    context.do("Set", "GOSUB_RESULT=CONGESTION")
    return context.do("Return", "late")
