"""Who leaves a transfer says so in a hangup handler, in a thread of its own, and moves the caller if need be.

Each first says and then looks, so of two who go at one instant at least one sees both.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.held import ENDED_WITH
from asterisk_conf.steps import Context
from asterisk_conf.transfer_state import CALLER, of_caller, tell, told_room, wishes_done

NOT_BACK = f'"${{{of_caller("BACK")}}}" != "${{TRANSFER_ID}}"'
"""The caller has not gone back to the queue by itself meanwhile."""
WAITS = " | ".join(f'"${{{of_caller("WHERE")}}}" = "{where}"' for where in ("room", "hold"))
"""The caller is where it can be led from. On its way it looks by itself, and a redirection while it waits for
a lock would end it as if it had hung up (``ast_autoservice_start``)."""


def gone_contexts() -> Iterator[Context]:
    """All of them."""
    yield _agent_gone()
    yield _target_gone()
    yield _room_ends()


def caller_leaves(context: Context) -> None:
    """Hangup handler of the caller: nobody stays behind alone in the room."""
    context.do("GosubIf", '$["${ROOM}${SHARED(TRANSFER)}" != ""]?transfer-room-ends,s,1')


def _agent_gone() -> Context:
    """Hangup handler of every seat that talked to a caller: had it begun a transfer?"""
    context = Context("transfer-agent-gone")
    told_room(context, "gone", when='"${WATCHED}" = "1"')
    wishes_done(context)
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:empty")
    context.do("GotoIf", f'$["${{{of_caller("AGENT")}}}" = "${{CHANNEL(name)}}"]?:done')
    context.do("Set", f"{of_caller('AGENT_CAUSE')}={ENDED_WITH}")
    context.do("Set", f"{of_caller('AGENT_IN')}=0")
    context.do("Set", f"MOVE=${{{of_caller('TRANSFER')}}}")
    context.do("GotoIf", '$["${MOVE}" = ""]?done')
    context.do("Set", "TRANSFER_ID=${CUT(MOVE,:,3)}")
    context.do("GotoIf", '$["${CUT(MOVE,:,1)}" = "blind"]?sent')
    context.do("GotoIf", f'$["${{{of_caller("TARGET_IN")}}}" = "1"]?handed')
    tell(context, "agent-left")
    context.do("ExecIf", f"$[{NOT_BACK} & ({WAITS})]?ChannelRedirect({CALLER},transfer-back,s,1)")
    context.do("Return", label="done")
    # whoever rings for the caller rings on for a moment (transfer-watch)
    reached = f'"${{{of_caller("REACHED")}}}" = "${{TRANSFER_ID}}"'
    context.do("GotoIf", f"$[{reached}]?done", label="sent")
    tell(context, "agent-left")
    context.do("Return")
    context.do("Set", f"{of_caller('HANDED')}=1", label="handed")
    context.do("Set", f"{of_caller('ELSEWHERE')}=${{{of_caller('TARGET')}}}")
    tell(context, "handed")
    context.do("Return")
    context.do("GotoIf", '$["${WATCHED}" = "1"]?:done', label="empty")
    context.do("CONFKICK", "${CALL_ID}", "all")
    return context.do("Return")


def _target_gone() -> Context:
    """Hangup handler of the target."""
    context = Context("transfer-target-gone")
    told_room(context, "gone")
    wishes_done(context)
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:empty")
    # whoever was asked has meanwhile asked somebody else, who is the target now
    context.do("GotoIf", f'$["${{{of_caller("TARGET")}}}" = "${{CHANNEL(name)}}"]?:past')
    context.do("Set", f"{of_caller('TARGET_CAUSE')}={ENDED_WITH}")
    context.do("Set", f"{of_caller('TARGET_IN')}=0")
    context.do("Set", f"MOVE=${{{of_caller('TRANSFER')}}}")
    tell(context, "target-left", f"Cause: {ENDED_WITH}")
    context.do("GotoIf", '$["${CUT(MOVE,:,3)}" != "${TRANSFER_ID}" | "${CUT(MOVE,:,1)}" = "consult"]?alone')
    # the agent is still with the caller
    context.do("ExecIf", f'$["${{{of_caller("AGENT_IN")}}}" = "1"]?Set({of_caller("TRANSFER")}=)')
    context.do("Return")
    # the agent has left already and this one never came into the room: the caller waits there for nobody
    here = '"${CUT(MOVE,:,3)}" = "${TRANSFER_ID}"'
    nobody = f'"${{{of_caller("AGENT_IN")}}}" != "1" & "${{{of_caller("TARGET_JOINED")}}}" != "1"'
    leads = f"{here} & {nobody} & {NOT_BACK} & ({WAITS})"
    context.do("ExecIf", f"$[{leads}]?ChannelRedirect({CALLER},transfer-back,s,1)", label="alone")
    context.do("Return", label="past")
    context.do("CONFKICK", "${CALL_ID}", "all", label="empty")
    return context.do("Return")


def _room_ends() -> Context:
    """The caller hung up. Agent and centre may finish what they say; a dialling goes on for nobody."""
    context = Context("transfer-room-ends")
    told_room(context, "gone")
    context.do("ExecIf", '$["${SHARED(DIALLING)}" != "" & "${SHARED(TARGET_IN)}" != "1"]'
               "?SoftHangup(${SHARED(DIALLING)})")  # fmt: skip
    context.do("GotoIf", "$[0${CONFBRIDGE_INFO(marked,${CALL_ID})} > 1]?done")
    context.do("CONFKICK", "${CALL_ID}", "all")
    return context.do("Return", label="done")
