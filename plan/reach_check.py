"""Whether centres, contacts and calls to citizens lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from plan import model
from plan.faults import Fault
from plan.words import did_you_mean


def faults_of_reach(plan: model.Plan) -> Iterator[Fault]:
    """Unknown trunks and queues, trunks without a way out, numbers that mean two things."""
    taken = {n: f"line '{name}'" for name, owner in plan.lines.items() for n in owner.numbers}
    taken |= {number: "a seat" for number in plan.seats}
    for name, centre in plan.centres.items():
        yield from _number("centres.toml", name, taken)
        if name not in taken or not taken[name].startswith("line"):
            taken[name] = f"centre '{name}'"
        for index, way in enumerate(centre.ways, 1):
            yield from _out(plan, "centres.toml", f"{name}.ways.{index}.trunk", way.trunk)
        for trunk in centre.calls_from:
            yield from _trunk(plan, "centres.toml", f"{name}.calls_from", trunk)
        if centre.queue and centre.queue not in plan.queues:
            hint = did_you_mean(centre.queue, plan.queues)
            yield Fault("centres.toml", f"{name}.queue", f"no such queue '{centre.queue}'", hint)
    for name, contact in plan.contacts.items():
        yield from _number("contacts.toml", name, taken)
        taken[name] = f"contact '{name}'"
        yield from _out(plan, "contacts.toml", f"{name}.trunk", contact.trunk)
    yield from _signs(plan)
    for name, line in plan.trunks.items():
        if line.reserved >= line.channels:
            what, hint = (
                f"{line.reserved} leaves nothing to callers",
                f"fewer than channels = {line.channels}",
            )
            yield Fault("trunks.toml", f"{name}.reserved", what, hint)


def _signs(plan: model.Plan) -> Iterator[Fault]:
    """A number that two centres show tells nobody whose call it is."""
    linked = (
        (plan.centre_of(name) or name, row) for name, row in plan.numbers.items() if row.kind == "linked"
    )
    shown = {caller: name for name, row in linked for caller in row.callers}
    for name, centre in plan.centres.items():
        for number in centre.numbers:
            if shown.setdefault(number, name) != name:
                what = f"{number} is the number of centre '{shown[number]}' too"
                yield Fault("centres.toml", f"{name}.numbers", what, "one number, one centre")


def _number(file: str, name: str, taken: dict[str, str]) -> Iterator[Fault]:
    if not name.isdigit() or len(name) < 3:
        yield Fault(file, name, "is not what an agent can dial", "the table's name: 3 digits or more")
    elif taken.get(name, "").startswith(("a seat", "centre", "contact")):
        yield Fault(file, name, f"is {taken[name]} already", "one number, one meaning")


def _trunk(plan: model.Plan, file: str, place: str, trunk: str) -> Iterator[Fault]:
    if trunk not in plan.trunks:
        yield Fault(file, place, f"no such trunk '{trunk}'", did_you_mean(trunk, plan.trunks))


def _out(plan: model.Plan, file: str, place: str, trunk: str) -> Iterator[Fault]:
    yield from _trunk(plan, file, place, trunk)
    found = plan.trunks.get(trunk)
    if found is not None and not found.out and not found.lab:
        yield Fault(file, place, f"trunk '{trunk}' has no way out", 'trunks.toml: out = "192.0.2.10:5060"')
