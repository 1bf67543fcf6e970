"""The number to call back: the last one agreed, through corrections, read-backs and "this very number"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from recording.draft.digits import DIGIT, MOBILE, Run, guessed, numbers, runs, unstuttered, whole
from recording.draft.fields import Field, Occasion, Option, from_history
from recording.draft.said import Talk, Turn

WRONG = re.compile(r"不对|不是(?!有|吗|也)|错了|说错|记错|应该是|报错|弄错|更正")
YES = re.compile(r"^(?:嗯|对|是|没错|要得|可以|行|好|哎|中|正确|能|就是)")
_THIS_ALONE = re.compile(
    r"就(?:是)?(?:打|用)?(?:我)?(?:现在)?(?:打|用|拨)?(?:给你们?|的|过来)*(?:的)?这(?:个|部)"
    r"|(?:打|现在)(?:的|用)?(?:就是)?这个|来电(?:显示|这个|的)|本机|这个(?:手机|号码?|电话)?(?:就行|就好|就是|就可以|吧|能)"
    r"|现在(?:这个|打的|用的)|(?:打|用)我?(?:现在)?这个|你们(?:看得到|有|不是有)|这个(?:手机|号码|电话|号)(?!不)|^能[，。]?就?这?个?"
)
_ASKED_THIS = re.compile(r"(?:就是|是)?您?(?:现在|来电|打).{0,6}(?:这个|号码|的)|这个(?:号码|电话|手机)")
_OTHER = re.compile(
    r"打不通|或者|要不|备用|另外(?:还有|有)|(?:媳妇|老婆|老公|爱人|儿子|女儿|女婿|家里|邻居)的?"
)
_TAIL = re.compile(r"最后|尾号|末尾|后面?(?:几|一|两|三|四|五|六|七|八|[1-8])[位个]|后头|结尾")
_N = "[一两二三四五六七八九1-9]"
_FRONT = re.compile(rf"(?:前面?|开头|头)的?(?:{_N}[位个])?(?:数字?|号码)?[^，。]{{0,3}}$")
_MIDDLE = re.compile(r"(?:中间|当中)[^，。]{0,6}$")
_NTH = re.compile(rf"(?P<back>倒数)?第(?P<n>十一|十|{_N})[位个][^，。]{{0,4}}$")
_DOUBT = re.compile(
    r"[，。、…]*(?:哦|噢|啊|哎呀?|诶|呃|嗯|等一下|等等|那个|[，。、…])*(?:我)?(?:好像|可能|又)?"
    r"(?:不对|说错|错了|记错|报错|弄错|念错|讲错)(?!吧|吗)"
)
_LANDLINE = re.compile(r"[2-8]\d{6,7}")
_FIXED_LINE = re.compile(r"座机|固话|固定电话|办公室|家里(?:的)?电话|单位(?:的)?电话")
UNSURE = 0.45
"""How sure a number is after 不对 that nothing mended."""
_LAST = re.compile(r"(?:最后|后|末|尾)[^，。]{0,4}(?:位|号|数字?)[^，。]{0,3}$")
_CUE = re.compile(r"电话|手机|号码|联系|打|座机|号")


@dataclass(frozen=True, slots=True)
class _Held:
    digits: str
    place: tuple[int, int, int] | None
    sure: float
    partial: str = ""
    """Digits of a number not yet whole."""


def phone_of(talk: Talk, occasion: Occasion) -> Field:
    """The number to call back; the caller's own when nobody names another."""
    held = _Held("", None, 0.0)
    others: list[str] = []
    for turn in talk.turns:
        held = _agent(talk, turn, held) if turn.agent else _caller(talk, turn, held, occasion.caller, others)
    if not held.digits:
        held = _guess(talk, held)
    if held.digits:
        left = [d for d in dict.fromkeys((*others, occasion.caller)) if d and d != held.digits]
        source = (talk.source(*held.place),) if held.place else ()
        sure = held.sure * (talk.heard(*held.place) if held.place else 1.0)
        return Field(held.digits, round(sure, 3), source, tuple(Option(d, 0.3) for d in left))
    heard = tuple(Option(d, 0.2) for d in dict.fromkeys(others))
    options = heard + from_history((e.phone for e in occasion.earlier), (*others, occasion.caller))
    if occasion.caller:
        # a number was begun and never whole: hardly the line's own
        begun = len(held.partial) >= 7
        return Field(occasion.caller, UNSURE if begun else 0.6, (), options)
    return Field(None, 0.0, (), options)


def _caller(talk: Talk, turn: Turn, held: _Held, own: str, others: list[str]) -> _Held:
    text = turn.text
    last_end = 0
    told = False
    until_now = held
    if spelt := _by_grammar(talk.spans[turn.index].digits):
        if held.digits and held.digits != spelt:
            others.append(held.digits)
        others += [digits for run in runs(text) for digits, _, _ in numbers(run) if digits != spelt]
        return _Held(spelt, (turn.index, 0, len(text)), 0.9)
    for run in runs(text):
        before = text[last_end : run.start]
        fixed = bool(WRONG.search(before)) and bool(held.digits or held.partial)
        other = _OTHER.search(before) is not None and bool(held.digits) and not fixed
        found = list(numbers(run))
        for digits, start, end in found:
            if other:
                others.append(digits)
            else:
                if held.digits and held.digits != digits:
                    others.append(held.digits)
                again = held.digits == digits
                held = _Held(digits, (turn.index, start, end), 0.97 if again or fixed else 0.9)
            told = True
        if not found:
            if local := _local(talk, turn, run, before, held):
                if held.digits and not fixed:
                    others.append(local.digits)
                else:
                    held = local
            else:
                held = _pieces(turn, run, before, held, fixed)
            told = told or bool(held.digits and held.place and held.place[0] == turn.index)
        last_end = run.end
    if not told and own and _means_this(talk, turn):
        return _Held(own, None, 0.95)
    return _doubted(talk, turn, until_now, held)


def _doubted(talk: Talk, turn: Turn, before: _Held, held: _Held) -> _Held:
    """Less sure when 不对 follows at once, in this turn or as the next, and no digits mended it."""
    if not held.digits or held.place is None:
        return held
    at, _, end = held.place
    here = at == turn.index and _DOUBT.match(turn.text, end)
    said_before = next((t for t in reversed(talk.turns[: turn.index]) if not t.agent), None)
    read_back = any(t.agent and any(runs(t.text)) for t in talk.turns[at : turn.index])
    later = (
        held == before
        and said_before is not None
        and said_before.index == at
        and not read_back
        and len(talk.turns[at].text) - end <= 2
        and _DOUBT.match(turn.text)
    )
    return replace(held, sure=min(held.sure, UNSURE)) if here or later else held


def _local(talk: Talk, turn: Turn, run: Run, before: str, held: _Held) -> _Held | None:
    """A landline without its area code: seven or eight digits, and somebody spoke of a telephone."""
    if held.partial or not _LANDLINE.fullmatch(run.digits):
        return None
    fixed_line = _FIXED_LINE.search(before)
    question = talk.turns[turn.index - 1] if turn.index else None
    asked = question is not None and question.agent and _CUE.search(question.text)
    if not (fixed_line or re.search(r"电话|号码|联系|打", before[-8:]) or (asked and run.start <= 8)):
        return None
    return _Held(run.digits, (turn.index, run.start, run.end), 0.8 if fixed_line else 0.6)


def _by_grammar(digits: str) -> str:
    """The last whole number in what a grammar of digits heard; empty without one."""
    if whole(digits):
        return digits
    found = list(MOBILE.finditer(digits))
    return found[-1][0] if found else ""


def _pieces(turn: Turn, run: Run, before: str, held: _Held, fixed: bool) -> _Held:
    """Digits that are no number by themselves: a correction of the end, or a further piece."""
    place = (turn.index, run.start, run.end)
    bits = run.digits
    base = held.digits or held.partial
    if base and (fixed or _TAIL.search(before)):
        mended = _mended(base, run, before, fixed)
        if whole(mended) or (_LANDLINE.fullmatch(mended) and mended != base):
            return _Held(mended, place, 0.85)
    for tried in (unstuttered(run), held.partial + bits, held.partial + unstuttered(run)):
        if whole(tried):
            return _Held(tried, place, 0.8)
    if held.digits and not fixed:
        return held  # a house number, a date
    if len(bits) >= 3 or held.partial:
        partial = unstuttered(run)
        return replace(held, partial=partial if len(partial) >= 7 or fixed else held.partial + partial)
    return held


def _mended(base: str, run: Run, before: str, fixed: bool) -> str:
    """``base`` with the digits of ``run`` where they belong (后四位是, 中间四位是, 前三位是, 第五位是).

    Else at the end. Empty when they do not fit.
    """
    bits = run.digits
    if len(run.groups) == 2 and len(run.groups[0][0]) == len(run.groups[1][0]) and fixed:
        old, new = run.groups[0][0], run.groups[1][0]
        if re.search(r"不是$", before) and base.count(old):
            head, _, tail = base.rpartition(old)
            return head + new + tail
    if nth := _NTH.search(before):
        n = {"十": 10, "十一": 11}.get(nth["n"]) or int(DIGIT.get(nth["n"], "2"))
        at = len(base) - n if nth["back"] else n - 1
        return base[:at] + bits + base[at + 1 :] if len(bits) == 1 and 0 <= at < len(base) else ""
    if len(bits) >= len(base):
        return ""
    if _FRONT.search(before):
        return bits + base[len(bits) :]
    if _MIDDLE.search(before):
        at = 3 if len(base) == 11 and len(bits) == 4 else (len(base) - len(bits)) // 2
        return base[:at] + bits + base[at + len(bits) :]
    if len(bits) == 1 and not _LAST.search(before):
        return ""
    return base[: -len(bits)] + bits


def _agent(talk: Talk, turn: Turn, held: _Held) -> _Held:
    """A number read back by the agent stands when the caller says yes."""
    for run in runs(turn.text):
        for digits, start, end in numbers(run):
            answer = _next(talk, turn)
            denied = answer is not None and WRONG.search(answer.text[:12]) is not None
            if digits == held.digits and not denied:
                held = replace(held, sure=0.99)
            elif not denied and answer is not None and YES.match(answer.text):
                held = _Held(digits, (turn.index, start, end), 0.95)
    return held


def _next(talk: Talk, turn: Turn) -> Turn | None:
    return next((t for t in talk.turns[turn.index + 1 :] if not t.agent), None)


def _means_this(talk: Talk, turn: Turn) -> bool:
    """ "This very number": said so, or yes to the agent's question whether it is."""
    before = talk.turns[turn.index - 1] if turn.index else None
    asked = before is not None and before.agent and re.search(r"电话|手机|号码|联系|回电", before.text)
    if found := _THIS_ALONE.search(turn.text):
        around = turn.text[max(0, found.start() - 6) : found.end() + 6]
        return bool(asked or _CUE.search(around))
    return bool(
        asked
        and before is not None
        and _ASKED_THIS.search(before.text)
        and YES.match(turn.text)
        and not WRONG.search(turn.text[:8])
    )


def _guess(talk: Talk, held: _Held) -> _Held:
    for turn in talk.turns:
        if not turn.agent:
            for digits, start, end in guessed(turn.text):
                return _Held(digits, (turn.index, start, end), 0.6)
    return held
