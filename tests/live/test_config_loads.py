"""The rendered configuration on a real Asterisk: it loads without a complaint and says which plan it runs."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cti import asterisk_process, plan_folder
from cti.asterisk_process import Installed
from cti.home import Home, write_atomic
from cti.plan_reload import AmiReloader, take_over
from cti.settings import Settings
from cti.site import lay_out, site_of
from tests.live.loading import complaints, loaded
from tests.story.plan_files import DEMO


def free_base() -> int:
    """A base whose hundred ports nobody has: the first is tried, the others follow from it."""
    for base in range(31000, 32000, 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", base + 2)) != 0:
                return base
    raise RuntimeError("no free ports between 31000 and 32000")


@dataclass
class Running:
    home: Home
    folder: Path
    asterisk: Installed

    def install(self) -> str:
        plan = plan_folder.load(self.home.plan("demo"))
        site = site_of(self.home, self.home.ports, Settings(), self.asterisk, [plan], lab=True)
        return plan_folder.install(self.home, [plan], site)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    asterisk = asterisk_process.installed()
    home = Home(tmp_path / "home")
    base = free_base()
    write_atomic(home.state_file, f'{{"base_port": {base}}}')
    folder = shutil.copytree(DEMO, tmp_path / "demo")
    here = Running(home, folder, asterisk)
    plan_folder.keep(home, folder)
    lay_out(home, asterisk)
    here.install()
    async with loaded(home, asterisk, tmp_path / "console.log"):
        yield here


async def test_the_demo_plan_loads_without_a_warning(running: Running) -> None:
    assert complaints(running.home) == []


async def test_a_new_plan_is_taken_over_by_a_reload_and_an_old_one_again(running: Running) -> None:
    asterisk = AmiReloader(running.home)
    first = plan_folder.in_force(running.home, "demo")
    assert first is not None
    before = await asterisk.plan_hash()
    queues = running.folder / "queues.toml"
    queues.write_text(queues.read_text("utf-8").replace("wait_seconds = 90", "wait_seconds = 80"), "utf-8")
    plan_folder.keep(running.home, running.folder)
    after = running.install()
    assert after != before
    assert await take_over(asterisk, after)
    plan_folder.point(running.home, "demo", first)
    assert running.install() == before
    assert await take_over(asterisk, before)
    assert complaints(running.home) == []
