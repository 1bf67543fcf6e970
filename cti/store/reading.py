"""Reading a journal: from a place on, its last segments, or all that mentions one call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import structlog

from cti.store.records import Position, Record, read

log = structlog.get_logger(__name__)

SUFFIX = ".jnl"
CHUNK = 1024 * 1024


class Reader:
    """Reads a journal, also while it is written and by another process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def after(self, position: Position, most: int = 500) -> list[Record]:
        """Up to ``most`` records from ``position`` on; damage in between is logged and passed over."""
        found: list[Record] = []
        for number, path in segments(self.folder):
            if number < position.segment:
                continue
            offset = position.offset if number == position.segment else 0
            for record in self._records(path, number, offset):
                found.append(record)
                if len(found) >= most:
                    return found
        return found

    def recent(self, at_least: int = 1) -> Iterator[Record]:
        """The records of the last segments, which begin with what was open then."""
        for number, path in segments(self.folder)[-at_least:]:
            yield from self._records(path, number, 0)

    def mentioning(self, word: str) -> Iterator[Record]:
        """Every record whose text holds ``word``, oldest first."""
        needle = word.encode()
        for number, path in segments(self.folder):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            place = data.find(needle)
            while place >= 0:
                start = data.rfind(b"\n", 0, place) + 1
                end = data.find(b"\n", place)
                end = len(data) if end < 0 else end + 1
                for found in read(data[start:end], number, start):
                    if isinstance(found, Record):
                        yield found
                place = data.find(needle, end)

    def _records(self, path: Path, number: int, offset: int) -> Iterator[Record]:
        try:
            with path.open("rb") as file:
                file.seek(offset)
                while data := file.read(CHUNK):
                    rest = file.readline()
                    data += rest
                    whole = data.endswith(b"\n")
                    more = whole and (bool(rest) or len(data) == CHUNK)
                    yield from self._whole(data, path, number, offset, more)
                    if not whole:
                        # being written this moment: read on from here, what is left of it would be damage
                        return
                    offset += len(data)
        except FileNotFoundError:  # retired meanwhile
            return

    def _whole(self, data: bytes, path: Path, number: int, offset: int, more: bool) -> Iterator[Record]:
        for found in read(data, number, offset):
            if isinstance(found, Record):
                yield found
            elif more or not found.torn:
                # a torn tail may be a record that is being written this moment
                log.error(
                    "journal record skipped", segment=path.name, offset=found.at.offset, bytes=found.length
                )


def segments(folder: Path) -> list[tuple[int, Path]]:
    """(number, file) of every segment, oldest first."""
    found = [(int(p.stem), p) for p in folder.glob(f"*{SUFFIX}") if p.stem.isdigit()]
    return sorted(found)
