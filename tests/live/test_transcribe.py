"""A voice of our own shop, written down by the real recogniser: nothing lost, numbers heard twice."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path

import pytest

from cti.speech import shelf
from cti.speech.ear import Vosk, heard
from cti.speech.recorded import pcm_of
from tests.live import speaking

pytestmark = speaking.needs_model


@pytest.fixture(scope="module")
def ear() -> Vosk:
    return speaking.ear()


def spoken(*ids: str) -> bytes:
    """Shipped prompts one after the other, as A-law."""
    catalogue = shelf.catalogue()
    return b"".join(shelf.sound_of(catalogue[id]) + bytes([0xD5]) * 1600 for id in ids)


def test_the_text_is_the_recognisers_own(ear: Vosk, tmp_path: Path) -> None:
    import vosk

    (tmp_path / "call.alaw").write_bytes(spoken("greeting"))
    pcm, rate = pcm_of(tmp_path / "call.alaw")
    # Kaldi adds noise from C's rand() to every sample: the same noise for both
    ctypes.CDLL(None).srand(1)
    spans = list(heard(ear, pcm, rate))
    ctypes.CDLL(None).srand(1)
    raw = vosk.KaldiRecognizer(ear._model, rate)
    raw.SetWords(True)
    parts = []
    for at in range(0, len(pcm), 8000):
        if raw.AcceptWaveform(pcm[at : at + 8000]):
            parts.append(json.loads(raw.Result())["text"])
    parts.append(json.loads(raw.FinalResult())["text"])
    assert [span.text for span in spans] == [part for part in parts if part]
    assert spans[0].words[0].start >= 0
    assert spans[-1].end <= len(pcm) / 2 / rate


def test_a_number_is_heard_a_second_time_with_a_grammar_of_digits(ear: Vosk, tmp_path: Path) -> None:
    digits = "13856405678"
    (tmp_path / "call.alaw").write_bytes(spoken(*(f"digits/{d}" for d in digits)))
    pcm, rate = pcm_of(tmp_path / "call.alaw")
    told = [span.digits for span in heard(ear, pcm, rate) if span.digits]
    assert told == [digits]
