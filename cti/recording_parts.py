"""The parts of the service that keep recordings: filing, masking, and (when there is a model) listening."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from calls.audit import Audited
from calls.facts import CallId, Fact
from calls.orders import Order
from cti.archive import Archive
from cti.asterisk.files import mask_keys
from cti.call_classes import CallClasses
from cti.carrying import Carrier
from cti.filing import Filer
from cti.flags import RedFlags
from cti.home import NODE, Home
from cti.listening import Listening
from cti.masking import Masker
from cti.reserve import Reserve
from cti.retention import Retention
from cti.ring import Ring
from cti.sealing import Sealer
from cti.settings import Settings
from cti.shelf.chosen import Chosen
from cti.sounds import Sounds
from cti.speech import where
from cti.store.history import History
from cti.store.recordings import RecordingStore
from cti.switchboard import Switchboard
from cti.web.health import Part
from plan.model import Plan
from recording.masked import Key

Gauge = tuple[str, str, Callable[[], float]]


class RecordingParts:
    """Built once by ``cti.app``."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        history: History,
        switchboard: Switchboard,
        plans: Callable[[], Mapping[str, Plan]],
        do: Callable[[Order], Awaitable[str]],
        note: Callable[[Audited], None],
    ) -> None:
        self._home, self._settings = home, settings
        self.store = RecordingStore(history)
        self.filer = Filer(
            home.recordings,
            self.store,
            lambda: self.ring,
            lambda: switchboard.board,
            self._tell(switchboard),
            node=NODE,
            keys=self._keys,
            longest=float(settings.recording_mask_seconds),
        )
        after = settings.recording_seal_after_seconds
        self.sealer = Sealer(
            home.recordings,
            self.store,
            lambda: self.ring,
            self.filer.alarm,
            self.filer.removed,
            after=None if after < 0 else float(after),
        )
        workers = settings.speech_workers or max(1, (os.cpu_count() or 2) // 2)
        self.shelf = Chosen(home, settings)
        self.carrier = Carrier(
            home.recordings,
            self.store,
            self.shelf,
            lambda: self.listening.reading,
            self.filer.alarm,
            lambda: self.ring,
            local_days=settings.recording_local_days,
        )
        self.reserve = Reserve(
            home.recordings / ".reserve",
            reserve_mb=settings.recording_reserve_mb,
            low_mb=settings.recording_low_mb,
            spare=self.carrier.spare,
        )
        self.listening = Listening(
            home.taps,
            home.recordings,
            lambda: where.model(settings.speech_model, home.models),
            lambda: self.ring.path,
            self.store,
            lambda: switchboard.board,
            do,
            workers=workers if settings.speech else 0,
            legs=settings.speech_legs,
            back=self.carrier.back,
        )
        self.flags = RedFlags(
            self.listening.heard_now, lambda: switchboard.board, self._tell(switchboard), node=NODE
        )
        self.read_along: list[Callable[[CallId], None]] = [self.flags.changed]
        """Called when a call's words changed."""
        self.listening.changed = self._words_changed
        self.masker = Masker(
            lambda: switchboard.board,
            plans,
            do,
            self._tell(switchboard),
            node=NODE,
            longest=float(settings.recording_mask_seconds),
            keys=self._keys,
        )
        self.retention = Retention(home.recordings, self.store, plans, note, self.shelf)
        self.archive = Archive(
            Sounds(home.recordings, lambda: self.ring, self.shelf), self.store, lambda: switchboard.board,
            self.filer, self.masker, self.listening,
            CallClasses(self.store, plans, lambda: switchboard.board),
        )  # fmt: skip
        switchboard.listen(self.filer.hear)
        switchboard.listen(self.listening.hear)
        switchboard.listen(self.masker.hear)

    def _words_changed(self, call: CallId) -> None:
        for listener in self.read_along:
            listener(call)

    def _keys(self, call: CallId, since: float) -> Sequence[Key]:
        return mask_keys(self._home.queue_log, call, since)

    @cached_property
    def ring(self) -> Ring:
        """Raises NotNow when the key ring cannot be read or made."""
        return Ring(keys_of(self._home, self._settings))

    def runs(self) -> dict[str, Callable[[], Awaitable[None]]]:
        runs: dict[str, Callable[[], Awaitable[None]]] = {
            "recordings": self.filer.run,
            "sealing": self.sealer.run,
            "masks": self.masker.run,
            "listening": self.listening.run,
            "red flags": self.flags.run,
            "retention": self.retention.run,
            "reserve": self.reserve.run,
        }
        return {**runs, "shelf": self.carrier.run} if self.shelf.there else runs

    def gauges(self) -> list[Gauge]:
        filer, speech, carrier = self.filer, self.listening, self.carrier
        shelf: list[Gauge] = [
            ("hotline_shelf_up", "1 while the shelf takes recordings", lambda: float(not carrier.trouble)),
            (
                "hotline_recordings_uncarried",
                "Sealed recordings not on the shelf yet",
                lambda: float(carrier.waiting),
            ),
            (
                "hotline_recordings_carried",
                "Recordings carried to the shelf since the start",
                lambda: float(carrier.carried),
            ),
        ]
        return [
            *(shelf if self.shelf.there else ()),
            ("hotline_speech_up", "1 while a recogniser listens", lambda: float(speech.up)),
            ("hotline_speech_dropped", "Legs left to after-call work", lambda: float(speech.dropped)),
            (
                "hotline_speech_unreadable",
                "Recordings given up after three tries, no words of them",
                lambda: float(speech.unreadable),
            ),
            ("hotline_speech_lag_p50_seconds", "Voice to text, the last ones", lambda: speech.lag(0.5)),
            ("hotline_speech_lag_p99_seconds", "Voice to text, the last ones", lambda: speech.lag(0.99)),
            ("hotline_flags_raised", "Red flags since the start", lambda: float(self.flags.raised)),
            ("hotline_recordings_filed", "Recordings filed since the start", lambda: float(filer.filed)),
            (
                "hotline_recordings_missing",
                "Recordings missing since the start",
                lambda: float(filer.missing),
            ),
            (
                "hotline_recordings_reserve",
                "1 while the recordings' disk has room (or no reserve is wanted)",
                lambda: float(not self.reserve.trouble),
            ),
            ("hotline_recordings_waiting", "Legs over and not filed yet", lambda: float(filer.waiting)),
        ]

    def health(self) -> dict[str, Part]:
        filer, carrier = self.filer, self.carrier
        waiting = f"{carrier.waiting} waiting"
        told = f"{carrier.trouble}; {waiting}" if carrier.trouble else f"{carrier.carried} carried, {waiting}"
        shelf = {"shelf": Part(not carrier.trouble, text=told)} if self.shelf.there else {}
        trouble = "; ".join(told for told in (filer.trouble, self.reserve.trouble) if told)
        lost = f"{filer.missing} missing since the start: GET /api/recordings/alarms"
        return {
            **shelf,
            "recordings": Part(
                not trouble,
                text=trouble or (lost if filer.missing else f"{filer.filed} filed"),
            ),
            # a home without a model is a choice, and is told; a recogniser that died is trouble
            "speech": Part(not self.listening.trouble, text=self.listening.status),
        }

    def _tell(self, switchboard: Switchboard) -> Callable[[Fact], None]:
        def tell(fact: Fact) -> None:
            # the switchboard has one thread, ours; a file's fate is a fact like any other
            asyncio.get_running_loop()
            switchboard.hear(fact)

        return tell


def keys_of(home: Home, settings: Settings) -> Path:
    """The key ring's file."""
    return Path(settings.recording_keys) if settings.recording_keys else home.recording_keys
