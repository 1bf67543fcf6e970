"""Old keys of the ring taken out for good, once nothing on disk or on the shelf needs them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cti import vault
from cti.errors import Broken, Refused
from cti.ring import Ring
from cti.shelf.port import Absent, Shelf

PATIENCE = 60.0
"""Seconds for recordings that are being sealed or carried while we ask."""


@dataclass(slots=True)
class Need:
    """What opens with which key."""

    here: Counter[str] = field(default_factory=Counter)
    """Files on disk, by key."""
    there: Counter[str] = field(default_factory=Counter)
    """Files on the shelf, by key."""
    unknown: list[str] = field(default_factory=list)
    """Files whose head does not say."""


async def retired(ring: Ring, folder: Path, shelf: Shelf | None) -> tuple[str, ...]:
    """Remove every key but the newest; the ids of those that went. Raises Refused when a file needs one of
    them, NotNow (the shelf or the ring is away: nothing was removed), OSError."""
    await asyncio.to_thread(ring.drained, PATIENCE)
    old = ring.older
    if not old:
        return ()
    need = Need()
    await asyncio.to_thread(_on_disk, folder, need)
    if shelf is not None:
        await _on_shelf(shelf, need)
    here, there = (sum(n for key, n in many.items() if key in old) for many in (need.here, need.there))
    if here or there:
        where = f"磁盘 {here} 个 on disk" + ("" if shelf is None else f", 存储 {there} 个 on the shelf")
        raise Refused(
            f"旧密钥仍需保留 recordings still need an old key: {where}. 请先 first: "
            "cti recordings rotate --resume"
        )
    if need.unknown:
        raise Refused(
            f"{len(need.unknown)} 个文件看不出所用密钥 files do not say which key they need, such as "
            f"{need.unknown[0]}: mend or move them away (cti recordings check --deep)"
        )
    await asyncio.to_thread(ring.retire, old)
    return old


def _on_disk(folder: Path, need: Need) -> None:
    for path in sorted(folder.rglob(f"*{vault.SUFFIX}")):
        try:
            with path.open("rb") as file:
                head = file.read(vault.HEAD)
        except FileNotFoundError:
            continue  # kept long enough, or carried and removed: the shelf is asked afterwards
        _count(need.here, need, head, str(path))


async def _on_shelf(shelf: Shelf, need: Need) -> None:
    async for one in shelf.every():
        if not one.name.endswith(vault.SUFFIX):
            continue
        try:
            head = await shelf.read(one.name, 0, min(vault.HEAD, one.size))
        except Absent:
            continue  # kept long enough meanwhile
        _count(need.there, need, head, f"{shelf.where}: {one.name}")


def _count(many: Counter[str], need: Need, head: bytes, name: str) -> None:
    try:
        many[vault.wrapped_with(head, name)] += 1
    except Broken:
        need.unknown.append(name)
