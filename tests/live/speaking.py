"""What the speech tests share: a recogniser's model, if this machine has one, and how fast it is now."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

from cti.errors import NotNow
from cti.speech import where
from cti.speech.ear import Vosk
from cti.speech.models import KOKORO
from cti.speech.readback import characters, error_rate
from cti.speech.recorded import pcm_of
from cti.speech.voice import Kokoro, Voice

NO_MODEL = "by design: no recogniser's model here (cti speech fetch)"


def model() -> Path | None:
    try:
        import vosk  # noqa: F401
    except ImportError:
        return None
    return where.model("", Path("/nonexistent"))


def voice() -> Voice | None:
    """The project's own voice, if this machine has it."""
    try:
        return Kokoro(KOKORO.folder(Path(os.environ.get("CTI_MODELS") or "/nonexistent")))
    except NotNow:
        return None


@cache
def ear() -> Vosk:
    found = model()
    assert found is not None
    return Vosk(found)


def raw(wav: Path) -> tuple[str, float]:
    """What vosk alone makes of a file, and how many seconds a second of sound takes it now."""
    pcm, rate = pcm_of(wav)
    listener = ear().listen(rate)
    began = time.monotonic()
    spans = []
    for place in range(0, len(pcm), rate // 5 * 2):
        spans += listener.hear(pcm[place : place + rate // 5 * 2])
    spans += listener.finish()
    took = time.monotonic() - began
    return "".join(s.text for s in spans).replace(" ", ""), took / (len(pcm) / 2 / rate)


def cer(want: str, got: str) -> float:
    """Character error rate."""
    return error_rate(characters(want), characters(got))
