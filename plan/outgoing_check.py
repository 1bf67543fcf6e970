"""Whether calls to citizens lead somewhere, and whether what is allowed is really allowed."""

from __future__ import annotations

from collections.abc import Iterator

from plan import model
from plan.faults import Fault
from plan.outgoing import EMERGENCY, REFUSED, Outgoing, judge, samples
from plan.words import did_you_mean

FILE = "outgoing.toml"


def faults_of_outgoing(plan: model.Plan) -> Iterator[Fault]:
    """Unknown trunks, trunks without a way out, prefixes and patterns that cannot work."""
    rules = plan.outgoing
    if rules is None:
        return
    for place, trunk in _trunks(rules):
        found = plan.trunks.get(trunk)
        if found is None:
            yield Fault(FILE, place, f"no such trunk '{trunk}'", did_you_mean(trunk, plan.trunks))
        elif not found.out and not found.lab:
            hint = 'trunks.toml: out = "192.0.2.10:5060"'
            yield Fault(FILE, place, f"trunk '{trunk}' has no way out", hint)
    for name in rules.lift:
        if name not in REFUSED:
            yield Fault(FILE, "lift", f"nothing is refused as '{name}'", did_you_mean(name, REFUSED))
    for name in rules.refuse:
        if name in REFUSED:
            yield Fault(FILE, f"refuse.{name}", "is refused already", "give yours another name")
    yield from _prefix(plan, rules)
    for name, entry in rules.allow.items():
        for pattern in entry.patterns:
            yield from _allowed(rules, name, pattern)
    known = {number for line in plan.lines.values() for number in line.numbers}
    if known and not any(rules.present.endswith(number) for number in known):
        hint = f"a number of lines.toml ({', '.join(sorted(known)[:3])}), the area code may stand before it"
        yield Fault(FILE, "present", f"whoever calls {rules.present} back reaches no line", hint, True)


def _trunks(rules: Outgoing) -> Iterator[tuple[str, str]]:
    yield from (("trunks", trunk) for trunk in rules.trunks)
    for name, entry in rules.allow.items():
        yield from ((f"allow.{name}.trunks", trunk) for trunk in entry.trunks)
    for name, entry in rules.refuse.items():
        if entry.trunks:
            yield f"refuse.{name}.trunks", entry.trunks[0]


def _prefix(plan: model.Plan, rules: Outgoing) -> Iterator[Fault]:
    taken = {**dict.fromkeys(EMERGENCY, "an emergency number"), **dict.fromkeys(plan.seats, "a seat")}
    for number, what in taken.items():
        if number.startswith(rules.prefix):
            fault = f"{rules.prefix} is also how {what} begins: {number}"
            yield Fault(FILE, "prefix", fault, 'another digit: prefix = "9"')
            return


def _allowed(rules: Outgoing, name: str, pattern: str) -> Iterator[Fault]:
    place = f"allow.{name}.patterns"
    verdicts = [judge(rules, number) for number in samples(pattern)]
    if all(verdict.allowed for verdict in verdicts):
        return
    against = next(verdict.kind for verdict in verdicts if not verdict.allowed)
    if not against:
        yield Fault(FILE, place, f"'{pattern}' is too short or too long", "3 to 20 digits")
    elif any(verdict.allowed for verdict in verdicts):
        yield Fault(FILE, place, f"some of '{pattern}' is refused as '{against}'", "", True)
    else:
        hint = f'lift = ["{against}"]' if against in REFUSED else f"take it out of [refuse.{against}]"
        yield Fault(FILE, place, f"'{pattern}' is refused as '{against}'", hint)
