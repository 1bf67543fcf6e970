"""`cti plan apply` killed in the middle: Asterisk goes on with the plan it has, and applying again works."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.plan_reload import AmiReloader
from lab.scenario import Lab
from tests.house import ROOT, House
from tests.outage import hands

NEW_NUMBER = "12399"


@pytest.fixture
def changed(house: House, plans: list[Path], tmp_path: Path) -> Iterator[Path]:
    """The first city's plan with one number more. Afterwards its own plan is in force again."""
    folder = tmp_path / "quick"
    shutil.copytree(plans[0], folder)
    lines = folder / "lines.toml"
    text = lines.read_text("utf-8")
    lines.write_text(text.replace('["12301"]', f'["12301", "{NEW_NUMBER}"]'), "utf-8")
    yield folder
    back = house.cti("plan", "apply", str(plans[0]))
    assert back.returncode == 0, back.stderr


KILLED = """
import os, runpy, signal, sys

etc, changed = sys.argv[1], False

def told(event, words):
    global changed
    behind, changed = changed, False
    if behind:
        os.kill(os.getpid(), signal.SIGKILL)
    changed = event == "os.rename" and str(words[1]).startswith(etc) and str(words[1]).endswith(".conf")

sys.addaudithook(told)
sys.argv[:2] = ["cti"]
runpy.run_module("cti", run_name="__main__", alter_sys=True)
"""
"""`cti` that kills itself at its first step (audit event) behind a change of one of Asterisk's files."""


def kill_in_the_middle(house: House, folder: Path) -> None:
    """kill -9 when the first of Asterisk's files is another one."""
    etc = house.home.asterisk / "etc"

    def state() -> dict[str, int]:
        return {path.name: path.stat().st_ino for path in etc.glob("*.conf")}

    before = state()
    words = ["plan", "apply", str(folder), "--home", str(house.home.root)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(etc), *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
    )
    assert done.returncode == -signal.SIGKILL, "it ended by itself"
    assert state() != before, "nothing was another one"


async def is_served(city: Lab, number: str) -> None:
    """See a call to this number answered by a seat. Raises Unheard."""
    call = await city.caller().dials(number)
    await call.reaches()
    await call.hangs_up()


async def test_an_apply_killed_in_the_middle_leaves_asterisk_the_old_plan_and_is_done_again(
    house: House, city: Lab, changed: Path
) -> None:
    await city.staffed("2001", "2002")
    for seat in ("2001", "2002"):
        await city.seat(seat).will_answer()
    asterisk = AmiReloader(house.home)
    old = await asterisk.plan_hash()
    await asyncio.to_thread(kill_in_the_middle, house, changed)
    assert await asterisk.plan_hash() == old
    await is_served(city, "12301")
    again = await asyncio.to_thread(house.cti, "plan", "apply", str(changed))
    assert again.returncode == 0, again.stderr
    assert await asterisk.plan_hash() != old
    await is_served(city, NEW_NUMBER)
    await asyncio.to_thread(hands.until_ready, house.home)
