"""The rendered configuration on a real Asterisk: it loads without a complaint and says which plan it runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cti import asterisk_process, plan_folder
from cti.asterisk_process import Installed
from cti.home import Home, write_atomic
from cti.plan_reload import AmiReloader, take_over
from cti.settings import Settings
from cti.site import lay_out, site_of
from tests.house import ports
from tests.live.loading import complaints, loaded
from tests.story.plan_files import DEMO


@dataclass
class Running:
    home: Home
    folder: Path
    asterisk: Installed

    def install(self) -> str:
        plan = plan_folder.load(self.home.plan("demo"))
        site = site_of(self.home, self.home.ports, Settings(), self.asterisk, [plan], lab=True)
        return plan_folder.install(self.home, [plan], site)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    asterisk = asterisk_process.installed()
    folder = tmp_path_factory.mktemp("demo")
    home = Home(folder / "home")
    with ports() as base:
        write_atomic(home.state_file, f'{{"base_port": {base}}}')
        here = Running(home, Path(shutil.copytree(DEMO, folder / "demo")), asterisk)
        plan_folder.keep(home, here.folder)
        lay_out(home, asterisk)
        here.install()
        with loaded(home, asterisk, folder / "console.log"):
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
