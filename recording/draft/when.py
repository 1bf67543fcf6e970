"""When it happened, or since when: spoken time -> an interval before the call.

Every expression of time in the caller's words becomes an interval with a weight: an answer to the agent's
question weighs most, then what names a day and an hour; habits (每天早上) and what lies ahead weigh little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from recording.draft.clock import CLOCK_AFTER, PART, PARTS, on
from recording.draft.days import DAY, span_of_day
from recording.draft.durations import durations
from recording.draft.fields import Field, Occasion, Option
from recording.draft.said import Talk, Turn

ASKED = re.compile(
    r"几点|什么时候|啥时候|哪天|哪一天|何时|多久|多长时间|几月|哪年|几号|持续|具体时间|从什么时|从哪"
)
SINCE_ASKED = re.compile(r"开始|从|多久|多长时间|持续")
_AHEAD = re.compile(r"^(?:明天|后天|下个?月|下周|以后|马上|准备|打算)")
_EXPRESSION = re.compile(
    rf"(?P<from>从|自|打从|自从|打)?(?:{DAY}(?:那天|的时候|的)?[，,]?(?:的)?)?(?P<part>{PART})?(?:的|大概|大约|[，,](?=大概|大约))?(?:{CLOCK_AFTER})?"
)
_JUST = re.compile(r"刚才|刚刚|刚(?=着|烧|开始|看|发|起|打)|正在|这会儿|就现在|现在(?=还在|正|就|又)")
_UNTIL_NOW = re.compile(r"^[^。？！]{0,14}?(?:到现在|到今天|至今|到目前|一直到现|直到现在|到今儿)")
_SINCE = re.compile(
    r"^(?:[^，。？！]{0,8}?(?:开始|以来)|(?:起|左右起)|[^，。？！]{0,4}?就(?:没|不|全|一直|停|黑|这样|那样|断|开始|欠|漏|坏))"
)
_HABIT = re.compile(
    r"(?:天天|每天|每晚|每到|一到|经常|每个|老是|总是|平时|都是|一般)(?:都)?(?:从|在|到|是)?$"
)
_RANGE = re.compile(r"^(?:一直)?(?:唱|吵|闹|弄|排队|等|坐|堵|打|干|搞|响|坏|施工|工作)?(?:到|至)")
_PLAN_TO = re.compile(r"合同|约定|承诺|保质期|有效期")


_JUST_NOW = timedelta(minutes=20)
EVENT = 3.3
"""A question or proposal has a time only if a day and an hour were said: then something happened."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Half open, in the city's time zone."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Found:
    interval: Interval
    turn: int
    start: int
    end: int
    weight: float
    day: date | None = None
    part: str | None = None


def when_of(talk: Talk, occasion: Occasion, kind: str | None, danger: bool = False) -> Field:
    """The event's interval as ``{"start", "end"}`` (ISO 8601). A question or a proposal has none.

    ``danger``: who calls for rescue and names no time means now.
    """
    found: list[_Found] = []
    for turn in talk.turns:
        if not turn.agent:
            found += _of_turn(talk, turn, occasion.at, found)
    found = [f for f in found if f.weight > 0]
    ranked = sorted(found, key=lambda f: (-f.weight, f.turn, f.start))
    values = [_value(f.interval) for f in ranked]
    unique = [v for place, v in enumerate(values) if v not in values[:place]]
    if not ranked and danger:
        now = Interval(occasion.at - _JUST_NOW, occasion.at)
        return Field(_value(now), 0.4)
    if not ranked or (kind in ("咨询", "建议") and ranked[0].weight < EVENT):
        return Field(None, 0.5 if ranked else 0.0, (), tuple(Option(v, 0.3) for v in unique[:3]))
    best = ranked[0]
    sure = min(0.95, 0.45 + best.weight / 10) * talk.heard(best.turn, best.start, best.end)
    return Field(
        unique[0],
        round(sure, 3),
        (talk.source(best.turn, best.start, best.end),),
        tuple(Option(v, 0.3) for v in unique[1:4]),
    )


def _value(interval: Interval) -> dict[str, str]:
    return {
        "start": interval.start.isoformat(timespec="minutes"),
        "end": interval.end.isoformat(timespec="minutes"),
    }


def _of_turn(talk: Talk, turn: Turn, at: datetime, before: list[_Found]) -> Iterator[_Found]:
    before_it = talk.turns[turn.index - 1] if turn.index else None
    asks = before_it is not None and (before_it.agent or (not before_it.speaker and len(before_it.text) < 40))
    question = before_it.text if before_it is not None and asks else ""
    asked = bool(ASKED.search(question))
    since_asked = asked and bool(SINCE_ASKED.search(question))
    text = turn.text
    points = list(_points(turn, at, before))
    skip = -1
    for place, point in enumerate(points):
        if place == skip:
            continue
        one = point
        rest = text[one.end :]
        following = points[place + 1] if place + 1 < len(points) else None
        if following is not None and _linked(text, one, following):
            one = _joined(one, following)
            skip = place + 1
            rest = text[one.end :]
        ahead = text[max(0, one.start - 1) : one.start] in ("从", "自") or text[one.start] in "从自"
        since = ahead or bool(_UNTIL_NOW.match(rest)) or bool(_SINCE.match(rest)) or since_asked
        if since and skip != place + 1:
            one = replace(one, interval=Interval(_middle(one.interval), at), weight=one.weight + 1)
        weight = one.weight + (3 if asked else 0) - 0.05 * turn.index
        if _HABIT.search(text[: one.start]):
            weight -= 3.5
        if one.interval.start > at or _AHEAD.match(text[max(0, one.start - 4) : one.start]):
            weight = 0
        if _PLAN_TO.search(text[max(0, one.start - 8) : one.start]):
            weight -= 1
        end = min(one.interval.end, at) if one.interval.start < at else one.interval.end
        yield replace(one, weight=weight, interval=Interval(one.interval.start, end))
    for long in durations(text, at):
        weight = long.weight + (3 if asked else 0) - 0.05 * turn.index
        yield _Found(Interval(*long.interval), turn.index, long.start, long.end, weight)
    for just in _JUST.finditer(text):
        moment = Interval(at - _JUST_NOW, at)
        clocked = any(
            p.part or p.interval.end - p.interval.start <= timedelta(hours=1)
            for p in points
            if p.day in (None, at.date())
        )
        weight = 2.2 + (2 if asked else 0) - (1.5 if clocked else 0) - 0.05 * turn.index
        if just[0].startswith("现在") and not asked and just[0] != "就现在":
            weight -= 1
        yield _Found(moment, turn.index, just.start(), just.end(), weight, at.date())


def _linked(text: str, one: _Found, following: _Found) -> bool:
    """Whether 到 and nothing else stands between two expressions: 十点到十二点."""
    between = text[one.end : following.start]
    found = _RANGE.match(between)
    return bool(found and found.end() == len(between) and following.interval.end > one.interval.start)


def _joined(one: _Found, following: _Found) -> _Found:
    """From the first to the second; a spoken hour means its middle, a whole evening its beginning or end."""
    long = timedelta(hours=4)
    wide = one.day is not None and one.interval.end - one.interval.start >= long
    start = one.interval.start if wide else _centre(one.interval)
    end = following.interval
    last = end.end if end.end - end.start >= long else _centre(end)
    return replace(one, interval=Interval(start, last), end=following.end, weight=one.weight + 1)


def _centre(interval: Interval) -> datetime:
    return interval.start + (interval.end - interval.start) / 2


def _middle(interval: Interval) -> datetime:
    """Where "since" begins: a spoken hour means its middle, a day or month its beginning."""
    length = interval.end - interval.start
    return interval.start if length > timedelta(hours=1) else interval.start + length / 2


def _points(turn: Turn, at: datetime, before: list[_Found]) -> Iterator[_Found]:
    """Expressions of day, part of day and hour, each on its day."""
    day, part = (
        (before[-1].day, before[-1].part) if before and turn.index - before[-1].turn <= 4 else (None, None)
    )
    for found in _EXPRESSION.finditer(turn.text):
        if not any(found[group] for group in _ANCHORS):
            continue
        one = _point(found, turn, at, day, part)
        if one is not None:
            day, part = one.day or day, one.part or part
            yield one


_ANCHORS = (
    "rel", "weekday", "weekend", "week", "month", "month2", "lastmonth", "season", "festival", "lunar",
    "bareday", "yearonly", "part", "hour",
)  # fmt: skip


def _point(
    found: re.Match[str], turn: Turn, at: datetime, day: date | None, part: str | None
) -> _Found | None:
    told = span_of_day(found, at)
    if found["part"] in ("早", "晚", "夜", "晨") and not found["rel"]:
        return None
    start, end = found.span()
    weight = 0.0
    named = told is not None
    if told is None and found["part"] is None and found["hour"] is None:
        return None
    own_part = found["part"]
    if told is None:
        base = day if day is not None else at.date()
        told = base, base + timedelta(days=1)
        inherited = day
    else:
        inherited = told[0]
        one_day = told[1] - told[0] == timedelta(days=1)
        weight += (
            2
            if one_day
            else 1.8
            if told[1] - told[0] <= timedelta(days=12) and not found["festival"]
            else 1.6
            if told[1] - told[0] <= timedelta(days=62)
            else 1
        )
    midnight = datetime.combine(told[0], datetime.min.time(), at.tzinfo)
    single = told[1] - told[0] == timedelta(days=1)
    today = told[0] == at.date() or (not named and day is None)
    if found["hour"] is not None and single:
        use = own_part or (part if not named else None)
        clock = on(midnight, use, found, at, today)
        if clock is None:
            return None
        begin, finish = clock
        if not named and begin > at and day is None:
            begin, finish = begin - timedelta(days=1), finish - timedelta(days=1)
        weight += 1.5 if named or day is not None or own_part else 1.2
        return _Found(Interval(begin, finish), turn.index, start, end, weight, inherited, use)
    if own_part and single:
        low, high = PARTS[own_part]
        begin, finish = midnight + timedelta(hours=low), midnight + timedelta(hours=high)
        if begin > at:
            begin, finish = begin - timedelta(days=1), finish - timedelta(days=1)
        if own_part in ("半夜", "夜里", "夜里头", "夜", "深夜") and today and begin.date() < at.date():
            inherited = begin.date()
        return _Found(
            Interval(begin, finish),
            turn.index,
            start,
            end,
            weight + (0.6 if named else 0.5),
            inherited,
            own_part,
        )
    if not named:
        return None
    return _Found(
        Interval(midnight, datetime.combine(told[1], datetime.min.time(), at.tzinfo)),
        turn.index,
        start,
        end,
        weight,
        inherited if single else None,
        own_part,
    )
