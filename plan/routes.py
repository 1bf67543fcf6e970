"""Where each number leads on a day: as a tree for the terminal, and as a picture (SVG as text).

No drawing library is among our packages, and four columns joined by curves need none: each thing once, a
number's colour is how it is merged, its curve goes to the line that answers on the day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from plan.explain import KINDS, TREATMENTS, both, seats_of, ways_of
from plan.model import Destination, Plan
from plan.roads import stays


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree and what hangs below it."""

    text: str
    below: tuple[Branch, ...] = ()


def routes(plan: Plan, day: date) -> tuple[Branch, ...]:
    """From number to last message, the numbers of one line together."""
    found = []
    told: set[str] = set()
    for name, line in plan.lines.items():
        numbers = [Branch(f"{number} 直接 straight") for number in line.numbers]
        for row in plan.numbers.values():
            dialled = (*row.numbers, *row.called)
            if row.kind == "dedicated" and row.line == name:
                numbers.append(Branch(f"{row.title}：12345内转接 inside 12345"))
            for number in dialled:
                stage = plan.stage(number, day)
                if stage is not None and stage.line == name:
                    how = both(TREATMENTS, stage.treatment).partition(" → ")[0]
                    title = _titled(number, row.title)
                    numbers.append(Branch(f"{title} ─ {both(KINDS, row.kind)} ─ {how}"))
        below = (*numbers, *_onward(plan, line.first, told))
        found.append(Branch(f"line:{name} {line.title} {line.title_en}".rstrip(), below))
    closed = [
        Branch(_titled(number, row.title))
        for row in plan.numbers.values()
        for number in (*row.numbers, *row.called)
        if (stage := plan.stage(number, day)) is not None and not stage.line
    ]
    if closed:
        found.append(Branch("号码已取消 cancelled", tuple(closed)))
    return (*found, *_onward_by_agents(plan))


def _onward_by_agents(plan: Plan) -> Iterator[Branch]:
    """Whom agents bring callers to outside."""
    centres = [Branch(f"*{n} {c.title} ─ {ways_of(c)}") for n, c in plan.centres.items()]
    contacts = [Branch(f"{n} {c.title} ─ {c.trunk} {c.number}") for n, c in plan.contacts.items()]
    if centres or contacts:
        yield Branch("座席转出 agents hand over to", (*centres, *contacts))


def _titled(number: str, title: str) -> str:
    """``12336 自然资源``; the number once, also where the title begins with it."""
    return title if not number or title.startswith(number) else f"{number} {title}"


def _onward(plan: Plan, place: str, told: set[str]) -> tuple[Branch, ...]:
    """What follows; a place that was told in full already is only named."""
    to = Destination.parse(place)
    if to is None or place in told:
        return (Branch(f"→ {place}"),)
    told.add(place)
    if to.kind == "queue" and to.name in plan.queues:
        queue = plan.queues[to.name]
        text = f"→ {place} {queue.title} ─ 座席 seats {seats_of(queue)} ─ {queue.wait_seconds} s"
        if stays(to.name, queue):
            return (Branch(text, (Branch("留在本队列 stays there"),)),)
        return (Branch(text, _onward(plan, queue.next, told)),)
    if to.kind == "menu" and to.name in plan.menus:
        menu = plan.menus[to.name]
        keys = tuple(Branch(f"{key} → {there}") for key, there in menu.keys.items())
        return (Branch(f"→ {place} {menu.title}", (*keys, *_onward(plan, menu.otherwise, told))),)
    return (Branch(f"→ {place}"),)


# --- the picture ----------------------------------------------------------------------------------

COLOURS: Mapping[str, str] = {
    "own": "#1a1a1a",
    "whole": "#8a5a00",
    "dual": "#005f9e",
    "kept": "#6a3d9a",
    "dedicated": "#00706a",
    "linked": "#b3001b",
    "closed": "#767676",
}
"""By kind of row; contrast with white is at least 4.5 : 1 (WCAG 2.1 1.4.3)."""
COLUMNS = (20, 430, 800, 1120)
WIDTHS = (350, 290, 250, 180)
HEADS = ("号码 numbers", "线路 lines", "队列 queues", "尽头、转出 ends, handed on")
HIGH, GAP, TOP = 34, 10, 96
CLOSED = "closed"
"""Where the curve of a cancelled number ends."""


@dataclass(frozen=True, slots=True)
class Box:
    """One thing in a column; ``to`` are the keys of the things it leads to."""

    key: str
    text: str
    small: str
    colour: str
    to: tuple[str, ...] = ()


def svg(plan: Plan, day: date) -> str:
    """The whole picture."""
    numbers = list(_numbers(plan, day))
    closed = any(CLOSED in box.to for box in numbers)
    columns = (numbers, list(_lines(plan, closed=closed)), list(_queues(plan)), list(_ends(plan)))
    most = max(len(column) for column in columns)
    tall = TOP + most * (HIGH + GAP) + 30
    places = _places(columns, most)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1320 {tall}" width="1320" height="{tall}" '
        f'font-family="Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, sans-serif">',
        f"<title>{_escaped(plan.city.title)} {day}</title>",
        f'<rect width="1320" height="{tall}" fill="#ffffff"/>',
        f'<text x="20" y="32" font-size="20" font-weight="bold">{_escaped(plan.city.title)} 号码去向</text>',
        f'<text x="20" y="54" font-size="13" fill="#444">number routes on {day} · '
        f"{_escaped(plan.city.notice)}</text>",
        *(
            f'<text x="{x}" y="{TOP - 14}" font-size="13" fill="#444">{words}</text>'
            for x, words in zip(COLUMNS, HEADS, strict=True)
        ),
    ]
    for column in columns:
        for box in column:
            parts += (_curve(places, box, key) for key in box.to if key in places)
    for number, column in enumerate(columns):
        parts += (_drawn(box, number, places[box.key][1]) for box in column)
    parts += _legend(plan)
    return "\n".join((*parts, "</svg>\n"))


def _places(columns: Sequence[Sequence[Box]], most: int) -> dict[str, tuple[int, float]]:
    """Key to column and top. A shorter column is spread beside the longest."""
    found = {}
    for number, column in enumerate(columns):
        step = (HIGH + GAP) * (1 if len(column) == most else most / max(len(column), 1))
        for at, box in enumerate(column):
            found[box.key] = (number, TOP + at * step + (step - HIGH - GAP) / 2)
    return found


def _numbers(plan: Plan, day: date) -> Iterator[Box]:
    for name, line in plan.lines.items():
        for number in line.numbers:
            yield Box(f"n:{number}", number, line.title, COLOURS["own"], (f"line:{name}",))
    for name, row in plan.numbers.items():
        number = next(iter((*row.numbers, *row.called)), "")
        stage = plan.stage(number, day) if number else None
        answers = stage.line if stage else row.line
        closed = stage is not None and not stage.line
        how = TREATMENTS[stage.treatment][0] if stage else ("12345内" if row.kind == "dedicated" else "待报")
        colour = COLOURS["closed" if closed else row.kind]
        small = f"{KINDS[row.kind][0]} · {how}"
        text = _titled(number, row.title)
        yield Box(f"n:{name}", text, small, colour, (f"line:{answers}" if answers else CLOSED,))


def _lines(plan: Plan, *, closed: bool) -> Iterator[Box]:
    if closed:
        yield Box(CLOSED, "号码已取消", "cancelled: a voice says so", COLOURS["closed"])
    for name, line in plan.lines.items():
        yield Box(f"line:{name}", line.title, f"line:{name} · {line.greeting}", "#333333", (line.first,))


def _queues(plan: Plan) -> Iterator[Box]:
    for name, menu in plan.menus.items():
        to = tuple(dict.fromkeys((*menu.keys.values(), menu.otherwise)))
        yield Box(f"menu:{name}", menu.title, f"menu:{name}", "#333333", to)
    for name, queue in plan.queues.items():
        small = f"queue:{name} · {len(queue.members)} 座席 seats · {queue.wait_seconds} s"
        onward = () if stays(name, queue) else (queue.next,)
        yield Box(f"queue:{name}", queue.title, small, "#333333", onward)


def _ends(plan: Plan) -> Iterator[Box]:
    for name, message in plan.messages.items():
        yield Box(f"message:{name}", message.title, f"message:{name}", "#333333")
    # every agent may, from every queue: no curve would say more
    for name, centre in plan.centres.items():
        trunks = " → ".join(way.trunk for way in centre.ways)
        yield Box(f"centre:{name}", f"*{name} {centre.title}", trunks, COLOURS["linked"])
    for name, contact in plan.contacts.items():
        small = f"{contact.trunk} {contact.number}"
        yield Box(f"contact:{name}", f"{name} {contact.title}", small, COLOURS["dedicated"])


def _drawn(box: Box, column: int, top: float) -> str:
    x, wide = COLUMNS[column], WIDTHS[column]
    letters = int(wide / 13)
    text = box.text if len(box.text) <= letters else box.text[: letters - 1] + "…"
    return (
        f"<g><title>{_escaped(box.text)} {_escaped(box.small)}</title>"
        f'<rect x="{x}" y="{top:.1f}" width="{wide}" height="{HIGH}" rx="4" fill="#fff" '
        f'stroke="{box.colour}"/>'
        f'<rect x="{x}" y="{top:.1f}" width="5" height="{HIGH}" fill="{box.colour}"/>'
        f'<text x="{x + 12}" y="{top + 15:.1f}" font-size="13" fill="{box.colour}">{_escaped(text)}</text>'
        f'<text x="{x + 12}" y="{top + 28:.1f}" font-size="10" fill="#444">{_escaped(box.small)}</text></g>'
    )


def _curve(places: Mapping[str, tuple[int, float]], box: Box, to: str) -> str:
    (from_column, from_top), (to_column, to_top) = places[box.key], places[to]
    y, end = from_top + HIGH / 2, to_top + HIGH / 2
    x = COLUMNS[from_column] + WIDTHS[from_column]
    dashed = ' stroke-dasharray="4 3"' if box.colour == COLOURS["closed"] else ""
    style = f'fill="none" stroke="{box.colour}" stroke-opacity="0.55"{dashed}'
    if to_column <= from_column:
        # back into the same column: a queue that goes on in another one
        bow = x + 24 + abs(end - y) / 30
        return f'<path d="M{x},{y:.1f} C{bow:.1f},{y:.1f} {bow:.1f},{end:.1f} {x},{end:.1f}" {style}/>'
    far = COLUMNS[to_column]
    half = (x + far) / 2
    return f'<path d="M{x},{y:.1f} C{half},{y:.1f} {half},{end:.1f} {far},{end:.1f}" {style}/>'


def _legend(plan: Plan) -> Iterator[str]:
    x = COLUMNS[1]
    for kind in dict.fromkeys(row.kind for row in plan.numbers.values()):
        words = both(KINDS, kind)
        yield f'<rect x="{x}" y="22" width="10" height="10" fill="{COLOURS[kind]}"/>'
        yield f'<text x="{x + 15}" y="31" font-size="12" fill="#222">{words}</text>'
        x += 24 + sum(12 if ord(char) > 255 else 7 for char in words) + 18


def _escaped(text: str) -> str:
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, entity)
    return text
