"""queues.conf: app_queue answers without us, so everything it needs stands here."""

from __future__ import annotations

from collections.abc import Sequence

from asterisk_conf.ini import Pair, section
from asterisk_conf.seat_leg import FLOOR
from asterisk_conf.site import Site
from asterisk_conf.waiting import announcements
from plan.model import Plan, Queue


def queues_conf(plans: Sequence[Plan], site: Site) -> str:
    """The whole file."""
    general: list[Pair] = [
        # who is signed in, and paused, outlives a restart of Asterisk
        ("persistentmembers", "yes"),
        ("autofill", "yes"),
        # wrap-up counts in every queue of a seat, not only in the one that rang
        ("shared_lastcall", "yes"),
        ("log_membername_as_agent", "yes"),
    ]
    parts = [section("general", general)]
    for plan in plans:
        parts += [_queue(plan.id, name, queue, site) for name, queue in plan.queues.items()]
    return "\n".join(parts)


def _queue(city: str, name: str, queue: Queue, site: Site) -> str:
    reassure = site.sounds.get(city, {}).get(queue.reassure, f"hotline/{queue.reassure}")
    pairs: list[Pair] = [
        ("strategy", queue.strategy),
        ("timeout", queue.ring_seconds),
        ("retry", 1),
        # a longer one is a pause, which can end early (asterisk_conf.seat_leg)
        ("wrapuptime", min(queue.wrap_up_seconds, FLOOR)),
        # counted before Queue() (asterisk_conf.dialplan): app_queue would refuse a caller whom we lost, too
        ("maxlen", 0),
        # Not app_queue's default, and everything hangs on it: without it one call is offered at a time.
        ("autofill", "yes"),
        ("ringinuse", "no"),
        # Nobody reachable this second is most often a moment (a switch restarts, phones register again),
        # and the wait has an end of its own: callers may always come in and stay.
        ("joinempty", "yes"),
        ("leavewhenempty", "no"),
        # app_queue would pause after one missed ring; ours are counted (asterisk_conf.seat_leg)
        ("autopause", "no"),
        ("reportholdtime", "no"),
        ("memberdelay", 0),
        ("setinterfacevar", "yes"),
        ("setqueueentryvar", "yes"),
        ("setqueuevar", "no"),
        # runs on the seat's channel when it answers; the argument's place in Queue() differs by version
        ("membergosub", "seat-joined"),
        *announcements(city, name, queue, reassure, "hotline/callback-offer"),
    ]
    if queue.weight:
        # app_queue: a member rings for this queue's callers before those of a lighter one it is in too
        pairs.append(("weight", queue.weight))
    if site.music_dir:
        pairs.append(("musicclass", "default"))
    # no members here: they sign in
    return section(f"{city}-{name}", pairs)
