"""A city made for many short calls: short voices, short rings, short waits, every way out of a queue."""

from __future__ import annotations

from pathlib import Path

from lab.babble import babble
from lab.wav import write

SEATS = tuple(str(n) for n in range(2001, 2011))
COLLEAGUES = tuple(str(n) for n in range(2101, 2107))
"""In no queue: agents transfer callers to them."""
LINE = "12315"
FILES = {
    "city.toml": """
id = "mixed"
title = "混合来电测试"
last = "message:sorry"
missed_rings = 0
""",
    "trunks.toml": """
[carrier]
hosts = ["192.0.2.10"]
out = "192.0.2.10"
channels = 240
lab = true
""",
    "lines.toml": """
[main]
title = "主线"
numbers = ["12345"]
greeting = "short"
notice = ""
first = "queue:general"
[market]
title = "双号"
numbers = ["12315"]
greeting = "short"
notice = ""
first = "queue:market"
[menu]
title = "菜单"
numbers = ["12346"]
greeting = "short"
notice = ""
first = "menu:main"
[small]
title = "小队列"
numbers = ["12333"]
greeting = "short"
notice = ""
ask = false
first = "queue:small"
""",
    "menus.toml": """
[main]
title = "菜单"
prompt = "short"
tries = 2
wait_seconds = 2
otherwise = "queue:general"
[main.keys]
0 = "queue:general"
1 = "queue:market"
2 = "queue:small"
9 = "message:leave"
""",
    "messages.toml": """
[leave]
title = "留言"
prompt = "short"
record = true
record_seconds = 5
[sorry]
title = "致歉"
prompt = "short"
call_back = false
""",
    "queues.toml": """
[general]
title = "综合"
members = { 2001 = 0, 2002 = 0, 2003 = 0, 2004 = 0, 2005 = 0, 2006 = 5 }
ring_seconds = 3
wait_seconds = 12
wrap_up_seconds = 0
next = "message:sorry"
[general.call_back]
after_seconds = 5
trunk = "carrier"
tries = 2
again_after_seconds = 5
ring_seconds = 5
[market]
title = "市场"
members = { 2006 = 0, 2007 = 0, 2001 = 5 }
ring_seconds = 3
wait_seconds = 5
wrap_up_seconds = 3
next = "queue:general"
[small]
title = "小"
members = { 2008 = 0, 2009 = 0, 2010 = 0 }
ring_seconds = 3
wait_seconds = 5
wrap_up_seconds = 0
max_waiting = 1
next = "queue:market"
""",
    "seats.toml": "\n".join(f'[{seat}]\ntitle = "座席"' for seat in (*SEATS, *COLLEAGUES)),
    "prompts.toml": """
[short]
wav = "short.wav"
""",
}


def mixed_plan(folder: Path) -> Path:
    """The plan's folder, written below ``folder``."""
    plan = folder / "mixed"
    plan.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (plan / name).write_text(text.strip() + "\n", encoding="utf-8")
    write(plan / "short.wav", babble(1, 0.8))
    return plan
