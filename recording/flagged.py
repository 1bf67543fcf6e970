"""Red flags of calls: which were raised, by which words, and what an agent is told to do about each.

A flag is raised once a call and kind, and stands: words that a recogniser takes back were a sign too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calls.facts import CallId, Fact, FlagRaised, LegId
from calls.value import dataclass, field, replace
from recording.draft.flags import Raised, raised_in, title_of
from recording.draft.said import Talk
from recording.recognised import Recognised
from recording.transcript import Now, Said, spoken

KEPT = 2000
"""Calls whose flags are remembered; older ones stand in the database."""
SHOWN = 3600.0
"""Seconds for which a flag stands on supervisors' boards after it was raised, the call over or not."""
AFTER = 6
"""Characters after a sign within which a word may still deny it (``recording.draft.flags``)."""
SYLLABLE = 0.25
"""Seconds that one takes when people speak slowly."""
WORDS = 60
"""Characters told with a flag: the clause it was raised by, not the whole complaint."""


@dataclass(frozen=True, slots=True)
class Flag:
    """``words``: what was said around it; ``second``: of the recording of ``leg``; ``at``: when it was
    raised, seconds since the epoch, UTC."""

    call: CallId
    flag: str
    city: str
    words: str
    leg: LegId
    second: float
    at: float


@dataclass(frozen=True, slots=True)
class Flags:
    """``touched``: raised by the last step."""

    by_call: Mapping[CallId, tuple[Flag, ...]] = field(default_factory=dict)
    touched: tuple[Flag, ...] = field(default=(), compare=False)

    def of(self, call: CallId) -> tuple[Flag, ...]:
        """In the order in which they were raised."""
        return self.by_call.get(call, ())


def step(flags: Flags, fact: Fact) -> Flags:
    """After this fact. Never raises."""
    if flags.touched:
        flags = replace(flags, touched=())
    if not isinstance(fact, FlagRaised):
        return flags
    raised = Flag(
        call=fact.call,
        flag=fact.flag,
        city=fact.call.partition("-")[0],
        words=fact.words,
        leg=fact.leg,
        second=fact.second,
        at=fact.at,
    )
    return known(flags, (raised,))


def known(flags: Flags, more: Sequence[Flag]) -> Flags:
    """With these too; what is there already stays as it was raised first."""
    by_call = dict(flags.by_call)
    fresh = []
    for one in more:
        mine = by_call.get(one.call, ())
        if all(one.flag != x.flag for x in mine):
            by_call[one.call] = (*mine, one)
            fresh.append(one)
    while len(by_call) > KEPT:
        del by_call[next(iter(by_call))]
    return Flags(by_call, tuple(fresh)) if fresh else flags


@dataclass(frozen=True, slots=True)
class Sign:
    """A flag in what was said: not yet raised. ``settled`` False: it stands at the end of unfinished words,
    and the next ones may make it another thing (火灾 … 火灾隐患)."""

    flag: str
    words: str
    leg: LegId
    second: float
    settled: bool = True


def signs(finished: Sequence[Said], saying: Sequence[Now] = ()) -> tuple[Sign, ...]:
    """The flags in these words, finished or not, each where it was said first."""
    said = [*finished, *(_unfinished(x) for x in saying)]
    # seconds of a leg's own file are wanted, so nothing is shifted to the call's begin
    turns = [*(_own(one) for one in finished), *(_going_on(_own(one)) for one in said[len(finished) :])]
    first: dict[str, Sign] = {}
    for one in raised_in(Talk(turns)):
        before = first.get(one.flag)
        if one.sure and (before is None or not before.settled):
            sign = _sign(one, said, turns, len(finished))
            if before is None or sign.settled:
                first[one.flag] = sign
    return tuple(first.values())


def _sign(one: Raised, said: Sequence[Said], turns: Sequence[Recognised], finished: int) -> Sign:
    begin, end = one.source[0], one.source[-1]
    at = said[begin.span]
    second = at.start if begin.seconds is None or begin.span >= finished else begin.seconds[0]
    settled = end.span < finished or len(turns[end.span].text) - end.end >= AFTER
    words = _around(turns[begin.span].text, begin.start, begin.end)
    if end is not begin:
        words = "".join("".join(turns[x.span].text.split()) for x in one.source)[:WORDS]
    return Sign(one.flag, words, at.leg, round(second, 2), settled)


def _going_on(unfinished: Recognised) -> Recognised:
    """Begun as long ago as its words take: a recogniser tells only how far it has listened."""
    begun = unfinished.end - SYLLABLE * len("".join(unfinished.text.split()))
    return replace(unfinished, start=round(max(0.0, begun), 2))


def _own(one: Said) -> Recognised:
    [told] = spoken((one,), one.at - one.start)
    return told


def _unfinished(one: Now) -> Said:
    return Said(one.leg, one.role, one.seat, one.at, one.second, one.second, one.text, 0.0)


def _around(text: str, start: int, end: int) -> str:
    room = max(0, WORDS - (end - start)) // 2
    return "".join(text[max(0, start - room) : end + room].split())


@dataclass(frozen=True, slots=True)
class Advice:
    """What the agent is told, in Chinese and English. Our wording, for want of one in a notice: the order is
    that of emergency call-takers, first safety, then place, then whoever can help."""

    title: str
    zh: str
    en: str


_ADVICE = {
    "gas": (
        "gas leak",
        "请对方立即撤到室外，不开关电器、不用明火，到室外再打电话；问清地址，转119和燃气抢修。",
        "Get them outdoors now, no switches, no flame, phone only from outside; get the address, "
        "bring in 119 and the gas company.",
    ),
    "fire": (
        "fire",
        "问清地址、楼层、有无人员被困，立即转119；请对方低姿撤离，勿乘电梯。",
        "Get address, floor and whether anybody is trapped, bring in 119 at once; they leave low, no lift.",
    ),
    "injured": (
        "somebody injured",
        "问清地点、人数、是否清醒和出血，立即转120；勿随意移动伤者，触电先断电。",
        "Get place, how many, whether awake or bleeding, bring in 120 at once; do not move the "
        "injured; electric shock: power off first.",
    ),
    "unconscious": (
        "unconscious or taken ill",
        "问清位置、年龄、有无呼吸，立即转120；无呼吸则请对方按120指导做胸外按压，勿垫高头、勿喂水。",
        "Get place, age, whether they breathe, bring in 120 at once; no breath: chest compressions "
        "as 120 says, "
        "head flat, nothing to drink.",
    ),
    "crash": (
        "traffic accident",
        "问清路段、方向、有无人员受伤或被卡，转122，有伤转120，被卡或起火转119；请对方撤到护栏外。",
        "Get road, direction, whether anybody is hurt or stuck; bring in 122, 120 for the hurt, 119 "
        "if stuck or "
        "burning; they stand behind the barrier.",
    ),
    "drowning": (
        "somebody in the water",
        "问清水域位置、人数、是否可见，立即转119、110和120；请对方勿盲目下水，抛绳、竿、浮物。",
        "Get where, how many, whether in sight, bring in 119, 110 and 120; nobody jumps in, throw a "
        "rope, pole "
        "or float.",
    ),
    "suicide": (
        "risk of suicide",
        "保持通话，语气平缓，不评判、不争辩；问清位置和身边有无他人；联动110、120，不要先挂机。",
        "Stay on the line, calm, no judging or arguing; ask where they are and who is near; bring in 110 and "
        "120, never hang up first.",
    ),
    "threat": (
        "threat of violence",
        "不激怒、不反驳；记下对象、地点、时间、凶器；立即转110（纵火、爆炸加119）并报告班长。",
        "Do not provoke or contradict; note whom, where, when, with what; bring in 110 (fire or "
        "bomb: 119 too), tell the supervisor.",
    ),
    "violence": (
        "somebody is beaten",
        "问清位置、此刻是否安全、有无凶器和伤者，立即转110（受伤加120）；请对方先躲到安全处，保持通话。",
        "Get place, whether safe now, weapons and injured, bring in 110 (120 if hurt); they hide "
        "first and stay "
        "on the line.",
    ),
    "lost": (
        "a person lost",
        "问清姓名、年龄、衣着、最后出现的时间地点和病史，立即转110（野外被困加119）；不必等24小时。",
        "Get name, age, clothes, where and when last seen, illness; bring in 110 (119 outdoors); "
        "nobody waits "
        "24 hours.",
    ),
    "minor": (
        "a child alone or harmed",
        "问清孩子年龄、位置、此刻是否安全，尽量与孩子保持通话；联动110（受伤加120）。",
        "Get the child's age, place, whether safe now, keep the child talking; bring in 110 (120 if hurt).",
    ),
    "trapped": (
        "somebody trapped",
        "问清位置、人数、能否呼吸通话，立即转119；请对方原地等待，勿自行扒门攀爬。",
        "Get place, how many, whether they breathe, bring in 119; they wait, no forcing or climbing.",
    ),
    "collapse": (
        "collapse or live wires",
        "请对方远离现场（断线至少8米）并提醒他人；问清位置、有无伤亡，转119、电力或应急部门。",
        "Keep away (8 m from a fallen wire) and warn others; get place and casualties, bring in 119, power "
        "or the emergency office.",
    ),
}


def advice(flag: str) -> Advice | None:
    """None for a flag of another version, told by an old journal."""
    if flag not in _ADVICE:
        return None
    title, zh, en = _ADVICE[flag]
    return Advice(f"{title_of(flag)} {title}", zh, en)
