"""Whom an agent may reach, and the ways there: seats, centres and contacts over several trunks, places."""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.steps import Context
from asterisk_conf.transfer_state import of_caller, tell
from plan.model import Plan
from plan.reach import Contact, Way

SEAT_SECONDS = 25
BRIEF_SECONDS = 4.5
"""So long somebody rings whose caller has no agent any more (BRIEF); then the head of the queue, with
everything within 6 s."""


def city_transfer_contexts(plan: Plan) -> Iterator[Context]:
    """Whom agents of this city may reach: ``<city>-to`` persons, ``<city>-to-place`` queues."""
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
            wait = (i - 1) * centre.next_after_seconds
            # police, fire, ambulance, traffic; water, power, gas (issue: transfers)
            free = _free(plan, way, urgent=centre.kind != "hotline")
            _way(ways.exten(f"{number}w{i}"), plan, way, i, wait, centre.ring_seconds, free)
    for number, contact in plan.contacts.items():
        to.exten(number)
        to.do("Dial", f"Local/{number}w1@{plan.id}-way/n", _seconds(contact.ring_seconds),
              "${TO_OPTIONS}b(transfer-rings^s^1)U(transfer-up)").do("Return")  # fmt: skip
        _way(ways.exten(f"{number}w1"), plan, contact, 1, 0, contact.ring_seconds,
             _free(plan, contact, urgent=False))  # fmt: skip
    yield to
    yield ways
    place = Context(f"{plan.id}-to-place", None)
    for queue in plan.queues:
        place.exten(f"queue-{queue}").do("Goto", f"{plan.id}-queue-{queue}", "s", "enter")
    for line in plan.lines.values():
        kind, _, name = line.first.partition(":")
        if kind == "queue":
            for number in line.numbers:
                if number not in plan.centres:
                    place.exten(number).do("Set", f"__QUEUE={name}")
                    place.do("Goto", f"{plan.id}-queue-{name}", "s", "enter")
    yield place
    refer = Context(f"{plan.id}-transfer", None).exten("_[+0-9*]!")
    refer.do("Set", "TO=${FILTER(0-9,${EXTEN})}")
    refer.do("Set", "SHARED(TRANSFER)=blind:${TO}:${UNIQUEID}.${EPOCH}")
    yield refer.do("Goto", "transfer-caller", "s", "refer")


def _seconds(most: int) -> str:
    """How long somebody rings."""
    return f'${{IF($["${{BRIEF}}" = "1"]?{min(most, BRIEF_SECONDS):g}:{most})}}'


def _free(plan: Plan, way: Way | Contact, *, urgent: bool) -> int:
    """How many calls the trunk may have when this one is made."""
    trunk = plan.trunks[way.trunk]
    return trunk.channels if urgent else trunk.unreserved


def _way(
    context: Context, plan: Plan, way: Way | Contact, number: int, wait: int, ring: int, free: int
) -> None:
    """One way to a centre, on a Local channel of its own."""
    trunk = f"{plan.id}-{way.trunk}"
    context.do("Gosub", "transfer-way", "s", f"1({number},{wait},{trunk},{free},{way.number})")
    context.do("GotoIf", '$["${GOSUB_RETVAL}" = "full"]?full')
    context.do("Dial", f"PJSIP/{way.number}@{trunk}", str(ring),
               f"b(transfer-invite^s^1({number}^{trunk}^{way.number}))U(transfer-way-up)")  # fmt: skip
    context.do("Set", f"{of_caller('WAY_FAILED')}={number}", label="full")
    tell(context, "skipped", f"Way: {number}", f"Trunk: {trunk}", f"Number: {way.number}",
          "Cause: ${HANGUPCAUSE}", "Status: ${DIALSTATUS}")  # fmt: skip
    context.do("Hangup", "${HANGUPCAUSE}")


def reach_contexts() -> Iterator[Context]:
    """What all cities share of it."""
    yield _way_up()
    yield _invite()
    yield _wait_for_turn()


def _way_up() -> Context:
    """On the leg to the outside that was answered: which number it was; what is said there is recorded."""
    context = Context("transfer-way-up")
    context.do("Gosub", "record", "s", "1")
    tell(context, "accepted", "Way: ${WAY}", "Trunk: ${WAY_TRUNK}", "Number: ${WAY_NUMBER}")
    return context.do("Return")


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
    """ARG1 way, ARG2 seconds it leaves to those before it, ARG3 trunk, ARG4 its channels, ARG5 number.

    Those before are never cut: a centre that rings slowly goes on ringing beside (decisions 9).
    """
    context = Context("transfer-way")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    # the centre is to see who needs help, not our building (decisions 21)
    context.do("Set", "CALLERID(num)=${CALLER}").do("Set", "CALLERID(name)=")
    context.do("Set", "UNTIL=$[${EPOCH} + ${ARG2}]")
    context.do("GotoIf", "$[${ARG2} = 0]?turn")
    context.do("GotoIf", f"$[0${{{of_caller('WAY_FAILED')}}} >= ${{ARG1}} - 1]?turn", label="look")
    context.do("GotoIf", "$[${EPOCH} >= ${UNTIL}]?turn")
    context.do("Wait", "0.1").do("Goto", "look")
    context.do("GotoIf", "$[${GROUP_COUNT(${ARG3}@trunk)} >= ${ARG4}]?full", label="turn")
    context.do("Return")
    context.do("Set", "DIALSTATUS=CHANUNAVAIL", label="full")
    return context.do("Return", "full")
