"""A city made for many transfers at once: agents, colleagues, centres with a first trunk that is dead."""

from __future__ import annotations

from pathlib import Path

from lab.babble import babble
from lab.wav import write

AGENTS = tuple(str(n) for n in range(2001, 2025))
COLLEAGUES = tuple(str(n) for n in range(2101, 2117))
"""In no queue: called by their number only."""
CONTACT, LINE, CENTRES = "7001", "12315", ("110", "119", "12333")
URGENT = frozenset({"110", "119"})
"""Centres whose callers may be in danger: no music, and no end but their own, whatever the wish."""


def files(dead: str) -> dict[str, str]:
    """``dead``: address of a switch that swallows every INVITE."""
    members = ", ".join(f"{seat} = 0" for seat in AGENTS)
    line = """
[{name}]
title = "{name}"
numbers = ["{number}"]
greeting = "short"
notice = ""
first = "queue:{queue}"
"""
    queue = """
[{name}]
title = "{name}"
members = {{ {members} }}
ring_seconds = 5
wait_seconds = 600
wrap_up_seconds = 0
music = "{music}"
next = "message:sorry"
"""
    trunk = """
[{name}]
hosts = ["192.0.2.{n}"]
out = "{out}"
channels = 240
"""
    centre = """
[{name}]
title = "{name}"
kind = "{kind}"
ways = [{ways}]
ring_seconds = 10
"""
    way = '{{ trunk = "{}", number = "{}" }}'
    return {
        "city.toml": """
id = "moves"
title = "转接测试"
last = "message:sorry"
missed_rings = 0
""",
        "trunks.toml": trunk.format(name="carrier", n=10, out="192.0.2.10")
        + "reserved = 10\nlab = true\n"
        + trunk.format(name="centres", n=20, out="192.0.2.20")
        + "lab = true\n"
        + trunk.format(name="dead", n=99, out=dead),
        "lines.toml": line.format(name="main", number="12345", queue="general")
        + line.format(name="market", number=LINE, queue="market"),
        "queues.toml": queue.format(name="general", members=members, music="music")
        + queue.format(name="market", members=members, music="ring"),
        "messages.toml": '[sorry]\ntitle = "致歉"\nprompt = "short"\ncall_back = false\n',
        "seats.toml": "\n".join(f'[{seat}]\ntitle = "座席"' for seat in (*AGENTS, *COLLEAGUES)),
        "prompts.toml": '[short]\nwav = "short.wav"\n',
        "contacts.toml": f"""
[{CONTACT}]
title = "值班电话"
kind = "duty"
trunk = "carrier"
number = "05557001"
ring_seconds = 6
""",
        "centres.toml": centre.format(
            name="110",
            kind="emergency",
            ways=f"{way.format('centres', '110')}, {way.format('carrier', '1100')}",
        )
        + centre.format(
            name="119", kind="emergency", ways=f"{way.format('dead', '119')}, {way.format('centres', '119')}"
        )
        + centre.format(name="12333", kind="hotline", ways=way.format("centres", "12333")),
    }


def moves_plan(folder: Path, dead: str) -> Path:
    """The plan's folder, written below ``folder``."""
    plan = folder / "moves"
    plan.mkdir(parents=True, exist_ok=True)
    for name, text in files(dead).items():
        (plan / name).write_text(text.strip() + "\n", encoding="utf-8")
    write(plan / "short.wav", babble(1, 0.4))
    return plan
