"""One line for the list: where, what, and what is wanted."""

from __future__ import annotations

from typing import Any

from recording.draft.fields import Field
from recording.draft.flags import title_of as flag_title

LONGEST = 40


def title_of(address: Field, subject: Field, kind: Field, flags: Field) -> Field:
    """皖西路210号振兴小区：占道经营（投诉）; a red flag comes first. None while nothing is known."""
    told: dict[str, Any] = address.value or {}
    where = "".join(str(told.get(key) or "") for key in ("town", "street"))
    if told.get("number"):
        where += f"{told['number']}号"
    where += str(told.get("place") or "")
    what = subject.value or ""
    if not where and not what and not flags.value:
        return Field()
    danger = "".join(f"【{flag_title(flag)}】" for flag in (flags.value or ())[:2])
    body = "：".join(part for part in (where, str(what)) if part)
    text = danger + body[:LONGEST] + (f"（{kind.value}）" if kind.value else "")
    known = [f.confidence for f in (subject, kind) if f.value]
    sources = (*address.source[:2], *subject.source[:2])
    return Field(text, round(min(known, default=0.3), 3), sources)
