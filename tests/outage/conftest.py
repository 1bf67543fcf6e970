"""What outage tests share: a hotline whose greeting is a beep, the city around it, an independent witness."""

from __future__ import annotations

import array
import math
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from lab.scenario import Lab
from lab.wav import RATE, Sound, write
from tests.house import House, ports, running
from tests.outage import measured
from tests.outage.calling import ask_again
from tests.outage.witness import Witness

PLANS = Path(__file__).parent / "plan"
BEEP = 0.2
"""Seconds of the greeting."""


@pytest.fixture(scope="session")
def plans(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two cities: calls come to ``quick``; ``other`` is whose places it must never be led to."""
    folder = tmp_path_factory.mktemp("plans")
    shutil.copytree(PLANS, folder, dirs_exist_ok=True)
    beep = (int(6000 * math.sin(2 * math.pi * 450 * n / RATE)) for n in range(int(RATE * BEEP)))
    write(folder / "quick/short.wav", Sound(RATE, array.array("h", beep)))
    return [folder / "quick", folder / "other"]


OTHER_SERVICE = 95
"""Where a second service is asked, from the base port: named in settings.toml."""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[House]:
    """``cti up --lab`` with these cities, on embedded defaults."""
    folder = tmp_path_factory.mktemp("home")
    with ports() as base:
        settings = f'advice_others = "127.0.0.1:{base + OTHER_SERVICE}"\n'
        (folder / "settings.toml").write_text(settings, "utf-8")
        with running(folder, base, plans) as up:
            yield up


@pytest_asyncio.fixture
async def city(house: House) -> AsyncIterator[Lab]:
    """The city, with every phone in the tester's hand. Afterwards the house is empty and well again."""
    async with Lab(house.home) as lab:
        yield lab
    await tidy(house)


@pytest_asyncio.fixture
async def witness(house: House) -> AsyncIterator[Witness]:
    async with Witness(house.home) as eye:
        yield eye


async def tidy(house: House) -> None:
    """No call is left, every phone is back, and the next caller asks the service."""
    async with Lab(house.home, by_hand=False) as lab:
        for name, there in (await lab.phones()).items():
            if not there:
                await lab.client.ask("register", phone=name)
        await lab.quiet()
        await ask_again(lab)


def pytest_configure(config: pytest.Config) -> None:
    # pyst2 0.5.1 speaks an old threading dialect, thousands of times a run
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:asterisk.manager")


def pytest_sessionfinish(session: pytest.Session) -> None:
    # one of several workers prints nothing itself
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        told["measured"] = measured.ROWS


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker is done: what it measured is in this run's summary. One that crashed tells nothing."""
    measured.ROWS.extend(getattr(node, "workeroutput", {}).get("measured", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if measured.ROWS:
        terminalreporter.section("measured by Asterisk's own time stamps")
        for line in measured.lines():
            terminalreporter.write_line(line)
