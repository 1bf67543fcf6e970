"""A service killed while it makes or changes the tables of history leaves nothing half done."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from cti.errors import NotNow
from cti.store.history import History, Past, sqlite_url

KILLED_AT = """
import asyncio, os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from cti.store.history import History, Past, sqlite_url

left = int(sys.argv[2])

@event.listens_for(Engine, "after_cursor_execute")
def changed(conn, cursor, statement, *_):
    global left
    if statement.lstrip().startswith(("CREATE", "ALTER", "DROP")):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(History(sqlite_url(sys.argv[1])).calls(Past(most=1)))
"""
"""Kills itself behind the n-th statement that changes a table."""


@pytest.mark.parametrize("statement", [1, 2, 7, 20])
async def test_tables_a_killed_service_was_making_are_made_by_the_next(
    tmp_path: Path, statement: int
) -> None:
    file = tmp_path / "history.sqlite"
    words = [sys.executable, "-c", KILLED_AT, str(file), str(statement)]
    done = await asyncio.to_thread(subprocess.run, words, check=False)
    assert done.returncode == -signal.SIGKILL
    history = History(sqlite_url(file))
    try:
        assert await history.calls(Past(most=1)) == []
    finally:
        await history.close()


async def test_a_change_of_tables_that_takes_longer_than_the_deadline_is_made_once_and_to_its_end(
    tmp_path: Path,
) -> None:
    """As with millions of rows: whoever asks meanwhile hears that the database is away."""
    filled: list[str] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def slow(conn: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE recordings SET original"):
            filled.append(statement)
            time.sleep(1.5)  # in the database's own thread

    history = History(sqlite_url(tmp_path / "history.sqlite"), seconds=0.5)
    try:
        with pytest.raises(NotNow, match="did not answer within"):
            await history.start()
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await history.calls(Past(most=1)) == []
                    break
                except NotNow:
                    continue
        assert len(filled) == 1
    finally:
        event.remove(Engine, "before_cursor_execute", slow)
        await history.close()
