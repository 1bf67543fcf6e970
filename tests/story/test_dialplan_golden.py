"""The demo plan's configuration, word by word: golden files are read before they are renewed (`--update`)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_conf.render import plan_hash, render
from tests.story.plan_files import demo, site

GOLDEN = Path(__file__).parent / "golden" / "demo"


@pytest.mark.parametrize("name", sorted(render([demo()], site())))
def test_the_demo_plan_renders_as_reviewed(name: str, update_golden: bool) -> None:
    text = render([demo()], site())[name]
    if update_golden:
        GOLDEN.mkdir(parents=True, exist_ok=True)
        (GOLDEN / name).write_text(text, "utf-8")
    assert text == (GOLDEN / name).read_text("utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(render([demo()], site()))


def test_the_same_plan_and_machine_give_the_same_bytes() -> None:
    assert render([demo()], site()) == render([demo()], site())


def test_plan_hash_is_over_everything_but_itself() -> None:
    files = render([demo()], site())
    line = next(line for line in files["extensions.conf"].splitlines() if line.startswith("PLAN_HASH"))
    told = line.split(" = ")[1]
    files["extensions.conf"] = files["extensions.conf"].replace(told, "")
    assert plan_hash(files) == told


def test_any_change_changes_the_plan_hash() -> None:
    now = render([demo()], site())["extensions.conf"]
    queue = demo().queues["general"].model_copy(update={"wait_seconds": 91})
    plan = demo().model_copy(update={"queues": {**demo().queues, "general": queue}})
    assert render([plan], site())["extensions.conf"].splitlines()[:10] != now.splitlines()[:10]
    other_port = replace(site(), ami_port=1)
    assert render([demo()], other_port)["extensions.conf"] != now


def test_every_queue_is_rendered_with_autofill() -> None:
    text = render([demo()], site())["queues.conf"]
    assert text.count("autofill = yes") == 1 + len(demo().queues)


def test_an_older_asterisk_gets_event_filters_it_understands() -> None:
    new = render([demo()], site())["manager.conf"]
    old = render([demo()], site(version=(20, 6, 0)))["manager.conf"]
    assert "eventfilter(action(exclude),name(VarSet))" in new
    assert "eventfilter(" not in old
    assert "eventfilter = !Event: VarSet$" in old


def test_modules_that_are_not_installed_are_not_loaded() -> None:
    text = render([demo()], site(modules=frozenset({"app_queue", "chan_pjsip"})))["modules.conf"]
    assert [line for line in text.splitlines() if line.startswith(("load", "preload"))] == [
        "preload = chan_pjsip.so",
        "load = app_queue.so",
    ]


def test_what_one_question_learned_of_silent_addresses_no_other_undoes() -> None:
    one = site().audio[:1]
    told = render([demo()], site(audio=one))["extensions.conf"]
    # counted among all addresses, also by those who can ask the first ones only
    assert re.findall(r"Set\(GLOBAL\(ASK_FIRST\)=\$\[\(.* \+ 1\) % (\d+)\]\)", told) == ["2"] * 4


def test_the_lab_stands_in_only_for_trunks_that_allow_it() -> None:
    trunk = demo().trunks["carrier"].model_copy(update={"lab": False})
    plan = demo().model_copy(update={"trunks": {**demo().trunks, "carrier": trunk}})
    assert "127.0.0.2" in render([demo()], site())["pjsip.conf"]
    assert "127.0.0.2" not in render([plan], site())["pjsip.conf"]


def test_two_cities_share_no_context_queue_or_endpoint() -> None:
    first = demo()
    second = first.model_copy(
        update={
            "city": first.city.model_copy(update={"id": "other"}),
            "trunks": {
                name: trunk.model_copy(update={"hosts": (f"192.0.2.{30 + i}",)})
                for i, (name, trunk) in enumerate(first.trunks.items())
            },
        }
    )
    passwords = {f"{c}-{s}": "x" for c in ("demo", "other") for s in first.seats}
    files = render([second, first], site(seat_passwords=passwords))
    own = [part for part in files["extensions.conf"].split("\n[") if part.startswith("demo-")]
    assert own
    assert all("other-" not in part for part in own)
    assert files == render([first, second], site(seat_passwords=passwords))


def test_every_jump_within_an_extension_has_its_label() -> None:
    lost = []
    for exten in re.split(r"(?m)^(?=exten => [^,]*,1)", render([demo()], site())["extensions.conf"]):
        labels = set(re.findall(r"(?m)^(?:exten => [^,]*,1| same => n)\(([a-z0-9]+)\)", exten))
        for targets in re.findall(r"(?m),GotoIf\(.*\?([a-z0-9]*(?::[a-z0-9]*)?)\)$", exten):
            lost += [(exten[:40], to) for to in targets.split(":") if to and to not in labels]
    assert lost == []
