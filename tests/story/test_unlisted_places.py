"""Streets and places that no plan lists: found by their form, without the words around them, less surely."""

from __future__ import annotations

import pytest

from bench import fields
from tests.story.drafted import drafted, heard, of_spans


def _address(text: str) -> dict[str, str]:
    found: dict[str, str] = drafted(f"c: {text}")["address"].value or {}
    return found


@pytest.mark.parametrize(
    ("said", "street", "number"),
    [
        ("在六安市明珠路二十号", "明珠路", "20"),
        ("我住在明珠路二十号", "明珠路", "20"),
        ("就是那个梅山南路上", "梅山南路", ""),
        ("我家住佛子岭东路一百零八号", "佛子岭东路", "108"),
        ("昨天晚上在长淮街有人打架", "长淮街", ""),
        ("反映一下云露桥大街路灯坏了", "云露桥大街", ""),
        ("建议把天河大道的公交站挪一下", "天河大道", ""),
        ("枣林巷五号", "枣林巷", "5"),
        ("柏树胡同那边", "柏树胡同", ""),
        ("明珠路口的红绿灯", "明珠路", ""),
        ("我从学校走到明珠路那儿", "明珠路", ""),
        ("位于石桥镇明珠路十号", "明珠路", "10"),
        ("请问明珠路什么时候修好", "明珠路", ""),
        ("和平路堵车了", "和平路", ""),
    ],
)
def test_a_street_is_known_by_its_form_and_swallows_no_word_before_it(
    said: str, street: str, number: str
) -> None:
    found = _address(said)
    assert (found["street"], found["number"]) == (street, number)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("我住翡翠湾小区", "翡翠湾小区"),
        ("就在那个阳光水岸花园", "阳光水岸花园"),
        ("石桥镇柳塘村的", "柳塘村"),
        ("石桥镇柳村的", "柳村"),
        ("我们小区叫金桂华府", "金桂华府"),
        ("明珠路滨江嘉苑三栋", "滨江嘉苑"),
        ("就在御龙湾门口", "御龙湾"),
        ("东港雅筑，八栋十一楼", "东港雅筑"),
        ("在县医院做手术", "县医院"),
        ("孩子在实验小学上学", "实验小学"),
        ("东门菜市场缺斤少两", "东门菜市场"),
        ("我在市第一中学门口", "市第一中学"),
        ("客运西站那个饭馆", "客运西站"),
    ],
)
def test_a_compound_village_or_house_is_known_by_its_form(said: str, place: str) -> None:
    assert _address(said)["place"] == place


@pytest.mark.parametrize(
    "said",
    [
        "小区门口的路坏了", "我们小区没有电梯", "那条水泥路坑坑洼洼", "修路修了半年", "公交车二路不停",
        "马路上都是垃圾", "走在路上摔了一跤", "家门口堵了", "我们村没有自来水", "农村低保怎么办",
        "社区不管", "去医院看病", "孩子上小学", "学校门口堵车", "菜市场太脏", "高速公路收费", "线路老化",
        "网络短路", "逛街买衣服", "晚上炸街吵人", "这个公园没有灯", "整个小区停水", "老旧小区改造",
        "十字路口红绿灯坏了", "国际新闻", "铁路噪音", "一中午没人接", "业主群里说", "物业门口贴了通知",
    ],
)  # fmt: skip
def test_general_words_are_no_place(said: str) -> None:
    found = _address(said)
    assert (found.get("street", ""), found.get("place", "")) == ("", "")


def test_words_without_commas_as_a_recogniser_writes_them() -> None:
    span = heard("我", "要", "反映", "一下", "明珠", "路", "二", "十", "号", "有人", "占道")
    found = of_spans([span])["address"].value
    assert (found["street"], found["number"]) == ("明珠路", "20")


def test_what_the_plan_lists_is_surer_and_goes_first() -> None:
    listed, unlisted = (
        drafted("c: 我住解放路十八号。")["address"],
        drafted("c: 我住明珠路十八号。")["address"],
    )
    assert listed.confidence > 0.75
    assert unlisted.confidence <= 0.6
    both = drafted("c: 我从明珠路走到解放路。")["address"]
    assert both.value["street"] == "解放路"
    assert {"street": "明珠路"} in [o.value for o in both.alternatives]


def test_the_corpus_is_read_without_a_third_of_the_places_and_without_any() -> None:
    """The gazetteer of the corpus has all its streets, one of a real city has not."""
    held = fields.calls("heldout")
    without = {
        removed: fields.figures(fields.drafts(held, fields.said, removed))["street level"]
        for removed in (0.3, 1.0)
    }
    assert without[0.3] >= 0.85
    assert without[1.0] >= 0.8
