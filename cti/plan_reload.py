"""Telling a running Asterisk to read its files again, and asking it which plan it runs."""

from __future__ import annotations

import asyncio
from typing import Protocol

from cti.asterisk.wire.connection import Connection
from cti.errors import NotNow, Refused
from cti.home import Home

MODULES = (
    "res_pjsip.so",
    "res_pjsip_endpoint_identifier_ip.so",
    "app_queue.so",
    "res_musiconhold.so",
    # say.conf
    "app_playback.so",
    # the last: when the new dialplan is read, everything it names is there
    "pbx_config.so",
)
SECONDS = 10.0


class Reloader(Protocol):
    """One running Asterisk."""

    async def reload(self) -> None:
        """Read endpoints, queues and dialplan again; calls go on. Raises NotNow or Refused."""

    async def plan_hash(self) -> str:
        """The PLAN_HASH it runs; empty when it runs none of ours."""


class AmiReloader:
    """The Asterisk of a home, through AMI, a connection for each question."""

    def __init__(self, home: Home, host: str = "127.0.0.1") -> None:
        self._address = (host, home.ports.ami)
        self._secret = home.secrets["ami_service"]

    async def reload(self) -> None:
        for module in MODULES:
            await self._ask({"Action": "Reload", "Module": module})

    async def plan_hash(self) -> str:
        return await self._ask({"Action": "Getvar", "Variable": "PLAN_HASH"})

    async def _ask(self, action: dict[str, str]) -> str:
        connection = Connection(
            self._address, "service", self._secret, frozenset(), lambda _name, _text: None
        )
        await connection.open()
        try:
            reply = await connection.ask(action, SECONDS)
        finally:
            connection.close()
        if not reply.ok:
            raise Refused(f"{' '.join(action.values())}: {reply.why}")
        return reply.head.get("Value", "")


async def take_over(asterisk: Reloader, wanted: str) -> bool:
    """Reload and wait until Asterisk says it runs the plan with this hash. False: it runs another."""
    await asterisk.reload()
    try:
        async with asyncio.timeout(SECONDS):
            while await asterisk.plan_hash() != wanted:  # noqa: ASYNC110  # a reload is believed only when Asterisk, asked, names the new plan's hash
                await asyncio.sleep(0.1)
    except TimeoutError:
        return False
    return True


async def running_hash(asterisk: Reloader) -> str | None:
    """What Asterisk runs, or None when it does not answer."""
    try:
        return await asterisk.plan_hash()
    except (NotNow, Refused):
        return None
