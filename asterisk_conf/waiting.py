"""Waiting callers: whose turn it is, what they hear, who may ring for them.

All of it is dialplan and files, so it works with the service dead.

Whose turn it is. app_queue serves by QUEUE_PRIO, which it reads once, when a caller joins. A rank that rises
as a caller waits needs no more: with the same rise for everybody, the order of any two callers never changes,
so the rank can be written down at the door as *head start minus moment of joining*. First come, first served
within a class; a caller is overtaken only by those who come within the difference of two head starts, so
nobody starves; and whoever has to come back (overflow, a phone that died, a call-back) comes back to the same
place, whatever happened meanwhile. The same sum orders those whom a centre handed over, and above them those
whom we lost.

Who may ring for them. Levels widen with all the time waited in this call, in whatever queues: app_queue
counts from the beginning in each, so a rule for the seconds waited before is named when a caller enters.

What they hear. app_queue says a position in pieces ("queue-thereare", a number, "queue-callswaiting"); the
pieces are left empty and the number is said by say.conf, which knows the queue by the caller's language
(``zh_demo-general``; sound files fall back to ``zh``): whole sentences, with the estimated wait behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asterisk_conf.ini import Pair, section
from asterisk_conf.seat_leg import HANDED_OVER, HEAD
from asterisk_conf.site import Site
from asterisk_conf.steps import Context
from plan.model import Phone, Plan, Priority, Queue

RANK = 2_700_000_000
"""Rank = RANK - epoch of joining + head start: a positive 32-bit number, as app_queue keeps it, to 2055."""
LOST_APART = 10
"""Those whom we lost are told apart by so many seconds: there is no room for more above HEAD."""
KEY_CALL_BACK = "1"
"""What a waiting caller presses to be called back (prompt callback-offer)."""
NO_LIMIT = 2**31 - 1
"""app_queue's own value for a QUEUE_MAX_PENALTY that is none."""
MOST_RULES = 20
"""Rules a queue has at most for callers who waited elsewhere: widening is late by a twentieth at most."""
MOST_MINUTES = 15
"""There is a sentence for each number up to these."""


def language(city: str, queue: str) -> str:
    """The language of a caller who waits: it tells say.conf which queue speaks."""
    return f"zh_{city}-{queue}"


# --- files --------------------------------------------------------------------------------------------------


def queue_rules(plans: Sequence[Plan]) -> str:
    """queuerules.conf: the levels that may ring, by seconds waited."""
    parts = [section("general", [])]
    for plan in plans:
        for name, queue in plan.queues.items():
            if not queue.widen:
                continue
            for waited in (0, *_offsets(queue)):
                steps = levels(queue, waited)
                changes: list[Pair] = [("penaltychange", f"{after},{level}") for after, level in steps]
                parts.append(section(_rule(plan.id, name, waited), changes, arrow="=>"))
    return "\n".join(parts)


def _rule(city: str, queue: str, waited: int | str) -> str:
    return f"{city}-{queue}.{waited}" if waited else f"{city}-{queue}"


def _offsets(queue: Queue) -> range:
    """Seconds already waited for which there is a rule of its own. The last one has all behind it."""
    last = max(map(int, queue.widen), default=0)
    apart = -(-last // MOST_RULES) or 1
    return range(apart, last + apart, apart)


def levels(queue: Queue, waited: int) -> list[tuple[int, int]]:
    """Seconds in this queue to the level that rings from then on, of a caller who waited before."""
    steps = sorted((int(after) - waited, level) for after, level in queue.widen.items())
    due = [level for after, level in steps if after <= 0][-1:]
    return [*((0, level) for level in due), *((after, level) for after, level in steps if after > 0)]


def rule_of(city: str, name: str, queue: Queue) -> str:
    """The rule of queuerules.conf for a caller who has waited WAITED seconds; empty: the queue's own."""
    if not _offsets(queue):
        return ""
    apart, last = _offsets(queue).step, _offsets(queue)[-1]
    grid = f"$[FLOOR(${{WAITED}} / {apart}) * {apart}]"
    waited = f"${{IF($[${{WAITED}} < {last}]?{grid}:{last})}}"
    return f"${{IF($[${{WAITED}} < {apart}]?:{_rule(city, name, waited)})}}"


def queue_ends(site: Site, agi: str, rule: str, position: str) -> tuple[str, ...]:
    """Queue()'s last arguments. Levels widen by ``rule``, if it is not empty. Ranks count seconds:
    whoever comes back stands, as position 1 among equals, before those who came in the same second."""
    macro = () if site.version >= (21, 0, 0) else ("",)
    return (agi, *macro, "", rule, position)


def first_level(queue: Queue) -> int:
    """QUEUE_MAX_PENALTY at the door."""
    return min(((int(after), level) for after, level in queue.widen.items()), default=(0, NO_LIMIT))[1]


def say_conf(plans: Sequence[Plan]) -> str:
    """say.conf: how a number is said. In Mandarin as anywhere; to a waiting caller as a sentence."""
    # [n]: a bare n in a pattern is any digit from 2 to 9
    plain: list[Pair] = [
        ("_[n]um:X", "digits/${SAY}"),
        ("_[n]um:[1-9]0", "digits/${SAY}"),
        ("_[n]um:1X", "digits/10, digits/${SAY:1}"),
        ("_[n]um:[2-9]X", "digits/${SAY:0:1}0, digits/${SAY:1}"),
    ]
    parts = [section("general", [("mode", "new")]), section("zh", plain, arrow="=>")]
    for plan in plans:
        for name, queue in plan.queues.items():
            parts.append(section(language(plan.id, name), _sentences(plan.id, name, queue), arrow="=>"))
    return "\n".join(parts)


def _sentences(city: str, name: str, queue: Queue) -> list[Pair]:
    """SAY is the position; for 1 app_queue plays a file (queue-youarenext) and asks nobody for minutes."""
    wait = ""
    if queue.tell_wait:
        seconds = f"${{GLOBAL({pace_of(city, name)})}} * ${{SAY}}"
        longest = f"$[{seconds} > {MOST_MINUTES * 60}]?more"
        minutes = f"$[CEIL(({seconds}) / 60)]"
        least = f"$[{seconds} < 60]?less"
        wait = f", hotline/queue-wait-${{IF({least}:${{IF({longest}:{minutes})}})}}"
    ahead = f"hotline/queue-position-$[${{SAY}} - 1]{wait}"
    more = f"hotline/queue-position-more{wait}"
    return [
        ("_[n]um:X", ahead),
        ("_[n]um:1X", ahead),
        ("_[n]um:2[01]", ahead),
        ("_[n]um:.", more),
    ]


def pace_of(city: str, queue: str) -> str:
    """The global with the seconds from one answer to the next while callers wait."""
    return f"PACE-{city}-{queue}"


def paces(plans: Sequence[Plan]) -> list[str]:
    """The lines of [globals]."""
    return [
        f"{pace_of(plan.id, name)} = {queue.pace_seconds}"
        for plan in plans
        for name, queue in plan.queues.items()
    ]


def announcements(city: str, name: str, queue: Queue, reassure: str, offer: str) -> list[Pair]:
    """queues.conf: what is said while waiting, and what a key does. ``reassure``, ``offer``: sounds."""
    every = queue.position_every_seconds
    pairs: list[Pair] = [
        ("announce-frequency", every),
        ("min-announce-frequency", min(every, 15) if every else 15),
        ("announce-position", "yes" if every else "no"),
        ("announce-holdtime", "no"),
        ("queue-youarenext", "hotline/queue-next"),
        # say.conf says the whole sentence
        ("queue-thereare", ""),
        ("queue-callswaiting", ""),
        ("queue-thankyou", ""),
    ]
    again, after = queue.reassure_every_seconds, queue.call_back.after_seconds if queue.call_back else 0
    if after and again:
        # One list, said in turn at one pace. A little more often than asked, so that the offer is not late.
        turns = -(-after // again)
        said = ",".join([*[reassure] * (turns - 1), offer])
        pairs += [("periodic-announce-frequency", after // turns), ("periodic-announce", said)]
    elif after or again:
        pairs += [
            ("periodic-announce-frequency", after or again),
            ("periodic-announce", offer if after else reassure),
        ]
    if queue.call_back:
        pairs.append(("context", f"{city}-keys-{name}"))
    if queue.widen:
        pairs.append(("defaultrule", f"{city}-{name}"))
    return pairs


# --- of one city ------------------------------------------------------------------------------------------


def city_waiting_contexts(plan: Plan) -> Iterator[Context]:
    """The classes of callers, and by which rule levels widen for whoever waited before."""
    yield _priority(plan)
    yield _listed(plan)
    yield _levels(plan)


def _higher(head_start: int) -> str:
    return f"?Set(HEAD_START={head_start})"


def _priority(plan: Plan) -> Context:
    """Sets HEAD_START: of all classes this caller is in, the greatest; none, 0."""
    context = Context(f"{plan.id}-priority")
    context.do("Set", "HEAD_START=0")
    for priority in plan.priorities.values():
        if priority.lines:
            lines = " | ".join(f'"${{LINE}}" = "{line}"' for line in priority.lines)
            head = priority.head_start_seconds
            context.do("ExecIf", f"$[({lines}) & ${{HEAD_START}} < {head}]{_higher(head)}")
    # a key of a menu said so (context <city>-menu-<menu>)
    context.do("ExecIf", "$[0${KEY_HEAD_START} > ${HEAD_START}]?Set(HEAD_START=${KEY_HEAD_START})")
    context.do("GotoIf", '$["${CALLER}" = ""]?known')
    listed = f"{plan.id}-listed,${{CALLER}},1"
    context.do("GosubIf", f"${{DIALPLAN_EXISTS({listed})}}?{listed}")
    dropped = [p for p in plan.priorities.values() if p.dropped_within_minutes]
    if dropped:
        # left there by a caller we lost (waits-over), or by one an Asterisk died with
        waits = "hotline-waits/${CITY}/${CALLER}"
        context.do("Set", f"WAS=${{DB({waits})}}")
        context.do("GotoIf", '$["${WAS}" = ""]?mine')
        # the same number twice at once is no drop
        context.do("GotoIf", "${CHANNEL_EXISTS(${CUT(WAS,/,2)})}?mine")
        for priority in dropped:
            head, window = priority.head_start_seconds, priority.dropped_within_minutes * 60
            recent = f"${{EPOCH}} - 0${{CUT(WAS,/,1)}} <= {window} & ${{HEAD_START}} < {head}"
            context.do("ExecIf", f"$[{recent}]{_higher(head)}")
        context.do("Set", f"DB({waits})=${{EPOCH}}/${{UNIQUEID}}", label="mine")
    return context.do("Return", label="known")


def _listed(plan: Plan) -> Context:
    """Numbers with a class of their own. Asterisk takes the most specific pattern only, so each pattern has
    the greatest head start of all that hold for it."""
    context = Context(f"{plan.id}-listed", None)
    heads: dict[str, int] = {}
    for priority in plan.priorities.values():
        for callers in priority.callers:
            heads[callers] = max(heads.get(callers, 0), priority.head_start_seconds)
    for callers, own in sorted(heads.items()):
        start = callers.removesuffix("*")
        wider = (h for c, h in heads.items() if c.endswith("*") and start.startswith(c.removesuffix("*")))
        head = max([own, *wider])
        context.exten(f"_{start}!" if callers.endswith("*") else callers)
        context.do("ExecIf", f"$[${{HEAD_START}} < {head}]{_higher(head)}").do("Return")
    if not heads:
        context.exten("s").do("Return")
    return context


def _levels(plan: Plan) -> Context:
    """Sets RULE, for whoever joins a queue from elsewhere than its own context (``transfer-back``)."""
    context = Context(f"{plan.id}-levels", None)
    for name, queue in plan.queues.items():
        context.exten(f"queue-{name}").do("Set", f"RULE={rule_of(plan.id, name, queue)}").do("Return")
    return context


def head_start_of_key(priorities: Sequence[Priority], menu: str, key: str) -> int:
    """What pressing this key of this menu earns; 0: nothing."""
    return max((p.head_start_seconds for p in priorities if f"{menu}:{key}" in p.keys), default=0)


def phone_context(plan: Plan, name: str, phone: Phone, onward: str) -> Context:
    """Somebody outside is rung; nobody there: ``onward`` is the context of the next place."""
    context = Context(f"{plan.id}-phone-{name}")
    context.do("Gosub", "hop", "s", f"1(phone:{name})")
    context.do("Set", f"__DUTY={name}")
    trunk, open_to_all = f"{plan.id}-{phone.trunk}", plan.trunks[phone.trunk].unreserved
    context.do("GotoIf", f"$[${{GROUP_COUNT({trunk}@trunk)}} >= {open_to_all}]?{onward},s,1")
    context.do("Answer")
    context.do("Playback", "hotline/transferring")
    context.do("Dial", f"PJSIP/{phone.number}@{trunk}", str(phone.ring_seconds),
               "grb(out-invite^s^1)U(duty-up)")  # fmt: skip
    context.do("GotoIf", '$["${DIALSTATUS}" = "ANSWER"]?talked')
    context.do("Goto", onward, "s", "1")
    context.do("Set", "LEFT_BY=system", label="talked")
    return context.do("Hangup", "16")


# --- shared -----------------------------------------------------------------------------------------------


def waiting_contexts() -> Iterator[Context]:
    """All of them."""
    yield _enter()
    yield _rank()
    yield _over()
    yield _paced()
    yield _duty_up()


def _enter() -> Context:
    """ARG1 queue; empty: whoever hears nothing of their place. Sets WAITED, the seconds waited before, and
    QUEUE_PRIO."""
    context = Context("queue-enter")
    context.do("ExecIf", f'$["${{ARG1}}" != ""]?Set(CHANNEL(language)={language("${CITY}", "${ARG1}")})')
    # whoever waits again follows no agent who was led out of an earlier talk
    context.do("Set", "AWAY_SEEN=0${SHARED(AWAY)}")
    # the last wait: until an agent answered (app_queue says how long that was), or until now
    last = '${IF($["${QEHOLDTIME}" = ""]?$[${EPOCH} - 0${JOINED_AT}]:${QEHOLDTIME})}'
    context.do("Set", f'WAITED=$[0${{WAITED}} + ${{IF($["${{JOINED_AT}}" = ""]?0:{last})}}]')
    context.do("Set", "JOINED_AT=${EPOCH}").do("Set", "QEHOLDTIME=").do("Set", "SHARED(ELSEWHERE)=")
    context.do("Gosub", "queue-rank", "s", "1")
    return context.do("Return")


def _rank() -> Context:
    """Sets QUEUE_PRIO, the caller's rank: of the first queue of the call, kept in others."""
    context = Context("queue-rank")
    context.do("GotoIf", '$["${QUEUED_AT}" != ""]?known')
    context.do("Set", "__QUEUED_AT=${EPOCH}")
    context.do("Gosub", "${CITY}-priority", "s", "1")
    context.do("Set", "__HEAD_START=${HEAD_START}")
    # whom we lost stands before every rank, then whom a centre handed over: among them, too, who came first
    came = f"{RANK} - ${{QUEUED_AT}}"
    lost = f"Set(QUEUE_PRIO=$[{HEAD} + FLOOR(({came}) / {LOST_APART})])"
    context.do("ExecIf", f"$[0${{QUEUE_PRIO}} = {HEAD}]?{lost}", label="known")
    handed = f"Set(QUEUE_PRIO=$[{HANDED_OVER} + {came}])"
    context.do("ExecIf", f"$[0${{QUEUE_PRIO}} = {HANDED_OVER}]?{handed}")
    # and whom a supervisor put first has another number still
    context.do("GotoIf", f"$[0${{QUEUE_PRIO}} >= {HANDED_OVER}]?done")
    context.do("Set", f"QUEUE_PRIO=$[{came} + ${{HEAD_START}}]")
    return context.do("Return", label="done")


def _over() -> Context:
    """From the hangup handler: a caller we lost is remembered, one who left or was served is not."""
    context = Context("waits-over")
    context.do("Set", "WAITS=hotline-waits/${CITY}/${CALLER}")
    context.do("GotoIf", '$["${QUEUED_AT}" = "" | "${CALLER}" = ""]?done')
    context.do("Set", "WAS=${DB(${WAITS})}")
    context.do("GotoIf", '$["${CUT(WAS,/,2)}" = "${UNIQUEID}"]?:done')
    # on the way back to the head after a talk that we lost, or there: nobody has answered since
    context.do("ExecIf", '$["${SHARED(LOST)}" = "1"]?Set(DROPPED=1)')
    # whoever hangs up on a phone that says nothing does not wait until its leg ends for want of sound
    # whoever has them: the seat that app_queue rang, or somebody else by now; outside nobody can be judged
    context.do("Set", "HAS=${SHARED(ELSEWHERE)}").do("ExecIf", '$["${HAS}" = ""]?Set(HAS=${MEMBERINTERFACE})')
    talks = '"${QEHOLDTIME}" != "" & "${CUT(HAS,/,1)}" = "PJSIP" & "${LEFT_BY}" = ""'
    context.do("GotoIf", f"$[{talks}]?:known", label="judge")
    context.do("Set", "PHONE=${CUT(HAS,/,2)}").do("Set", "PHONE=${CUT(PHONE,-,1-2)}")
    context.do("Set", "CONTACT=${PJSIP_AOR(${PHONE},contact)}")
    # a registration runs out, or goes with its connection; a trunk has none
    context.do(
        "GotoIf", '$["${CONTACT}" = "" & ${DIALPLAN_EXISTS(${CITY}-seat-skills,${CUT(PHONE,-,2)},1)}]?dead'
    )
    context.do("GotoIf", '$["${PJSIP_CONTACT(${CONTACT},status)}" = "Unreachable"]?:known')
    # in a room of three they are lost only with both phones
    both = '"${SHARED(TARGET_IN)}${SHARED(TARGET_JOINED)}" = "11" & "${HAS}" != "${SHARED(TARGET)}"'
    context.do("GotoIf", f"$[{both}]?:lost", label="dead")
    context.do("Set", "HAS=${SHARED(TARGET)}").do("Goto", "judge")
    context.do("Set", "DROPPED=1", label="lost")
    served = '"${DUTY_UP}${CALL_BACK}" != "" | ("${DROPPED}" = "" & "${LEFT_BY}" != "system")'
    context.do("GotoIf", f"$[{served}]?served", label="known")
    context.do("Set", "DB(${WAITS})=${EPOCH}/${UNIQUEID}")
    context.do("Return")
    context.do("Set", "GONE=${DB_DELETE(${WAITS})}", label="served")
    return context.do("Return", label="done")


def _paced() -> Context:
    """On the seat's channel when it has answered: how fast the line of callers moves, while there is one."""
    context = Context("queue-paced")
    context.do("Set", "LINE_UP=${CITY}-${QUEUE}")
    context.do("Set", "BEFORE=${GLOBAL(PACED-${LINE_UP})}")
    busy = "${QUEUE_WAITING_COUNT(${LINE_UP})} > 0"
    context.do("Set", f"GLOBAL(PACED-${{LINE_UP}})=${{IF($[{busy}]?${{EPOCH}}:)}}")
    context.do("GotoIf", '$["${BEFORE}" = ""]?done')
    old, gap = "0.8 * 0${GLOBAL(PACE-${LINE_UP})}", "0.2 * (${EPOCH} - ${BEFORE})"
    context.do("Set", f"GLOBAL(PACE-${{LINE_UP}})=$[{old} + {gap}]")
    return context.do("Return", label="done")


def _duty_up() -> Context:
    """On the duty phone's channel when it has answered."""
    context = Context("duty-up")
    context.do("Set", "MASTER_CHANNEL(DUTY_UP)=1")
    context.do("Gosub", "record", "s", "1")
    context.do("QueueLog", "${CITY}-${QUEUE}", "${CUT(CALL_ID,-,2-)}", "NONE", "HOTLINEDUTY", "${DUTY}")
    context.do("UserEvent", "Hotline", "What: duty", "Call: ${CALL_ID}", "Phone: ${DUTY}")
    return context.do("Return")
