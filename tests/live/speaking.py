"""What the speech tests share: recorded voices, the recogniser, and how fast it is now.

``setup/all.sh --tests`` has fetched the recogniser; where it has not, these tests fail, unless they were
opted out of (``CTI_TEST_SPEECH=0``).
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from cti.home import Home, default_home
from cti.speech import where
from cti.speech.ear import Vosk, heard
from cti.speech.readback import Reader, characters, error_rate
from cti.speech.recorded import pcm_of
from tests.house import ROOT

AUDIO = ROOT / "tests" / "audio"
"""Sentences somebody said, as a telephone carries them, and one complaint (``README.md`` beside them)."""
COMPLAINT = AUDIO / "complaint.wav"
CLIP = AUDIO / "aishell3_SSB00730374.wav"
"""One that vosk alone understands the same whatever silence comes before it (20 of 20; SSB00180170, of 23
characters, comes out in seven ways with up to four wrong): what it is compared with is no matter of luck."""
PACE = 0.25
"""Seconds a second of sound takes vosk alone on the machine for which the bounds are stated (decision 9)."""
LIVE = 0.45
"""The same, for live text to keep up with two voices and for a voice to be understood while it speaks."""
OPTED_OUT = os.environ.get("CTI_TEST_SPEECH") == "0"


def model() -> Path | None:
    """The recogniser, where a service of this user would find it; None without it or its package."""
    if OPTED_OUT or importlib.util.find_spec("vosk") is None:
        return None
    return where.model("", Home(default_home()).models)


WHY = (
    "by design: CTI_TEST_SPEECH=0"
    if OPTED_OUT
    else "no recogniser here: setup/speech.sh fetches it, CTI_TEST_SPEECH=0 leaves these tests out"
)
"""Why tests with it are not run."""
needs_model = pytest.mark.skipif(model() is None, reason=WHY)
"""Where the recogniser is missing this is a failure under ``make test``, not a skip (tests/conftest.py)."""


def said_in(wav: Path) -> str:
    """What the voice in one of these files says."""
    told = {row["id"]: row["text"] for row in json.loads((AUDIO / "manifest.json").read_text("utf-8"))}
    return str(told[wav.stem])


def bound(seconds: float, pace: float) -> float:
    """A bound on live text in a minute in which vosk alone takes so long: as stated on the machine for which
    it is stated (``PACE``), longer as this one is slower now."""
    return seconds * max(1.0, pace / PACE)


@cache
def reader() -> Reader:
    """The recogniser that reads prompts back."""
    found = model()
    assert found is not None
    return Reader(found)


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


def words(wav: Path) -> dict[str, float]:
    """At which second of a file vosk alone hears each word; those that it hears once."""
    told = [word for span in heard(ear(), *pcm_of(wav)) for word in span.words]
    often = Counter(word.text for word in told)
    return {word.text: word.start for word in told if often[word.text] == 1}


def cer(want: str, got: str) -> float:
    """Character error rate."""
    return error_rate(characters(want), characters(got))
