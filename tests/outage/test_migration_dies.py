"""A service killed while it makes or changes the tables of history leaves nothing half done."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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
