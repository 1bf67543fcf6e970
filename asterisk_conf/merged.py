"""Merged numbers as dialplan: which line a number belongs to today.

``<city>-number`` is looked up, never dialled: it sets LINE (empty: nobody answers), and for a row of
numbers.toml also ROW, ROW_NUMBER (the public number), TREATMENT, ANNOUNCED (heard before the greeting),
CLOSED (heard instead of a line) and CENTRE. TODAY is the city's date as 20211231, so that a row changes on
its day without a reload and without us.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from asterisk_conf.site import Site
from asterisk_conf.steps import Context
from plan.merged import Stage, numbers_of
from plan.model import Plan

Sound = Callable[[str], str]
"""Prompt to the sound's name as Asterisk plays it."""
ENTRIES = 6
"""So many entries of a forwarding history are looked at: RFC 7044 knows no end."""


def merged_numbers(context: Context, plan: Plan, sound: Sound) -> None:
    """Every number of numbers.toml as an extension of ``<city>-number``."""
    for number in numbers_of(plan.numbers):
        context.exten(number)
        stage_steps(context, plan, plan.stages(number), sound)


def stage_today(context: Context, found: Sequence[Stage]) -> None:
    """Goes to ``stage<n>``, that of the stage which holds today."""
    for at, stage in reversed(list(enumerate(found))):
        if stage.begins is not None:
            context.do("GotoIf", f"$[${{TODAY}} >= {_day(stage.begins)}]?stage{at}")


def today(context: Context, site: Site, zone: str) -> None:
    """TODAY in this time zone."""
    # tests of dates move the lab's clock, never a real one
    now = "$[${EPOCH} + 0${GLOBAL(CLOCK_AHEAD)}]" if site.trunk_hosts else "${EPOCH}"
    context.do("Set", f"TODAY=${{STRFTIME({now},{zone},%Y%m%d)}}")


def stage_steps(context: Context, plan: Plan, found: Sequence[Stage], sound: Sound) -> None:
    """Sets what holds today. Before the first stage: nothing is set."""
    stage_today(context, found)
    if not found or found[0].begins is not None:
        context.do("Return")
    for at, stage in enumerate(found):
        row = plan.numbers[stage.row]
        context.do("Set", f"__LINE={stage.line}", label=f"stage{at}")
        context.do("Set", f"__ROW={stage.row}")
        context.do("Set", f"ROW_NUMBER={row.original}")
        context.do("Set", f"__TREATMENT={stage.treatment}")
        closed = stage.treatment == "closed"
        context.do("Set", f"ANNOUNCED={sound(stage.prompt) if stage.prompt and not closed else ''}")
        context.do("Set", f"CLOSED={sound(stage.prompt) if closed else ''}")
        handed = row.kind == "linked" and stage.treatment == "own"
        context.do("Set", f"__CENTRE={plan.centre_of(stage.row) or stage.row if handed else ''}")
        context.do("Return")


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


# --- shared by all cities -------------------------------------------------------------------------


def origin_contexts(site: Site) -> Iterator[Context]:
    """What ``arrive`` asks: today's date, the line of this call."""
    yield _origin(site)
    yield _asked_of()


def _origin(site: Site) -> Context:
    """ARG1 time zone. CITY, TRUNK, CALLED and CALLER are known. Sets LINE and ORIGINAL, and for a merged
    number what ``<city>-number`` sets.

    The called number counts first: a distinct one for each merged line is what a carrier keeps to. A call
    to a number without a row is a merged one all the same when it was forwarded from it.
    """
    context = Context("origin")
    today(context, site, "${ARG1}")
    for name in ("__LINE", "__ROW", "ROW_NUMBER", "__TREATMENT", "ANNOUNCED", "CLOSED", "__CENTRE", "FIRST"):
        context.do("Set", f"{name}=")
    # res_pjsip_diversion read Diversion and History-Info: who was called first, and who forwarded last
    context.do("Set", "FROM_1=${FILTER(+0-9,${REDIRECTING(orig-num)})}")
    context.do("Set", "FROM_2=${FILTER(+0-9,${REDIRECTING(from-num)})}")
    # It takes one value of each History-Info line; a carrier may send all in one (RFC 3261 7.3.1).
    context.do("Set", "HISTORY=${PJSIP_HEADER(read,History-Info,1)}")
    context.do("Set", "AT=1")
    # a stranger wrote it: never inside an expression
    context.do("GotoIf", "$[${LEN(${HISTORY:0:9})} = 0]?lines")
    context.do("Set", "ENTRY=${CUT(HISTORY,<,$[${AT} + 1])}", label="entry")
    context.do("Set", "ENTRY=${CUT(ENTRY,>,1)}")
    context.do("Set", r"ENTRY=${CUT(ENTRY,\x3b,1)}")
    context.do("Set", "ENTRY=${CUT(ENTRY,?,1)}")
    context.do("Set", "ENTRY=${CUT(ENTRY,@,1)}")
    context.do("Set", "FROM_$[${AT} + 2]=${FILTER(+0-9,${CUT(ENTRY,:,2)})}")
    context.do("Set", "AT=$[${AT} + 1]")
    context.do("GotoIf", f"$[${{AT}} <= {ENTRIES}]?entry")
    context.do("GosubIf", "${DIALPLAN_EXISTS(${CITY}-number,${CALLED},1)}?${CITY}-number,${CALLED},1",
               label="lines")  # fmt: skip
    context.do("Set", "BY_CALLED=${ROW}")
    context.do("Set", '__ORIGINAL=${IF($["${ROW_NUMBER}" = ""]?${CALLED}:${ROW_NUMBER})}')
    context.do("GotoIf", "$[${LEN(${FROM_1}${FROM_2}${HISTORY:0:9})} = 0]?done")
    context.do("Set", "AT=1")
    context.do("Set", "FROM=${FROM_${AT}}", label="from")
    context.do("Gosub", "origin-from", "s", "1(${FROM})")
    context.do("GotoIf", '$["${FIRST}" = "ours"]?done')
    context.do("Set", "AT=$[${AT} + 1]")
    context.do("GotoIf", f"$[${{AT}} <= {ENTRIES + 2}]?from")
    # forwarded from a number that is not ours: somebody's own telephone
    context.do("ExecIf", '$["${BY_CALLED}" = "" & "${FIRST}" != ""]?Set(__ORIGINAL=${FIRST})')
    return context.do("Return", label="done")


def _asked_of() -> Context:
    """ARG1 a number that forwarded the call, or nothing. FIRST becomes ``ours`` for a number of this city."""
    context = Context("origin-from")
    context.do("GotoIf", '$["${ARG1}" = ""]?done')
    context.do("ExecIf", '$["${FIRST}" = ""]?Set(FIRST=${ARG1})')
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-number,${ARG1},1)}?:done")
    context.do("Set", "FIRST=ours")
    context.do("Set", "__ORIGINAL=${ARG1}")
    context.do("GotoIf", '$["${BY_CALLED}" != ""]?done')
    context.do("Gosub", "${CITY}-number", "${ARG1}", "1")
    context.do("ExecIf", '$["${ROW_NUMBER}" != ""]?Set(__ORIGINAL=${ROW_NUMBER})')
    return context.do("Return", label="done")
