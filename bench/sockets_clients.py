"""300 sockets that note when each frame came, and read nothing else of it.

    python -m bench.sockets_clients PORT TOKENS FILE

``TOKENS``: a file, one token a line, a socket for each. Ends when the service closes; FILE then has one line
a frame: seconds from the change to its arrival.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from functools import partial
from pathlib import Path

FROM = re.compile(rb'"from":\s?([0-9.]+)')


class Ears(asyncio.Protocol):
    """One socket."""

    def __init__(self, port: int, token: str, late: list[float]) -> None:
        self._port, self._token, self._late = port, token, late
        self._kept = bytearray()
        self._open = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(
            f"GET /api/socket HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {self._token}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.time()
        kept = self._kept
        kept += data
        if not self._open:
            end = kept.find(b"\r\n\r\n")
            if end < 0:
                return
            self._open = True
            del kept[: end + 4]
        while len(kept) >= 2:
            size, head = kept[1] & 0x7F, 2
            if size == 126:
                size, head = int.from_bytes(kept[2:4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(kept[2:10], "big"), 10
            if len(kept) < head + size:
                return
            found = FROM.search(kept, head, head + 120)
            if kept[0] == 0x81 and found is not None:
                self._late.append(now - float(found[1]))
            elif kept[0] == 0x89:  # a ping is answered, masked with zeros
                self._transport.write(bytes((0x8A, 0x80 | size)) + bytes(4) + kept[head : head + size])
            del kept[: head + size]

    def connection_lost(self, why: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def main(port: int, tokens: list[str], file: Path) -> None:
    late: list[float] = []
    loop = asyncio.get_running_loop()
    ears = []
    for token in tokens:
        _, one = await loop.create_connection(partial(Ears, port, token, late), "127.0.0.1", port)
        ears.append(one)
    await asyncio.gather(*(one.done for one in ears))
    file.write_text("\n".join(f"{x:.6f}" for x in late))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]).read_text().split(), Path(sys.argv[3])))
