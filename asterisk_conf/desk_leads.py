"""How a supervisor's order gets a caller out of a talk: it ends, and the caller's own dialplan goes on.

The caller's channel is not redirected out of a talk. Who ends the talk in the same instant sends it on its
way through its own dialplan, where a redirection may meet it inside Originate() and end it as if it had hung
up (seen on 22.10), or between two steps and be undone by the second. So a channel of the order's own writes
the order down beside the caller (SHARED DESK), ends what the caller is in, and looks until the caller has
taken the order. Wherever a caller falls out of something, ``led_by_desk`` looks first, whoever ended it. An
order that nobody takes is withdrawn and refused.

- DESK on the caller's channel: ``<how>:<order>:<by>:<taker>``; how is ``taken`` or an extension of
  ``desk-freed``.
- DESK_DONE: the order that the caller has taken.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.steps import Context
from asterisk_conf.transfer_state import CALLER, of_caller

LOOK = "0.05"
LOOKS = 60
"""Three seconds: a caller takes an order within milliseconds, after the longest wait of its own dialplan (1 s
for the cause of a leg's end)."""

FORCED = "PJSIP/${CITY}-${SEAT}"
"""The phone from which the caller is led away, as its channels begin."""


def desk_leads_contexts() -> Iterator[Context]:
    """All of them."""
    yield _leads()
    yield _led()


def led_by_desk(context: Context, label: str = "") -> None:
    """On the caller's channel where it has fallen out of a talk, or goes on by itself. Not within a Gosub: a
    StackPop() leaves the CDR at the place where that began (seen on 22.10)."""
    context.do("GotoIf", '$["${SHARED(DESK)}" != ""]?desk-led,s,2', label=label)


def _led() -> Context:
    """The caller takes the order."""
    context = Context("desk-led").landing()
    # from here on nobody leads the caller but us; who was sent on is told from the others below
    context.do("ExecIf", '$["${SHARED(WHERE)}" != "sent"]?Set(SHARED(WHERE)=)')
    context.do("Set", "WISH=${SHARED(DESK)}")
    # a redirection (hold) that came after the caller had taken it
    context.do("GotoIf", '$["${WISH}" = ""]?desk-freed,queue,2')
    context.do("Set", "SHARED(DESK_DONE)=${CUT(WISH,:,2)}").do("Set", "SHARED(DESK)=")
    context.do("Set", "TAKEN_BY=${CUT(WISH,:,3)}").do("Set", "TAKER=${CUT(WISH,:,4)}")
    context.do("GotoIf", '$["${CUT(WISH,:,1)}" = "taken"]?desk-taken,s,2')
    return context.do("Goto", "desk-freed", "${CUT(WISH,:,1)}", "2")


def _leads() -> Context:
    """The ;2 half of a Local channel made by an order. CALLER_CHANNEL, HOW, BY, ORDER; with ``taken`` TAKER,
    else CITY and SEAT: from whom. Answered means that the caller has taken it."""
    context = Context("desk-leads")
    done = f'"${{{of_caller("DESK_DONE")}}}" = "${{ORDER}}"'
    where, of_target = (f"${{{of_caller(name)}}}" for name in ("WHERE", "TARGET"))
    context.do("Set", "CDR_PROP(disable)=1").do("Set", "WHY=caller-gone")
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:no")
    context.do("Set", f"CALL_ID=${{IMPORT({CALLER},CALL_ID)}}")
    # two supervisors at one moment: one of them
    context.do("Set", "HELD=${LOCK(desk-${CALL_ID})}").do("Set", "WHY=led-already")
    context.do("GotoIf", f'$["${{{of_caller("DESK")}}}" = ""]?:no')
    context.do("Set", f"{of_caller('DESK')}=${{HOW}}:${{ORDER}}:${{BY}}:${{TAKER}}")
    context.do("Set", "HELD=${UNLOCK(desk-${CALL_ID})}")
    context.do("Set", "LOOKS=0")
    context.do("GotoIf", f"$[{done}]?done", label="look")
    context.do("Set", "WHY=caller-gone").do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:no")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]").do("GotoIf", f"$[${{LOOKS}} > {LOOKS}]?late")
    context.do("Set", f"WHERE={where}")
    context.do("GotoIf", '$["${WHERE}" = "room" | "${WHERE}" = "hold" | "${WHERE}" = "sent"]?${WHERE}')
    context.do("Set", f"PEER=${{IMPORT({CALLER},BRIDGEPEER)}}")
    # the taker's phone: the caller has just taken the order
    context.do("GotoIf", '$["${PEER}" = "" | "${PEER}" = "${TAKER}"]?wait')
    # whoever has the caller from the agent keeps them
    other = f'"${{HOW}}" != "taken" & "${{CUT(PEER,-,1-2)}}" != "{FORCED}"'
    context.do("GotoIf", f"$[{other}]?kept")
    context.do("SoftHangup", "${PEER}")
    context.do("Wait", LOOK, label="wait").do("Goto", "look")
    context.do("Set", f"TARGET={of_target}", label="room")
    handed = f'"${{HOW}}" != "taken" & "${{{of_caller("HANDED")}}}" = "1"'
    context.do("GotoIf", f'$[{handed} & "${{CUT(TARGET,-,1-2)}}" != "{FORCED}"]?kept')
    context.do("CONFKICK", "${CALL_ID}", "${CALLER_CHANNEL}").do("Goto", "wait")
    # in music, which takes a redirection for what it is
    context.do("ChannelRedirect", "${CALLER_CHANNEL}", "desk-led", "s", "1", label="hold")
    context.do("Wait", "0.5").do("Goto", "look")
    context.do("Gosub", "transfer-stops", "s", "1", label="sent").do("Goto", "wait")
    # who goes on with somebody else is not at the end of their call
    context.do("Set", f"{of_caller('DESK')}=", label="kept").do("Set", "WHY=passed-on")
    context.do("GotoIf", '$["${HOW}" = "end"]?withdrawn').do("Answer").do("Hangup")
    context.do("Set", f"{of_caller('DESK')}=", label="late").do("Set", "WHY=no-talk-now")
    # read in the instant in which it was withdrawn
    context.do("Wait", "0.2", label="withdrawn").do("GotoIf", f"$[{done}]?:no")
    context.do("Answer", label="done").do("Hangup")
    context.do("Set", "DB(hotline-order/${ORDER})=${WHY}", label="no").do("Hangup", "21")
    context.exten("1").do("Set", "CDR_PROP(disable)=1").do("Hangup")
    return context
