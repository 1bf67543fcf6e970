"""baresip as a seat's phone: a SIP stack that is neither Asterisk nor ours.

It registers, answers by itself, plays a wav and writes down what it hears (Debian's baresip 1.0).
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from lab import ears
from lab.wav import RATE, read, resampled, write

_CONFIG = """\
sip_listen 127.0.0.1:{port}
audio_player aubridge,nowhere
audio_source aufile,{say}
audio_alert aubridge,nowhere
audio_srate 8000
audio_channels 1
rtp_ports {rtp}-{rtp_end}
rtp_stats no
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module stdio.so
module_app account.so
module_app menu.so
module_app contact.so
snd_path {heard}
"""
_ACCOUNT = (
    "<sip:{name}@127.0.0.1:{house};transport=udp>;auth_user={name};auth_pass={secret};"
    "answermode=auto;regint=60;audio_codecs=pcma\n"
)


PATIENCE = 60
"""Seconds it stays in a call after what it says."""


class NoBaresip(Exception):
    """baresip is not installed: ``apt-get install baresip-core``."""


class Baresip:
    """A running phone; made by ``seat``."""

    def __init__(self, process: asyncio.subprocess.Process, heard: Path) -> None:
        self._process = process
        self._heard = heard
        self.said: list[str] = []

    async def until(self, word: str, within: float) -> None:
        """Wait until baresip prints a line with this word. Raises TimeoutError naming it."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(within):
                while not any(word in line for line in self.said):
                    raw = await self._process.stdout.readline()
                    if not raw:
                        raise TimeoutError(f"baresip ended: {self.said[-5:]}")
                    self.said.append(raw.decode(errors="replace").strip())
        except TimeoutError as why:
            raise TimeoutError(f"baresip did not say {word!r} in {within:g} s: {self.said[-8:]}") from why

    async def talks(self, within: float) -> None:
        """Wait until a call is established."""
        await self.until("Call established", within)

    async def transfers(self, number: str, *, house: int) -> None:
        """Send whoever it talks with to ``number``: a REFER (RFC 3515)."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"/transfer sip:{number}@127.0.0.1:{house}\n".encode())
        await self._process.stdin.drain()

    async def heard(self, within: float = 10.0) -> ears.Samples:
        """What it heard, after the call has ended."""
        await self.until("terminated", within)
        files = sorted(self._heard.glob("*dec.wav"))
        if not files:
            raise TimeoutError(f"baresip wrote no recording: {self.said[-8:]}")
        return ears.listen(files[-1])


def _modules() -> Path | None:
    return next(iter(Path("/usr/lib").glob("**/baresip/modules")), None)


def _prepare(folder: Path, account: str, port: int, modules: str, say: Path) -> Path:
    heard = folder / "heard"
    heard.mkdir(parents=True)
    sound = resampled(read(say))
    # at the end of its file baresip hangs up: let it be silent instead
    sound.samples.extend([0] * RATE * PATIENCE)
    speech = folder / "say.wav"
    write(speech, sound)
    config = _CONFIG.format(
        port=port, say=speech, rtp=port + 2, rtp_end=port + 12, modules=modules, heard=heard
    )
    for name, text in (("config", config), ("accounts", account), ("contacts", "")):
        (folder / name).write_text(text)
    return heard


@contextlib.asynccontextmanager
async def seat(
    folder: Path, name: str, secret: str, *, house: int, port: int, say: Path
) -> AsyncIterator[Baresip]:
    """baresip registered as ``name``, on SIP port ``port`` and RTP from ``port + 2``. Raises NoBaresip."""
    program = shutil.which("baresip")
    modules = await asyncio.to_thread(_modules)
    if program is None or modules is None:
        raise NoBaresip("baresip is not installed (Debian: baresip-core)")
    account = _ACCOUNT.format(name=name, house=house, secret=secret)
    heard = await asyncio.to_thread(_prepare, folder, account, port, str(modules), say)
    process = await asyncio.create_subprocess_exec(
        program, "-4", "-f", str(folder), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    phone = Baresip(process, heard)
    try:
        await phone.until("200 OK", within=10)
        yield phone
    finally:
        process.terminate()
        try:
            async with asyncio.timeout(3):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
