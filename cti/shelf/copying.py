"""Files to a shelf and back, believed only when what was written has been read again."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from cti import vault
from cti.errors import Broken
from cti.shelf.port import Absent, Shelf

BLOCK = 1 << 20
"""Bytes asked for at once."""


async def blocks(shelf: Shelf, name: str) -> AsyncIterator[bytes]:
    """All of a file. Raises Absent, Away, Refused."""
    size = await shelf.size(name)
    for offset in range(0, size, BLOCK):
        yield await shelf.read(name, offset, min(BLOCK, size - offset))


async def carried(shelf: Shelf, name: str, file: Path) -> None:
    """Copy a sealed file there and read all of it back. Raises Away, Refused, OSError; Broken when the shelf
    gives back something else (which is then taken away again), or the file is not sealed."""
    before = await asyncio.to_thread(_sealed_digest, file)
    await shelf.put(name, file)
    there = hashlib.sha256()
    try:
        async for block in blocks(shelf, name):
            there.update(block)
    except Absent as why:
        raise Broken(f"{shelf.where}: {name} 写入后不见了 was taken and is not there") from why
    if there.digest() == before:
        return
    if await asyncio.to_thread(_sealed_digest, file) != before:
        # its key was wrapped anew meanwhile (rotation): the copy is older, no lie
        return await carried(shelf, name, file)
    await shelf.remove(name)
    raise Broken(f"{shelf.where}: {name} 读回内容不符 does not read back as it was written")


async def fetched(shelf: Shelf, name: str, file: Path) -> None:
    """A copy of what stands there. Raises Absent, Away, Refused, OSError."""
    await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.fresh")
    try:
        out = await asyncio.to_thread(fresh.open, "wb")
        try:
            os.fchmod(out.fileno(), 0o600)
            async for block in blocks(shelf, name):
                await asyncio.to_thread(out.write, block)
            await asyncio.to_thread(out.flush)
        finally:
            out.close()
        await asyncio.to_thread(os.replace, fresh, file)
    finally:
        await asyncio.to_thread(fresh.unlink, missing_ok=True)


def _sealed_digest(file: Path) -> bytes:
    digest = hashlib.sha256()
    with file.open("rb") as source:
        head = source.read(vault.HEAD)
        if not head.startswith(vault.MAGIC):
            raise Broken(f"{file.name} 未加密 is not sealed: it does not leave this machine")
        digest.update(head)
        while block := source.read(BLOCK):
            digest.update(block)
    return digest.digest()
