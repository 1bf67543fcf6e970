"""The story in readable sentences: the caller's words without hesitations and repetitions, with punctuation.

Typed text keeps its punctuation. In recognised text a pause ends a clause or a sentence (``said``), and so do
words that open a clause (但是, 后来, 请问). Every word is the speaker's.
"""

from __future__ import annotations

import re

from recording.draft.fields import Field
from recording.draft.said import Talk, Turn

_FILLER = re.compile(
    r"(?:(?<=[，。！？,…])|^)(?:喂|呃|嗯|额|啊|哎|唉|哦|噢|那个|这个|就是说|就是|怎么说呢|是这样子?的|我跟你讲哦?|我给你(?:说|反映个事)哈?|你好你好|你好嘛?|您好)[，,…]*"
)
_HEDGE = re.compile(r"呃|嗯(?!嗯)|(?<=[，。])那个，|……|…")
_OPENERS = re.compile(
    r"(?<=[\u4e00-\u9fff]{4})(但是|可是|后来|结果|所以|因为|然后|而且|不过|请问|现在|昨天|今天|前天|我想|希望|他们|麻烦你?们?|能不能)"
)
_QUESTION = re.compile(r"(?:吗|呢|么|怎么办|多少钱?|什么|哪里|啥|咋办|行不行|能不能.{1,14})$")
_ONLY_FORMAL = re.compile(
    r"^(?:对|嗯|是|是的|好|好的|对的|谢谢|要得|行|没错|就这个|对头|就打这个|不留名?|不说)(?:[，,]?(?:对|嗯|是|好|谢谢))*[。！]?$"
)
_FORMAL_ASKED = re.compile(r"贵姓|称呼|姓名|名字|叫什么|您叫|电话|手机|号码|联系方式|全名|您是[？?]?$")
_TOLD_ELSEWHERE = re.compile(
    r"(?:(?<=[，。！？])|^)(?:"
    r"(?:我|俺)?(?:们)?(?:的)?(?:联系人|联系|手机|电话|号码|回访|名字|姓名|免贵|大名|叫|姓)[^，。！？]{0,24}?"
    r"(?:[，,][0-9零一二三四五六七八九幺，, -]{3,})?(?:[，,。](?=[，。]|$)|[，,。]|$)"
    r"|[0-9零一二三四五六七八九幺，, -]{7,}[，,。]?)"
)
"""Clauses that only tell name or number: 我叫张伟，电话是….(They have fields of their own.)"""
_STUTTER = re.compile(r"([\u4e00-\u9fff]{2,4})[，,]?\1(?=[，。\u4e00-\u9fff])")


def story_of(talk: Talk, name: str | None, kind: str | None) -> Field:
    """The caller's account. Answers about name and number stand in their own fields and are left out."""
    sentences: list[str] = []
    sources = []
    for turn in talk.turns:
        if turn.agent or _ONLY_FORMAL.match(turn.text):
            continue
        before = talk.turns[turn.index - 1] if turn.index else None
        if (
            before is not None
            and before.agent
            and _FORMAL_ASKED.search(before.text)
            and not _tells(turn.text)
        ):
            continue
        text = sentence(talk, turn)
        if text:
            if before is not None and before.agent and len(text) < 14 and before.text:
                text = _with_question(before.text, text)
            sentences.append(text)
            sources.append(talk.source(turn.index, 0, len(turn.text)))
    if not sentences:
        return Field()
    lead = f"来电人{f'（{name}）' if name else ''}{_VERBS.get(kind or '', '反映')}："
    return Field(lead + "".join(sentences), 0.7, tuple(sources))


_VERBS = {"咨询": "咨询", "求助": "求助", "投诉": "投诉", "举报": "举报", "建议": "建议"}


def _tells(text: str) -> bool:
    """Whether an answer about name or number also tells something."""
    rest = re.sub(r"[零一二三四五六七八九十幺0-9，。、…！\s]", "", text)
    return len(rest) > 24


def _with_question(question: str, answer: str) -> str:
    """大概几点？七点半左右 -> （大概几点）七点半左右: a short answer is understood with its question only."""
    asked = re.split(r"[，。！]", question.rstrip("？?。"))[-1]
    return f"（{asked}）{answer}" if 1 < len(asked) <= 12 else answer


def sentence(talk: Talk, turn: Turn) -> str:
    """One turn as written language."""
    heard = bool(talk.spans[turn.index].words) or not re.search(r"[，。！？]", turn.text)
    text = _punctuated(turn.text) if heard else turn.text
    for _ in range(3):
        text = _FILLER.sub("", text)
    text = _HEDGE.sub("，", text)
    text = _STUTTER.sub(r"\1", text)
    text = _TOLD_ELSEWHERE.sub("", text)
    text = re.sub(r"[，,]{2,}", "，", text)
    text = re.sub(r"，([。！？])", r"\1", text).strip("，, ")
    if not text:
        return ""
    if text[-1] not in "。！？":
        text += "？" if _QUESTION.search(text) else "。"
    return text


def _punctuated(text: str) -> str:
    """Commas before the words that open a clause, where nobody paused."""
    clauses = re.split(r"(?<=[，。])", text)
    return "".join(_OPENERS.sub(r"，\1", clause) if len(clause) > 12 else clause for clause in clauses)
