"""All five notices on a real Asterisk at once: loaded without complaint; a changed row is taken over."""

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
from lab.observer import Observer
from tests.house import ROOT, ports
from tests.live.loading import complaints, loaded

CITIES = ("luan", "zezhou", "zhoucun", "guangde", "ziyang")


@dataclass
class Running:
    home: Home
    folder: Path
    asterisk: Installed

    def install(self) -> str:
        plans = [plan_folder.load(self.home.plan(city)) for city in CITIES]
        site = site_of(self.home, self.home.ports, Settings(), self.asterisk, plans, lab=True)
        return plan_folder.install(self.home, plans, site)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    asterisk = asterisk_process.installed()
    folder = tmp_path_factory.mktemp("cities")
    home = Home(folder / "home")
    with ports() as base:
        write_atomic(home.state_file, f'{{"base_port": {base}}}')
        here = Running(home, folder / "plans", asterisk)
        for city in CITIES:
            plan_folder.keep(home, Path(shutil.copytree(ROOT / "plans" / city, here.folder / city)))
        lay_out(home, asterisk)
        here.install()
        with loaded(home, asterisk, folder / "console.log"):
            yield here


async def test_the_plans_of_five_notices_load_together_without_a_warning(running: Running) -> None:
    assert complaints(running.home) == []
    async with Observer(running.home) as house:
        queues = {row["Queue"] for row in await house.ask_list("QueueStatus") if "Max" in row}
    assert {queue.partition("-")[0] for queue in queues} == {"luan", "guangde", "ziyang"}


async def test_a_row_with_another_date_is_taken_over_by_a_reload(running: Running) -> None:
    asterisk = AmiReloader(running.home)
    before = await asterisk.plan_hash()
    numbers = running.folder / "luan/numbers.toml"
    told = numbers.read_text("utf-8")
    numbers.write_text(told.replace("retired = 2022-01-01", "retired = 2032-01-01"), "utf-8")
    plan_folder.keep(running.home, running.folder / "luan")
    after = running.install()
    assert after != before
    assert await take_over(asterisk, after)
    rules = (running.home.asterisk / "etc/extensions.conf").read_text()
    assert "${TODAY} >= 20320101" in rules
    assert complaints(running.home) == []
