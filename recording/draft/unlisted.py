"""Streets and places that no plan lists, by the form of their names: 明珠路, 翡翠佳苑, 石佛村, 凤凰城门口.

A recogniser writes no commas, so what stands before a name is known by words that end before one (在, 就是,
那个, 昨天). A name that still holds a verb or a pronoun is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from recording.draft.numerals import NUMERAL

_H = r"[\u4e00-\u9fff]"
_STREET = re.compile(
    r"(?:大道|大街|胡同|路|街|巷)(?!灯|费|由|人|径|政|程|况|障|公交|线|子|坊|舞|拍|边摊|道|牌|基|桥|权|虎|霸|怒|演|货|过|小学|中学|幼儿|街道|社区|医院|市场)"
)
_PLACE = re.compile(
    r"(?:小区|花园|家园|公寓|社区|新村|[雅佳嘉名华景锦御翠丽]苑|苑|[华学王官公]府|公馆|名邸|名都|名城|新城|锦城|丽都|华城|雅居|半岛"
    r"|山庄|庄园|[豪华]庭|国际|城市广场|广场|公园|市场(?!价|部|监管|上|管理(?!处)|局)|人家|汽车站|火车站|高铁站|客运[东西南北]?站|景区|古镇"
    r"|工业园|产业园|开发区|大厦|商城|(?:人民|中)?医院|卫生院|实验小学|中学|小学|幼儿园|[一二三四五六七八九十]中(?!学|心|间|午|旬|央)|村)"
)
_AT_A_DOOR = re.compile(
    rf"(?=[，、]?{NUMERAL}(?:号楼|栋|幢|单元))|(?=(?:正|南|北|东|西|大)门(?!路|街|外))|(?=门口|楼下|旁边|对面)"
)
"""Behind what needs no such word: 凤凰城门口, 东都雅苑八栋."""
_STATION = re.compile(r"汽车站|火车站|高铁站|客运[东西南北]?站|体育馆|政务中心|政务大厅")
_BEFORE = re.compile(
    r"在|到|回|条|公交车?|住|从|沿着?|往|我们?|你们?|您|他们?|她们?|俺们?|咱们?|这个?|那个?|这边|那边|这里|那里|就是?|不是|还是|但是|是|叫做?|名叫|说"
    r"|反映一?下?|举报一?下?|投诉|咨询一?下?|建议|请问|问一?下|想问|位于|地址|靠近|快到|经过|路过|走到?|去|来到?|旁边|对面|附近|后面|前面|隔壁"
    r"|以及|还有|或者|和(?!平|谐|顺|美|悦|睦|兴|盛|润|信)|跟|与|不对|错了|你好|您好|喂|嗯|啊|呃|哦|噢|呢|吧|吗|嘛|哈|把|被|给|让|每天|天天|晚上|早上|早晨"
    r"|上午|下午|中午|半夜|凌晨|昨天|今天|前天|昨晚|今早|刚才|刚刚|现在|目前|最近|去年|今年|了|着|的|门口|楼下|楼上|我家|你家|他家|城里|家住|有|没|很"
    r"|大概|应该|好像|可能|具体|关于|因为|所以|希望|麻烦|发现|看见|看到|靠|离|听|买|开车|骑车|坐|修|堵|挖|查|出|交叉口?|路口|拐角|中间|之间|号(?!楼|院)"
)
"""Words that end where a name begins; few names hold one."""
_ADMINISTRATION = re.compile(r"(?<=.)(?:省|市(?!场)|县|区|镇|乡|街道|村)(?=..)")
_NO_STREET = re.compile(
    r".*(?:短|线|电|思|套|断|铁|马|水泥|管|跑)路$|^(?:铁|公|水泥|马|柏油|柏油马|大马|十字|丁字|交叉|三岔|岔|半|一|两|几|条|整条|小|大|主|辅|土|泥|石子|断头|盲|回家|放学|上班|下班"
    r"|高速|高速公|乡村公|村|进村|出村|小区|门前|门|思|套|网|线|电|短|管|迷|让|带|养|筑|上|下|逛|炸|扫|满|步行|商业|美食|小吃|老|新|背|后|全|各|每|公交"
    r"|人行|盲人|消防|通道|山|水|水泥马|村里|乡间|机耕|生产|断)(?:大道|大街|胡同|路|街|巷)$"
)
_NO_PLACE = re.compile(
    r"^(?:个|家|所|座|片|些|们|每|各|全|整|整个|本|别|其他|别的|附近|隔壁|邻|邻近|老|新|大|小|一|一个|两个|几|几个|某|某个|自然|行政|农|城中|住宅"
    r"|老旧|高档|封闭|回迁|安置|同|同一|外|公立|私立|民办|公办|三甲|大型|综合|专科|农贸|菜|批发|二手|露天|旅游|文化|休闲|市民|新农|美丽乡|乡|贫困|空心"
    r"|一线|人才|廉租|保障|单身|青年|职工|上|读|孩子|宝宝|好|进|出|整村|全村|建|物业|业主|老年|社)?"
    r"(?:小区|花园|家园|公寓|社区|新村|广场|公园|市场|村|开发区|工业园|产业园|大厦|商城|医院|卫生院|中学|小学|幼儿园|景区|古镇|国际|山庄|苑|新城)$"
)
_NO_DOOR = re.compile(
    r"(?:家|店|楼|路|街|巷|道|村|市|学校|小区|公司|厂|单位|饭店|超市|医院|门|院|园区|校|局|所|站|馆|场|吧|铺|口|边|院子|居委会|委会|政府|法院|银行|工地|电梯|车库|厕所|食堂)$"
)
_NOT_IN_A_NAME = re.compile(
    r"[什么哪几怎谁吗呢吧啊我你他她它们这那没不很了着过吃喝打骂吵停偷卖买找叫说看听问想要能会给让被把个些]|孩子|老人|今天|明天|晚上|个月|星期"
)
KIND = Literal["street", "place"]


@dataclass(frozen=True, slots=True)
class Form:
    """A name at ``start``..``end`` of a text; ``weight`` is less the less the form says."""

    kind: KIND
    start: int
    end: int
    weight: float


def unlisted(text: str, taken: Iterable[int]) -> list[Form]:
    """Names in a text outside the characters ``taken`` by names that are known."""
    known = set(taken)
    found: list[Form] = []
    for pattern, kind in ((_STREET, "street"), (_PLACE, "place"), (_AT_A_DOOR, "door")):
        for match in pattern.finditer(text):
            if known & set(range(*match.span())) or (kind == "door" and match.start() == 0):
                continue
            form = _named(text, match, kind, known)
            if form is not None:
                found.append(form)
                known |= set(range(form.start, form.end))
    for match in _STATION.finditer(text):
        if not known & set(range(*match.span())):
            found.append(Form("place", *match.span(), 0.9))
    return found


def _named(text: str, match: re.Match[str], kind: str, known: set[int]) -> Form | None:
    start = _begin(text, match.start(), known)
    stem, name = text[start : match.start()], text[start : match.end()]
    if not re.fullmatch(rf"{_H}+", name) or _NOT_IN_A_NAME.search(stem):
        return None
    numbered = re.match(rf"{NUMERAL}号(?!楼|线)", text[match.end() :]) is not None
    if kind == "street":
        fits = (1 if numbered else 2) <= len(stem) <= 5 and not _NO_STREET.match(name)
        return Form("street", start, match.end(), 1.2) if fits else None
    if kind == "place":
        behind = start - 1 in known
        # 川底镇来村, 县医院
        short = (match[0] == "村" and behind) or (
            match[0].endswith(("医院", "学")) and stem in ("县", "市", "区")
        )
        fits = (1 if short else 2) <= len(stem) <= 6 and not _NO_PLACE.match(name)
        if match[0] in ("人民医院", "中医院", "实验小学") and not stem:
            fits = True
        return Form("place", start, match.end(), 1.2) if fits else None
    fits = 3 <= len(name) <= 6 and not _NO_DOOR.search(name) and not re.search(NUMERAL, name)
    return Form("place", start, match.end(), 0.8) if fits else None


def _begin(text: str, end: int, known: set[int]) -> int:
    """Where the name begins that ends before ``end``.

    Behind a sign, a known name, or a word of ``_BEFORE``.
    """
    start = max(0, end - 12)
    for at in range(end - 1, start - 1, -1):
        if at in known or not re.match(_H, text[at]):
            start = at + 1
            break
    for word in _BEFORE.finditer(text, start, end):
        start = word.end()
    cuts = [cut.end() for cut in _ADMINISTRATION.finditer(text, start, end) if cut.start() > start]
    return cuts[-1] if cuts else start
