"""Encryption at rest: a recording sealed under a key of its own, that key wrapped by one of the key ring.

A sealed file is a head of 4 KiB (JSON: which ring key, the wrapped file key, and what the recording is) and
chunks of 64 KiB, each AES-256-GCM (NIST SP 800-38D) with its number and the last one's mark authenticated: a
chunk that is changed, moved, missing or of another file does not open. Any stretch is read without the rest.
A rotation makes a new ring key (``cti.ring``) and wraps the file keys anew; the sound itself is not written
again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cti.errors import Broken, NotNow
from cti.ring import Ring

MAGIC = b"HLSEAL1\n"
HEAD = 4096
CHUNK = 64 * 1024
TAG = 16
SUFFIX = ".sealed"


def seal(ring: Ring, source: Path, target: Path, meta: Mapping[str, Any]) -> str:
    """Write ``source`` sealed, read it back, give its SHA-256; the source stays. Raises OSError, NotNow,
    Broken."""
    key, prefix = secrets.token_bytes(32), secrets.token_bytes(8)
    size = source.stat().st_size
    fixed = {"size": size, "prefix": _text(prefix), "meta": dict(meta)}
    about = _about(fixed)
    fresh = target.with_name(f".{target.name}.fresh")
    digest = hashlib.sha256()
    cipher = AESGCM(key)
    with ring.in_use(), _gone(fresh):
        with source.open("rb") as plain, fresh.open("wb") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write(_head(ring.wrap(key), fixed))
            done = number = 0
            while True:
                block = plain.read(CHUNK)
                done += len(block)
                digest.update(block)
                last = done >= size
                out.write(cipher.encrypt(_nonce(prefix, number), block, _bound(about, number, last)))
                number += 1
                if last or not block:
                    break
            out.flush()
            os.fsync(out.fileno())
        again = hashlib.sha256()
        for block in Sealed(ring, fresh).blocks():
            again.update(block)
        if again.digest() != digest.digest():
            raise Broken(f"{target.name}: what was sealed does not read back as it was")
        os.replace(fresh, target)
    return digest.hexdigest()


def sealed_size(size: int) -> int:
    """Bytes of the sealed file of a plain one."""
    return HEAD + size + max(1, -(-size // CHUNK)) * TAG


class Seal:
    """The head of a sealed file: what it is and how it opens, wherever its chunks are read from."""

    def __init__(self, ring: Ring, head: bytes, name: str) -> None:
        """``head``: the first HEAD bytes. Raises NotNow (no key) or Broken (no sealed recording)."""
        self.name = name
        wrapped, fixed = _parsed(head, name)
        self.size: int = int(fixed["size"])
        self.meta: dict[str, Any] = fixed["meta"]
        self.ring_key = wrapped["ring"]
        self._prefix = _bytes(fixed["prefix"])
        self._about = _about(fixed)
        self._cipher = AESGCM(ring.unwrap(wrapped))

    def stretch(self, offset: int, length: int) -> tuple[int, int]:
        """Where the chunks of these plain bytes lie in the sealed file: offset and length."""
        length = max(0, min(length, self.size - offset))
        if not length:
            return HEAD, 0
        first, last = offset // CHUNK, (offset + length - 1) // CHUNK
        begin = HEAD + first * (CHUNK + TAG)
        end = min(HEAD + (last + 1) * (CHUNK + TAG), sealed_size(self.size))
        return begin, end - begin

    def plain(self, told: bytes, offset: int, length: int) -> bytes:
        """The plain bytes out of their stretch. Raises Broken when a byte was changed."""
        length = max(0, min(length, self.size - offset))
        if not length:
            return b""
        first, step = offset // CHUNK, CHUNK + TAG
        opened = b"".join(
            self.chunk(told[at : at + step], first + number)
            for number, at in enumerate(range(0, len(told), step))
        )
        begin = offset - first * CHUNK
        return opened[begin : begin + length]

    def chunk(self, told: bytes, number: int) -> bytes:
        last = (number + 1) * CHUNK >= self.size
        try:
            return self._cipher.decrypt(_nonce(self._prefix, number), told, _bound(self._about, number, last))
        except InvalidTag as why:
            raise Broken(f"{self.name}: its bytes at chunk {number} were changed") from why


class Sealed(Seal):
    """A sealed file on disk, open for reading. Raises NotNow (no file, no key) or Broken (changed bytes)."""

    def __init__(self, ring: Ring, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                head = file.read(HEAD)
        except OSError as why:
            raise NotNow(f"{path.name}: {why.strerror or why}") from why
        super().__init__(ring, head, path.name)

    def read(self, offset: int, length: int) -> bytes:
        """The plain bytes from ``offset`` on, as many as there are."""
        begin, many = self.stretch(offset, length)
        with self.path.open("rb") as file:
            file.seek(begin)
            return self.plain(file.read(many), offset, length)

    def blocks(self) -> Iterator[bytes]:
        """All of it, a chunk at a time."""
        with self.path.open("rb") as file:
            file.seek(HEAD)
            for number in range(max(1, -(-self.size // CHUNK))):
                yield self.chunk(file.read(CHUNK + TAG), number)


def rewrap(ring: Ring, path: Path) -> bool:
    """Wrap this file's key with the ring's newest key; False when it is already. Raises NotNow, Broken."""
    with path.open("r+b") as file:
        wrapped, fixed = _parsed(file.read(HEAD), path.name)
        if wrapped["ring"] == ring.newest:
            return False
        head = _head(ring.wrap(ring.unwrap(wrapped)), fixed)
        file.seek(0)
        file.write(head)  # one page: whole or not at all on the file systems we know
        file.flush()
        os.fsync(file.fileno())
    return True


@dataclass(frozen=True, slots=True)
class Plain:
    """A file that is not sealed yet, read the same way."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def read(self, offset: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


def opened(ring: Ring, path: Path) -> Sealed | Plain:
    """The sound of a recording, sealed or not yet. Raises NotNow when it is not there."""
    sealed = path.with_name(path.name + SUFFIX)
    if path.exists():
        return Plain(path)
    return Sealed(ring, sealed)


def wrapped_with(head: bytes, name: str) -> str:
    """The ring key by which a sealed file opens, told from its first HEAD bytes. Raises Broken."""
    return _parsed(head, name)[0]["ring"]


@contextmanager
def _gone(fresh: Path) -> Iterator[None]:
    """Afterwards nothing stands there, whatever happened."""
    try:
        yield
    finally:
        fresh.unlink(missing_ok=True)


def _head(wrapped: Mapping[str, str], fixed: Mapping[str, Any]) -> bytes:
    body = json.dumps({"wrapped": wrapped, "fixed": fixed}, ensure_ascii=False, sort_keys=True).encode()
    if len(MAGIC) + 4 + len(body) > HEAD:
        raise Broken(f"what is said of the recording is too long to seal: {len(body)} bytes")
    return (MAGIC + struct.pack("<I", len(body)) + body).ljust(HEAD, b"\0")


def _parsed(head: bytes, name: str) -> tuple[dict[str, str], dict[str, Any]]:
    try:
        if not head.startswith(MAGIC):
            raise ValueError("no sealed recording")
        (length,) = struct.unpack_from("<I", head, len(MAGIC))
        begin = len(MAGIC) + 4
        told = json.loads(head[begin : begin + length])
        return dict(told["wrapped"]), dict(told["fixed"])
    except (ValueError, KeyError, struct.error) as why:
        raise Broken(f"{name}: {why}") from why


def _about(fixed: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(fixed, ensure_ascii=False, sort_keys=True).encode()).digest()


def _nonce(prefix: bytes, number: int) -> bytes:
    return prefix + struct.pack(">I", number)


def _bound(about: bytes, number: int, last: bool) -> bytes:
    return about + struct.pack(">I?", number, last)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
