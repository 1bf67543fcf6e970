"""A mortal SIP phone: one seat's phone as a few sockets that can vanish without a farewell.

The lab's Asterisk says BYE and unregisters properly; a phone whose cable is pulled does not. This one is
small on purpose (RFC 3261 UDP, digest MD5 of RFC 2617, G.711 A-law; its only re-INVITE is a hold).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import struct
import time
from typing import Any, ClassVar, Self

from lab.client import Client

SILENCE = b"\xd5" * 160
"""20 ms of A-law silence."""


class Message:
    """One SIP message as far as a handset reads it."""

    _SHORT: ClassVar = {
        "f": "from",
        "t": "to",
        "i": "call-id",
        "v": "via",
        "m": "contact",
        "l": "content-length",
    }

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.decode("utf-8", "replace").partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        self.headers: list[tuple[str, str]] = []
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((self._SHORT.get(name, name), value.strip()))
        self.status = int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else 0
        self.method = "" if self.status else self.first.split(" ", 1)[0]

    def get(self, name: str) -> str:
        return next((value for known, value in self.headers if known == name), "")

    def all(self, name: str) -> list[str]:
        return [f"{name.title()}: {value}\r\n" for known, value in self.headers if known == name]


class Handset(asyncio.DatagramProtocol):
    """Use as ``async with Handset(client, "demo-1001", secret, sip_port) as phone``."""

    def __init__(self, client: Client, name: str, secret: str, house: int) -> None:
        self.name = name
        self._client = client
        self._secret = secret
        self._house = ("127.0.0.1", house)
        self._sip: asyncio.DatagramTransport | None = None
        self._rtp: asyncio.DatagramTransport | None = None
        self._media: asyncio.Task[None] | None = None
        self._port = 0
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._cseq = 0
        self._register_call = secrets_id()
        self._invite: Message | None = None
        self._tag = secrets_id()
        self._up = False
        self._changed = asyncio.Event()
        self._notes: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        """Takes the seat over from the lab's own phone."""
        await self._client.ask("unregister", phone=self.name)
        loop = asyncio.get_running_loop()
        self._sip, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._port = self._sip.get_extra_info("sockname")[1]
        await self._register(300)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sip is not None:
            await self._register(0)
        self.dies()
        await self._client.ask("register", phone=self.name)

    # --- what a person does with it ----------------------------------------------------------------

    async def rings(self, within: float = 10.0) -> None:
        """Wait for a call. Raises TimeoutError."""
        await self._until(lambda: self._invite is not None, within)

    async def answers(self, within: float = 10.0) -> None:
        """Lift the handset, after waiting for a call when none rings; sends silence."""
        await self.rings(within)
        assert self._invite is not None
        where = re.search(r"m=audio (\d+)", self._invite.body)
        loop = asyncio.get_running_loop()
        self._rtp, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
        port = self._rtp.get_extra_info("sockname")[1]
        self._up = True
        self._reply(self._invite, "200 OK", self._sdp(port))
        if where:
            self._media = asyncio.create_task(self._send_silence(("127.0.0.1", int(where[1]))))
        self._note("answered")

    async def holds(self) -> None:
        """Put the other side on hold (RFC 3264 8.4), and send nothing more. Raises TimeoutError."""
        assert self._invite is not None
        assert self._rtp is not None
        assert self._media is not None
        self._media.cancel()
        sdp = self._sdp(self._rtp.get_extra_info("sockname")[1], "sendonly")
        where = re.search(r"<([^>]+)>", self._invite.get("contact"))
        assert where is not None
        authorization = ""
        for _ in range(3):
            self._cseq += 1
            self._in_dialog("INVITE", where[1], authorization, sdp)
            answer = await self._answer("INVITE")
            self._in_dialog("ACK", where[1], "", "")
            if answer.status == 401:
                authorization = self._digest(answer.get("www-authenticate"), "INVITE", where[1])
            elif answer.status == 200:
                self._note("held")
                return
        raise ConnectionError(f"{self.name}: the house refuses the hold ({answer.first})")

    async def ended(self, within: float = 10.0) -> None:
        """Wait until the other side has ended the call. Raises TimeoutError."""
        await self._until(lambda: self._invite is None, within)

    def dies(self) -> None:
        """Nothing more comes from it and nothing reaches it; nobody is told."""
        if self._media is not None:
            self._media.cancel()
        for transport in (self._sip, self._rtp):
            if transport is not None:
                transport.close()
        if self._invite is not None:
            self._note("ended", by="lost", cause=0)
        self._sip = self._rtp = self._media = self._invite = None

    async def _until(self, true: Any, within: float) -> None:
        async with asyncio.timeout(within):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    def _note(self, what: str, **more: Any) -> None:
        call = self._invite
        line = {
            "what": what,
            "phone": self.name,
            "kind": "seat",
            "city": self.name.partition("-")[0],
            "leg": f"handset-{call.get('call-id')}" if call else "",
            "sip_call": call.get("call-id") if call else "",
            "call": call.get("x-hotline-call") if call else "",
            "caller_sip_call": call.get("x-hotline-sip-call") if call else "",
            "caller": "",
            "called": self.name,
            "at": time.time(),
        }
        task = asyncio.get_running_loop().create_task(self._client.ask("note", line=line | more))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    # --- SIP ---------------------------------------------------------------------------------------

    async def _register(self, expires: int) -> None:
        uri = f"sip:127.0.0.1:{self._house[1]}"
        authorization = ""
        for _ in range(3):
            self._cseq += 1
            self._send(
                f"REGISTER {uri} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};rport;branch=z9hG4bK{secrets_id()}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{self.name}@127.0.0.1>;tag={self._tag}\r\n"
                f"To: <sip:{self.name}@127.0.0.1>\r\nCall-ID: {self._register_call}\r\n"
                f"CSeq: {self._cseq} REGISTER\r\nContact: {self._contact}\r\nExpires: {expires}\r\n"
                f"{authorization}Content-Length: 0\r\n\r\n"
            )
            answer = await self._answer("REGISTER")
            if answer.status == 401:
                authorization = self._digest(answer.get("www-authenticate"), "REGISTER", uri)
            elif answer.status == 200:
                return
        raise ConnectionError(f"{self.name}: the house refuses the registration ({answer.first})")

    async def _answer(self, method: str) -> Message:
        """The last word on our newest request. Raises TimeoutError."""
        async with asyncio.timeout(5):
            while True:
                answer = await self._answers.get()
                if answer.status >= 200 and answer.get("cseq") == f"{self._cseq} {method}":
                    return answer

    @property
    def _contact(self) -> str:
        return f"<sip:{self.name}@127.0.0.1:{self._port}>"

    def _digest(self, challenge: str, method: str, uri: str) -> str:
        told = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.partition(" ")[2]))
        realm, nonce = told["realm"], told["nonce"]

        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        mine, asked = md5(f"{self.name}:{realm}:{self._secret}"), md5(f"{method}:{uri}")
        once = secrets_id()
        response = md5(f"{mine}:{nonce}:00000001:{once}:auth:{asked}")
        opaque = f', opaque="{told["opaque"]}"' if "opaque" in told else ""
        return (
            f'Authorization: Digest username="{self.name}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
            f'response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{once}"{opaque}\r\n'
        )

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        message = Message(data)
        if message.status:
            if message.get("cseq").endswith(("REGISTER", "INVITE")):
                self._answers.put_nowait(message)
            return
        mine = self._invite is not None and message.get("call-id") == self._invite.get("call-id")
        if message.method == "INVITE" and not mine and self._invite is not None:
            self._reply(message, "486 Busy Here")
        elif message.method == "INVITE" and not mine:
            self._invite, self._up = message, False
            self._reply(message, "180 Ringing")
            self._note("rings", caller=message.get("from"))
        elif message.method == "INVITE" and not self._up:
            self._reply(message, "180 Ringing")  # sent again: the first answer was lost
        elif message.method in ("BYE", "CANCEL") and mine and self._invite is not None:
            self._reply(message, "200 OK")
            if message.method == "CANCEL" and not self._up:
                self._reply(self._invite, "487 Request Terminated")
            self._note("ended", by="far", cause=16)
            self._invite = None
            if self._media is not None:
                self._media.cancel()
        elif message.method != "ACK":
            self._reply(message, "200 OK")
        self._changed.set()

    def _reply(self, to: Message, status: str, sdp: str = "") -> None:
        whom = to.get("to")
        tag = "" if ";tag=" in whom else f";tag={self._tag}"
        kind = "Content-Type: application/sdp\r\n" if sdp else ""
        self._send(
            f"SIP/2.0 {status}\r\n{''.join(to.all('via'))}{''.join(to.all('record-route'))}"
            f"From: {to.get('from')}\r\nTo: {whom}{tag}\r\nCall-ID: {to.get('call-id')}\r\n"
            f"CSeq: {to.get('cseq')}\r\nContact: {self._contact}\r\n"
            f"{kind}Content-Length: {len(sdp)}\r\n\r\n{sdp}"
        )

    def _in_dialog(self, method: str, uri: str, authorization: str, sdp: str) -> None:
        """A request of ours in the call that we were called in."""
        assert self._invite is not None
        kind = "Content-Type: application/sdp\r\n" if sdp else ""
        self._send(
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};rport;branch=z9hG4bK{secrets_id()}\r\n"
            f"Max-Forwards: 70\r\nFrom: {self._invite.get('to')};tag={self._tag}\r\n"
            f"To: {self._invite.get('from')}\r\nCall-ID: {self._invite.get('call-id')}\r\n"
            f"CSeq: {self._cseq} {method}\r\nContact: {self._contact}\r\n{authorization}"
            f"{kind}Content-Length: {len(sdp)}\r\n\r\n{sdp}"
        )

    def _sdp(self, port: int, direction: str = "sendrecv") -> str:
        version = 1 if direction == "sendrecv" else 2
        return (
            f"v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            f"a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
        )

    def _send(self, text: str) -> None:
        if self._sip is not None:
            self._sip.sendto(text.encode(), self._house)

    async def _send_silence(self, to: tuple[str, int]) -> None:
        source = secrets.randbits(32)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for count in range(1 << 30):
            if self._rtp is None:
                return
            head = struct.pack("!BBHII", 0x80, 8, count & 0xFFFF, count * 160 & 0xFFFFFFFF, source)
            self._rtp.sendto(head + SILENCE, to)
            await asyncio.sleep(began + 0.02 * (count + 1) - loop.time())


def secrets_id() -> str:
    """A token for tags, branches and Call-IDs."""
    return secrets.token_hex(8)
