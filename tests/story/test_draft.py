"""The ticket's draft: what a careful agent would write down, from how people talk."""

from __future__ import annotations

import pytest

from recording.draft.fields import HISTORY, Option
from recording.draft.merge import merged
from tests.story.drafted import OWN, Earlier, drafted, heard, occasion, of_spans

# --- the number to call back --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("幺三九，五六四八，七七幺二", "13956487712"),
        ("一三九五六四八七七一二", "13956487712"),
        ("139 5648 7712", "13956487712"),
        ("一三九，嗯，五六四八，那个，七七一二", "13956487712"),
        ("一三九五六四八七七一三，不对，最后四位是七七一二", "13956487712"),
        ("一七七，零五六四，三三，嗯，三三八九……不对，是三三九零", "17705643390"),
        ("一三九五六四八七七一三，哎说错了，是一三九五六四八七七一二", "13956487712"),
        ("零五六四，五零三三七七一", "05645033771"),
        ("一三九五六四八七七一二，三个一二", "13956487712"),
    ],
)
def test_a_number_is_understood_however_it_is_said(said: str, number: str) -> None:
    field = drafted("a: 您的电话？", f"c: {said}。")["phone"]
    assert field.value == number
    assert field.source


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("我电话 一五零零一二三四五六七，哦不对，最后一位是八", "15001234568"),
        ("我电话 一五零 零一二三 四五六七 哦 不对 最后 一 位 是 八", "15001234568"),
        ("一五零零一二三四五六七，不对，后四位是四五七八", "15001234578"),
        ("一五零零一二三四五六七，说错了，中间四位是零一二四", "15001244567"),
        ("一五零零一二三四五六七，不对不对，前三位是一三零", "13001234567"),
        ("一五零零一二三四五六七，错了，第三位是九", "15901234567"),
        ("一五零零一二三四五六七，不对，倒数第二位是九", "15001234597"),
        ("一五零零一二三四五六七，尾号不是四五六七是四五七六", "15001234576"),
        ("一五零零一二三四五六七，后两位说错了，是八八", "15001234588"),
        ("打我座机三三三幺二三四", "3331234"),
        ("打我家里电话，三三三，幺二三四", "3331234"),
        ("座机是八八六六幺二三四", "88661234"),
        ("区号零五六四，座机三三三幺二三四", "05643331234"),
        ("零五六四三三三幺二三四", "05643331234"),
        ("座机三三三幺二三四，不对，最后一位是五", "3331235"),
    ],
)
def test_a_part_of_a_number_is_put_right_where_it_belongs_and_a_landline_is_one(
    said: str, number: str
) -> None:
    field = drafted("a: 还有什么要补充吗？", f"c: {said}。")["phone"]
    assert (field.value, field.confidence >= 0.75) == (number, True)


def test_a_number_that_was_wrong_and_not_put_right_is_unsure() -> None:
    number = "一五零零一二三四五六七"
    sure = drafted("a: 您的电话？", f"c: {number}。")["phone"]
    for lines in (
        (f"c: {number}，哦不对。",),
        (f"c: {number}，说错了，我想想。",),
        (f"c: {number}。", "a: 嗯。", "c: 哎不对，我记错了。"),
    ):
        field = drafted("a: 您的电话？", *lines)["phone"]
        assert field.value == sure.value
        assert field.confidence < 0.5 < sure.confidence
    told = drafted("a: 您的电话？", f"c: {number}。最后一个问题，三路车不停。")["phone"]
    assert told.value == sure.value
    kept = drafted("a: 您的电话？", f"c: {number}。", "a: 您反映什么？", "c: 那个收费不对。")["phone"]
    assert kept.confidence == sure.confidence


def test_the_lines_own_number_is_unsure_when_another_was_begun() -> None:
    field = drafted("a: 您的电话？", "c: 一五零零一二三四五六。")["phone"]
    assert (field.value, field.confidence < 0.5) == (OWN, True)


def test_seven_digits_that_nobody_called_a_telephone_are_none() -> None:
    assert drafted("c: 表号三三三幺二三四，水费不对。")["phone"].value == OWN
    field = drafted("c: 手机一三九五六四八七七一二，座机三三三幺二三四。")["phone"]
    assert field.value == "13956487712"
    assert "3331234" in [option.value for option in field.alternatives]


def test_house_numbers_dates_and_prices_are_no_telephone_numbers() -> None:
    field = drafted("c: 解放路二百一十号，三月十二号花了一千二百三十四块五，在六栋六零二。")["phone"]
    assert field.value == OWN


def test_this_very_number_means_the_lines_own() -> None:
    assert drafted("a: 电话就是您现在这个号码吗？", "c: 对，就这个。")["phone"].confidence > 0.9
    other = drafted("a: 就是您现在这个号码吗？", "c: 不是，打我另外一个，一三九五六四八七七一二。")["phone"]
    assert other.value == "13956487712"


def test_a_second_number_for_emergencies_is_an_alternative() -> None:
    field = drafted("a: 电话？", "c: 一五零三五六一一九九零，打不通就打我媳妇的，一五零三五六一一九九一。")[
        "phone"
    ]
    assert field.value == "15035611990"
    assert "15035611991" in [option.value for option in field.alternatives]


def test_what_the_agent_read_back_and_the_caller_confirmed_is_surest() -> None:
    told = ["a: 电话？", "c: 一三九五六四八七七一二。"]
    once = drafted(*told)["phone"]
    twice = drafted(*told, "a: 13956487712，对吧？", "c: 对。")["phone"]
    assert twice.confidence > once.confidence
    denied = drafted(*told, "a: 13956487713？", "c: 不对，七七一二。")["phone"]
    assert denied.value == "13956487712"


def test_a_grammar_of_digits_beats_free_decoding() -> None:
    from dataclasses import replace

    span = heard("我", "的", "电话", "一", "三", "就", "五", "流", "四", "吧", "七", "七", "一")
    assert of_spans([span])["phone"].value != "13956487712"
    field = of_spans([replace(span, digits="13956487712")])["phone"]
    assert (field.value, field.source[0].span) == ("13956487712", 0)


# --- the name -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("我姓陶，陶渊明的陶，叫陶国庆。", "陶国庆"),
        ("免贵姓章，立早章，章女士。", "章女士"),
        ("我叫亓官……不是，我叫亓建国。", "亓建国"),
        ("皇甫涛，复姓皇甫，波涛的涛。", "皇甫涛"),
        ("姓杜，杜鹃的杜，老杜。", "老杜"),
        ("王大勇大小的大勇敢的勇一三七零五六四二三四五", "王大勇"),
        ("我姓范范冰冰的范范志强", "范志强"),
        ("你就写左老师吧。", "左老师"),
        ("不方便说。", None),
        ("我是路过的，姓姚。", "姚"),
        ("我姓欧阳单名一个靖字。", "欧阳靖"),
        ("免贵姓陈，耳东陈，单名一个静字。", "陈静"),
        ("姓王，名字就一个超字。", "王超"),
        ("叫我小李就行。", "小李"),
        ("叫我小李", "小李"),
        ("喊我老周就行。", "老周"),
        ("我姓李，叫小李就可以。", "小李"),
        ("我是小王。", "小王"),
        ("叫我小马哥。", "小马哥"),
        ("小刘同志。", "小刘"),
        ("小张。", "小张"),
        ("我叫艾力江·买买提。", "艾力江·买买提"),
        ("艾力江买买提", "艾力江买买提"),
        ("我叫买买提江。", "买买提江"),
        ("扎西次仁。", "扎西次仁"),
        ("我叫古丽娜尔，电话一三九五六四八七七一二。", "古丽娜尔"),
        ("我姓弓长张，张伟。", "张伟"),
        ("耳东陈，陈国栋。", "陈国栋"),
        ("木子李，李伟，伟大的伟。", "李伟"),
        ("木易杨，杨柳。", "杨柳"),
        ("我姓陈，耳东陈。", "陈"),
        ("等了一个小时。", None),
    ],
)
def test_a_name_is_what_the_caller_gives(said: str, name: str | None) -> None:
    assert drafted("a: 您好。", "c: 路灯坏了。", "a: 请问您贵姓？", f"c: {said}")["name"].value == name


def test_spelling_by_parts_corrects_a_misheard_character() -> None:
    assert drafted("a: 您贵姓？", "c: 我姓张，立早章，章小燕，拂晓的晓。")["name"].value == "章晓燕"


def test_who_says_how_to_call_them_needs_no_question_and_small_words_are_nobody() -> None:
    assert drafted("c: 路灯坏了，叫我小李就行。")["name"].value == "小李"
    assert drafted("c: 我叫艾力江·买买提，路灯坏了。")["name"].value == "艾力江·买买提"
    assert drafted("c: 这个小区，小车停得满满的，我等了个把小时。")["name"].value is None
    assert drafted("c: 老板姓马，叫买买提江。")["name"].value is None


def test_a_child_or_a_shopkeeper_is_not_the_caller() -> None:
    draft = drafted(
        "c: 孩子丢了，八岁。", "a: 孩子叫什么？", "c: 大名栾浩。", "a: 您是？", "c: 我是他爸，栾文军。"
    )
    assert draft["name"].value == "栾文军"
    assert drafted("c: 老板姓刘，卖假货。")["name"].value is None


BEFORE = (
    Earlier("陶国庆", "13956487712", {"street": "文昌东街", "text": "城东区文昌东街8号"}),
    Earlier("陶国庆", OWN, {"text": "来村"}),
)


def test_an_earlier_ticket_offers_what_it_knows_only_as_alternatives_and_says_so() -> None:
    draft = drafted("c: 路灯坏了。", earlier=BEFORE)
    assert draft["name"].value is None
    assert draft["name"].alternatives == (Option("陶国庆", HISTORY, "history"),)
    assert draft["address"].value is None
    places = [(o.value["text"], o.source) for o in draft["address"].alternatives]
    assert places == [("城东区文昌东街8号", "history"), ("来村", "history")]
    assert draft["phone"].value == OWN
    assert draft["phone"].alternatives == (Option("13956487712", HISTORY, "history"),)


def test_what_is_said_goes_before_what_an_earlier_ticket_knows() -> None:
    told = ("a: 您贵姓？", "c: 我叫李小燕。", "a: 在哪里？", "c: 在解放路十八号。")
    alone, draft = drafted(*told), drafted(*told, earlier=BEFORE)
    for name in ("name", "address"):
        field = draft[name]
        assert (field.value, field.confidence) == (alone[name].value, alone[name].confidence)
        first = len(alone[name].alternatives)
        assert field.alternatives[:first] == alone[name].alternatives
        assert all(o.source == "history" for o in field.alternatives[first:])
        assert all(o.confidence < field.confidence for o in field.alternatives)
    assert [o.value for o in draft["name"].alternatives] == ["陶国庆"]


def test_who_will_not_say_their_name_is_not_named_after_an_earlier_ticket() -> None:
    field = drafted("a: 请问您贵姓？", "c: 不方便说。", earlier=BEFORE)["name"]
    assert (field.value, field.alternatives) == (None, ())


# --- the key of a menu --------------------------------------------------------------------------


def test_a_key_pressed_for_a_unit_decides_where_words_do_not() -> None:
    told = ("c: 你好，我想反映一个问题。",)
    assert drafted(*told)["unit"].value is None
    assert drafted(*told, key_unit="market")["unit"].value == "market"


def test_what_is_said_outweighs_the_key_of_a_unit_and_of_a_kind() -> None:
    draft = drafted("c: 我家闻到煤气味，燃气泄漏了。", key_unit="market", key_kind="咨询")
    assert (draft["unit"].value, draft["kind"].value) == ("gas", "求助")
    assert drafted("c: 我要投诉，路灯不亮。", key_kind="咨询")["kind"].value == "投诉"


def test_a_key_pressed_for_a_kind_is_a_hint_that_is_not_sure_alone() -> None:
    told = ("c: 你好，十一点那个。",)
    assert drafted(*told)["kind"].value is None
    field = drafted(*told, key_kind="建议")["kind"]
    assert field.value == "建议"
    assert field.confidence < 0.5
    subject_only = "c: 物业。"
    assert drafted(subject_only)["kind"].value == "投诉"
    assert drafted(subject_only, key_kind="咨询")["kind"].value == "咨询"


# --- where --------------------------------------------------------------------------------------


def test_street_number_and_compound_come_together() -> None:
    value = drafted("c: 我住恒信花园。", "a: 在哪条路上？", "c: 长安北路二百一十号。")["address"].value
    assert (value["street"], value["number"], value["place"]) == ("长安北路", "210", "恒信花园")
    assert value["district"] == "城东区"


def test_what_is_taken_back_is_not_the_address() -> None:
    value = drafted("c: 地在渠头村，不对不对，渠头村是那谁家的，我家是来村。")["address"].value
    assert value["place"] == "来村"


def test_a_street_the_plan_does_not_know_is_still_a_street() -> None:
    value = drafted("a: 在哪里？", "c: 在东环路，八十八号。")["address"].value
    assert (value["street"], value["number"]) == ("东环路", "88")


def test_recognised_text_is_matched_by_its_sound() -> None:
    value = of_spans([heard("我", "住", "在", "长安", "被", "路", "横", "信", "花园")])["address"].value
    assert (value["street"], value["place"]) == ("长安北路", "恒信花园")
    typed = drafted("c: 我住长安被路。")["address"].value
    assert typed is None or typed["street"] != "长安北路"


def test_a_town_in_two_counties_names_no_district() -> None:
    assert drafted("c: 我是城关镇的。")["address"].value["district"] == ""


# --- when ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("昨天晚上十点多还在喊", "2026-03-11T22:00", "2026-03-11T23:00"),
        ("前天下午漏的", "2026-03-10T13:00", "2026-03-10T18:00"),
        ("今天凌晨两点半倒的", "2026-03-12T02:15", "2026-03-12T02:45"),
        ("昨天半夜一点多塌的", "2026-03-12T01:00", "2026-03-12T02:00"),
        ("上周三买的", "2026-03-04T00:00", "2026-03-05T00:00"),
        ("三月二号买的", "2026-03-02T00:00", "2026-03-03T00:00"),
        ("上个月十五号摔的", "2026-02-15T00:00", "2026-02-16T00:00"),
        ("去年十一月到现在没给钱", "2025-11-01T00:00", "2026-03-12T09:40"),
        ("停水停了三天了", "2026-03-09T00:00", "2026-03-12T09:40"),
        ("今天早上八点到九点堵得厉害", "2026-03-12T08:00", "2026-03-12T09:00"),
        ("大年初三晚上八点左右放炮", "2026-02-19T19:30", "2026-02-19T20:30"),
        ("礼拜二早上就没水了，到现在", "2026-03-10T05:00", "2026-03-12T09:40"),
    ],
)
def test_spoken_time_becomes_an_interval_before_the_call(said: str, start: str, end: str) -> None:
    value = drafted(f"c: 解放路路灯{said}。")["time"].value
    assert (value["start"][:16], value["end"][:16]) == (start, end)
    assert value["start"].endswith("+08:00")


@pytest.mark.parametrize("said", ["我住二十六号院", "一直没人管", "我叫赵国庆", "每天早上六点就吵"])
def test_what_only_looks_like_a_time_is_none(said: str) -> None:
    assert drafted(f"c: {said}，路灯坏了。")["time"].value is None


def test_the_answer_to_the_agents_question_wins() -> None:
    draft = drafted("c: 昨天我又去看了，路灯没亮。", "a: 从哪天开始不亮的？", "c: 三月一号。")
    assert draft["time"].value["start"].startswith("2026-03-01")
    assert draft["time"].value["end"].startswith("2026-03-12T09:40")


def test_a_question_about_a_rule_has_no_time() -> None:
    assert drafted("c: 请问今年九月份上小学怎么报名？")["time"].value is None


# --- what, whose, how urgent ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("请问公租房怎么申请，需要什么材料？", "咨询"),
        ("路灯坏了好几天，能不能派人修一下", "求助"),
        ("物业收了钱不管事，态度还差，我要投诉", "投诉"),
        ("有人在河里电鱼，我要举报，不要说是我说的", "举报"),
        ("建议在路口装个红绿灯", "建议"),
        ("我不是投诉，我就是建议，多放几个垃圾桶", "建议"),
    ],
)
def test_the_kind_is_what_the_caller_wants(said: str, kind: str) -> None:
    assert drafted(f"c: {said}。")["kind"].value == kind


def test_the_unit_is_the_plans_and_the_number_that_was_dialled_counts() -> None:
    assert drafted("c: 解放路有人占道摆摊。")["unit"].value == "urban"
    assert drafted("c: 有个事情要说。", line="12315")["unit"].value == "market"
    assert drafted("c: 平安一号的事。")["unit"].value == "police"
    assert drafted("c: 解放路有人占道摆摊。", units={})["unit"].value is None


@pytest.mark.parametrize(
    ("said", "flags"),
    [
        ("我闻到煤气味了", ["gas"]),
        ("仓库着火了", ["fire"]),
        ("有个人要跳河", ["suicide"]),
        ("他扬言要捅死我", ["threat"]),
        ("小孩六七岁，一个人在家哭", ["minor"]),
        ("电梯里困住了两个人", ["trapped"]),
        ("电线杆子倒了，电线拖在地上", ["collapse"]),
        ("没有人受伤", []),
        ("烟囱天天冒烟囱灰，孩子上学", []),
    ],
)
def test_danger_to_life_raises_its_flag(said: str, flags: list[str]) -> None:
    assert drafted(f"c: {said}。")["flags"].value == flags


def test_the_agents_question_raises_no_flag_but_a_yes_to_it_does() -> None:
    assert drafted("c: 打架了。", "a: 有人受伤吗？", "c: 没有。")["flags"].value == []
    assert drafted("c: 打架了。", "a: 有人受伤吗？", "c: 有，一个。")["flags"].value == ["injured"]


# --- title, story, live, and what an agent typed ------------------------------------------------


def test_the_title_says_where_what_and_what_for_and_danger_first() -> None:
    draft = drafted("c: 解放路五号闻到煤气味，快来人。")
    assert draft["title"].value == "【燃气泄漏】解放路5号：燃气泄漏（求助）"


def test_the_story_reads_as_sentences_without_name_and_number() -> None:
    draft = drafted(
        "c: 喂，那个，解放路的路灯坏了，坏了，四五天了。", "a: 您贵姓？", "c: 姓尹，尹红。",
        "a: 电话？", "c: 一八零零五六四二二一八。",
    )  # fmt: skip
    assert draft["story"].value == "来电人（尹红）求助：解放路的路灯坏了，四五天了。"


def test_pauses_become_punctuation() -> None:
    span = heard("解放路", "路灯", "坏", "了", "老", "人", "摔", "了", pauses={4: 1.2, 6: 0.1})
    assert of_spans([span])["story"].value == "来电人求助：解放路路灯坏了。老人摔了。"


def test_a_source_leads_back_to_words_and_seconds() -> None:
    span = heard("你好", "解放路", "路灯", "坏", "了")
    source = of_spans([span])["address"].source[0]
    assert span.text[source.start : source.end] == source.text == "解放路"
    assert source.seconds == (span.words[1].start, span.words[1].end)


def test_the_draft_grows_while_they_talk() -> None:
    lines = [
        "c: 解放路路灯坏了。",
        "a: 您贵姓？",
        "c: 姓尹，尹红。",
        "a: 电话？",
        "c: 一八零零五六四二二一八。",
    ]
    known = [
        [name for name in ("address", "name") if drafted(*lines[:count])[name].value] for count in range(1, 6)
    ]
    assert known == [["address"], ["address"], ["address", "name"], ["address", "name"], ["address", "name"]]
    assert drafted(*lines)["phone"].value == "18005642218"


def test_half_a_word_and_nothing_at_all_make_a_draft_too() -> None:
    for lines in ([], ["c: "], ["c: 。"], ["c: 我"], ["a: 您好"]):
        draft = drafted(*lines)
        assert draft["phone"].value == OWN
        assert draft["name"].value is None


def test_what_an_agent_typed_is_never_overwritten() -> None:
    draft = drafted("a: 您贵姓？", "c: 姓尹，尹红。", typed_in={"name": "尹宏", "address": None})
    assert (draft["name"].value, draft["name"].typed) == ("尹宏", True)
    assert [option.value for option in draft["name"].alternatives] == ["尹红"]
    assert draft["address"].value is None
    assert draft["address"].typed


def test_typing_what_was_drafted_leaves_no_alternative_to_itself() -> None:
    draft = merged(drafted("a: 您贵姓？", "c: 姓尹，尹红。"), {"name": "尹红"})
    assert draft["name"].alternatives == ()


def test_the_same_words_make_the_same_draft() -> None:
    lines = ["c: 解放路路灯昨天坏了，我姓尹。"]
    assert drafted(*lines) == drafted(*lines)
    assert occasion() == occasion()
