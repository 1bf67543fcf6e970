"""The key ring of recordings: a file outside the database, whose keys wrap the keys of sealed files."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cti.errors import Broken, NotNow
from cti.home import write_atomic

DRAIN_LOOK = 0.05
"""Seconds between two looks whether what is under way has ended."""
_NUMBER = re.compile(r"k(\d+)-")


@dataclass(frozen=True, slots=True)
class _Held:
    """What the ring's file said, and which file that was."""

    keys: Mapping[str, bytes]
    newest: str
    mark: tuple[int, int, int] | None


class Ring:
    """The keys that wrap file keys, by id. Made on first use, mode 0600; the newest one seals.

    Other processes change the file (a rotation): it is read again before a key is wrapped, whenever it is
    not the file it was.
    """

    def __init__(self, path: Path) -> None:
        """Raises NotNow when the ring cannot be read or made."""
        self.path = path
        self._held = _Held({}, "", None)
        self._read()
        if not self._held.keys:
            self.rotate()

    @property
    def newest(self) -> str:
        """The id of the key that seals, as last read."""
        return self._held.newest

    @property
    def older(self) -> tuple[str, ...]:
        """The ids of the others, as last read."""
        return tuple(name for name in self._held.keys if name != self.newest)

    def rotate(self) -> str:
        """Add a key and seal with it from now on; its id. Raises NotNow."""
        with self._alone():
            self._read()
            keys = self._held.keys
            told = [int(found[1]) for name in keys if (found := _NUMBER.match(name))]
            name = f"k{max(told, default=0) + 1}-{secrets.token_hex(4)}"
            self._write({**keys, name: secrets.token_bytes(32)}, name)
        return name

    def retire(self, names: Collection[str]) -> None:
        """Take these keys out of the ring for good, the newest never. Whoever calls this knows that nothing
        needs them (``cti.retiring``). Raises NotNow."""
        with self._alone():
            self._read()
            newest = self.newest
            left = {k: v for k, v in self._held.keys.items() if k == newest or k not in names}
            self._write(left, newest)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While a sealed file is written or travels: ``drained`` waits for its end. Raises NotNow."""
        with _flocked(self.path.parent, os.O_RDONLY, fcntl.LOCK_SH, self.path):
            yield

    def drained(self, seconds: float) -> None:
        """Wait until every ``in_use`` that began before the ring's last change has ended: what is written
        from then on is wrapped with the newest key. Raises NotNow after so many seconds."""
        until = time.monotonic() + seconds
        while True:
            try:
                with _flocked(self.path.parent, os.O_RDONLY, fcntl.LOCK_EX | fcntl.LOCK_NB, self.path):
                    return
            except BlockingIOError:
                if time.monotonic() > until:
                    raise NotNow(
                        "录音一直在封存或传送 recordings are sealed or carried without a pause: "
                        "try again in a minute"
                    ) from None
            time.sleep(DRAIN_LOOK)

    def wrap(self, key: bytes) -> dict[str, str]:
        """Raises NotNow when the ring was changed and cannot be read."""
        if _mark(self.path) != self._held.mark:
            self._read()
        held = self._held
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(held.keys[held.newest]).encrypt(nonce, key, held.newest.encode())
        return {"ring": held.newest, "nonce": _text(nonce), "key": _text(sealed)}

    def unwrap(self, told: Mapping[str, str]) -> bytes:
        """Raises NotNow when the ring lacks the key, Broken when the wrapping does not open."""
        name = told["ring"]
        if name not in self._held.keys:
            self._read()  # another process may have rotated
        key = self._held.keys.get(name)
        if key is None:
            raise NotNow(f"key {name!r} is not in {self.path}: put the ring back that sealed this")
        try:
            return AESGCM(key).decrypt(_bytes(told["nonce"]), _bytes(told["key"]), name.encode())
        except InvalidTag as why:
            raise Broken(f"key {name!r} of {self.path} does not open this recording") from why

    def _read(self) -> None:
        try:
            mark = _mark(self.path)
            told = json.loads(self.path.read_text())
            keys = {str(k): _bytes(v) for k, v in told["keys"].items()}
            newest = str(told["newest"])
            if newest not in keys:
                raise ValueError(f"its newest key {newest!r} is not among its keys")
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError) as why:
            raise NotNow(f"key ring {self.path} cannot be read: {why}") from why
        self._held = _Held(keys, newest, mark)

    def _write(self, keys: Mapping[str, bytes], newest: str) -> None:
        told = {"newest": newest, "keys": {k: base64.b64encode(v).decode() for k, v in keys.items()}}
        try:
            write_atomic(self.path, json.dumps(told, indent=1) + "\n", mode=0o600)
        except OSError as why:
            raise NotNow(f"key ring {self.path}: {why}") from why
        self._read()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time changes the ring."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _flocked(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR, fcntl.LOCK_EX, self.path):
            yield


@contextmanager
def _flocked(path: Path, how: int, kind: int, ring: Path) -> Iterator[None]:
    """Raises NotNow; BlockingIOError when others have it and ``kind`` does not wait."""
    try:
        lock = os.open(path, how | os.O_CLOEXEC | (0 if how == os.O_RDONLY else os.O_CREAT), 0o600)
    except OSError as why:
        raise NotNow(f"key ring {ring}: {path}: {why.strerror}") from why
    try:
        fcntl.flock(lock, kind)
        yield
    finally:
        os.close(lock)


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Another one when the file was replaced. None: not there."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
