"""Days, weeks, months, seasons and festivals as people name them, as dates before the call."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from recording.draft import calendar
from recording.draft.numerals import NUMERAL, number

_DAYS = {
    "大前天": 3, "前天": 2, "前日": 2, "前儿": 2, "昨天": 1, "昨日": 1, "昨儿个": 1, "昨儿": 1, "昨": 1,
    "今天": 0, "今日": 0, "今儿个": 0, "今儿": 0, "今": 0, "当天": 0, "前": 2,
}  # fmt: skip
_YEARS = {"大前年": 3, "前年": 2, "去年": 1, "上年": 1, "今年": 0, "当年": 0}
_SEASONS = {
    "开春": (2, 4, 3, 1), "春天": (3, 1, 6, 1), "夏天": (6, 1, 9, 1), "秋天": (9, 1, 12, 1),
    "冬天": (12, 1, 15, 1), "年底": (12, 1, 13, 1), "年初": (1, 1, 2, 1), "腊月间": (1, 1, 2, 17),
    "腊月": (1, 1, 2, 17),
}  # fmt: skip
_YEAR = rf"(?:(?P<year>{'|'.join(_YEARS)}|(?:二零|20)?[零〇一二两三四五六七八九0-9]{{2}}年)的?)?"
DAY = (
    (
        r"(?:(?P<rel>大前天|前天|前日|前儿|昨天|昨日|昨儿个|昨儿|昨(?=晚|夜|早|晨)|今天|今日|今儿个|今儿|今(?=早|晚|晨)|前(?=晚|夜))"
        r"|(?P<back>上上|上|这|本)?(?:一)?个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
        r"|(?P<weekend>上上?个?周末)|(?P<week>上上|上)个?(?:周|星期|礼拜)(?![一二三四五六日天末])"
        r"|(?P<lastmonth>上上个月|上个月|这个月|本月)(?:(?P<lastday>[一二三]?十几|{n})(?:号|日)|(?P<lastthird>初|中旬|底|末))?"
        r"|(?P<lunar>大年初|正月初)(?P<lunarday>{n})"
        r"|{year}(?:(?P<month>{n})月(?P<monthday>[一二三]?十几|{n}|几)(?:(?:号|日)(?![楼院门店栋幢线铺摊])|(?<=[十一二三四五六七八九]{2})(?=[，。、])|(?<=十[一二三四五六七八九])(?=[早晚上下中]))"
        r"|(?P<month2>{n})月份?(?P<third>初|中旬|底|末|上旬|下旬)?|(?P<season>{seasons})"
        r"|(?P<festival>(?<!叫.)(?<!姓.)(?<!名.)(?<![0-9一二三四五六七八九零幺])(?:{festivals})(?![0-9一二三四五六七八九零幺]))(?:节|放假|假期|期间|前后|那[几两]?天|这[几两]天)*)"
        r"|(?P<bareday>(?<![路街道巷段])(?<![0-9一二三四五六七八九十百零])(?:[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九]|[12]?[0-9]|3[01]))(?:号|日)(?![楼院门店栋幢线铺摊桌厂])"
        r"|(?P<yearonly>{years}))"
    )
    .replace("{year}", _YEAR)
    .replace("{n}", NUMERAL)
)
DAY = DAY.replace("{seasons}", "|".join(_SEASONS)).replace("{festivals}", "|".join(calendar.FESTIVALS))
DAY = DAY.replace("{years}", "|".join(_YEARS))


def span_of_day(found: re.Match[str], at: datetime) -> tuple[date, date] | None:
    """First day and the day after the last of the day, month or season named."""
    today = at.date()
    one = timedelta(days=1)
    if found["rel"]:
        first = today - timedelta(days=_DAYS[found["rel"]])
        return first, first + one
    if found["weekday"]:
        index = "一二三四五六日".find(found["weekday"].replace("天", "日"))
        back = {"上上": 2, "上": 1, None: 0, "这": 0, "本": 0}[found["back"]]
        first = calendar.weekday(index, back, today)
        if first > today:
            first -= timedelta(weeks=1)
        return first, first + one
    if found["weekend"]:
        back = 2 if found["weekend"].startswith("上上") else 1
        first = calendar.weekday(5, back, today)
        if today.weekday() >= 5 and back == 1 and "周末" not in found["weekend"]:
            first = calendar.weekday(5, 0, today)
        return first, first + 2 * one
    if found["week"]:
        first = calendar.weekday(0, 2 if found["week"] == "上上" else 1, today)
        return first, first + 7 * one
    if found["month"] or found["month2"]:
        return _in_month(found, today)
    if found["lastmonth"]:
        months = {"上上个月": 2, "上个月": 1}.get(found["lastmonth"], 0)
        first = calendar.month_start(today.year, today.month - months)
        return _days_of(first, found["lastday"], found["lastthird"])
    year = _year(found["year"], today) if found["year"] else None
    if found["season"]:
        month, day, to_month, to_day = _SEASONS[found["season"]]
        begins = year if year is not None else today.year
        if year is None and date(begins, month, day) > today:
            begins -= 1
        last = calendar.month_start(begins, to_month) + timedelta(days=to_day - 1)
        return date(begins, month, day), last
    if found["festival"]:
        return calendar.festival(
            found["festival"], date(year, 12, 31) if year and year < today.year else today
        )
    if found["lunar"]:
        value = number(found["lunarday"])
        first_day = calendar.lunar_day(value, today) if value else None
        return (first_day, first_day + one) if first_day else None
    if found["bareday"]:
        return _bare_day(found["bareday"], today)
    if found["yearonly"]:
        begins = today.year - _YEARS[found["yearonly"]]
        return date(begins, 1, 1), date(begins + 1, 1, 1)
    return None


def _in_month(found: re.Match[str], today: date) -> tuple[date, date] | None:
    month = number(found["month"] or found["month2"])
    if month is None or not 1 <= month <= 12:
        return None
    year = _year(found["year"], today) if found["year"] else today.year
    if year is None:
        return None
    first = date(year, month, 1)
    if not found["year"] and first > today:
        # 九月份 said in March: the one ahead, unless the words speak of the past; ahead is dropped later
        first = date(year - 1, month, 1) if month - today.month > 6 else first
    return _days_of(first, found["monthday"], found["third"])


def _days_of(first: date, day: str | None, third: str | None) -> tuple[date, date] | None:
    after = calendar.month_start(first.year, first.month + 1)
    if day:
        if day.endswith("几"):
            tens = {"十几": 10, "一十几": 10, "二十几": 20, "三十几": 30}.get(day, 1)
            return first + timedelta(days=tens - 1), min(first + timedelta(days=tens + 9), after)
        value = number(day)
        if value is None or not 1 <= value <= (after - first).days:
            return None
        return first + timedelta(days=value - 1), first + timedelta(days=value)
    if third in ("初", "上旬"):
        return first, first + timedelta(days=10)
    if third == "中旬":
        return first + timedelta(days=10), first + timedelta(days=20)
    if third in ("底", "末", "下旬"):
        return after - timedelta(days=10), after
    return first, after


def _bare_day(text: str, today: date) -> tuple[date, date] | None:
    value = number(text)
    if value is None or not 1 <= value <= 31:
        return None
    first = calendar.month_start(today.year, today.month)
    if value > today.day:
        first = calendar.month_start(today.year, today.month - 1)
    found = _days_of(first, str(value), None)
    return found


def _year(text: str, today: date) -> int | None:
    if text in _YEARS:
        return today.year - _YEARS[text]
    value = number(text.removesuffix("年"))
    if value is None:
        return None
    return value if value > 1900 else 2000 + value if value <= today.year - 2000 else 1900 + value
