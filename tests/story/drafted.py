"""A short talk and its draft, for the stories of the ticket's draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cti.speech.pinyin import sounds
from plan.land import Area, Unit
from recording.draft.fields import Draft, Earlier, Name, Occasion
from recording.draft.make import Drafter
from recording.recognised import Recognised, Word, typed

AT = datetime(2026, 3, 12, 9, 40, tzinfo=ZoneInfo("Asia/Shanghai"))
"""A Thursday."""
OWN = "13000000001"
UNITS = {
    "urban": Unit(title="市城管局", aliases=("城管",), subjects=("占道经营", "路灯", "井盖", "油烟扰民")),
    "market": Unit(title="市市场监管局", subjects=("食品安全", "消费纠纷"), lines=("12315",)),
    "gas": Unit(title="燃气公司", subjects=("燃气泄漏", "燃气服务")),
    "police": Unit(title="市公安局", subjects=("治安", "邻里噪声"), keywords=("平安一号",)),
}
AREAS = (
    Area(
        name="城东区",
        towns=("石桥镇", "城关镇"),
        streets=("解放路", "长安北路", "文昌东街"),
        compounds=("恒信花园", "翠湖雅苑"),
        villages=("渠头村", "来村"),
    ),
    Area(name="临江县", towns=("城关镇", "白沙镇"), streets=("江口路",), villages=("渡口村",)),
)


def occasion(**other: Any) -> Occasion:
    """The occasion of most stories."""
    told: dict[str, Any] = {"at": AT, "caller": OWN, "line": "12345", "units": UNITS, "areas": AREAS}
    return Occasion(**{**told, "sounds": sounds, **other})


def drafted(*lines: str, typed_in: Mapping[Name, Any] | None = None, **other: Any) -> Draft:
    """The draft of a talk; lines begin with ``a:`` or ``c:``."""
    return of_spans(typed(lines), typed_in, **other)


def of_spans(spans: Sequence[Recognised], typed_in: Mapping[Name, Any] | None = None, **other: Any) -> Draft:
    """The draft of spans."""
    around = occasion(**other)
    return Drafter(around).draft(spans, around, typed_in)


def heard(*words: str, pauses: Mapping[int, float] | None = None, sure: float = 0.9) -> Recognised:
    """Words as a recogniser gives them, 0.3 s each; ``pauses``: seconds of silence before a word."""
    at, made = 1.0, []
    for place, word in enumerate(words):
        at += (pauses or {}).get(place, 0.02)
        made.append(Word(word, round(at, 2), round(at + 0.3, 2), sure))
        at += 0.3
    return Recognised(" ".join(words), made[0].start, made[-1].end, sure, "caller", tuple(made))


__all__ = ["AT", "OWN", "Earlier", "drafted", "heard", "occasion", "of_spans"]
