"""One question to several services, one after the other, within one budget.

Each address has its share of the budget, so that one that accepts and stays silent does not eat what is left
for the next; whoever says nothing in less (a refused connection, a crash) leaves the rest of its share to
the next one. When all have been asked and there is time left, the first that was silent is asked again: one
that was only busy then still answers.

Whoever was silent in its share is asked last for a while, by everybody. A server that AGI() does not come
back from (half a line held, a host that swallows the connection: MAX_AGI_CONNECT of res_agi.c, 2 s) takes the
whole budget of its first caller; the asker, whose Originate() ends then, lets the next ones begin behind it.
"""

from __future__ import annotations

from asterisk_conf.site import Site
from asterisk_conf.steps import Context, rests

LATER = 30
"""Seconds, beyond those in which nobody is asked, for which a silent service is asked last."""


def ask_each(context: Context, site: Site, addresses: int, where: str, answer: str, noted: str) -> None:
    """Ask the first so many addresses. Goes on at label ``answered`` when one has answered or all have said
    nothing; ``T`` (``share_is_over``) goes on at ``tell`` when the budget is spent.

    ``where``: script and arguments; ``answer``: the variable that an answer is put into; ``noted``: the
    asker's shared variable that tells who was asked last.
    """
    context.do("Set", f"TIMEOUT(absolute)={_share(site, addresses)}")
    context.do("Set", "ASKED=0")
    context.do("Set", "LATE=")
    context.do("Set", "AT=0")
    later = rests("ASK_FIRST_UNTIL", site.skip_seconds + LATER)
    context.do("ExecIf", f"$[{later}]?Set(AT=$[0${{GLOBAL(ASK_FIRST)}} % {addresses}])")
    context.do("Set", "ASKED=$[${ASKED} + 1]", label="each")
    context.do("Set", f"SHARED({noted},${{ASKER}})=${{AT}}", label="ask")
    context.do("Goto", "at${AT}")
    for number, address in enumerate(site.agi[:addresses]):
        context.do("AGI", f"agi://{address}/{where}", label=f"at{number}")
        context.do("Goto", "said")
    context.do("GotoIf", f"$[${{LEN(${{{answer}:0:9}})}} > 0]?answered", label="said")
    context.do("GotoIf", f"$[${{ASKED}} >= {addresses}]?again")
    # one that is over already is T's: what is left is never less than nothing here, but for a millisecond
    context.do("Set", "LEFT=${TIMEOUT(absolute)}")
    context.do("Set", f"TIMEOUT(absolute)=$[(${{LEFT}} > 0) * ${{LEFT}} + {_share(site, addresses)}]")
    context.do("Set", f"AT=$[(${{AT}} + 1) % {addresses}]", label="next")
    context.do("Goto", "each")
    context.do("GotoIf", '$["${LATE}" = ""]?answered', label="again")
    context.do("Set", "AT=${LATE}")
    context.do("Set", "LATE=")
    context.do("Goto", "ask")


def share_is_over(context: Context, site: Site, addresses: int, answer: str) -> None:
    """What T does: the next one's share begins, or the budget is spent (label ``tell``)."""
    context.exten("T")
    context.do("Set", "TIMEOUT(absolute)=0")
    # the answer may have come in time and only the connection stayed open
    over = f"${{LEN(${{{answer}:0:9}})}} > 0 | ${{ASKED}} >= {addresses}"
    context.do("GotoIf", f"$[{over}]?s,tell")
    context.do("ExecIf", '$["${LATE}" = ""]?Set(LATE=${AT})')
    begin_behind(context, site, "${AT}")
    context.do("Set", f"TIMEOUT(absolute)={_share(site, addresses)}")
    context.do("Goto", "s", "next")


def begin_behind(context: Context, site: Site, number: str) -> None:
    """For a while the address behind this one is asked first: of all, also where only the first few are
    asked. Who asks those finds its own among them, and everybody else what was silent last."""
    context.do("Set", f"GLOBAL(ASK_FIRST)=$[(0{number} + 1) % {len(site.agi)}]")
    context.do("Set", f"GLOBAL(ASK_FIRST_UNTIL)=$[${{EPOCH}} + {site.skip_seconds + LATER}]")


def _share(site: Site, addresses: int) -> str:
    return f"{site.budget_seconds / addresses:g}"
