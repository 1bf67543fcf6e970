"""The net below transfers: a channel that looks twice a second whether somebody is with the caller, or comes.

Two who go at one instant may both have counted on the other.
"""

from __future__ import annotations

from asterisk_conf.steps import Context
from asterisk_conf.transfer_reach import BRIEF_SECONDS
from asterisk_conf.transfer_state import of_caller

WATCH = "transfer-watch"
LOOK = 0.5
"""Seconds between two looks."""
COMES = 20
"""Looks in which a caller may be on the way to the room; one who left it is not awaited."""
ALONE = 4
"""Looks after which a caller whom nobody is with goes to the head of the queue."""
RINGS = round(BRIEF_SECONDS / LOOK)
"""Looks after which nobody rings any more for a caller whose agent has left."""


def watched(context: Context) -> None:
    """On the channel that begins a transfer, not on the caller's: while Originate() works, Asterisk serves
    its channel by itself, and a redirection in that moment ends it as if it had hung up (seen on 22.10)."""
    count = of_caller("WATCH")
    context.do("Set", f"{count}=$[0${{{count}}} + 1]")
    known = "^".join(f"__{n}=${{{n}}}" for n in ("CALLER_CHANNEL", "CALL_ID")) + f"^MINE=${{{count}}}"
    # never answered: as with the clock of seats, this ringing is its whole life
    context.do("Originate", f"Local/s@{WATCH}/n", "exten", WATCH, "1", "1", "86400", f"av({known})")


def watch_context() -> Context:
    """The net below all of it: a caller in the room has somebody there, or an agent who comes (back).

    Begun by ``watched`` before the caller is on the way; a caller who never comes is with the agent still.
    """
    context = Context(WATCH)
    context.do("Set", "CDR_PROP(disable)=1").do("Set", "COMES=0")
    context.do("Set", "ALONE=0", label="fine")
    context.do("Wait", f"{LOOK:g}", label="look")
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:gone")
    # the caller went on, perhaps into the room again with another watch
    mine = f'"${{{of_caller("WATCH")}}}" = "${{MINE}}"'
    where = f"${{{of_caller('WHERE')}}}"
    context.do("GotoIf", f"$[{mine}]?:over")
    context.do("GotoIf", f'$["{where}" = "room" | "{where}" = "hold" | "{where}" = "sent"]?there')
    context.do("Set", "COMES=$[${COMES} + 1]").do("GotoIf", f"$[${{COMES}} > {COMES}]?over:look")
    context.do("Set", f"COMES={COMES}", label="there")
    # more than those who are marked: the caller is in the same room
    marked, all_in = (f"0${{CONFBRIDGE_INFO({what},${{CALL_ID}})}}" for what in ("marked", "parties"))
    context.do("GotoIf", f'$[{marked} > 0 & {all_in} > {marked} & "{where}" = "room"]?fine')
    context.do("GotoIf", f"${{CHANNEL_EXISTS(${{{of_caller('AGENT')}}})}}?fine")
    context.do("Set", "ALONE=$[${ALONE} + 1]")
    context.do("GotoIf", f'$["{where}" = "sent"]?rings')
    context.do("GotoIf", f"$[${{ALONE}} < {ALONE}]?look")
    context.do("ChannelRedirect", "${CALLER_CHANNEL}", "transfer-back", "s", "1")
    context.do("Hangup", label="over")
    # the caller's own channel goes on when nobody rings any more: looked again, should it not
    context.do("GotoIf", f"$[${{ALONE}} < {RINGS}]?look", label="rings")
    context.do("Gosub", "transfer-stops", "s", "1").do("Goto", "look")
    # Who came into the room as the caller went is alone there, and may have seen the caller a moment before
    # and be about to come in: looked a moment later. Two may finish what they say.
    context.do("Wait", f"{LOOK:g}", label="gone")
    context.do("ExecIf", f"$[{marked} = 1]?CONFKICK(${{CALL_ID}},all)").do("Hangup")
    context.exten("1").do("Set", "CDR_PROP(disable)=1").do("Hangup")
    return context
