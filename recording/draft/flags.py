"""Red flags: danger to life in the caller's words, for a prompt to the agent and a sign to the supervisor.

Late is worse than wrong: one clear word is enough, unless the caller denies it (没有人受伤).
"""

from __future__ import annotations

import re

from recording.draft.fields import Field, Option
from recording.draft.said import Source, Talk

FLAGS = {
    "gas": re.compile(
        r"煤气味|燃气味|天然气味|(?:煤气|燃气|天然气|液化气).{0,8}(?:漏|泄|挖断|泄漏|味道|味儿|爆)|(?:漏|泄).{0,2}(?:煤气|燃气|天然气)|煤气中毒"
    ),
    "fire": re.compile(
        r"着火|起火|失火|火灾|火苗|烧起来|冒(?:浓)?烟(?!囱)|点着了|(?<![想看接睡摸够急])着了(?!.{0,2}(?:凉|迷|魔))|火好大|火势|火星|自燃|爆炸了"
    ),
    "injured": re.compile(
        r"受伤|流血|出血|骨折|摔断|断了?一?根?(?:手指|胳膊|腿)|头破|打出血|脸上都是血|昏(?:迷|倒)|晕倒|咬(?:伤|了)|磕掉|烫伤|(?<!高)压(?:断|伤)|中毒|不省人事|摔破|砸(?:伤|到人)|触电"
    ),
    "suicide": re.compile(
        r"不想活|想死|寻死|自杀|轻生|跳(?:楼|河|桥|江|下去)|活不下去|活着没(?:意思|意义)|喝(?:了)?(?:农药|药水)|割腕|遗书|了断|死了算了"
    ),
    "threat": re.compile(
        r"扬言|捅死|砍(?:死|人)|杀(?:人|了你|死|全家|我)|炸(?:楼|掉|死|了你)|同归于尽|放火|拿(?:着)?(?:刀|枪|斧)|报复社会|弄死|打死(?:你|他|我)|要(?:他|你|我)的?命|绑架"
    ),
    "minor": re.compile(
        r"(?:小孩|孩子|娃儿|娃|小姑娘|小男孩|小女孩|男孩|女孩|婴儿|幼儿|未成年|小朋友|岁的娃).{0,28}?(?:一个人|独自|没(?:有)?大人|走丢|找不着|困|关小黑屋|被.{0,6}打|被.{0,6}关|反锁|虐待|自己在|溺水)|(?:孩子|小孩|娃儿?|闺女)丢了|(?:丢了|走丢).{0,3}(?:孩子|小孩|娃)"
    ),
    "trapped": re.compile(
        r"被困|困(?:在|住)|(?:电梯|楼).{0,6}关(?:了|着|住).{0,4}人|还有(?:老人|人|小孩|孩子).{0,4}(?:在)?(?:屋里|里面|里头)|出不来|掉(?:进|下去了|到)|埋(?:了|在)"
    ),
    "collapse": re.compile(
        r"塌(?:了|方|陷)|地陷|垮(?:了|塌)|(?:电线|电杆|电线杆子?|树|围墙).{0,4}(?:倒了|掉|断了|拖在)|坝.{0,4}(?:裂|渗|垮|决)|决堤|滑坡|泥石流|电线.{0,6}(?:拖|垂|落)|压着电线|洪水"
    ),
}
"""Gas, fire, injured, suicide, threat, a child alone or abused, people trapped, collapse or live wires."""
_DENIED = re.compile(
    r"(?:没有?(?:人|得|看见)?|不是|未|怕(?:会)?|担心|会不会|差点|险些|以免|防止)[^，。！？]{0,4}$"
)
_AFTER = re.compile(r"^[^，。！？]{0,4}(?:没有|怎么办理|演练|隐患|预防)")
_QUESTION = re.compile(r"(?:有人|有没有人|人员)?(?:受伤|被困)")
_HAVE = re.compile(r"^(?:有|嗯?，?有(?:个|一个|两)|是的|受伤了|对)")
_TITLES = {
    "gas": "燃气泄漏", "fire": "着火", "injured": "有人受伤", "suicide": "轻生", "threat": "扬言伤人",
    "minor": "未成年人无人看护或受害",
    "trapped": "有人被困", "collapse": "塌方、倒杆等险情",
}  # fmt: skip


def title_of(flag: str) -> str:
    """How the screen names a flag."""
    return _TITLES[flag]


def flags_of(talk: Talk) -> Field:
    """The flags raised, in the order of ``FLAGS``; an empty list when there are none."""
    raised: list[str] = []
    sources: list[Source] = []
    doubtful: list[str] = []
    for flag, pattern in FLAGS.items():
        for turn in talk.turns:
            if turn.agent:
                answer = talk.turns[turn.index + 1] if turn.index + 1 < len(talk.turns) else None
                asked = _QUESTION.search(turn.text)
                if asked and answer is not None and not answer.agent and _HAVE.match(answer.text):
                    kind = "trapped" if "被困" in asked[0] else "injured"
                    if kind == flag and flag not in raised:
                        raised.append(flag)
                        sources.append(talk.source(answer.index, 0, len(answer.text)))
                continue
            for found in pattern.finditer(turn.text):
                if _DENIED.search(turn.text[: found.start()]) or _AFTER.match(turn.text[found.end() :]):
                    doubtful.append(flag)
                    continue
                if flag not in raised:
                    raised.append(flag)
                sources.append(talk.source(turn.index, *found.span()))
    options = tuple(Option(flag, 0.3) for flag in dict.fromkeys(doubtful) if flag not in raised)
    return Field(raised, 0.9 if raised else 0.7, tuple(sources), options)
