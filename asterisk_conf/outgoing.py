"""Calls to citizens from a seat, in dialplan alone: judged, dialled, recorded and told with the service dead.

A phone dials the plan's prefix and a number, or ``*16`` for the citizen of its last call; an order rings the
phone first (``out-ordered``) and goes the same way. Whether a number may be called is asked of the patterns
in ``<city>-may-call``, written from outgoing.toml; emergency numbers are never refused, and only they may use
the channels that a trunk reserves. The call is named after the seat's own leg, so the first ring already
belongs to it; the citizen's leg is the one that is dialled.

What a phone is not to show stands in ``<city>-hides-back`` (calls of ours) and ``<city>-hides-call`` (all
calls): contexts that are there, or not.

- GLOBAL(LAST_<endpoint>) ``<CALL_ID>/<number>/<agent>``: whom ``*16`` calls. It is lost with Asterisk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from asterisk_conf.held import ENDED_WITH, may_hold
from asterisk_conf.masking import MASK_KEYS
from asterisk_conf.seat_leg import cause_is
from asterisk_conf.site import Site
from asterisk_conf.steps import Context
from calls.model import GONE
from plan.model import Plan
from plan.outgoing import EMERGENCY, LONGEST, SHORTEST, Outgoing, expression, refused_by

LAST_CALL = "*16"
"""What a phone dials to call back the citizen of its last call."""
EMERGENCY_RING = 60
NOW = "${STRFTIME(,,%s.%3q)}"
NO_TRANSFER = "out-stays"
"""A context that does not exist: a phone's own blind REFER of a citizen we called is refused with 404."""


# --- hooks in what was there before -------------------------------------------------------------


def phone_dials(context: Context, plan: Plan) -> None:
    """Among what a seat's phone may dial."""
    for number in EMERGENCY:
        if number not in plan.seats and _ways_of_emergency(plan, number):
            _dials(context.exten(number), plan.id, number)
    if plan.outgoing is not None:
        _dials(context.exten(f"_{plan.outgoing.prefix}!"), plan.id, "${FILTER(0-9,${EXTEN:1})}")
        context.exten(f"_{LAST_CALL}!").do("Set", f"OUT_CITY={plan.id}").do("Goto", "out-last", "s", "1")


def _dials(context: Context, city: str, number: str) -> None:
    # no Gosub: a CDR tells where a call ended only outside of subroutines
    context.do("Set", f"OUT_CITY={city}").do("Set", f"OUT_NUMBER={number}").do("Set", "OUT_BY=phone")
    context.do("Goto", "out-dialled", "s", "1")


def last_caller(context: Context) -> None:
    """On the seat's channel when it has answered a caller: whom ``*16`` calls back."""
    agent = "${DB(hotline-seat/${CITY}/${SEAT})}"
    context.do("Set", f"GLOBAL(LAST_${{CHANNEL(endpoint)}})=${{CALL_ID}}/${{CALLER}}/{agent}")


def hide_caller(context: Context) -> None:
    """On a seat's channel before its INVITE leaves: what the phone shows instead of the citizen's number."""
    hides = "${DIALPLAN_EXISTS(${CITY}-hides-call,s,1)}"
    context.do("GosubIf", f"{hides}?${{CITY}}-hides-call,s,1")
    hides = "${DIALPLAN_EXISTS(${CITY}-hides-back,s,1)}"
    context.do("GosubIf", f'$["${{OF}}" != "" & {hides}]?${{CITY}}-hides-back,s,1')


# --- of one city --------------------------------------------------------------------------------


def city_outgoing_contexts(plan: Plan, sound: Callable[[str], str]) -> Iterator[Context]:
    """``<city>-may-call``, ``<city>-out``: what may be called, and how. ``sound``: what a prompt plays as."""
    yield _may_call(plan)
    yield _rules(plan, sound)
    rules = plan.outgoing
    if rules is not None and rules.hide_numbers != "no":
        for kind in ("back", *(["call"] if rules.hide_numbers == "always" else [])):
            hides = Context(f"{plan.id}-hides-{kind}")
            # i: set before the INVITE leaves, it needs no message of its own
            shown = f'${{IF($["${{ORIGINAL}}" = ""]?{rules.present}:${{ORIGINAL}})}}'
            hides.do("Set", f"CONNECTEDLINE(num,i)={shown}").do("Set", "CONNECTEDLINE(name,i)=")
            yield hides.do("Return")


def _rules(plan: Plan, sound: Callable[[str], str]) -> Context:
    """Looks at NUMBER, digits only. Sets what ``<city>-may-call`` does, and how the call is made: SHOWN,
    RING, NOTICE, WRAP_UP."""
    context = Context(f"{plan.id}-out")
    rules = plan.outgoing
    context.do("Set", f"ZONE={plan.city.timezone}")
    context.do("Set", f"SHOWN={rules.present if rules else _main_number(plan)}")
    context.do("Set", f"RING={rules.ring_seconds if rules else EMERGENCY_RING}")
    context.do("Set", f"__NOTICE={sound(rules.notice) if rules and rules.notice else ''}")
    context.do("Set", f"WRAP_UP={rules.wrap_up_seconds if rules else 0}").do("Set", f"__LINE={plan.main}")
    context.do("Gosub", f"{plan.id}-may-call", "s", "1")
    context.do("ExecIf", '$["${VERDICT}" = "emergency"]?Set(__NOTICE=)')
    return context.do("Return")


def _may_call(plan: Plan) -> Context:
    """Looks at NUMBER, digits only; leaves all else of the channel as it is. Sets VERDICT (emergency,
    allowed, refused, unknown), KIND, and WAYS ``trunk/channels it may fill/number`` with ``&`` between."""
    context = Context(f"{plan.id}-may-call")
    rules = plan.outgoing
    context.do("Set", "KIND=").do("Set", "WAYS=")
    last: list[tuple[str, str, str, str]] = []
    for number in EMERGENCY:
        if ways := _ways_of_emergency(plan, number):
            context.do("GotoIf", f'$["${{NUMBER}}" = "{number}"]?e{number}')
            last.append((f"e{number}", "emergency", "emergency", ways))
    context.do("Set", "VERDICT=unknown")
    far = f"${{LEN(${{NUMBER}})}} < {SHORTEST} | ${{LEN(${{NUMBER}})}} > {LONGEST}"
    context.do("GotoIf", f"$[{far}]?done")
    for letter, entries in (("r", refused_by(rules)), ("a", rules.allow if rules else {})):
        for place, (name, entry) in enumerate(entries.items(), 1):
            for pattern in entry.patterns:
                fits = f'${{REGEX("{expression(pattern)}" ${{NUMBER}})}}'
                context.do("GotoIf", f"{fits}?{letter}{place}")
            verdict, ways = ("allowed", _ways(plan, rules, name)) if letter == "a" else ("refused", "")
            last.append((f"{letter}{place}", verdict, name, ways))
    context.do("Return", label="done")
    for label, verdict, kind, ways in last:
        context.do("Set", f"VERDICT={verdict}", label=label).do("Set", f"KIND={kind}")
        context.do("Set", f"WAYS={ways}").do("Return")
    return context


def _ways(plan: Plan, rules: Outgoing | None, kind: str) -> str:
    assert rules is not None
    return "&".join(
        f"{plan.id}-{name}/{plan.trunks[name].unreserved}/${{NUMBER}}" for name in rules.trunks_of(kind)
    )


def _ways_of_emergency(plan: Plan, number: str) -> str:
    """The ways of the centre (centres.toml), else the trunks of outgoing.toml; empty: none."""
    centre = plan.centres.get(number)
    if centre is not None:
        ways = [(way.trunk, way.number) for way in centre.ways]
    else:
        ways = [(name, number) for name in (plan.outgoing.trunks if plan.outgoing else ())]
    return "&".join(f"{plan.id}-{trunk}/{plan.trunks[trunk].channels}/{to}" for trunk, to in ways)


def _main_number(plan: Plan) -> str:
    line = plan.lines.get(plan.main)
    return line.numbers[0] if line is not None and line.numbers else ""


# --- shared -------------------------------------------------------------------------------------


def outgoing_contexts(site: Site) -> Iterator[Context]:
    """All of them."""
    yield _ordered()
    yield _last()
    yield _dialled()
    yield _refused()
    yield _way()
    yield _dial()
    yield _over()
    yield _failed()
    yield _invite()
    yield _up()
    yield _left()


def _ordered() -> Context:
    """The seat's phone has answered an order's ring: OUT_CITY, OUT_NUMBER, OUT_OF."""
    context = Context("out-ordered")
    context.do("Set", "OF=${FILTER(A-Za-z0-9.\\-,${OUT_OF})}").do("Set", "OUT_BY=api")
    return context.do("Goto", "out-dialled", "s", "1")


def _last() -> Context:
    """OUT_CITY. ``*16``: the citizen of the last call of this person at this seat."""
    context = Context("out-last")
    context.do("Set", "ENDPOINT=${CHANNEL(endpoint)}").do("Set", "SEAT=${CUT(ENDPOINT,-,2)}")
    context.do("Set", "LAST=${GLOBAL(LAST_${ENDPOINT})}")
    context.do("Set", "AGENT=${DB(hotline-seat/${OUT_CITY}/${SEAT})}")
    # whoever sat here before had that caller, not this person
    context.do("GotoIf", '$["${LAST}" = "" | "${CUT(LAST,/,3)}" != "${AGENT}"]?nobody')
    context.do("Set", "OF=${CUT(LAST,/,1)}").do("Set", "NUMBER=${CUT(LAST,/,2)}")
    context.do("ExecIf", '$["${NUMBER:0:3}" = "+86"]?Set(NUMBER=${NUMBER:3})')
    context.do("ExecIf", '$["${NUMBER:0:1}" = "+"]?Set(NUMBER=00${NUMBER:1})')
    context.do("GotoIf", '$["${NUMBER}" = ""]?nobody')
    context.do("Set", "OUT_NUMBER=${NUMBER}").do("Set", "OUT_BY=code")
    context.do("Goto", "out-dialled", "s", "1")
    context.do("Set", "CDR_PROP(disable)=1", label="nobody")
    context.do("Answer").do("Playback", "hotline/seat-out-nobody")
    return context.do("Hangup")


def _dialled() -> Context:
    """On the seat's channel. OUT_CITY, OUT_NUMBER, OUT_BY (phone, code or api); OF the call that is called
    back. A number that may not be called ends in a sentence, every other in a call."""
    context = Context("out-dialled")
    context.do("Set", "__CITY=${OUT_CITY}").do("Set", "BY=${OUT_BY}")
    context.do("Set", "NUMBER=${FILTER(0-9,${OUT_NUMBER})}")
    context.do("Set", "ENDPOINT=${CHANNEL(endpoint)}").do("Set", "__SEAT=${CUT(ENDPOINT,-,2)}")
    context.do("Set", "AGENT=${DB(hotline-seat/${CITY}/${SEAT})}")
    context.do("Gosub", "${CITY}-out", "s", "1")
    context.do("GotoIf", '$["${VERDICT}" = "emergency"]?way')
    context.do("Set", "WHY=not-signed-in").do("Set", "SAY=seat-state-away")
    context.do("GotoIf", '$["${AGENT}" = ""]?out-refused,s,1')
    context.do("Set", "WHY=${VERDICT}").do("Set", "SAY=seat-out-refused")
    context.do("GotoIf", '$["${VERDICT}" = "allowed"]?:out-refused,s,1')
    context.do("Gosub", "out-way", "s", "1", label="way")
    context.do("Set", "WHY=no-trunk").do("Set", "SAY=seat-out-full")
    context.do("GotoIf", '$["${WAY_TRUNK}" = ""]?out-refused,s,1')
    return context.do("Goto", "out-dial", "s", "1")


def _refused() -> Context:
    """WHY, SAY. Told and said; no call came of it."""
    context = Context("out-refused")
    context.do("Set", "CDR_PROP(disable)=1")
    told = ("City: ${CITY}", "Seat: ${SEAT}", "Agent: ${AGENT}", "Number: ${NUMBER:0:24}", "Why: ${WHY}")
    context.do("UserEvent", "Hotline", "What: out-refused", *told, "Kind: ${KIND}", "By: ${BY}")
    context.do("Answer").do("Playback", "hotline/${SAY}")
    return context.do("Hangup", "21")


def _way() -> Context:
    """Takes the next way that is not full out of WAYS: WAY_TRUNK (empty: none is left), WAY_NUMBER."""
    context = Context("out-way")
    context.do("Set", "WAY_TRUNK=", label="look")
    context.do("GotoIf", '$["${WAYS}" = ""]?done')
    context.do("Set", "ONE=${SHIFT(WAYS,&)}")
    context.do("Set", "WAY_TRUNK=${CUT(ONE,/,1)}").do("Set", "WAY_NUMBER=${CUT(ONE,/,3)}")
    context.do("GotoIf", "$[${GROUP_COUNT(${WAY_TRUNK}@trunk)} >= ${CUT(ONE,/,2)}]?look")
    return context.do("Return", label="done")


def _dial() -> Context:
    """From here on it is a call."""
    context = Context("out-dial")
    context.do("Set", "__CALL_ID=${CITY}-${UNIQUEID}").do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("Set", "__DAY=${STRFTIME(${EPOCH},${ZONE},%Y%m%d)}").do("Set", "__CALLER=${NUMBER}")
    context.do("Set", "OUT_UP=").do("Set", "LEFT_BY=")
    context.do("Set", "CHANNEL(hangup_handler_push)=out-left,s,1")
    trunk = "${WAY_TRUNK:$[${LEN(${CITY})} + 1]}"
    told = ("City: ${CITY}", f"Trunk: {trunk}", "Line: ${LINE}", "Called: ${SHOWN}", "Caller: ${NUMBER}",
            "CallBackOf: ${OF}", "Direction: out", "Seat: ${SEAT}")  # fmt: skip
    context.do("UserEvent", "Hotline", "What: arrived", "Call: ${CALL_ID}", *told)
    now = f"${{CITY}}/${{LINE}}//{trunk}/${{SHOWN}}/{NOW}/${{OF}}/${{SEAT}}/${{NUMBER}}"
    context.do("Set", f"CDR(userfield)={now}")
    last = '${IF($["${OF}" = ""]?${CALL_ID}:${OF})}'
    context.do("Set", f"GLOBAL(LAST_${{ENDPOINT}})={last}/${{NUMBER}}/${{AGENT}}")
    # what the citizen sees: not the seat's number
    context.do("Set", "CALLERID(num)=${SHOWN}").do("Set", "CALLERID(name)=")
    context.do("Set", f"TRANSFER_CONTEXT={NO_TRANSFER}")
    context.do("Set", f"DYNAMIC_FEATURES={'#'.join(MASK_KEYS)}")
    # up from here on: what the phone says is recorded from the first ring, and a carrier's own words ("no
    # such number") are heard on every phone
    context.do("Answer")
    may_hold(context)
    context.do("Gosub", "record", "s", "1")
    # g: when the citizen hangs up first, the seat's leg says so; I: the citizen's number, should the carrier
    # send it back as who answered, does not reach the phone
    to, how = "PJSIP/${WAY_NUMBER}@${WAY_TRUNK}", "gIb(out-invite^s^1)U(out-up)"
    context.do("Dial", to, "${RING}", how, label="dial")
    context.do("GotoIf", '$["${DIALSTATUS}" = "ANSWER"]?out-over,s,1')
    # a dead or full trunk: the next one
    dead = '"${DIALSTATUS}" = "CHANUNAVAIL" | "${DIALSTATUS}" = "CONGESTION"'
    context.do("GotoIf", f"$[{dead}]?:out-failed,s,1")
    context.do("Gosub", "out-way", "s", "1")
    context.do("GotoIf", '$["${WAY_TRUNK}" = ""]?out-failed,s,1:dial')
    return context


def _over() -> Context:
    """The citizen hung up; the seat is still there."""
    context = Context("out-over")
    context.do("Set", "LEFT_BY=caller")
    return context.do("Hangup", "16")


def _failed() -> Context:
    """Busy, nobody, no such number: a sentence, after whatever the carrier itself said."""
    context = Context("out-failed")
    context.do("Set", "LEFT_BY=system").do("Set", "CAUSE=${HANGUPCAUSE}")
    context.do("Answer").do("Playback", "hotline/seat-out-failed")
    return context.do("Hangup", "${CAUSE}")


def _invite() -> Context:
    """On the citizen's leg before its INVITE leaves."""
    context = Context("out-invite")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("Set", "GROUP(trunk)=${CHANNEL(endpoint)}")
    return context.do("Return")


def _up() -> Context:
    """On the citizen's leg when it has answered, before the two hear each other."""
    context = Context("out-up")
    # the moment of the answer, finer than the CDR's whole seconds
    context.do("QueueLog", "${CITY}-out", "${CUT(CALL_ID,-,2-)}", "${CITY}-${SEAT}", "HOTLINECALLED", NOW)
    context.do("UserEvent", "Hotline", "What: greeted", "Call: ${CALL_ID}")
    # nothing is recorded before it was said that it is
    context.do("ExecIf", '$["${NOTICE}" != ""]?Playback(${NOTICE})')
    context.do("Gosub", "record", "s", "1")
    context.do("Set", "MASTER_CHANNEL(OUT_UP)=1")
    return context.do("Return")


def _left() -> Context:
    """Hangup handler of the seat's leg: the call is over; who talked wraps up."""
    context = Context("out-left")
    context.do("Set", f"CAUSE=0{ENDED_WITH}")
    by = '${IF($["${LEFT_BY}" = ""]?agent:${LEFT_BY})}'
    context.do("UserEvent", "Hotline", "What: left", "Call: ${CALL_ID}", f"By: {by}", f"Cause: {ENDED_WITH}")
    context.do("GotoIf", '$["${OUT_UP}" != "1" | "${AGENT}" = ""]?bye')
    context.do("GotoIf", f'$["${{LEFT_BY}}" = "" & {cause_is(GONE, "CAUSE")}]?lost')
    context.do("GosubIf", "${DIALPLAN_EXISTS(${CITY}-agent,${AGENT},1)}?${CITY}-agent,${AGENT},1")
    context.do("GotoIf", "$[0${WRAP_UP} = 0]?bye")
    context.do("Gosub", "seat-wrap-up", "s", "1(wrapup)")
    context.do("Return", label="bye")
    context.do("Set", "REASON=lost", label="lost").do("Set", "DID=pause").do("Set", "BY=system")
    context.do("Gosub", "seat-do", "s", "1")
    return context.do("Return")
