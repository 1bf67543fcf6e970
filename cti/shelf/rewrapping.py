"""Recordings on the shelf wrapped with the newest key: fetched, wrapped, carried again.

S3 changes no part of an object, so the sound travels both ways. Each object is the old one or the new one at
any moment, and both open as long as the ring keeps its keys: a rotation may be stopped and gone on with.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cti import vault
from cti.errors import Broken
from cti.ring import Ring
from cti.shelf.copying import carried, fetched
from cti.shelf.port import Absent, Shelf


async def rewrapped(ring: Ring, shelf: Shelf, told: Callable[[int], None] = lambda done: None) -> int:
    """How many were wrapped anew. ``told``: looked at so far. Raises NotNow, Refused, OSError, Broken."""
    looked = done = 0
    names = [one.name async for one in shelf.every() if one.name.endswith(vault.SUFFIX)]
    with tempfile.TemporaryDirectory(prefix="hotline-rotate-") as folder:
        for name in names:
            with suppress(Absent):  # deleted meanwhile: it was kept long enough
                done += await _one(ring, shelf, name, Path(folder) / "recording.sealed")
            looked += 1
            told(looked)
    return done


async def _one(ring: Ring, shelf: Shelf, name: str, file: Path) -> bool:
    head = await shelf.read(name, 0, vault.HEAD)
    if not head.startswith(vault.MAGIC):
        raise Broken(f"{shelf.where}: {name} 不是封存的录音 is no sealed recording")
    if vault.wrapped_with(head, name) == ring.newest:
        return False
    await fetched(shelf, name, file)
    await asyncio.to_thread(vault.rewrap, ring, file)
    await carried(shelf, name, file)
    return True
