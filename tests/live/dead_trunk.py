"""A switch that answers OPTIONS and swallows every INVITE: it looks alive and is not."""

from __future__ import annotations

import socket
import threading
import time
from typing import Self


class DeadTrunk:
    """Use as ``with DeadTrunk() as dead``; ``port`` is its SIP port on loopback."""

    def __init__(self) -> None:
        self.invites: list[float] = []
        """When each call's first INVITE came: nobody answers, so it is sent again for half a minute."""
        self._calls: set[str] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, address = self._socket.recvfrom(65536)
            except OSError:
                return
            text = data.decode("utf-8", "replace")
            if text.startswith("INVITE"):
                call = next(line for line in text.split("\r\n") if line.lower().startswith("call-id:"))
                if call not in self._calls:
                    self._calls.add(call)
                    self.invites.append(time.time())
            elif text.startswith("OPTIONS"):
                kept = ("via:", "from:", "to:", "call-id:", "cseq:")
                head = [line for line in text.split("\r\n") if line.lower().startswith(kept)]
                answer = ["SIP/2.0 200 OK", *head, "Content-Length: 0", "", ""]
                self._socket.sendto("\r\n".join(answer).encode(), address)
