"""The recogniser as a port: what crew and worker rely on, asked of vosk, of vosk behind the gate that spares
silence, and of a listener that knows nothing of speech (one word for each loud stretch)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from cti.speech import shelf
from cti.speech.alaw import linear
from cti.speech.ear import Ear, Listener, Vosk, heard
from cti.speech.gate import Gate
from recording.recognised import Recognised, Speaker
from tests.live import speaking
from tests.story.test_gate import RATE, Fake

OFFSET = 100.0
SLACK = 0.2
"""Seconds a word may end after the sound: vosk rounds to its frames."""


class Loud:
    """A second recogniser behind the port."""

    name = "loud"

    def listen(self, rate: int, speaker: Speaker = "", offset: float = 0.0) -> Listener:
        assert rate == RATE
        return Fake(offset)


class Gated:
    """Vosk as the live taps use it."""

    name = "vosk behind the gate"

    def __init__(self, ear: Ear) -> None:
        self._ear = ear

    def listen(self, rate: int, speaker: Speaker = "", offset: float = 0.0) -> Listener:
        return Gate(self._ear.listen(rate, speaker, offset), rate, offset)


@pytest.fixture(scope="module")
def vosk() -> Vosk:
    if speaking.model() is None:
        pytest.skip(speaking.WHY)
    return speaking.ear()


@pytest.fixture(params=["vosk", "gated", "loud"])
def ear(request: pytest.FixtureRequest) -> Ear:
    if request.param == "loud":
        return Loud()
    vosk: Vosk = request.getfixturevalue("vosk")
    return vosk if request.param == "vosk" else Gated(vosk)


@pytest.fixture(scope="module")
def pcm() -> bytes:
    """Shipped prompts with three seconds of a line's silence between them."""
    catalogue = shelf.catalogue()
    said = [shelf.sound_of(catalogue[id]) for id in ("greeting", "digits/7")]
    return linear((bytes([0xD5]) * 3 * RATE).join(said))


def spans_of(ear: Ear, pcm: bytes, block: int, offset: float = 0.0) -> Iterator[Recognised]:
    listener = ear.listen(RATE, "caller", offset)
    for at in range(0, len(pcm), block):
        yield from listener.hear(pcm[at : at + block])
    yield from listener.finish()


def test_spans_and_words_stand_in_order_within_the_sound_and_say_how_sure_they_are(
    ear: Ear, pcm: bytes
) -> None:
    seconds = len(pcm) / 2 / RATE
    spans = list(heard(ear, pcm, RATE))
    assert spans
    words = [word for span in spans for word in span.words]
    assert all(0.0 <= w.start <= w.end <= seconds + SLACK for w in words)
    assert all(one.start <= two.start for one, two in pairwise(words))
    assert all(0.0 <= sure <= 1.0 for sure in [w.confidence for w in words] + [s.confidence for s in spans])
    for span in spans:
        assert (span.start, span.end) == (span.words[0].start, span.words[-1].end)
        assert span.text.split() == [w.text for w in span.words]


def test_the_offset_moves_every_second(ear: Ear, pcm: bytes) -> None:
    seconds = len(pcm) / 2 / RATE
    words = [w for span in spans_of(ear, pcm, 3200, OFFSET) for w in span.words]
    assert words
    assert all(OFFSET <= w.start <= w.end <= OFFSET + seconds + SLACK for w in words)
    assert words[0].start < OFFSET + 2.0  # the greeting begins at once


def test_sound_may_come_in_pieces_of_any_size(ear: Ear, pcm: bytes) -> None:
    first = [next(s.words[0].start for s in spans_of(ear, pcm, block)) for block in (320, 64000)]
    assert max(first) - min(first) < 0.3


def test_two_voices_do_not_mix(ear: Ear, pcm: bytes) -> None:
    talks, quiet = ear.listen(RATE), ear.listen(RATE)
    heard_there: list[Recognised] = []
    heard_here: list[Recognised] = []
    for at in range(0, len(pcm), 3200):
        heard_here += talks.hear(pcm[at : at + 3200])
        heard_there += quiet.hear(bytes(len(pcm[at : at + 3200])))
    heard_here += talks.finish()
    heard_there += quiet.finish()
    assert heard_here
    assert heard_there == []


def test_a_voice_that_never_spoke_ends_without_a_word(ear: Ear) -> None:
    listener = ear.listen(RATE)
    assert listener.hear(b"") == []
    assert listener.partial() == ""
    assert listener.finish() == []
