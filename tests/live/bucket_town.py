"""A hotline whose recordings go to a bucket of a real S3 server on loopback, and leave the disk at once."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cti.home import Home
from cti.settings import Settings
from cti.shelf.chosen import Chosen
from cti.shelf.port import Shelf
from tests.house import ROOT, House, ports, running
from tests.live import servers
from tests.live.test_recordings import http, rows, until

S3_PORT = 95
"""Above the lab's own listeners."""


@dataclass(frozen=True, slots=True)
class BucketTown:
    house: House
    s3: servers.S3

    @property
    def home(self) -> Home:
        return self.house.home

    def shelf(self) -> Shelf:
        """The same bucket, reached past the service."""
        return Chosen(self.home, Settings(**self.s3.settings()))()

    def local(self, call: str) -> list[Path]:
        return sorted(self.home.recordings.rglob(f"{call}/*.wav*"))

    async def kept(self, call: str, where: str, legs: int, within: float = 30.0) -> list[dict[str, Any]]:
        """Wait until all of a call's recordings are there."""
        return list(
            await until(
                f"{legs} recordings of {call} kept: {where}",
                lambda: rows(self.house, call),
                lambda found: [(r["state"], r["kept"]) for r in found] == [("filed", where)] * legs,
                within,
            )
        )

    def audio(self, leg: str, **headers: str) -> tuple[int, bytes]:
        status, data, _ = http(self.house, f"/api/recordings/{leg}/audio?purpose=shelf", headers=headers)
        return status, data

    def metric(self, name: str) -> float:
        told = http(self.house, "/metrics")[1].decode()
        return next(float(line.split()[-1]) for line in told.splitlines() if line.startswith(f"{name} "))


@contextlib.contextmanager
def bucket_town(folder: Path, plans: Sequence[Path] = (ROOT / "plans/demo",)) -> Iterator[BucketTown]:
    with ports() as told:
        # ports that were told by hand are those of the first hotline
        base = told + 100 * ("CTI_TEST_BASE" in os.environ)
        with servers.s3(base + S3_PORT) as s3:
            settings = s3.settings() | {
                "speech": False,
                "recording_seal_after_seconds": 0,
                "recording_local_days": 0,
            }
            lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
            (folder / "settings.toml").write_text("".join(lines))
            with running(folder, base, plans) as up:
                yield BucketTown(up, s3)
