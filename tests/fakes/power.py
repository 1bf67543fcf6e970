"""A power cut: of what was written only that is left which was synced (fsync(2))."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


class Power:
    """On from the beginning of a test; ``cut`` empties each file below a folder that nobody synced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._synced: set[int] = set()
        monkeypatch.setattr(os, "fsync", lambda fd: self._synced.add(os.fstat(fd).st_ino))

    def cut(self, folder: Path) -> None:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_ino not in self._synced:
                os.truncate(path, 0)
