"""AMI tapes: what Asterisk said, byte for byte, with the moment it came; and their masking.

A tape is text a person can read and cut: before each frame a line ``@12.345678`` (seconds since the
start), then the frame as it came, CRLF and empty line included. What *we* send is never on a tape, so
no secret of ours is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from cti.asterisk.wire.connection import OPEN_SECONDS
from cti.asterisk.wire.frames import END, MAX_FRAME
from cti.asterisk.wire.protocol import BANNER
from cti.errors import NotNow, Refused

_STAMP = re.compile(rb"^@(\d+\.\d+)\n", re.MULTILINE)
_SECRET = re.compile(rb"(?im)^((?:[a-z0-9]*secret|password|token|auth[a-z]*response): )[^\r\n]+")
# seven digits and more; not inside an id (n1-1732190695.12), a time (1732190695.123456), a channel's
# running number (-00000012) or a day's folder (20261121/)
_NUMBER = re.compile(rb"(?<![\w.])(?!(?<=-)\d{8}(?!\w))(?!\d{8}/)\+?\d{7,15}(?![\w.])")


@dataclass(frozen=True, slots=True)
class Taped:
    """One frame of a tape, without its closing empty line."""

    at: float
    frame: bytes


def read_tape(tape: bytes) -> Iterator[Taped]:
    """The frames in order. Text before the first stamp (a remark) is skipped."""
    marks = list(_STAMP.finditer(tape))
    for mark, after in zip(marks, [*marks[1:], None], strict=True):
        body = tape[mark.end() : after.start() if after else len(tape)]
        yield Taped(float(mark[1]), body.removesuffix(END))


def write_frame(at: float, frame: bytes) -> bytes:
    return b"@%.6f\n" % at + frame + END


class Mask:
    """Replaces secrets and telephone numbers; the same number is the same invented one all through."""

    def __init__(self) -> None:
        self._invented: dict[bytes, bytes] = {}

    def __call__(self, frame: bytes) -> bytes:
        return _NUMBER.sub(self._invent, _SECRET.sub(rb"\1***", frame))

    def _invent(self, found: re.Match[bytes]) -> bytes:
        number = found[0]
        if number not in self._invented:
            # 1380000xxxx and 0zzzz…: as long as the true one, and nobody's
            tail = b"%04d" % (len(self._invented) + 1)
            head = b"13800000000000000"[: len(number) - 4]
            self._invented[number] = head + tail
        return self._invented[number]


async def record(
    address: tuple[str, int],
    user: str,
    secret: str,
    write: Callable[[bytes], object],
    *,
    mask: bool = False,
    seconds: float | None = None,
) -> int:
    """Write what one Asterisk says until cancelled, ``seconds`` passed or it closes; returns the frames.

    Raises NotNow (nobody there) or Refused (login).
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            reader, writer = await asyncio.open_connection(*address, limit=MAX_FRAME)
            banner = await reader.readline()
    except (OSError, TimeoutError) as why:
        raise NotNow(f"no AMI at {address[0]}:{address[1]}: {str(why) or 'no greeting in time'}") from why
    masked: Callable[[bytes], bytes] = Mask() if mask else bytes
    count = 0
    try:
        if not banner.startswith(BANNER):
            raise NotNow(f"{address[0]}:{address[1]} does not speak AMI")
        if any(c in user + secret for c in "\r\n"):
            raise Refused("a line break in the AMI user or secret")
        writer.write(f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: on\r\n\r\n".encode())
        begun = loop.time()
        # TimeoutError: the time asked for is over; IncompleteReadError: Asterisk went
        with suppress(TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            async with asyncio.timeout(seconds):
                while True:
                    frame = (await reader.readuntil(END)).removesuffix(END)
                    if count == 0 and b"Response: Error" in frame:
                        raise Refused(f"login as {user}: {frame.decode('utf-8', 'replace').splitlines()[-1]}")
                    write(write_frame(loop.time() - begun, masked(frame)))
                    count += 1
    finally:
        writer.close()
    return count
