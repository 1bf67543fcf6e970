"""Red flags: danger to life in the caller's words, for a prompt to the agent and a sign to the supervisor.

Late is worse than wrong: one clear word is enough, unless the caller denies it (没有人受伤).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from recording.draft.dangers import FLAGS, told
from recording.draft.fields import Field, Option
from recording.draft.said import Source, Talk, Turn

JOINED = 4.0
"""Seconds of silence over which a sentence of one speaker may go on: 我家的燃气管道好像 … 漏了."""
_DENIED = re.compile(
    r"(?:(?:没有?|未|无|不会|不可能)(?:任何|什么|啥|一个|人员?|得|看见|看到|造成|出现|发生|再|真的?|谁|说|想|要|听说|大|事){0,3}"
    r"|(?<!是)不是(?:说|因为|真的?|要|想|有人?|什么){0,2}|差点儿?[^，。！？]{0,4}|险些[^，。！？]{0,4})$"
)
_FEARED = re.compile(
    r"(?:怕(?:会)?|担心|会不会|以免|防止|避免|容易|谨防|预防|万一|如果|假如)[^，。！？]{0,4}$"
)
_MEANT = frozenset(["suicide", "threat", "violence", "lost", "minor"])
"""Who fears one of these tells of it: 我怕他想不开."""
_AFTER = re.compile(r"^(?:[^，。！？]{0,4}(?:怎么办理|演[练习]|隐患|预防)|了?没有(?=$|[，。！？啊呢吗]))")
_QUESTION = re.compile(r"(?:有人|有没有人|人员)?(?:受伤|被困)")
_HAVE = re.compile(r"^(?:有|嗯?，?有(?:个|一个|两)|是的|受伤了|对)")
_NOD = re.compile(r"^[，。]?(?:嗯|哦|啊|好的?|是的?|对|您说|你说|请讲|然后呢)*[，。]?$")
"""What an agent says between and interrupts nothing by."""
_TITLES = {
    "gas": "燃气泄漏", "fire": "着火", "injured": "有人受伤",
    "unconscious": "昏迷或突发急病", "crash": "交通事故伤人",
    "drowning": "有人落水", "suicide": "轻生", "threat": "扬言伤人", "violence": "正在施暴或被打",
    "minor": "未成年人无人看护或受害", "lost": "人员走失",
    "trapped": "有人被困", "collapse": "塌方、倒杆等险情",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Raised:
    """One sign of one kind; ``source``: where its words are, in one span or over a pause in the next too."""

    flag: str
    source: tuple[Source, ...]
    sure: bool = True
    """False: denied, or only feared."""


def title_of(flag: str) -> str:
    """How the screen names a flag."""
    return _TITLES[flag]


def flags_of(talk: Talk) -> Field:
    """The flags raised, in the order of ``FLAGS``; an empty list when there are none."""
    found = raised_in(talk)
    raised = list(dict.fromkeys(one.flag for one in found if one.sure))
    sources = tuple(source for one in found if one.sure for source in one.source)
    doubtful = dict.fromkeys(one.flag for one in found if not one.sure)
    options = tuple(Option(flag, 0.3) for flag in doubtful if flag not in raised)
    return Field(raised, 0.9 if raised else 0.7, sources, options)


def raised_in(talk: Talk) -> tuple[Raised, ...]:
    """Every sign, kind by kind in the order of ``FLAGS``, each kind's as they were said."""
    texts = [told(turn.text) for turn in talk.turns]
    chains = list(_chains(talk))
    found: list[Raised] = []
    for flag in FLAGS:
        found += _answers(talk, flag)
        for turn in talk.turns:
            if not turn.agent:
                found += (
                    Raised(flag, (talk.source(turn.index, start, end),), sure)
                    for start, end, sure in _in_text(flag, texts[turn.index])
                )
        for chain in chains:
            found += _over_pauses(talk, flag, chain)
    return tuple(found)


def _in_text(flag: str, text: str) -> Iterator[tuple[int, int, bool]]:
    for found in FLAGS[flag].finditer(text):
        before, after = text[: found.start()], text[found.end() :]
        denied = _DENIED.search(before) or _AFTER.match(after)
        feared = flag not in _MEANT and _FEARED.search(before)
        yield found.start(), found.end(), not (denied or feared)


def _answers(talk: Talk, flag: str) -> Iterator[Raised]:
    """Yes to the agent's 有人受伤吗."""
    for turn in talk.turns:
        if not turn.agent or turn.index + 1 == len(talk.turns):
            continue
        answer = talk.turns[turn.index + 1]
        asked = _QUESTION.search(turn.text)
        if asked and not answer.agent and _HAVE.match(answer.text):
            kind = "trapped" if "被困" in asked[0] else "injured"
            if kind == flag:
                yield Raised(flag, (talk.source(answer.index, 0, len(answer.text)),))


def _chains(talk: Talk) -> Iterator[tuple[Turn, ...]]:
    """Turns of one speaker without more than ``JOINED`` between two, over an agent's 嗯."""
    chain: list[Turn] = []
    for turn in talk.turns:
        if turn.agent:
            if not _NOD.match(turn.text):
                if len(chain) > 1:
                    yield tuple(chain)
                chain = []
            continue
        if chain and not _goes_on(talk, chain[-1], turn):
            if len(chain) > 1:
                yield tuple(chain)
            chain = []
        chain.append(turn)
    if len(chain) > 1:
        yield tuple(chain)


def _goes_on(talk: Talk, one: Turn, other: Turn) -> bool:
    first, second = talk.spans[one.index], talk.spans[other.index]
    if one.speaker != other.speaker:
        return False
    # typed lines without speakers may be anybody's
    if not one.speaker and first.end == 0.0:
        return False
    return second.start - first.end <= JOINED


def _over_pauses(talk: Talk, flag: str, chain: tuple[Turn, ...]) -> Iterator[Raised]:
    """Signs that begin in one span and end in a later one, or make sense only so: 孩子 … 捡球掉河里了."""
    places = [(turn.index, at) for turn in chain for at in range(len(turn.text))]
    alone = {turn.index for turn in chain if any(_in_text(flag, told(turn.text)))}
    for start, end, sure in _in_text(flag, told("".join(turn.text for turn in chain))):
        touched = dict.fromkeys(index for index, _ in places[start:end])
        if len(touched) > 1 or not alone & set(touched):
            sources = []
            for index in touched:
                own = [at for turn, at in places[start:end] if turn == index]
                sources.append(talk.source(index, own[0], own[-1] + 1))
            yield Raised(flag, tuple(sources), sure)
