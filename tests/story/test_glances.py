"""Files of legs that are over are looked at together."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from cti.glances import Glances


async def test_all_who_ask_in_one_moment_are_answered_by_one_turn_of_a_thread() -> None:
    threads: list[int] = []

    def look(path: Path) -> str:
        threads.append(threading.get_ident())
        if path.name == "gone":
            raise FileNotFoundError(path)
        return path.name

    glances = Glances(look)
    paths = [Path(name) for name in ("a", "gone", "b")]
    found = await asyncio.gather(*(glances.at(path) for path in paths), return_exceptions=True)
    assert [found[0], found[2]] == ["a", "b"]
    assert isinstance(found[1], FileNotFoundError)
    assert len(set(threads)) == 1
    assert threading.get_ident() not in threads
    # whoever comes later is looked for anew
    assert await glances.at(Path("c")) == "c"


async def test_who_waits_is_told_when_the_one_who_looks_is_told_to_end() -> None:
    glances = Glances(lambda path: path.name)
    first = asyncio.create_task(glances.at(Path("a")))
    await asyncio.sleep(0)
    second = asyncio.create_task(glances.at(Path("b")))
    await asyncio.sleep(0)
    first.cancel()
    ended = await asyncio.gather(first, second, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)
    assert await glances.at(Path("c")) == "c"
