"""A leg on its way from one talk to the next is put in step first, or its recording shifts (decision 14)."""

from __future__ import annotations

import re

import pytest

from asterisk_conf.in_step import SILENCES
from asterisk_conf.render import render
from tests.story.plan_files import demo, site

PLAYED = re.compile(r"Playback\((hotline/in-step[^)]*)\)")
RATES = {"sln16": 16000, "sln": 8000}


def _steps(context: str) -> list[str]:
    text = render([demo()], site())["extensions.conf"]
    return text.split(f"\n[{context}]\n")[1].split("\n[")[0].splitlines()


@pytest.mark.parametrize(
    ("context", "next_talk"),
    [
        ("transfer-joins", ",ConfBridge("),
        ("transfer-agent", ",ConfBridge("),
        ("transfer-agent", ",Gosub(${CITY}-to,"),
        ("transfer-caller", ",MusicOnHold("),
        ("transfer-caller", ",ConfBridge("),
        ("transfer-caller", ",Goto(transfer-blind,s,2)"),
        ("talked", ",Goto(${CITY}-queue-"),
        ("desk-taken", ",Bridge("),
        ("desk-freed", ",Goto(${CITY}-queue-"),
    ],
)
def test_a_leg_is_put_in_step_on_its_way_to_the_next_talk(context: str, next_talk: str) -> None:
    steps = _steps(context)
    begins = [n for n, step in enumerate(steps) if next_talk in step]
    put = [n for n, step in enumerate(steps) if PLAYED.search(step)]
    entries = [n for n, step in enumerate(steps) if step.startswith("exten => ")]
    assert begins
    # between its entry and the talk; ``comes`` goes on from where the caller was held, in step already
    assert all(any(max(e for e in entries if e <= b) <= p < b for p in put) for b in begins)


def test_what_puts_a_leg_in_step_is_a_moment_of_silence_wider_than_a_talk_and_then_one_as_wide() -> None:
    [played] = {m for step in _steps("transfer-caller") for m in PLAYED.findall(step)}
    assert played.split("&") == [name.partition(".")[0] for name in SILENCES]
    rates = [RATES[name.partition(".")[2]] for name in SILENCES]
    assert rates[0] > rates[1] == 8000
    for silence, rate in zip(SILENCES.values(), rates, strict=True):
        assert not any(silence)
        assert len(silence) == 2 * rate * 20 // 1000
