"""What the city outside saw on the wire: the SIP packets of the lab's Asterisk, each with its moment."""

from __future__ import annotations

import contextlib
import re
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cti import asterisk_process
from tests.house import House

_SIP = re.compile(rb"(?:[A-Z]+ sips?:[^ ]+ SIP/2\.0|SIP/2\.0 \d{3}[^\r]*)\r\n")


@dataclass(frozen=True, slots=True)
class Packet:
    """One SIP message. ``at`` is when the lab's Asterisk sent or received it."""

    at: float
    text: str

    @property
    def method(self) -> str:
        """Of a request; empty for an answer."""
        return "" if self.text.startswith("SIP/") else self.text.partition(" ")[0]

    @property
    def status(self) -> int:
        """Of an answer; 0 for a request."""
        return int(self.text[8:11]) if self.text.startswith("SIP/") else 0

    @property
    def to(self) -> str:
        """The user a request is for."""
        found = re.match(r"[A-Z]+ sips?:([^@;> ]+)@", self.text)
        return found[1] if found else ""

    def header(self, name: str) -> str:
        found = re.search(rf"^{name}: *([^\r]*)", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""

    @property
    def dialog(self) -> str:
        return self.header("Call-ID")


@contextlib.contextmanager
def seen_outside(house: House, name: str) -> Iterator[Callable[[], list[Packet]]]:
    """Every SIP packet of the lab's Asterisk while the block runs, as its own logger wrote them."""
    file = house.home.lab / f"{name}.pcap"
    for words in ("on", "verbose off", f"pcap {file}"):
        _console(house, f"pjsip set logger {words}")
    try:
        yield lambda: list(_packets(file.read_bytes()))
    finally:
        _console(house, "pjsip set logger off")


def _console(house: House, command: str) -> None:
    conf, binary = house.home.lab / "etc/asterisk.conf", asterisk_process.installed().binary
    subprocess.run([binary, "-C", conf, "-rx", command], check=True, capture_output=True, timeout=20)


def _packets(pcap: bytes) -> Iterator[Packet]:
    """The records of a libpcap file: 24 bytes of header; each record with seconds, microseconds, length."""
    at = 24
    while at + 16 <= len(pcap):
        seconds, micros, length = struct.unpack_from("=III", pcap, at)
        raw = pcap[at + 16 : at + 16 + length]
        at += 16 + length
        # before the message lie the headers of IP and UDP
        if (found := _SIP.search(raw)) is not None:
            yield Packet(seconds + micros / 1e6, raw[found.start() :].decode("utf-8", "replace"))
