"""The lab as a process: renders, starts its Asterisk, keeps it and its phones alive, follows the plans."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cti import asterisk_process, plan_folder
from cti.asterisk_process import Installed, Process
from cti.home import Home, write_atomic
from cti.site import lab_hosts, seat_password
from lab import conf
from lab.behaviour import USUAL
from lab.city import Traffic, per_second
from lab.client import Client, LabDown
from lab.control import Door
from lab.exchange import Exchange
from lab.shift import Shift, sign_in_codes
from lab.site import Carrier, LabSite, SeatPhone
from lab.voices import agent
from lab.wav import for_phones
from lab.wire import WireDown, WireRefused
from plan.merged import numbers_of
from plan.model import Plan

log = logging.getLogger("lab")
KEEP_RECORDINGS = 3600.0
"""Seconds that what a phone heard is kept."""
SETTLE = 8.0
"""Seconds the phones have to register and sign in before the lab says it is there."""
LOOK_EVERY = 2.0
"""Seconds between looks at the plans in force."""


def cities_of(home: Home) -> tuple[str, ...]:
    """The cities this instance runs, in the order in which the supervisor gave them addresses."""
    told = home.state().get("cities")
    return tuple(told) if told else home.cities()


def site_of(home: Home, asterisk: Installed, plans: list[Plan]) -> LabSite:
    """What the lab plays for these plans: every trunk marked ``lab``, every seat."""
    ports = home.ports
    return LabSite(
        folder=home.lab,
        version=asterisk.version,
        modules=asterisk.modules,
        house=ports.sip,
        sip=ports.lab_sip,
        ami=ports.lab_ami,
        http=ports.lab_http,
        rtp=ports.lab_rtp,
        ami_secret=home.secrets["lab_ami"],
        carriers=tuple(
            Carrier(*trunk.partition("-")[::2], source) for trunk, source in lab_hosts(plans).items()
        ),
        numbers=tuple((p.id, number) for p in plans for number in _dialled(p)),
        seats=tuple(
            SeatPhone(p.id, seat, seat_password(home, f"{p.id}-{seat}"), code)
            for p in plans
            for seat, code in sign_in_codes(p).items()
        ),
    )


def _dialled(plan: Plan) -> Iterator[str]:
    """What citizens of this city can dial: 12345 first, then the merged numbers but the centres' own."""
    yield from (number for line in plan.lines.values() for number in line.numbers)
    yield from numbers_of({name: row for name, row in plan.numbers.items() if row.kind != "linked"})


def write(site: LabSite, share: Path) -> bool:
    """Write the configuration; False when it was already so."""
    for name in conf.FOLDERS:
        (site.folder / name).mkdir(parents=True, exist_ok=True)
    documentation = site.folder / "data/documentation"
    if not documentation.is_symlink():
        documentation.symlink_to(share / "documentation")
    changed = False
    for name, text in conf.render(site).items():
        path = site.folder / "etc" / name
        if not path.exists() or path.read_text() != text:
            write_atomic(path, text, mode=0o600)  # passwords
            changed = True
    return changed


async def run(home: Home, rate: str = "", seed: int | None = None) -> None:
    """Play the city until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    lab = Lab(home, asterisk_process.installed())
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(lab.keep(), name="asterisk")]
        tasks.append(group.create_task(lab.follow_plans(), name="plans"))
        tasks.append(group.create_task(lab.shift.run(), name="shift"))
        door = Door(lab.exchange, home.secrets["lab_ami"])
        tasks.append(group.create_task(_open(door, lab, home.ports.lab_door), name="door"))
        if rate:
            tasks.append(group.create_task(_keep_calling(home, rate, seed), name="city"))
        await stop.wait()
        for task in tasks:
            task.cancel()
    await lab.end()


def _forget_recordings(folder: Path) -> None:
    """Whoever wanted one has copied it by now."""
    for old in folder.glob("*.wav"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > KEEP_RECORDINGS:
                old.unlink()


async def _open(door: Door, lab: Lab, port: int) -> None:
    """An open door says that the phones are there; a dead house is no reason to wait for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLE):
            await lab.connected.wait()
            # thirty events of two kinds make it true, or none when a phone never comes
            while not (lab.exchange.all_registered() and lab.shift.all_at_work()):  # noqa: ASYNC110  # two conditions in two objects, made true by many small events; waited for once at the start
                await asyncio.sleep(0.1)
    await door.run(port)


async def _keep_calling(home: Home, rate: str, seed: int | None) -> None:
    while True:
        with contextlib.suppress(LabDown):
            async with Client(home) as client:
                await Traffic(client, per_second(rate), seed).run()
        await asyncio.sleep(1.0)


class Lab:
    """The process's parts: one Asterisk, one exchange."""

    def __init__(self, home: Home, asterisk: Installed) -> None:
        self._home = home
        self._asterisk = asterisk
        self._process: Process | None = None
        self.connected = asyncio.Event()
        self.exchange = Exchange(site_of(home, asterisk, self._plans()))
        self.shift = Shift(self.exchange)

    def _plans(self) -> list[Plan]:
        return [plan_folder.load(self._home.plan(city)) for city in cities_of(self._home)]

    @property
    def _pid_file(self) -> Path:
        return self._home.lab / "pid"

    async def keep(self) -> None:
        """Start Asterisk again whenever it dies, or its AMI link does: a log with a gap is no log."""
        while True:
            try:
                await self._start()
                wire = await self.exchange.connect()
                if (words := agent()) is not None:
                    say = await asyncio.to_thread(for_phones, words, self.exchange.site.audio)
                    await self.exchange.behave("seat", replace(USUAL, say=say))
                self.connected.set()
                log.info("the city is up: %d phones", len(self.exchange.site.seats))
                await wire.gone.wait()
                log.warning("the lab's Asterisk is gone")
                self.exchange.lose()
            except (WireDown, WireRefused, asterisk_process.Missing) as why:
                log.warning("the lab's Asterisk does not start: %s", why)
                await asyncio.sleep(1.0)

    async def _start(self) -> None:
        await self._stop_asterisk()
        site = self.exchange.site
        write(site, self._asterisk.share)
        self._process = asterisk_process.start(
            self._asterisk, site.conf, site.folder, self._home.logs / "lab-console.log"
        )
        self._pid_file.write_text(f"{self._process.pid}\n")
        await asterisk_process.ready(("127.0.0.1", site.ami), "lab", site.ami_secret)

    async def _stop_asterisk(self) -> None:
        """End ours, or one that an earlier lab left when it was killed."""
        found = self._process
        if found is None:
            with contextlib.suppress(OSError, ValueError):
                found = asterisk_process.runs(self.exchange.site.conf, int(self._pid_file.read_text()))
        if found is not None:
            await asterisk_process.stop(found, patience=3.0)
        self._process = None

    async def follow_plans(self) -> None:
        """A plan that was applied brings its new seats and trunks; phones do what they were told."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            _forget_recordings(self.exchange.site.heard)
            with contextlib.suppress(WireDown, WireRefused):
                await self.exchange.reconcile()
            try:
                site = site_of(self._home, self._asterisk, self._plans())
            except (plan_folder.BadPlan, OSError) as why:
                log.warning("the plans cannot be read: %s", why)
                continue
            if site == self.exchange.site or not site.carriers:
                # the city outside is no part of a home, and is there when that was deleted
                continue
            carriers = site.carriers != self.exchange.site.carriers
            self.exchange.site = site
            write(site, self._asterisk.share)
            with contextlib.suppress(WireDown, WireRefused):
                if carriers:
                    # a transport cannot be added to a running res_pjsip: start anew
                    await self._stop_asterisk()
                else:
                    await self.exchange.wire.ask("Reload", Module="res_pjsip")
                    await self.exchange.wire.ask("Reload", Module="res_pjsip_outbound_registration")
                    await self.exchange.register_all()

    async def end(self) -> None:
        """Hang everything up and go."""
        await self.exchange.close()
        await self._stop_asterisk()
        self._pid_file.unlink(missing_ok=True)
        shutil.rmtree(self._home.lab / "run", ignore_errors=True)
