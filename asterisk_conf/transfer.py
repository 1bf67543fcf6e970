"""Transfers in dialplan alone: begun by a key on the phone, an order, or the phone's own REFER, they finish
with the service dead.

Here they begin. Whom an agent may reach stands in ``asterisk_conf.transfer_reach``, who rings for a caller
sent on blindly in ``asterisk_conf.transfer_blind``, where all others meet in ``asterisk_conf.transfer_room``,
what is remembered meanwhile in ``asterisk_conf.transfer_state``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asterisk_conf.from_centre import from_centre_contexts
from asterisk_conf.held import may_hold
from asterisk_conf.masking import MASK_KEYS, mask_features
from asterisk_conf.site import Site
from asterisk_conf.steps import Context
from asterisk_conf.transfer_blind import TAKE_BACK
from asterisk_conf.transfer_reach import reach_contexts
from asterisk_conf.transfer_room import ROOM_MENU, room_contexts
from asterisk_conf.transfer_state import CALLER, WISHES, of_caller, tell, told_asked
from asterisk_conf.transfer_watch import watched
from plan.model import Plan

KINDS = ("blind", "consult", "three", "handoff")
KEYS = {"blind": "*81", "consult": "*82", "three": "*83", "together": "*84", "leave": "*85"}
"""Keys while talking; the number is asked for. ``*`` and a centre's number hands over to it at once."""
_ASKS_NOBODY = ("together", "leave", "takeback")
ROOM_KEY = "transfer-room-key"
BOTH = "${CHANNEL_EXISTS(${SEAT_CHANNEL})} & ${CHANNEL_EXISTS(${CALLER_CHANNEL})}"
ALIVE = '"${IMPORT(${SEAT_CHANNEL},CHANNEL(checkhangup))}" = "0"'
"""Nobody has hung up the agent's leg: it exists until its handlers are done. One that is led elsewhere is not
alive either until it gets there."""
_KEY_DONE, _KEYING = (0.005, 20), (0.05, 38)
"""Seconds between two looks whether a key's own steps are over, and how many: one time in four or five the
first look comes a millisecond too early, and the INVITE to the centre waits for the next. Then for whoever is
still keying a number: 2 s in all."""


def features(plans: Sequence[Plan]) -> str:
    """For features.conf: the keys of an agent who is talking."""
    centres = sorted({name for plan in plans for name in plan.centres})
    keys = [(f"to{name}", f"*{name}", f"handoff,{name}") for name in centres]
    keys += [(kind, key, f"{kind},") for kind, key in KEYS.items()]
    lines = [f"{name} => {key},self,Gosub(transfer-key,s,1({what}))\n" for name, key, what in keys]
    lines += mask_features()
    return f"\n[featuremap]\ndisconnect => {TAKE_BACK}\n\n[applicationmap]\n{''.join(lines)}"


def room_keys(plans: Sequence[Plan]) -> str:
    """For confbridge.conf: the same keys in a room, and the one that takes back.

    A room reads no number, it only knows a key when it is whole; what it means is dialplan, for which the leg
    stands aside from the room meanwhile (``_room_key``)."""
    lines = [f"{key} = dialplan_exec({ROOM_KEY},{name},1)\n" for name, (key, _) in _in_room(plans).items()]
    return f"[{ROOM_MENU}]\ntype = menu\n{''.join(lines)}\n"


def room_key_context(plans: Sequence[Plan]) -> Context:
    """A key in a room. The room takes the leg back when the last step of an extension is done."""
    context = Context(ROOM_KEY, None)
    for name, (_, (called, told)) in _in_room(plans).items():
        context.exten(name).do("Gosub", called, "s", f"1({told})")
        # what some Dial() of before ended with would be played as a tone
        context.do("Set", "DIALSTATUS=")
    return context


def _in_room(plans: Sequence[Plan]) -> dict[str, tuple[str, tuple[str, str]]]:
    """Name -> key, and the context with its arguments."""
    centres = sorted({name for plan in plans for name in plan.centres})
    keys = {f"to{name}": (f"*{name}", ("transfer-key", f"handoff,{name}")) for name in centres}
    keys["takeback"] = (TAKE_BACK, ("transfer-key", "takeback,"))
    keys |= {kind: (key, ("transfer-key", f"{kind},")) for kind, key in KEYS.items()}
    return keys | {
        name: (key, ("recording-mask", "on" if name == "mask" else "off")) for name, key in MASK_KEYS.items()
    }


def keys_global(plans: Sequence[Plan]) -> str:
    """The global TRANSFER_KEYS: names of the application map."""
    centres = sorted({name for plan in plans for name in plan.centres})
    return "#".join([*(f"to{name}" for name in centres), *KEYS, *MASK_KEYS])


def caller_arrives(context: Context) -> None:
    """On the caller's channel at its beginning."""
    context.do("Set", "__CALLER_CHANNEL=${CHANNEL(name)}")


def seat_talks(context: Context) -> None:
    """On the seat's channel when it has answered, before the two hear each other."""
    # a target has the caller when it is in the room with them
    context.do("ExecIf", f'$["${{ARG1}}" = ""]?Set({of_caller("OVER")}=)')
    context.do("Set", f"{of_caller('KEYED')}=")
    # who talked to this caller before left no cause of this talk's end
    context.do("Set", f"{of_caller('SEAT_LEFT')}=").do("Set", f"{of_caller('LOST')}=")
    context.do("Set", "GLOBAL(LEG_${CHANNEL(endpoint)})=${CHANNEL(name)}")
    context.do("Set", f"GLOBAL(CALLER_OF_${{CHANNEL(endpoint)}})={CALLER}")
    for name in ("CALL_ID", "CALLER", "DAY", "QUEUE"):
        context.do("Set", f"{of_caller(name)}=${{{name}}}")
    context.do("Set", "DYNAMIC_FEATURES=${GLOBAL(TRANSFER_KEYS)}")
    # a blind REFER of the phone leads the caller there
    context.do("Set", "TRANSFER_CONTEXT=${CITY}-transfer")
    # from now on, not from the transfer on: a phone may be put down between the wish and its first step
    context.do("Set", "CHANNEL(hangup_handler_push)=transfer-agent-gone,s,1")
    may_hold(context)


def transfer_contexts(site: Site) -> Iterator[Context]:
    """All of them."""
    yield _key()
    yield _go()
    yield from room_contexts(site)
    yield from reach_contexts()
    yield from from_centre_contexts()


def _key() -> Context:
    """A key on an agent's phone while talking. ARG1 what, ARG2 the target (empty: asked for).

    It runs in the talk's own bridge, or in a room, which it must not take apart from inside: a Local channel
    does that.
    """
    context = Context("transfer-key")
    context.do("Set", "TO=${ARG2}")
    asks_nobody = " | ".join(f'"${{ARG1}}" = "{kind}"' for kind in _ASKS_NOBODY)
    context.do("GotoIf", f'$["${{TO}}" != "" | {asks_nobody}]?go')
    context.do("Read", "TO", "beep", "15", "", "1", "4")
    context.do("Set", "ENDPOINT=${CHANNEL(endpoint)}", label="go")
    known = {
        "CITY": "${CUT(ENDPOINT,-,1)}",
        "SEAT": "${CUT(ENDPOINT,-,2)}",
        "KIND": "${ARG1}",
        "TO": "${FILTER(0-9,${TO})}",
        "BY": "phone",
        # a phone with two talks means the one it keys in
        "SEAT_CHANNEL": "${CHANNEL(name)}",
        "__CALLER_CHANNEL": "${CALLER_CHANNEL}",
    }
    told = "^".join(f"{name}={value}" for name, value in known.items())
    # whoever puts the handset down in the instant in which this key is done has not ended the talk
    wished = f"${{CHANNEL_EXISTS({CALLER})}} & ({asks_nobody}) = 0"
    context.do("ExecIf", f"$[{wished}]?Set({of_caller('KEYED')}=${{ARG1}}/${{FILTER(0-9,${{TO}})}})")
    context.do("Originate", "Local/s@transfer-go/n", "app", "NoOp", "", "", "5", f"av({told})")
    return context.do("Return")


def _go() -> Context:
    """The ;2 half of a Local channel, made by a key or an order. CITY, SEAT, KIND, TO, BY, and ORDER for
    an order. Answered means begun; else AstDB ``hotline-order/<order>`` says why not."""
    context = Context("transfer-go")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("GotoIf", '$["${SEAT_CHANNEL}" != ""]?known')
    context.do("Set", "SEAT_CHANNEL=${GLOBAL(LEG_${CITY}-${SEAT})}")
    context.do("Set", "__CALLER_CHANNEL=${GLOBAL(CALLER_OF_${CITY}-${SEAT})}")
    context.do("NoOp", "who talks to whom", label="known")
    context.do("Set", "WHY=no-call")
    context.do("GotoIf", '$["${SEAT_CHANNEL}" = "" | "${CALLER_CHANNEL}" = ""]?no')
    context.do("GotoIf", f"$[{BOTH}]?:no")
    context.do("Set", "WHY=not-yet")
    context.do("GotoIf", f'$["${{{of_caller("AWAITED")}}}" = "1"]?no')
    context.do("Set", "WHY=no-call")
    context.do("Set", f"__CALL_ID=${{{of_caller('CALL_ID')}}}")
    # a key and a click in one moment: the second finds the first under way
    context.do("Set", f"HELD=${{LOCK({WISHES})}}").do("Set", "WHY=under-way")
    context.do("GotoIf", '$["${HELD}" = "1"]?:no').do("Set", "WHY=no-call")
    # The key's Gosub may not have come back yet, and its Return() would undo where the agent is sent (seen
    # on 22.10: every third time).
    context.do("Set", "LOOKS=0")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]", label="keyed")
    context.do("Set", "AT=${IMPORT(${SEAT_CHANNEL},CONTEXT)}")
    keyed = f'"${{AT}}" = "transfer-key" | "${{AT}}" = "{ROOM_KEY}"'
    (soon, looks), (later, more) = _KEY_DONE, _KEYING
    context.do("GotoIf", f"$[({keyed}) & ${{LOOKS}} <= {looks + more}]?:free")
    context.do("Wait", f"${{IF($[${{LOOKS}} <= {looks}]?{soon:g}:{later:g})}}").do("Goto", "keyed")
    # whoever keyed may have put the handset down meanwhile
    context.do("GotoIf", f"$[{BOTH}]?:no", label="free")
    # under the same lock: the caller has fallen out of this talk, and goes on without a wish
    context.do("GotoIf", f'$["${{{of_caller("OVER")}}}" = "1"]?no')
    # a leg that is still being keyed on would be led away inside of its room
    context.do("Set", "WHY=under-way")
    context.do("GotoIf", f'$["${{ORDER}}" != "" & ({keyed})]?no')
    context.do("Set", f"MOVE=${{{of_caller('TRANSFER')}}}")
    asks_nobody = " | ".join(f'"${{KIND}}" = "{kind}"' for kind in _ASKS_NOBODY)
    context.do("GotoIf", f"$[{asks_nobody}]?:new")
    # the agent's own: who was asked has the same keys
    context.do("Set", "WHY=not-under-way")
    context.do("GotoIf", f'$["${{SEAT_CHANNEL}}" = "${{{of_caller("AGENT")}}}"]?${{KIND}}:no')
    context.do("Set", "WHY=under-way", label="new")
    context.do("GotoIf", f'$["${{MOVE}}" != "" & "${{{of_caller("HANDED")}}}" != "1"]?no')
    context.do("Set", "WHY=no-call").do("Set", "LOOKS=0")
    context.do("GotoIf", f"$[{ALIVE}]?alive", label="lives")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]").do("GotoIf", "$[${LOOKS} > 3]?no")
    context.do("Wait", "0.05").do("Goto", "lives")
    context.do("Set", "WHY=not-allowed", label="alive")
    context.do("GotoIf", '$["${TO}" = "" | "${TO}" = "${SEAT}"]?no')
    cancelled = "${DIALPLAN_EXISTS(${CITY}-to-cancelled,${TO},1)}"
    context.do("Set", "GOSUB_RETVAL=").do("GosubIf", f"{cancelled}?${{CITY}}-to-cancelled,${{TO}},1")
    context.do("GotoIf", '$["${GOSUB_RETVAL}" = "cancelled"]?no')
    # nobody in danger is sent off, or held with music: transfer.table.URGENT_ROWS
    context.do("Set", "WISHED=${KIND}").do("Set", "URGENT=${DIALPLAN_EXISTS(${CITY}-urgent,${TO},1)}")
    context.do("ExecIf", '$[${URGENT} & "${KIND}" = "blind"]?Set(KIND=handoff)')
    context.do("ExecIf", '$[${URGENT} & "${KIND}" = "consult"]?Set(KIND=three)')
    place = '"${KIND}" = "blind" & ${DIALPLAN_EXISTS(${CITY}-to-place,${TO},1)}'
    context.do("Set", f"PLACE=${{IF($[{place}]?1:0)}}").do("GotoIf", "${PLACE}?good")
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-to,${TO},1)}?:no")
    context.do("Set", '__TRANSFER_ID=${IF($["${ORDER}" = ""]?${UNIQUEID}:${ORDER})}', label="good")
    context.do("Set", f"{of_caller('HANDED')}=0").do("Set", f"{of_caller('TARGET_IN')}=0")
    context.do("Set", f"{of_caller('TARGET_JOINED')}=0").do("Set", f"{of_caller('AGENT_IN')}=1")
    for name in ("DIALLING", "AGENT_CAUSE", "LEAVES", "RINGS", "UNSENT_AT", "KEYED"):
        context.do("Set", f"{of_caller(name)}=")
    urgent = '${IF($[${URGENT} | "${KIND}" = "handoff"]?1:0)}'
    context.do("Set", f"{of_caller('URGENT')}={urgent}")
    # before anything is under way: a caller who falls out of the talk now has somewhere to follow to
    asks = '"${KIND}" = "consult" | ("${KIND}" = "blind" & "${PLACE}" = "0")'
    led = f'{asks} | ("${{KIND}}" != "blind" & "${{{of_caller("WHERE")}}}" != "room")'
    context.do("ExecIf", f"$[{led}]?Set({of_caller('AWAY')}=$[0${{{of_caller('AWAY')}}} + 1])")
    context.do("Set", f"{of_caller('AGENT')}=${{SEAT_CHANNEL}}").do("Set", f"{of_caller('TARGET')}=")
    context.do("Set", f"{of_caller('TRANSFER')}=${{KIND}}:${{TO}}:${{TRANSFER_ID}}")
    context.do("GotoIf", '$["${KIND}" = "blind"]?blind')
    context.do("GotoIf", '$["${KIND}" = "consult"]?asks')
    # the centre's phone rings before anybody is moved
    inherit = "^".join(
        f"__{name}=${{{value}}}"
        for name, value in (
            ("CALL_ID", "CALL_ID"),
            ("CITY", "CITY"),
            ("TO", "TO"),
            ("TRANSFER_ID", "TRANSFER_ID"),
            ("CALLER_CHANNEL", "CALLER_CHANNEL"),
            ("CALLER", of_caller("CALLER")),
            ("DAY", of_caller("DAY")),
            ("QUEUE", of_caller("QUEUE")),
        )
    )
    context.do("Originate", "Local/s@transfer-target/n", "exten", "transfer-joins", "s", "1", "310",
               f"av({inherit})")  # fmt: skip
    told_asked(context)
    # also in a room: the watch of before may have seen the caller leave it
    watched(context)
    # both in the room already, from a transfer that came to nothing: they stay there
    context.do("GotoIf", f'$["${{{of_caller("WHERE")}}}" = "room"]?done')
    _leads(context, "transfer-agent,room,1")
    context.do("Answer", label="done").do("Hangup")
    told_asked(context, label="asks")
    watched(context)
    context.do("Set", f"{of_caller('READY')}=")
    _leads(context, "transfer-agent,consult,1")
    context.do("Goto", "done")
    told_asked(context, label="blind")
    context.do("GotoIf", "${PLACE}?gone")
    watched(context)
    _leads(context, "transfer-sent,s,1")
    context.do("Goto", "done")
    # in a queue the caller has a place at once
    context.do("SoftHangup", "${SEAT_CHANNEL}", label="gone").do("Goto", "done")
    # the agent breaks off; handed over, there is nobody to take the caller back to
    context.do("GotoIf", f'$["${{MOVE}}" = "" | "${{{of_caller("HANDED")}}}" = "1"]?no', label="takeback")
    context.do("GotoIf", '$["${CUT(MOVE,:,1)}" = "blind"]?unsent')
    # together all three hear each other: nobody is asked or rung any more
    joined = f'"${{CUT(MOVE,:,1)}}" != "consult" & "${{{of_caller("TARGET_IN")}}}" = "1"'
    context.do("GotoIf", f"$[{joined}]?no")
    context.do("Set", "TRANSFER_ID=${CUT(MOVE,:,3)}")
    context.do("Set", f"{of_caller('TRANSFER')}=")
    tell(context, "taken-back")
    context.do("GotoIf", '$["${CUT(MOVE,:,1)}" = "consult"]?askback')
    context.do("SoftHangup", f"${{{of_caller('DIALLING')}}}").do("Goto", "done")
    context.do("ChannelRedirect", "${SEAT_CHANNEL}", "transfer-agent", "room", "1", label="askback")
    context.do("Goto", "done")
    context.do("Gosub", "transfer-stops", "s", "1(back)", label="unsent")
    context.do("GotoIf", '$["${GOSUB_RETVAL}" = "late"]?no:done')
    # a consultation becomes three
    asked = f'"${{CUT(MOVE,:,1)}}" = "consult" & "${{{of_caller("TARGET_IN")}}}" = "1"'
    context.do("GotoIf", f"$[{asked}]?:no", label="together")
    context.do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}")
    context.do("Set", f"{of_caller('TRANSFER')}=three:${{CUT(MOVE,:,2)}}:${{TRANSFER_ID}}")
    tell(context, "together")
    context.do("ChannelRedirect", f"${{{of_caller('TARGET')}}}", "transfer-joins", "s", "1")
    context.do("Goto", "done")
    # the agent leaves caller and target to each other; before somebody answered that would lose the caller
    # whom the caller was left to has nobody to leave them to
    both = f'"${{{of_caller("TARGET_IN")}}}" = "1" & "${{{of_caller("HANDED")}}}" != "1"'
    context.do("GotoIf", f'$["${{MOVE}}" != "" & {both}]?:no', label="leave")
    context.do("Set", f"{of_caller('LEAVES')}=${{MOVE}}")
    context.do("SoftHangup", "${SEAT_CHANNEL}").do("Goto", "done")
    context.do("ExecIf", '$["${ORDER}" != ""]?Set(DB(hotline-order/${ORDER})=${WHY})', label="no")
    # the caller of an agent who has gone looks for it
    context.do("GotoIf", '$["${ORDER}" != "" | "${WHY}" = "no-call"]?refused')
    context.do("ExecIf", f"${{CHANNEL_EXISTS({CALLER})}}?Set({of_caller('KEYED')}=)")
    context.do("Hangup", "21", label="refused")
    context.exten("1").do("Set", "CDR_PROP(disable)=1").do("Hangup")
    return context


def _leads(context: Context, where: str) -> None:
    """The agent's leg, out of the talk. One step: whoever is led away between the end of their talk and that
    of their leg becomes a channel that nobody ends (``ast_channel_yank``)."""
    context.do("ExecIf", f"$[{ALIVE}]?ChannelRedirect(${{SEAT_CHANNEL}},{where})")
