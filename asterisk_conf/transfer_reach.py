"""Whom an agent may reach, and the ways there: seats, centres and contacts over several trunks, places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asterisk_conf.merged import stage_today, today
from asterisk_conf.site import Site
from asterisk_conf.steps import Context
from asterisk_conf.transfer_state import of_caller, tell, wished
from plan.merged import Stage, answered_here
from plan.model import Line, Plan
from plan.reach import Contact, Way

SEAT_SECONDS = 25
BRIEF_SECONDS = 4.5
"""So long somebody rings whose caller has no agent any more (BRIEF); then the head of the queue, with
everything within 6 s."""


def city_transfer_contexts(plan: Plan, site: Site) -> Iterator[Context]:
    """Whom agents of this city may reach: ``<city>-to`` persons, ``<city>-to-place`` queues.
    ``<city>-urgent`` is looked up: whose callers may be in danger."""
    to = Context(f"{plan.id}-to", None)
    ways = Context(f"{plan.id}-way", None)
    for seat in plan.seats:
        to.exten(seat)
        who = f"PJSIP/{plan.id}-{seat}"
        to.do(
            "Dial", who, _seconds(SEAT_SECONDS), "${TO_OPTIONS}b(transfer-rings^s^1(seat))U(transfer-seat-up)"
        )
        to.do("Return")
    for number, centre in plan.centres.items():
        legs = "&".join(f"Local/{number}w{i}@{plan.id}-way/n" for i in range(1, len(centre.ways) + 1))
        to.exten(number)
        to.do("Dial", legs, _seconds(centre.ring_seconds), "${TO_OPTIONS}b(transfer-rings^s^1)U(transfer-up)")
        to.do("Return")
        for i, way in enumerate(centre.ways, 1):
            free = _free(plan, way, urgent=centre.urgent)
            after = str(centre.next_after_seconds) if i < len(centre.ways) else ""
            _way(ways.exten(f"{number}w{i}"), plan, way, i, after, centre.ring_seconds, free)
    for number, contact in plan.contacts.items():
        to.exten(number)
        to.do("Dial", f"Local/{number}w1@{plan.id}-way/n", _seconds(contact.ring_seconds),
              "${TO_OPTIONS}b(transfer-rings^s^1)U(transfer-up)").do("Return")  # fmt: skip
        _way(ways.exten(f"{number}w1"), plan, contact, 1, "", contact.ring_seconds,
             _free(plan, contact, urgent=False))  # fmt: skip
    yield to
    yield ways
    urgent = Context(f"{plan.id}-urgent", None)
    for number, centre in plan.centres.items():
        if centre.urgent:
            urgent.exten(number).do("Return")
    # looked up and never found: a context without extensions is none for Asterisk
    yield urgent.exten("none").do("Return")
    yield from _places(plan, site)
    refer = Context(f"{plan.id}-transfer", None).exten("_[+0-9*]!")
    # a colleague who is asked sends on whom they talk to, the agent, who goes back to the caller
    refer.do("GotoIf", f'$["${{{of_caller("AGENT")}}}" = "${{CHANNEL(name)}}"]?:caller')
    refer.do("Set", f"{of_caller('TRANSFER')}=").do("Goto", "transfer-agent", "room", "2")
    # a call back that nobody has answered yet: that try has failed, and the next one comes
    refer.do("GotoIf", '$["${SHARED(AWAITED)}" = "1"]?nobody', label="caller")
    refer.do("Set", "TO=${FILTER(0-9,${EXTEN})}")
    wished(refer, "blind:${TO}:${UNIQUEID}.${EPOCH}")
    # a wish by key or order was accepted in that instant: the caller follows it
    refer.do("GotoIf", "${ACCEPTED}?:transfer-caller,s,2")
    refer.do("Set", "SHARED(RINGS)=")
    # the agent's phone is gone already: nobody could stay with the caller
    refer.do("Set", f"SHARED(URGENT)=${{DIALPLAN_EXISTS({plan.id}-urgent,${{TO}},1)}}")
    refer.do("Goto", "transfer-caller", "s", "refer")
    yield refer.do("Hangup", "16", label="nobody")


def _places(plan: Plan, site: Site) -> Iterator[Context]:
    """Queues, and the own lines' numbers. ``<city>-to-cancelled`` says of a merged number whether it is
    cancelled by now: nobody is sent there."""
    place, cancelled = Context(f"{plan.id}-to-place", None), Context(f"{plan.id}-to-cancelled", None)
    for queue in plan.queues:
        place.exten(f"queue-{queue}").do("Set", f"__QUEUE={queue}").do(
            "Goto", f"{plan.id}-queue-{queue}", "s", "enter"
        )
    for line in plan.lines.values():
        if _queue_of(line):
            for number in line.numbers:
                if number not in plan.centres:
                    _enters(place.exten(number), plan, line)
    for number in answered_here(plan.numbers):
        found = plan.stages(number)
        led = all(_queue_of(plan.lines[stage.line]) for stage in found if stage.line)
        if number in plan.centres or not found or not led:
            continue
        place.exten(number)
        _on_its_day(place, plan, site, found)
        for at, stage in enumerate(found):
            if stage.line:
                _enters(place, plan, plan.lines[stage.line], f"stage{at}")
            else:
                # a phone's own REFER asked nobody
                place.do("Goto", "transfer-back", "s", "2", label=f"stage{at}")
        if found[-1].treatment == "closed":
            cancelled.exten(number)
            _on_its_day(cancelled, plan, site, found)
            for at, stage in enumerate(found):
                cancelled.do("Return", *(() if stage.line else ("cancelled",)), label=f"stage{at}")
    yield place
    # looked up and never found: a context without extensions is none for Asterisk
    yield cancelled.exten("none").do("Return")


def _on_its_day(context: Context, plan: Plan, site: Site, found: Sequence[Stage]) -> None:
    today(context, site, plan.city.timezone)
    stage_today(context, found)


def _queue_of(line: Line) -> str:
    kind, _, name = line.first.partition(":")
    return name if kind == "queue" else ""


def _enters(context: Context, plan: Plan, line: Line, label: str = "") -> None:
    queue = _queue_of(line)
    context.do("Set", f"__QUEUE={queue}", label=label)
    context.do("Goto", f"{plan.id}-queue-{queue}", "s", "enter")


def _seconds(most: int) -> str:
    """How long somebody rings."""
    return f'${{IF($["${{BRIEF}}" = "1"]?{min(most, BRIEF_SECONDS):g}:{most})}}'


def _free(plan: Plan, way: Way | Contact, *, urgent: bool) -> int:
    """How many calls the trunk may have when this one is made."""
    trunk = plan.trunks[way.trunk]
    return trunk.channels if urgent else trunk.unreserved


def _way(
    context: Context, plan: Plan, way: Way | Contact, number: int, after: str, ring: int, free: int
) -> None:
    """One way to a centre, on a Local channel of its own. ``after``: seconds until the next one's turn."""
    trunk = f"{plan.id}-{way.trunk}"
    context.do("Gosub", "transfer-way", "s", f"1({number},{after},{trunk},{free},{way.number})")
    context.do("GotoIf", '$["${GOSUB_RETVAL}" = "full"]?full')
    context.do("Dial", f"PJSIP/{way.number}@{trunk}", str(ring),
               f"b(transfer-invite^s^1({number}^{trunk}^{way.number}))U(transfer-way-up)")  # fmt: skip
    context.do("Set", f"{_turn(number + 1)}=${{TRANSFER_ID}}:0", label="full")
    tell(context, "skipped", f"Way: {number}", f"Trunk: {trunk}", f"Number: {way.number}",
          "Cause: ${HANGUPCAUSE}", "Status: ${DIALSTATUS}")  # fmt: skip
    context.do("Hangup", "${HANGUPCAUSE}")


def _turn(way: int | str) -> str:
    return of_caller(f"TURN_{way}")


def reach_contexts() -> Iterator[Context]:
    """What all cities share of it."""
    yield _way_up()
    yield _invite()
    yield _wait_for_turn()


def _way_up() -> Context:
    """On the leg to the outside that was answered: which number it was; what is said there is recorded."""
    context = Context("transfer-way-up")
    # too late: nobody waits for it any more (transfer-reached hangs it up)
    late = f'"${{TRANSFER_ID}}" != "" & "${{{of_caller("STOPPED")}}}" = "${{TRANSFER_ID}}"'
    context.do("GotoIf", f"$[{late}]?late")
    context.do("Gosub", "record", "s", "1")
    tell(context, "accepted", "Way: ${WAY}", "Trunk: ${WAY_TRUNK}", "Number: ${WAY_NUMBER}")
    return context.do("Return", label="late")


def _invite() -> Context:
    """On a leg to the outside before its INVITE leaves. ARG1 way, ARG2 trunk, ARG3 number."""
    context = Context("transfer-invite")
    context.do("Set", "WAY=${ARG1}").do("Set", "WAY_TRUNK=${ARG2}").do("Set", "WAY_NUMBER=${ARG3}")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("Set", "GROUP(trunk)=${ARG2}")
    context.do("Set", "PJSIP_HEADER(add,X-Hotline-Call)=${CALL_ID}")
    context.do("Set", "PJSIP_HEADER(add,X-Hotline-Handoff)=${TRANSFER_ID}")
    tell(context, "dialled", "Way: ${ARG1}", "Trunk: ${ARG2}", "Number: ${ARG3}")
    return context.do("Return")


def _wait_for_turn() -> Context:
    """ARG1 way, ARG2 seconds after which the next one has its turn (empty: there is none), ARG3 trunk, ARG4
    its channels, ARG5 number.

    All ways are dialled at once, so each waits until the one before has begun so long ago, or has failed:
    counted from the beginning of all, one that begins early would not bring the next one nearer. Those before
    are never cut: a centre that rings slowly goes on ringing beside.
    """
    context = Context("transfer-way")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    # the centre is to see who needs help, not our building
    context.do("Set", "CALLERID(num)=${CALLER}").do("Set", "CALLERID(name)=")
    context.do("GotoIf", "$[${ARG1} = 1]?turn")
    context.do("Set", f"TURN=${{{_turn('${ARG1}')}}}", label="look")
    mine = '"${CUT(TURN,:,1)}" = "${TRANSFER_ID}"'
    context.do("GotoIf", f"$[{mine} & ${{EPOCH}} >= 0${{CUT(TURN,:,2)}}]?turn")
    context.do("Wait", "0.1").do("Goto", "look")
    context.do("GotoIf", '$["${ARG2}" = ""]?last', label="turn")
    context.do("Set", f"{_turn('$[${ARG1} + 1]')}=${{TRANSFER_ID}}:$[${{EPOCH}} + ${{ARG2}}]")
    context.do("GotoIf", "$[${GROUP_COUNT(${ARG3}@trunk)} >= ${ARG4}]?full", label="last")
    context.do("Return")
    context.do("Set", "DIALSTATUS=CHANUNAVAIL", label="full")
    return context.do("Return", "full")
