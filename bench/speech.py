"""What the recogniser hears, against the transcripts; and the draft from spoken calls.

    python -m bench speech        needs the model (cti speech fetch) and CTI_AUDIO, the folder of samples

1. Character error rate of every sample, at 16 kHz and after 8 kHz A-law; text compared letter by letter with
   a bare vosk recogniser fed the same samples: nothing may be lost on the way.
2. Where the voice is there (cti speech fetch): every tenth held-out call of tests/corpus is spoken, sent
   through 8 kHz A-law and recognised, each leg by itself; the draft is made from that. One synthetic voice in
   a quiet room: real calls are worse. CTI_PROVE=1 speaks all of them, which takes hours on two cores; what
   was spoken is kept (CTI_BENCH_CACHE), so a run that was broken off goes on.
   CTI_BENCH_EVERY=N: each N-th call.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import fields, samples
from cti.speech.ear import Vosk, heard
from cti.speech.models import KOKORO
from cti.speech.readback import characters, error_rate
from cti.speech.recorded import pcm_of
from cti.speech.sound import LINE_RATE, from_alaw
from recording.recognised import Recognised

KINDS = ("wav16k", "alaw8k")
BETWEEN_TURNS = 0.8
"""Seconds of silence around a turn: a span ends there."""


def main(full: bool) -> bool:
    """Print both tables, last one line of JSON. Goal: our text is bare vosk's, for every sample."""
    ear, models = Vosk(samples.model()), samples.models()
    result: dict[str, Any] = {"bench": "speech", **error_rates(ear, samples.audio())}
    if KOKORO.present(models):
        every = int(os.environ.get("CTI_BENCH_EVERY") or (1 if full else 10))
        result |= spoken_fields(ear, models, every)
    else:
        print("no voice: the draft from speech is not measured (cti speech fetch)")
    print(json.dumps(result, ensure_ascii=False))
    return bool(result["identical"] == result["files"])


def error_rates(ear: Vosk, audio: Path) -> dict[str, Any]:
    """Character error rate per file and kind; and whether our text is vosk's."""
    manifest = json.loads((audio / "manifest.json").read_text("utf-8"))
    texts = {entry["id"]: characters(entry["text"]) for entry in manifest}
    jobs = [(kind, id) for id in texts for kind in KINDS if (audio / kind / f"{id}.wav").is_file()]
    found = [one_file(ear, audio / job[0] / f"{job[1]}.wav") for job in jobs]
    read = dict(zip(jobs, found, strict=True))
    errors = {kind: 0.0 for kind in KINDS}
    length = {kind: 0 for kind in KINDS}
    print(f"{'sample':32} {'16 kHz':>7} {'A-law':>7}")
    for id, text in texts.items():
        row = []
        for kind in KINDS:
            if (kind, id) in read:
                rate = error_rate(text, characters(read[kind, id][0]))
                errors[kind] += rate * len(text)
                length[kind] += len(text)
                row.append(f"{rate:7.1%}")
        print(f"{id:32} {' '.join(row)}")
    same = sum(ours == raw for ours, raw in read.values())
    rates = {kind: round(errors[kind] / max(1, length[kind]), 4) for kind in KINDS}
    print(f"all, by characters: 16 kHz {rates['wav16k']:.1%}, A-law {rates['alaw8k']:.1%}")
    print(f"text identical to bare vosk: {same} of {len(read)} (goal: all)")
    return {"cer": rates, "identical": same, "files": len(read)}


def one_file(ear: Vosk, path: Path) -> tuple[str, str]:
    """Our text of a file, and a bare recogniser's, spaces included."""
    pcm, rate = pcm_of(path)
    reseeded()
    ours = " ".join(span.text for span in heard(ear, pcm, rate))
    reseeded()
    return ours, bare(ear, pcm, rate)


def reseeded() -> None:
    """Kaldi adds noise from C's rand() to every sample (dither), so vosk differs from itself: same noise."""
    ctypes.CDLL(None).srand(1)


def bare(ear: Vosk, pcm: bytes, rate: int) -> str:
    """What vosk says with nothing of ours around it."""
    import vosk

    recogniser = vosk.KaldiRecognizer(ear._model, rate)  # the baseline shares the loaded model
    parts = []
    for at in range(0, len(pcm), 8000):
        if recogniser.AcceptWaveform(pcm[at : at + 8000]):
            parts.append(json.loads(recogniser.Result())["text"])
    parts.append(json.loads(recogniser.FinalResult())["text"])
    return " ".join(part for part in parts if part)


# --- spoken calls ------------------------------------------------------------------------------


def spoken_fields(ear: Vosk, models: Path, step: int) -> dict[str, Any]:
    """Field accuracy of held-out calls that were spoken, sent over a telephone line and recognised."""
    sample = fields.calls("heldout")[::step]
    by_call = {}
    for number, call in enumerate(sample, 1):
        by_call[call["id"]] = list(recognised(ear, models, call))
        print(f"  {number}/{len(sample)} calls spoken", end="\r", file=sys.stderr, flush=True)
    wrong = sum(
        error_rate(characters(text), characters(span.text)) * len(characters(text))
        for call in sample
        for (_, text), span in zip(call["turns"], by_call[call["id"]], strict=True)
    )
    length = sum(len(characters(text)) for call in sample for _, text in call["turns"])
    print(f"\n{len(sample)} held-out calls spoken by one synthetic voice, 8 kHz A-law, no noise")
    print(f"  {'CER':14} {wrong / length:6.3f}")
    result: dict[str, Any] = {"spoken calls": len(sample), "spoken cer": round(wrong / length, 4)}
    for title, told in (
        ("typed", fields.drafts(sample, fields.said)),
        ("spoken", fields.drafts(sample, lambda call: by_call[call["id"]])),
    ):
        found = fields.figures(told)
        right, count = fields.spoken_numbers(told)
        result[title] = {name: round(value, 3) for name, value in found.items()}
        print(f"  {title}: " + ", ".join(f"{name} {value:.2f}" for name, value in found.items()))
        print(f"  {title}: spoken numbers {right}/{count}")
    return result


def recognised(ear: Vosk, models: Path, call: fields.Call) -> Iterator[Recognised]:
    """Each turn as one span (several are joined: a turn is judged against its text)."""
    at = 0.0
    for who, text in call["turns"]:
        sound = from_alaw(spoken_alaw(models, text))
        pcm = (sound * 32767).astype("<i2").tobytes()
        quiet = bytes(2 * int(BETWEEN_TURNS / 2 * LINE_RATE))
        spans = list(heard(ear, quiet + pcm + quiet, LINE_RATE, "agent" if who == "a" else "caller", at))
        yield joined(spans) if spans else Recognised("", at, at, 0.0, "agent" if who == "a" else "caller")
        at += len(pcm) / 2 / LINE_RATE + BETWEEN_TURNS


def joined(spans: Sequence[Recognised]) -> Recognised:
    """Several spans of one turn as one."""
    first = spans[0]
    words = tuple(word for span in spans for word in span.words)
    sure = sum(word.confidence for word in words) / max(1, len(words))
    digits = next((span.digits for span in reversed(spans) if span.digits), "")
    text = " ".join(span.text for span in spans)
    return replace(first, text=text, end=spans[-1].end, confidence=sure, words=words, digits=digits)


def spoken_alaw(models: Path, text: str) -> bytes:
    """The text as a telephone would carry it; kept between runs, for speaking takes as long as listening."""
    folder = Path(os.environ.get("CTI_BENCH_CACHE") or Path(tempfile.gettempdir()) / "hotline12345-spoken")
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.alaw"
    if not kept.is_file():
        from cti.speech import workshop
        from cti.speech.voice import Utterance

        data = workshop.spoken_alaw(_voice(models), Utterance(speakable(text)))
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_bytes(data)
        part.rename(kept)
    return kept.read_bytes()


def speakable(text: str) -> str:
    """Digits as their names, one by one; signs a voice cannot say as pauses."""
    named = re.sub(r"[0-9]", lambda digit: "零一二三四五六七八九"[int(digit[0])], text)
    return re.sub(r"[…\s]+|[A-Z]+", "，", named).replace("？，", "？").strip("，")


_voices: list[Any] = []


def _voice(models: Path) -> Any:
    if not _voices:
        from cti.speech.voice import Kokoro

        _voices.append(Kokoro(KOKORO.folder(models)))
    return _voices[0]
