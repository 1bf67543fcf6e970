"""What Asterisk remembers of seats and of who sits there.

- AstDB ``hotline-seat/<city>/<seat>``: the agent at the seat; ``hotline-agent/<city>/<agent>``: the seat.
- AstDB ``hotline-pause/<city>/<seat>``: why the seat is paused, other than wrap-up.
- AstDB ``hotline-wrapup/<city>-<seat>``: when its wrap-up, or its rest after a missed ring, ends (epoch);
  there as long as it lasts.
- AstDB ``hotline-missed/<city>/<seat>``: rings left unanswered in a row.
- app_queue's members, which it keeps itself (``persistentmembers``), with the same pause as reason.

Asterisk writes AstDB's first change at once, and what follows within a second together, a second later
(main/db.c). A kill can keep the first step of an act and lose the rest, so each act begins with the step from
which the rest can be made good: a seat that is paused with nothing left to end it would wait for ever.
"""

from __future__ import annotations

from asterisk_conf.steps import Context

AGENT = "hotline-agent/${CITY}/${AGENT}"
SEAT = "hotline-seat/${CITY}/${SEAT}"
PAUSE = "hotline-pause/${CITY}/${SEAT}"
WRAP_UP = "hotline-wrapup/${CITY}-${SEAT}"
MISSED = "hotline-missed/${CITY}/${SEAT}"


def db_delete(context: Context, *keys: str, label: str = "") -> None:
    """Forget these: ``DB_DELETE`` is a function that is read. ``label``: of the first step."""
    for n, key in enumerate(keys):
        context.do("Set", f"GONE=${{DB_DELETE({key})}}", label="" if n else label)
