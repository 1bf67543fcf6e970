"""extensions.conf: what a caller goes through, written from the plan.

Every place of a plan is a context of its own with one extension ``s``: ``demo-line-main``,
``demo-queue-general``. Steps of one kind of place always have the same count, so that a call in the
middle of one finds its next step after a reload. Untrusted text (numbers, Call-ID, an answer from the
service) is filtered before anything else looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from asterisk_conf.callback import STAND_SECONDS, city_callback_contexts
from asterisk_conf.desk import desk_contexts
from asterisk_conf.desk_leads import led_by_desk
from asterisk_conf.from_centre import centre_arrives, centre_context
from asterisk_conf.merged import merged_numbers
from asterisk_conf.outgoing import city_outgoing_contexts, outgoing_contexts, phone_dials
from asterisk_conf.seat_leg import HANDED_OVER
from asterisk_conf.seats import city_seat_contexts, feature_codes, seat_contexts
from asterisk_conf.shared import MESSAGE_FILE, shared_contexts
from asterisk_conf.site import Site
from asterisk_conf.spoken import listens
from asterisk_conf.steps import Context
from asterisk_conf.transfer import keys_global, room_key_context, transfer_contexts
from asterisk_conf.transfer_reach import city_transfer_contexts
from asterisk_conf.waiting import (
    city_waiting_contexts,
    first_level,
    head_start_of_key,
    paces,
    phone_context,
    queue_ends,
    rule_of,
)
from plan.model import Destination, Line, Menu, Message, Plan, Queue, Spoken, Trunk
from plan.roads import stays

CALLED = "+0-9*"
"""What may be in a called number."""


def extensions_conf(plans: Sequence[Plan], site: Site, plan_hash: str) -> str:
    """The whole file. ``plan_hash`` becomes the global PLAN_HASH, so that a running Asterisk can be asked."""
    head = "\n".join(
        (
            "[general]",
            "static = yes",
            "writeprotect = yes",
            # ASK_AGAIN_AT outlives a reload: a dead service stays known
            "clearglobalvars = no",
            "extenpatternmatchnew = no",
            "",
            "[globals]",
            f"PLAN_HASH = {plan_hash}",
            f"TRANSFER_KEYS = {keys_global(plans)}",
            *paces(plans),
            "",
        )
    )
    contexts = [*shared_contexts(site), *seat_contexts(site), *desk_contexts(), *transfer_contexts(site)]
    contexts.append(room_key_context(plans))
    contexts += outgoing_contexts(site)
    for plan in plans:
        contexts += city_contexts(plan, site)
    return head + "\n" + "\n".join(context.text() for context in contexts)


def city_contexts(plan: Plan, site: Site) -> Iterator[Context]:
    """All contexts of one city."""
    for name, trunk in plan.trunks.items():
        yield _trunk(plan, name, trunk)
    yield _numbers(plan, site)
    yield centre_context(plan, lambda prompt: _sound(plan, site, prompt))
    yield _not_in_service(plan, site)
    if plan.city.last:
        yield Context(f"{plan.id}-last").do("Goto", *_context(plan, plan.city.last), "s", "1")
    for name, line in plan.lines.items():
        yield _line(plan, site, name, line)
    for name, menu in plan.menus.items():
        yield _menu(plan, site, name, menu)
    for name, queue in plan.queues.items():
        yield _queue(plan, site, name, queue)
    for name, message in plan.messages.items():
        yield _message(plan, site, name, message)
    for name, phone in plan.phones.items():
        yield phone_context(plan, name, phone, *_context(plan, phone.next))
    yield from city_waiting_contexts(plan)
    yield from city_callback_contexts(plan)
    for name, queue in plan.queues.items():
        if queue.call_back is not None:
            yield _stand_in_queue(plan, site, name, queue)
    yield _seats(plan, site)
    yield from city_seat_contexts(plan)
    yield from city_transfer_contexts(plan, site)
    yield from city_outgoing_contexts(plan, lambda prompt: _sound(plan, site, prompt))


def _sound(plan: Plan, site: Site, prompt: str) -> str:
    return site.sounds.get(plan.id, {}).get(prompt, f"hotline/{prompt}")


def _context(plan: Plan, place: str) -> tuple[str]:
    to = Destination.parse(place)
    if to is None or not plan.has(to):
        raise ValueError(f"{plan.id}: {place!r} is no place of this plan")
    return (f"{plan.id}-{to.kind}-{to.name}",)


def _trunk(plan: Plan, name: str, trunk: Trunk) -> Context:
    context = Context(f"{plan.id}-from-{name}")
    # One pattern takes whatever number comes: a carrier's mistake is answered by a voice, not by 404.
    context.exten("_[+0-9*]!")
    context.do("Set", f"__CALLED=${{FILTER({CALLED},${{EXTEN}})}}")
    channels = trunk.unreserved
    context.do("Gosub", "arrive", "s", f"1({plan.id},{name},{channels},{plan.city.timezone})")
    centre_arrives(context, plan)
    context.do("GotoIf", f'$["${{LINE}}" = ""]?{plan.id}-not-in-service,s,1')
    context.do("Goto", f"{plan.id}-line-${{LINE}}", "s", "1")
    return context


def _numbers(plan: Plan, site: Site) -> Context:
    """Which line a number belongs to. Looked up, never dialled."""
    context = Context(f"{plan.id}-number", None)
    for name, line in plan.lines.items():
        for number in line.numbers:
            context.exten(number).do("Set", f"__LINE={name}").do("Return")
    merged_numbers(context, plan, lambda prompt: _sound(plan, site, prompt))
    return context


def _not_in_service(plan: Plan, site: Site) -> Context:
    context = Context(f"{plan.id}-not-in-service")
    # Answered, because many carriers play nothing to the caller before that.
    context.do("Answer")
    # a merged number that is cancelled says so in words of its own
    context.do("ExecIf", '$["${CLOSED}" != ""]?Playback(${CLOSED})')
    unknown = _sound(plan, site, plan.city.not_in_service)
    context.do("ExecIf", f'$["${{CLOSED}}" = ""]?Playback({unknown})')
    context.do("Set", "LEFT_BY=system")
    return context.do("Hangup", "1")  # Q.850: unallocated number


def _line(plan: Plan, site: Site, name: str, line: Line) -> Context:
    context = Context(f"{plan.id}-line-{name}")
    context.do("Gosub", "hop", "s", f"1(line:{name})")
    context.do("Set", f"__LINE={name}")
    context.do("Answer")
    context.do("Gosub", "record", "s", "1")
    # the transition announcement of a merged number, once (asterisk_conf.merged)
    context.do("ExecIf", '$["${ANNOUNCED}" != ""]?Playback(${ANNOUNCED})')
    context.do("Set", "ANNOUNCED=")
    context.do("Playback", _sound(plan, site, line.greeting))
    if line.notice:
        context.do("Playback", _sound(plan, site, line.notice))
    else:
        context.do("NoOp", "no notice")
    context.do("Gosub", "desk-urgent", "s", "1")
    context.do("UserEvent", "Hotline", "What: greeted", "Call: ${CALL_ID}")
    context.do("Gosub", "ask-service" if line.ask else "ask-nobody", "s", f"1({plan.id},{name},{line.first})")
    return context.do("Goto", f"{plan.id}-${{NEXT_KIND}}-${{NEXT_NAME}}", "s", "1")


def _menu(plan: Plan, site: Site, name: str, menu: Menu) -> Context:
    context = Context(f"{plan.id}-menu-{name}")
    context.do("Gosub", "hop", "s", f"1(menu:{name})")
    asked = menu.spoken or Spoken()
    listens(context, plan.id, name, menu, *(_sound(plan, site, say) for say in (asked.prompt, asked.again)))
    context.do("Set", "TRIES=0")
    context.do("GotoIf", "$[${LEN(${KEY})} > 0]?which")
    context.do("Set", "TRIES=$[${TRIES} + 1]", label="again")
    context.do("Set", "KEY_BY=key")
    context.do("Read", "KEY", _sound(plan, site, menu.prompt), "1", "", "1", str(menu.wait_seconds))
    context.do("NoOp", "which key", label="which")
    labels = {key: f"key{'star' if key == '*' else key}" for key in menu.keys}
    for key, label in labels.items():
        context.do("GotoIf", f'$["${{KEY}}" = "{key}"]?{label}')
    context.do("GotoIf", f"$[${{TRIES}} < {menu.tries}]?again")
    _chose(context, plan, name, "", menu.otherwise)
    for key, to in menu.keys.items():
        _chose(context, plan, name, key, to, labels[key])
    return context


def _chose(context: Context, plan: Plan, menu: str, key: str, to: str, label: str = "") -> None:
    what = (
        "UserEvent",
        "Hotline",
        "What: chose",
        "Call: ${CALL_ID}",
        f"Menu: {menu}",
        f"Key: {key}",
        f"Next: {to}",
        *(("By: ${KEY_BY}", "Said: ${SAID}") if key else ()),
    )
    context.do(*what, label=label)
    if plan.priorities:
        head = head_start_of_key(tuple(plan.priorities.values()), menu, key)
        context.do("Set", f"__KEY_HEAD_START={head or '${KEY_HEAD_START}'}")
    context.do("Goto", *_context(plan, to), "s", "1")


QUEUE_OPTIONS = "c{ring}ib(seat-leg^s^1)"
"""c: when the agent hangs up first the caller goes on here (a survey can follow); i: a phone's call
forwarding does not take callers away; b: headers on the seat's INVITE; r: ringing instead of music, also for
whom a centre handed over (``asterisk_conf.from_centre``: WAITS_RINGING)."""


def _queue(plan: Plan, site: Site, name: str, queue: Queue) -> Context:
    context = Context(f"{plan.id}-queue-{name}")
    context.do("Gosub", "hop", "s", f"1(queue:{name})")
    context.do("Set", f"__QUEUE={name}")
    _for_the_seat(context, plan, queue)
    context.do("Gosub", "seat-wind", "s", "1", label="enter")
    context.do("Gosub", "queue-enter", "s", f"1({name})")
    # without any music a caller still must not wait in silence
    ring = queue.music == "ring" or not site.music_dir
    options = QUEUE_OPTIONS.format(ring="r" if ring else "${WAITS_RINGING}")
    # the AGI runs on the caller's channel when an agent has answered, before the two are joined
    agi = site.announce if queue.announce_agent and site.announce else ""
    if queue.max_waiting:
        first = f"0${{QUEUE_PRIO}} >= {HANDED_OVER}"
        full = f"${{QUEUE_WAITING_COUNT({plan.id}-{name})}} >= {queue.max_waiting}"
        context.do("GotoIf", f"$[{first}]?joins").do("GotoIf", f"$[{full}]?:joins")
        context.do("Set", "QUEUESTATUS=FULL").do("Goto", "left")
        context.do("NoOp", "there is room", label="joins")
    rule = rule_of(plan.id, name, queue)
    wait = str(queue.wait_seconds)
    context.do("Queue", f"{plan.id}-{name}", options, "", "", wait, *queue_ends(site, agi, rule, "${AGAIN}"))
    context.do("Set", "CHANNEL(language)=zh", label="left")
    # Every exit of Queue() but a key comes through here, with an agent (CONTINUE) or without one.
    context.do("Gosub", "queued-out", "s", f"1({name})")
    context.do("GotoIf", '$["${QUEUESTATUS}" = "CONTINUE"]?talked,s,1')
    if stays(name, queue):
        # app_queue gives up at once when it cannot wait: not a thousand times a second
        return context.do("Wait", "1").do("Goto", "s", "enter")
    return context.do("NoOp", "goes on").do("Goto", *_context(plan, queue.next), "s", "1")


def _for_the_seat(context: Context, plan: Plan, queue: Queue) -> None:
    """The seat's leg inherits these: what it misses, and how long its agent wraps up."""
    context.do("Set", f"__RING_SECONDS={queue.ring_seconds}")
    context.do("Set", f"__MISSED_RINGS={plan.city.missed_rings}")
    context.do("Set", f"__WRAP_UP={queue.wrap_up_seconds}")
    # rules change a limit only where there is one from the beginning
    context.do("Set", f"QUEUE_MAX_PENALTY={first_level(queue)}")


def _stand_in_queue(plan: Plan, site: Site, name: str, queue: Queue) -> Context:
    """Where a stand-in waits for its citizen (asterisk_conf.callback). Nobody listens: no agent's number.

    An agent who goes when the citizen is there has talked, transferred or lost them, as any caller."""
    context = Context(f"{plan.id}-stand-in-{name}")
    _for_the_seat(context, plan, queue)
    context.do("Gosub", "seat-wind", "s", "1")
    options = QUEUE_OPTIONS.format(ring="r")
    rule = rule_of(plan.id, name, queue)
    context.do(
        "Queue", f"{plan.id}-{name}", options, "", "", str(STAND_SECONDS), *queue_ends(site, "", rule, "1")
    )
    context.do("Set", "CHANNEL(language)=zh")
    context.do("Gosub", "queued-out", "s", f"1({name})")
    led_by_desk(context)
    context.do("GotoIf", '$["${QUEUESTATUS}" = "CONTINUE" & "${SHARED(AWAITED)}" != "1"]?talked,s,1')
    return context.do("Hangup", "16")


def _message(plan: Plan, site: Site, name: str, message: Message) -> Context:
    context = Context(f"{plan.id}-message-{name}")
    context.do("UserEvent", "Hotline", "What: message", "Call: ${CALL_ID}", f"Message: {name}")
    context.do("Answer")
    context.do("Playback", _sound(plan, site, message.prompt))
    # The duty stands from here on: a caller who hangs up while speaking is owed a call too (context left).
    owed = "OWED=yes" if message.call_back or message.record else "OWED="
    context.do("Set", owed)
    if message.record:
        context.do("Playback", "beep")
        context.do("Set", f"OWED_FILE={MESSAGE_FILE}")
        # 3 s of silence or # end it; k keeps it when the caller hangs up, q: the beep was ours
        file = f"{site.recordings_dir}/${{OWED_FILE}}"
        context.do("Record", file, "3", str(message.record_seconds), "kq")
        context.do("Playback", "hotline/message-saved")
    else:
        for _ in range(4):
            context.do("NoOp", "no recording")
    context.do("Set", "LEFT_BY=system")
    return context.do("Hangup", "16")  # Q.850: normal call clearing


def _seats(plan: Plan, site: Site) -> Context:
    """What a seat's phone may dial: feature codes, other seats, citizens (``asterisk_conf.outgoing``)."""
    context = Context(f"{plan.id}-seats", None)
    for number in plan.seats:
        context.exten(number).do("Gosub", "consult", "s", f"1({plan.id},{plan.city.timezone})")
        context.do("Dial", f"PJSIP/{plan.id}-{number}", "30", "U(consulted)").do("Hangup")
    feature_codes(context, plan.id)
    phone_dials(context, plan)
    context.exten("_[+0-9*#]!")
    context.do("Answer").do("Playback", _sound(plan, site, plan.city.not_in_service)).do("Hangup", "1")
    return context


def places(contexts: Iterable[str]) -> set[str]:
    """``demo-queue-general`` for each such context: where a validated answer may lead."""
    return {
        name
        for name in contexts
        if re.fullmatch(r"[a-z0-9]+-(queue|menu|message|line|phone)-[a-z0-9-]+", name)
    }
