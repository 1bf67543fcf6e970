"""Questions of the dialplan ("where next?", "listen?"): FastAGI, answered within a budget or not at all.

panoramisk's FastAGI with its reading replaced. Bare, a connection closed without data spins the loop
for ever, and the answers of one session slip by one after a HANGUP line or a 520.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog
from panoramisk import fast_agi
from panoramisk.utils import parse_agi_result

from cti.errors import NotNow, Refused

log = structlog.get_logger(__name__)

HEAD_BYTES = 16384
"""Asterisk sends some 25 short lines; a SIP name or URI may be long."""
HEAD_SECONDS = 2.0
SESSION_SECONDS = 2.0
"""After its head: the dialplan gives up the whole question after 3 s anyway."""
OPEN_CONNECTIONS = 2000
BACKLOG = 1024
SCRIPT = "where-next"
MOST_ARGUMENTS = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What the dialplan says when it asks, its five arguments: plain strings, unchecked."""

    call: str
    city: str
    line: str
    caller: str
    called: str


class Session(fast_agi.Request):  # type: ignore[misc]  # the base comes from panoramisk, which has no type information, so mypy sees Any; extending it is the point
    """One conversation with a dialplan: a command, its answer, and nothing left over for the next."""

    hung_up = False

    async def send_command(self, command: str) -> dict[str, object]:
        """Send one AGI command, return its parsed answer. Raises NotNow when the caller is gone."""
        if any(c in command for c in "\r\n\0"):
            raise Refused("a line break in an AGI command")
        self.writer.write(command.encode(self.encoding) + b"\n")
        await self.writer.drain()
        while True:
            line = await self._line()
            if line == "HANGUP":
                # comes on its own when the caller hangs up; the answer to our command still follows
                self.hung_up = True
            elif line.startswith("100"):
                continue
            elif line.startswith("520-"):
                usage = [line]
                while not usage[-1].startswith("520 "):
                    usage.append(await self._line())
                return {"status_code": 520, "error": "AGIUsageError", "msg": "\n".join(usage)}
            else:
                answer: dict[str, object] = parse_agi_result(line)
                return answer

    async def _line(self) -> str:
        try:
            line: bytes = await self.reader.readline()
        except ValueError as why:
            raise NotNow("an AGI answer without end") from why
        if not line.endswith(b"\n"):
            raise NotNow("Asterisk closed the AGI session")
        return line.decode(self.encoding, "replace").rstrip("\r\n")


class Server(fast_agi.Application):  # type: ignore[misc]  # the base comes from panoramisk, which has no type information, so mypy sees Any; extending it is the point
    """panoramisk's Application, for peers that send nothing, too much, garbage, or never finish."""

    def __init__(self) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.open: set[asyncio.StreamWriter] = set()

    async def handler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from accept to close."""
        if len(self.open) >= OPEN_CONNECTIONS:
            writer.transport.abort()
            return
        self.open.add(writer)
        try:
            await self._session(reader, writer)
        except (OSError, TimeoutError, NotNow) as why:
            log.info("an AGI session ended early", why=str(why) or type(why).__name__)
        except Exception:
            log.exception("an AGI session failed")
        finally:
            self.open.discard(writer)
            writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                raw = await reader.readuntil(b"\n\n")
        except asyncio.LimitOverrunError:
            log.info("an AGI head without end")
            writer.transport.abort()
            return
        except (asyncio.IncompleteReadError, TimeoutError):
            # a port scanner, a health check, a peer that went to sleep: nobody's call
            return
        lines = raw.decode(self.default_encoding, "replace").split("\n")
        head = dict(line.split(": ", 1) for line in lines if ": " in line)
        script = head.get("agi_network_script", "")
        route = self._route.get(script)
        if route is None:
            log.info("an unknown AGI script", script=script[:40])
            return
        async with asyncio.timeout(SESSION_SECONDS):
            await route(Session(self, head, reader, writer, self.default_encoding))


NO_ADVICE = "default"
"""What the dialplan reads as: the service is well and has nothing to say, take the plan's place."""


@dataclass(frozen=True, slots=True)
class Script:
    """A further question: the variable its answer is put into, and who answers (None: ``default``)."""

    variable: str
    answer: Callable[[list[str]], Awaitable[str | None]]
    """Gets the question's arguments, plain strings, unchecked."""


class Advice:
    """The FastAGI server: one question per connection, one destination (or none) as the answer.

    ``answer`` is called in the event loop and must not block; None, or an exception, means "no
    advice": the dialplan takes its default. ``more``: further scripts by name.
    """

    def __init__(
        self,
        address: tuple[str, int],
        answer: Callable[[Question], str | None],
        more: Mapping[str, Script] | None = None,
    ) -> None:
        self.address = address
        self.listening = asyncio.Event()
        self._answer = answer
        self._more = dict(more or {})

    async def run(self) -> None:
        """Serve until cancelled. Raises Refused when the address cannot be bound."""
        agi = Server()
        agi.add_route(SCRIPT, self._ask)
        for name, script in self._more.items():
            agi.add_route(name, partial(self._ask_more, script))
        host, port = self.address
        try:
            server = await asyncio.start_server(
                agi.handler, host, port, limit=HEAD_BYTES, backlog=BACKLOG, reuse_address=True
            )
        except OSError as why:
            raise Refused(f"FastAGI cannot listen on {host}:{port}: {why}") from why
        # port 0: whatever the system gave
        self.address = (host, server.sockets[0].getsockname()[1])
        self.listening.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.listening.clear()
            server.close()
            for writer in tuple(agi.open):
                writer.transport.abort()

    async def _ask(self, session: Session) -> None:
        head: dict[str, str] = session.headers
        question = Question(
            call=head.get("agi_arg_1", ""),
            city=head.get("agi_arg_2", ""),
            line=head.get("agi_arg_3", ""),
            caller=head.get("agi_arg_4", ""),
            called=head.get("agi_arg_5", ""),
        )
        place = None
        try:
            place = self._answer(question)
        except Exception:
            log.exception("no advice: the answer failed", call=question.call)
        await _tell(session, "NEXT", place)

    async def _ask_more(self, script: Script, session: Session) -> None:
        head: dict[str, str] = session.headers
        told = [head.get(f"agi_arg_{number}", "") for number in range(1, MOST_ARGUMENTS + 1)]
        answer = None
        try:
            answer = await script.answer(told)
        except Exception:
            log.exception("no answer: the script failed", variable=script.variable)
        await _tell(session, script.variable, answer)


async def _tell(session: Session, variable: str, answer: str | None) -> None:
    # No advice has a word of its own: silence is what a dying service says, and the dialplan then
    # stops asking for some seconds.
    quoted = (answer or NO_ADVICE).replace("\\", "\\\\").replace('"', '\\"')
    await session.send_command(f'SET VARIABLE {variable} "{quoted}"')
