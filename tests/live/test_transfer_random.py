"""Random transfers, many callers at once, a service that is killed now and then: nobody is ever dropped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.house import House, ports, running
from tests.live.dead_trunk import DeadTrunk
from tests.live.moves_at_random import Night, shown
from tests.live.moves_plan import moves_plan

FEW, MANY = 24, 1000
SEED = int(os.environ.get("CTI_MOVES_SEED", "20261121"))
ONLY = os.environ.get("CTI_MOVES_RUN")

pytestmark = pytest.mark.timeout(3000)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, home = tmp_path_factory.mktemp("plan"), tmp_path_factory.mktemp("home")
    (home / "settings.toml").write_text("speech = false\n")
    with DeadTrunk() as dead:
        plan = moves_plan(folder, f"127.0.0.1:{dead.port}")
        with ports() as base, running(home, base, [plan]) as up:
            yield up


def test_no_caller_is_dropped_and_none_is_alone_longer_than_six_seconds(town: House, full_size: bool) -> None:
    night = Night(town, SEED, MANY if full_size else FEW, kill=True, only=int(ONLY) if ONLY else None)
    told = asyncio.run(night.run())
    print({"seed": SEED, "runs": len(told), "service killed": night.killed, "steps": night.counted})
    wrong = [one for one in told if one.wrong]
    assert not wrong, f"seed {SEED}: {len(wrong)} of {len(told)} runs\n{shown(told)}"
    # a run in which nothing happened proves nothing
    assert {"asked", "answered", "refused", "back", "handed", "joined"} <= set(night.counted)
