"""The transfer table as a picture (SVG), from its rows."""

from __future__ import annotations

import math

from transfer.table import STATES, WISHES, Row, State, rows

_PLACES = {
    State.TALKING: (480, 90),
    State.ASKING: (150, 210),
    State.CONSULTING: (150, 400),
    State.RINGING: (480, 260),
    State.TOGETHER: (480, 430),
    State.HANDED: (480, 590),
    State.SENT: (760, 190),
    State.ALONE: (890, 330),
    State.QUEUED: (840, 480),
    State.OVER: (820, 640),
}
_WIDE, _HIGH = 132, 46


def svg() -> str:
    """The whole file. An agent's wish is blue, what the dialplan does by itself black, for a centre only
    dashed. Ends (the caller hangs up) are left out: they lead from everywhere to the end."""
    parts = [_HEAD]
    labels: dict[tuple[State, State], list[tuple[str, bool, bool]]] = {}
    for state, fact, row, centre in rows():
        if fact != "caller-left":
            labels.setdefault((state, row.then), []).append((_label(fact.value, row), fact in WISHES, centre))
    for (start, end), told in labels.items():
        parts.append(_arrow(start, end, told, both=(end, start) in labels))
    for state, (x, y) in _PLACES.items():
        who = "、".join("-".join(sorted(pair)) for pair in sorted(STATES[state].hear, key=sorted))
        under = who or (f"caller: {STATES[state].else_hears}" if STATES[state].else_hears else "")
        parts.append(
            f'<rect x="{x - _WIDE / 2}" y="{y - _HIGH / 2}" width="{_WIDE}" height="{_HIGH}" rx="8"/>'
            f'<text x="{x}" y="{y - 4}" class="name">{STATES[state].title} {state.value}</text>'
            f'<text x="{x}" y="{y + 14}" class="who">{_short(under)}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _label(fact: str, row: Row) -> str:
    return f"{fact} ({row.by})" if row.by else fact


def _short(text: str) -> str:
    return "all three" if text.count("-") == 3 else text


def _arrow(start: State, end: State, told: list[tuple[str, bool, bool]], *, both: bool) -> str:
    (x1, y1), (x2, y2) = _PLACES[start], _PLACES[end]
    far = math.hypot(x2 - x1, y2 - y1)
    dx, dy = (x2 - x1) / far, (y2 - y1) / far
    bend = 34 if both else 12
    mx, my = (x1 + x2) / 2 - dy * bend, (y1 + y2) / 2 + dx * bend
    a, b = _edge(x1, y1, mx, my), _edge(x2, y2, mx, my)
    dashed = ' stroke-dasharray="5 4"' if all(centre for _, _, centre in told) else ""
    lines = "".join(
        f'<tspan x="{mx:.0f}" dy="{0 if i == 0 else 13}" class="{"wish" if wish else "own"}">{text}</tspan>'
        for i, (text, wish, _) in enumerate(told)
    )
    return (
        f'<path d="M{a[0]:.0f} {a[1]:.0f} Q{mx:.0f} {my:.0f} {b[0]:.0f} {b[1]:.0f}"{dashed}/>'
        f'<text y="{my - 6 * (len(told) - 1):.0f}" class="on">{lines}</text>'
    )


def _edge(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Where the line from the middle of a box leaves it."""
    dx, dy = to_x - x, to_y - y
    scale = min(_WIDE / 2 / abs(dx) if dx else 9e9, _HIGH / 2 / abs(dy) if dy else 9e9)
    return x + dx * scale, y + dy * scale


_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 980 700" font-family="sans-serif">\n'
    "<style>rect{fill:#fff;stroke:#345;stroke-width:1.5}path{fill:none;stroke:#789;stroke-width:1.2;"
    "marker-end:url(#end)}text{text-anchor:middle;font-size:11px}.name{font-size:13px;font-weight:bold}"
    ".who{fill:#567}.wish{fill:#05c}.own{fill:#222}.on{paint-order:stroke;stroke:#fff;stroke-width:3px}"
    "</style>\n"
    '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#789;stroke:none;marker-end:none"/></marker></defs>\n'
    '<rect width="980" height="700" style="stroke:none"/>'
)
