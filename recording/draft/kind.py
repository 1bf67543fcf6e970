"""What the caller wants: 咨询 ask, 求助 get help, 投诉 complain, 举报 report an offence, 建议 propose."""

from __future__ import annotations

import re

from recording.draft.fields import KINDS, Field, Option
from recording.draft.said import Source, Talk
from recording.draft.subjects import HELP, REPORT

_CUES: dict[str, tuple[tuple[str, float], ...]] = {
    "举报": (
        (r"(?:我|要|想|来|是)?举报", 6),
        (
            r"偷偷?(?:着|地)?(?:排|倒|卖|挖|采|冒)|偷排|私自|私挖|非法|违法|无证|没(?:得|有)?(?:手续|证|牌照|资格证|行医)|黑作坊|黑诊所|黑口子|黑车|假(?:酒|烟|药)",
            2.5,
        ),
        (
            r"赌博|赌得|传销|电鱼|砍树|盗采|炸石头|未成年人上网|贩毒|卖淫|野味|群租|聚众|倒建筑垃圾|卖烟|套现|冒充|收红包|烧树叶|烧秸秆|贪污|把集体的地卖",
            2.5,
        ),
        (
            r"怕(?:他们)?报复|别说(?:是)?我|不要(?:讲|说)(?:是)?我|不敢说|可不敢|不留名|保密|别泄露|不要说出去",
            1.5,
        ),
        (r"查一下|来查|查处|你们查|去看看|赶紧去看", 1),
    ),
    "建议": (
        (r"建议", 5),
        (
            r"希望(?:能)?(?:增加|加|调|把|多|改|设|你们)|能不能(?:装|加个|加装|多|增|设|建|延长|安)|要是能|最好能|应该(?:装|设|加|建)|提个(?:意见|建议)|装个红绿灯|修个|调长",
            2.5,
        ),
    ),
    "咨询": (
        (r"咨询|请问|问一下|问一哈|问下|想问|我问问|问个|了解一下|打听", 3.5),
        (
            r"怎么(?:申请|办理?|领|转|补|弄|报名|审批|备|续|年审|走|报|划|收)|咋(?:个)?(?:申请|办|领|补|备|弄|报|转|取)|如何(?:申请|办理)|要带?(?:什么|啥|哪些)(?:材料|条件|手续)?|需要(?:什么|哪些)|什么(?:条件|手续|材料|程序)|去哪(?:里|儿|个)?(?:办|补|领|问|申请|体检|解锁)|哪里(?:领|办|申请|能)|多少钱|能报多少|报多少|多少(?:平|税|补)|能不能(?:贷|补缴|网上|办|领|代办|一块|手机|改|按|报停|申诉)|可以领|能领|有没(?:有|得)(?:补|优)|是多少|啥子条件|好多(?:钱|天)|算不算|影响不影响|影不影响|要几天|啥时候发|什么时候发|有什么补助|有补贴|能代办|能贷",
            2.2,
        ),
        (r"[吗呢么不啊]？", 0.4),
    ),
    "投诉": (
        (r"(?:我|要|想|来)?投诉|我要告|反映.{0,8}(?:不公|乱|态度)", 5),
        (
            r"态度(?:差|恶劣|特别|很|太|不好)|推来推去|推脱|推诿|踢皮球|不作为|不管|没人管|管不管|没人理|不理|不给(?:退|票|批|钱|保修|我?办|上|报)|不退|不让(?:走|进)|不认|不赔|不合理|不公平|欺负|骗人|坑人|宰客|讹|太不像话|凭(?:啥|什么)|骂人|拒载|不打表|乱收费|多收|扣(?:我|了我)|收了我",
            2,
        ),
        (r"吵|噪音|扰民|睡不着|臭(?:死|得|气)|油烟|占道|乱停|熏|呛|噪|轰隆", 1.6),
        (
            r"欠.{0,8}工资|拖欠|不发工资|工资.{0,10}(?:没给|没发)|过期|馊|变质|头发|质量问题|开胶|假货|跑了|跑路|联系不上|缺斤|少了四两|少了两斤|涨(?:房租|价)|乱涨|延期|没交房|还没交|没下来|不签合同|不给我?报工伤|丢了.{0,4}不赔|弄丢|宰|打学生|关小黑屋|体罚|不热.{0,20}(?:退|推)|没有?效果",
            2,
        ),
        (
            r"打了?[三好几]次?电话|反映.{0,4}[好几三两]次|跑了[三好几两]趟|到现在(?:也|都|还)?(?:没|不)|一直(?:没|不)|电话没人接|没通知|没得动静",
            1.2,
        ),
        (r"要(?:求)?(?:赔|道歉|处理|处罚)|讨个说法", 1.5),
    ),
    "求助": (
        (
            r"求助|帮(?:忙|帮我|我|我们|一下|个忙)|救命|求求|快(?:点)?(?:来|派|叫|喊|联系)|赶紧(?:的|来)|赶快|快来人|怎么办|咋个办|救",
            2.2,
        ),
        (
            r"停水|没水|没得水|停电|断电|断水|漏水|爆了|爆管|堵了|捡了|冒(?:粪|污)水|路灯|不亮|全是瞎|井盖|(?<!压)坏了|倒了|塌|垮|着火|起火|烧起来|煤气味|被困|困|走丢|走失|丢了|受伤|被偷|被骗|诈骗|不想活|跳(?:河|楼|下去)|一个人在(?:家|马路)|打架|捅|同归于尽|炸楼|放火|发大水|灌|淹|裂缝|电线|渗水|喝醉|冒烟|地陷|塌方",
            1.7,
        ),
        (
            r"能不能(?:帮|修|派|上门|喊人|赔|来|给修)|修一下|弄一下|通一下|想申请|上门|来看一下|催一下|没人来|老(?:的|人).{0,10}(?:小的|怎么)|想找",
            1.6,
        ),
    ),
}
CUES = {
    kind: tuple((re.compile(pattern), weight) for pattern, weight in cues) for kind, cues in _CUES.items()
}
_NOT = re.compile(r"不是(?:要)?(?:投诉|举报|来投诉|咨询)|(?:先不|不想)(?:投诉|举报)")
_CONFIRMED = re.compile(r"您?(?:是|要|想)(?:要|想)?(?P<kind>咨询|求助|投诉|举报|建议)")
_DANGER = {
    "gas": 5.0,
    "fire": 5.0,
    "suicide": 5.0,
    "threat": 4.0,
    "trapped": 5.0,
    "collapse": 4.0,
    "minor": 2.0,
    "unconscious": 4.0,
    "crash": 1.0,
    "drowning": 5.0,
    "lost": 4.0,
}
SUBJECT = 1.2
"""What the subject alone says: 路灯 asks for help, 物业服务 complains, 渔政 reports."""


KEY = 2.0
"""What the key pressed in a menu says: more than the subject, less than 我要投诉."""
KEY_ALONE = 0.4
"""How sure a kind is for which nothing but the key speaks."""


def kind_of(talk: Talk, flags: tuple[str, ...], subject: str | None, key_kind: str = "") -> Field:
    """One of the five kinds. Danger to life is a call for help, whatever else is said.

    ``key_kind``: the kind of the key that was chosen in a menu, empty without one.
    """
    points = dict.fromkeys(KINDS, 0.0)
    sources: dict[str, list[Source]] = {kind: [] for kind in KINDS}
    for turn in talk.turns:
        text = _NOT.sub("", turn.text)
        if turn.agent:
            found = _CONFIRMED.search(text)
            answer = talk.turns[turn.index + 1].text if turn.index + 1 < len(talk.turns) else ""
            if found and re.match(r"对|是|嗯|没错", answer):
                points[found["kind"]] += 5
            continue
        for kind, cues in CUES.items():
            for pattern, weight in cues:
                matches = {m[0]: m for m in pattern.finditer(text)}
                for count, match in enumerate(matches.values()):
                    points[kind] += weight * (1.0 if count == 0 else 0.3)
                    if text == turn.text:
                        sources[kind].append(talk.source(turn.index, *match.span()))
    points["求助"] += max((_DANGER.get(flag, 0.0) for flag in flags), default=0.0)
    if subject:
        points["求助" if subject in HELP else "举报" if subject in REPORT else "投诉"] += SUBJECT
    elif flags:
        points["求助"] += SUBJECT
    said = sum(points.values()) > 0
    if key_kind:
        points[key_kind] += KEY
    ranked = sorted(KINDS, key=lambda kind: -points[kind])
    first = ranked[0]
    total = sum(points.values())
    if not said:
        return Field(first, KEY_ALONE) if key_kind else Field(None)
    options = tuple(Option(k, round(points[k] / total, 3)) for k in ranked[1:3] if points[k] > 0)
    return Field(first, round(min(0.95, points[first] / total), 3), tuple(sources[first][:4]), options)
