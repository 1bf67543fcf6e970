"""A menu in words: what was said becomes one of its keys, or is not understood; a plan says which words."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from calls.facts import CallId, Fact, MenuChosen, MenuListened
from calls.story import tell
from cti import plan_folder
from cti.asterisk.ear import Ear
from cti.asterisk.hear import hear
from cti.speech.pinyin import sounds
from ivr.spoken import Words
from plan.model import Menu, Spoken
from tests.story.plan_files import DEMO, checked, demo, demo_files

WORDS = Words(demo().menus["say"].words, sounds)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("医保", "3"),
        ("我想咨询一下退休以后医保怎么办理", "3"),
        ("请问公积金提取多长时间能到账", "2"),
        ("我在超市买到了过期的食品商家不肯退钱", "1"),
        ("帮我转人工", "0"),
        ("我要留言", "9"),
        ("医 保 怎么 报销", "3"),
    ],
)
def test_a_word_of_the_plan_is_its_key(said: str, key: str) -> None:
    assert WORDS.understood(said).key == key


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("一宝", "3"),
        ("衣保怎么办", "3"),
        ("公鸡金", "2"),
        ("市场减管", "1"),
        ("四场监管", "1"),  # si for shi
        ("营业执找", "1"),
    ],
)
def test_a_homophone_or_a_southern_sound_is_understood_and_less_sure(said: str, key: str) -> None:
    found = WORDS.understood(said)
    assert found.key == key
    assert found.sure < 1


@pytest.mark.parametrize("said", ["", "三路公交车改线以后没有站了", "嗯那个", "你好", "谢谢你们"])
def test_what_the_plan_does_not_know_is_not_understood(said: str) -> None:
    assert WORDS.understood(said).key == ""


@pytest.mark.parametrize("said", ["医保和公积金", "工资还是退款"])
def test_two_subjects_are_not_understood(said: str) -> None:
    assert WORDS.understood(said).key == ""


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("不是医保是公积金", "2"),
        ("医保啊不对公积金", "2"),
        ("公积金不是我是说社保", "3"),
        ("老板没有发工资", "3"),
    ],
)
def test_what_is_denied_or_taken_back_does_not_count(said: str, key: str) -> None:
    assert WORDS.understood(said).key == key


def test_a_likeness_does_not_spoil_what_was_clearly_said() -> None:
    words = Words({"1": ("食品",), "2": ("十片药",)}, sounds)
    assert words.understood("食品安全").key == "1"


def test_a_recogniser_that_is_unsure_is_not_believed() -> None:
    assert WORDS.understood("一宝", 0.9).key == "3"
    assert WORDS.understood("一宝", 0.3).key == ""


def test_words_of_two_keys_that_sound_the_same_are_found() -> None:
    same = Words({"1": ("医保", "公交"), "2": ("一保",)}, sounds)
    assert list(same.alike()) == [("1", "医保", "2", "一保")]
    assert list(WORDS.alike()) == []
    assert same.understood("医保").key == "1"
    assert same.understood("一宝").key == "", "neither is guessed"


def test_words_that_sound_the_same_are_told_before_anybody_calls(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    menus = folder / "menus.toml"
    menus.write_text(menus.read_text("utf-8").replace('9 = ["留言"]', '9 = ["留言", "一保"]'), "utf-8")
    checked = plan_folder.read(folder)
    assert checked.plan is not None
    assert [str(fault) for fault in checked.faults] == [
        "menus.toml: say.words.9: '一保' sounds like '医保' of key 3 [warning] "
        "(choose another word: such a caller is asked again)"
    ]


# --- the plan -------------------------------------------------------------------------------------------

MENU = """[say]
title = "说"
prompt = "menu-agent"
otherwise = "queue:general"
keys = { 1 = "queue:market", 2 = "queue:fund" }
"""


def faults(menu: str) -> list[str]:
    files = demo_files() | {
        "menus.toml": (demo_files()["menus.toml"].decode().split("[say]")[0] + menu).encode()
    }
    return [str(fault) for fault in checked(files).faults]


@pytest.mark.parametrize(
    ("menu", "fault"),
    [
        (
            MENU + "spoken = true\n",
            "menus.toml: say.words: is missing, but the menu is spoken "
            '([say.words] and for each key: 1 = ["医保", "社保"])',
        ),
        (
            MENU + 'words = { 1 = ["医保"] }\n',
            "menus.toml: say.words: nobody listens for them [warning] (add spoken = true)",
        ),
        (
            MENU + 'spoken = true\nwords = { 7 = ["医保"] }\n',
            "menus.toml: say.words.7: the menu has no key '7' (there are: 1, 2)",
        ),
        (
            MENU + 'spoken = true\nwords = { 1 = ["医保"], 2 = ["医保"] }\n',
            "menus.toml: say.words.2: '医保' is a word of key 1 too (a word has one key)",
        ),
        (
            MENU + 'spoken = true\nwords = { 1 = ["医保", "医保"] }\n',
            "menus.toml: say.words.1: '医保' stands there twice (keep one)",
        ),
        (
            MENU + 'spoken = true\nwords = { 1 = ["医保"], 2 = ["医保卡"] }\n',
            "menus.toml: say.words.1: '医保' stands inside '医保卡' of key 2 "
            "(who says the longer one says both: choose other words)",
        ),
        (
            MENU + 'spoken = { prompt = "menu-sai" }\nwords = { 1 = ["医保"] }\n',
            "menus.toml: say.spoken.prompt: no such prompt 'menu-sai' (did you mean 'menu-say'?)",
        ),
        (
            MENU + 'spoken = { secnds = 3 }\nwords = { 1 = ["医保"] }\n',
            "menus.toml: say.spoken.secnds: unknown key 'secnds' (did you mean 'seconds'?)",
        ),
        (
            MENU + 'spoken = { seconds = 60 }\nwords = { 1 = ["医保"] }\n',
            "menus.toml: say.spoken.seconds: 60 is too large (at most 15)",
        ),
        (
            MENU + 'spoken = "yes"\nwords = { 1 = ["医保"] }\n',
            "menus.toml: say.spoken: 'yes' is not true, false or a table (write spoken = true)",
        ),
        (
            MENU + 'spoken = true\nwords = { 1 = ["保"] }\n',
            "menus.toml: say.words.1.0: '保' is not a word to listen for (2 to 12 Chinese characters as they "
            "are spoken: a single syllable is heard everywhere, 12315 is spoken 一二三一五)",
        ),
        (
            MENU + "spoken = true\nwords = { 1 = [] }\n",
            "menus.toml: say.words.1: is empty (at least 1)",
        ),
    ],
)
def test_a_mistake_in_a_spoken_menu_is_told_in_one_clear_line(menu: str, fault: str) -> None:
    found = [line for line in faults(menu) if "say" in line.split(":")[1]]
    assert fault in found


def test_spoken_true_means_the_standard_question() -> None:
    menu = demo().menus["say"]
    assert menu.spoken == Spoken(prompt="menu-say", again="menu-say-again", seconds=6, tries=2)
    assert demo().menus["service"].spoken is None
    told = {"title": "x", "prompt": "menu-say", "keys": {"1": "queue:x"}, "otherwise": "queue:x"}
    assert Menu.model_validate({**told, "spoken": False}).spoken is None


# --- what is told ---------------------------------------------------------------------------------------

YIBAO = "%E5%8C%BB%E4%BF%9D"


def heard(*headers: str) -> list[Fact]:
    facts: list[Fact] = []
    ear = Ear("n1", facts.append, lambda: 0.0)
    call = "demo-n1-100.1"
    text = "\r\n".join(
        (
            "Event: UserEvent",
            "Channel: PJSIP/demo-carrier-1",
            "Uniqueid: n1-100.1",
            "UserEvent: Hotline",
            *headers,
        )
    )
    hear(ear, b"UserEvent", text.replace("CALL", call))
    return facts


def test_a_choice_by_voice_tells_the_words() -> None:
    [fact] = heard(
        "What: chose",
        "Call: CALL",
        "Menu: say",
        "Key: 3",
        "Next: queue:expert",
        "By: voice",
        f"Said: {YIBAO}",
    )
    assert isinstance(fact, MenuChosen)
    assert (fact.key, fact.by, fact.said) == ("3", "voice", "医保")


def test_a_choice_by_key_tells_no_words() -> None:
    [fact] = heard(
        "What: chose", "Call: CALL", "Menu: say", "Key: 3", "Next: queue:expert", "By: key", f"Said: {YIBAO}"
    )
    assert isinstance(fact, MenuChosen)
    assert (fact.by, fact.said) == ("key", "")


def test_a_question_that_was_not_understood_tells_what_was_heard() -> None:
    [fact] = heard(
        "What: listened",
        "Call: CALL",
        "Menu: say",
        "Status: UNCLEAR",
        "Round: 2",
        "Sure: 41",
        f"Said: {YIBAO}%E5%8C",
    )
    assert fact == MenuListened(
        at=0.0,
        node="n1",
        call=CallId("demo-n1-100.1"),
        menu="say",
        status="UNCLEAR",
        round=2,
        said="医保",
        sure=41,
    )


def test_the_story_tells_what_a_caller_said() -> None:
    call = CallId("demo-n1-100.1")
    told: dict[str, Any] = {"at": 1.0, "node": "n1", "call": call, "menu": "say"}
    lines = tell(
        [
            MenuListened(**told, status="UNCLEAR", round=1, said="你好", sure=90),
            MenuListened(**told, status="HEARD", round=2, said="医保", sure=80),
            MenuChosen(**told, key="3", next="queue:expert", by="voice", said="医保"),
        ],
        call,
    )
    assert [line.zh for line in lines] == [
        "菜单 say 第 1 次问：没有听懂，听到“你好”（90%）",
        "菜单 say 第 2 次问：听懂了，听到“医保”（80%）",
        "菜单 say 说“医保”，即 3，转 queue:expert",
    ]
    assert lines[2].en == "menu say: said '医保', that is 3, on to queue:expert"
