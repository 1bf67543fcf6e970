"""Voices a core can follow live, against bare vosk on the same samples in the same run; their lag and memory.

    python -m bench listening     needs the model (cti speech fetch) and CTI_AUDIO, the folder of samples

A call is two voices: the service follows caller and seat, each by a tap of its own.

One recogniser process, as the service starts it, follows taps as Asterisk writes them (48 kHz), in which
every voice speaks without a pause, which is the worst case. Compared are seconds of CPU for a second of
sound. The baseline is a process with nothing but ``KaldiRecognizer.AcceptWaveform`` on the same samples.

Twice: the taps are written whole at once, so that the process never waits, as on a core that follows all
the voices it can. And they grow in real time, 32 KiB a piece, as in a call: the lag, and the ratio of a core
with time to spare, where each piece finds the caches cold. Both ratios have the same goal. The lag is that
of a word: from the end of its sound, as the final text has it, to the first partial text that can hold it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench import samples
from cti.speech.recorded import pcm_of
from cti.speech.tap import RATE, TAP_RATE, Tap

GOAL = 0.9
LAG_GOAL = 1.5
"""Seconds (issue 5, speech workers)."""
PIECE = 32768
"""Bytes Asterisk hands to the kernel at once."""
PIECE_SECONDS = PIECE / (2 * TAP_RATE)
CHUNK = 0.2
VOICES = 2
"""A call's: caller and seat are tapped and followed apart."""


def main(full: bool) -> bool:
    """Prints voices and calls a core, both ratios, the lag and the memory; last one line of JSON."""
    model, clips = samples.model(), sorted((samples.audio() / "alaw8k").glob("*.wav"))
    voices, seconds = (4, 60.0) if full else (2, 30.0)
    with tempfile.TemporaryDirectory(prefix="listening-") as folder:
        files = [written(Path(folder) / f"{n}.whole", clips[n::voices], seconds) for n in range(voices)]
        paths = [str(file) for file in files]
        with multiprocessing.get_context("spawn").Pool(1) as bare:
            # before and after: what else runs on this machine changes what a second of CPU is worth
            first, raw_text = bare.apply(alone, (str(model), paths))
            busy = followed(model, files, growing=False)
            second = bare.apply(alone, (str(model), paths))[0]
            seen = followed(model, files, growing=True)
            third = bare.apply(alone, (str(model), paths))[0]
    spoken = sum(file.stat_size for file in seen.files) / (2 * TAP_RATE)
    ours, theirs = busy.cpu / spoken, (first + second) / 2 / spoken
    ratio, growing = theirs / ours, (second + third) / 2 / seen.cpu
    lag = sorted(behind for leg in seen.shown for behind in word_lags(seen.shown[leg], seen.words[leg]))
    p50, p99 = lag[len(lag) // 2], lag[min(len(lag) - 1, int(len(lag) * 0.99))]
    same = sum(a.replace(" ", "") == b.replace(" ", "") for a, b in zip(raw_text, seen.text, strict=True))
    ends = judged(ratio, growing, p99, same, voices)
    print(f"{voices} voices that never pause, {spoken:.0f} s of sound in all; a call is {VOICES} voices")
    for name, cost in (("bare vosk", theirs), ("our live process", ours)):
        print(
            f"  {name:16} {cost:.3f} s of CPU a second of sound: {1 / cost:5.1f} voices a core,"
            f" {1 / cost / VOICES:.1f} calls"
        )
    print(f"  ratio never waiting {ratio:.2f}, goal {GOAL}: {ends['ratio']}")
    print(f"  ratio, growing taps {growing:.2f}, goal {GOAL}: {ends['ratio_growing']}")
    print(
        f"  a word's text behind its sound: p50 {p50:.2f} s, p99 {p99:.2f} s, {len(lag)} words"
        f" (pieces of {PIECE_SECONDS:.2f} s); goal p99 {LAG_GOAL:g} s: {ends['lag_p99']}"
    )
    mib = seen.a_voice / 1024
    print(
        f"  memory: {seen.before / 1024:.0f} MiB with the model, {mib:.1f} MiB a voice more,"
        f" {VOICES * mib:.1f} a call"
    )
    # a text may differ by a letter: Kaldi adds noise of its own, in another order for several voices
    print(f"  text identical to bare vosk: {same} of {voices} voices: {ends['identical']}")
    told: dict[str, object] = {"bench": "listening", "ratio": round(ratio, 3)}
    told |= {"ratio_growing": round(growing, 3), "voices_per_core": round(1 / ours, 2)}
    told |= {"calls_per_core": round(1 / ours / VOICES, 2), "bare_voices_per_core": round(1 / theirs, 2)}
    told |= {"mib_per_voice": round(mib, 1), "mib_per_call": round(VOICES * mib, 1)}
    told |= {"lag_p50": round(p50, 3), "lag_p99": round(p99, 3), "identical": same, "voices": voices}
    print(json.dumps(told | {"goals": ends}))
    return "missed" not in ends.values()


def judged(ratio: float, growing: float, p99: float, identical: int, voices: int) -> dict[str, str]:
    """Each goal, met or missed: the ratio of a process that never waits and of one whose taps grow, the lag,
    and whether each voice's text is bare vosk's own."""
    held = {
        "ratio": ratio >= GOAL,
        "ratio_growing": growing >= GOAL,
        "lag_p99": p99 <= LAG_GOAL,
        "identical": identical == voices,
    }
    return {name: "met" if met else "missed" for name, met in held.items()}


def word_lags(shown: Sequence[tuple[float, int]], words: Sequence[tuple[float, int]]) -> list[float]:
    """Seconds between each word's end and its text. ``shown``: (when, characters seen so far); ``words``:
    (end of its sound, characters up to it)."""
    return [
        first - end
        for end, place in words
        if (first := next((when for when, seen in shown if seen >= place), None)) is not None
    ]


def written(path: Path, clips: Sequence[Path], seconds: float) -> Path:
    """The clips one after the other as a tap of 48 kHz."""
    sound = np.concatenate([np.frombuffer(pcm_of(clip)[0], "<i2") for clip in clips])
    sound = np.resize(sound, int(seconds * RATE)).astype(np.float32)
    step = TAP_RATE // RATE
    wide = np.interp(np.arange(len(sound) * step) / step, np.arange(len(sound)), sound)
    path.write_bytes(wide.astype("<i2").tobytes())
    return path


def alone(model: str, files: Sequence[str]) -> tuple[float, list[str]]:
    """Bare vosk: its CPU seconds and its texts."""
    import vosk

    vosk.SetLogLevel(-2)
    loaded = vosk.Model(model)
    sounds = [list(chunks(Tap(Path(file)))) for file in files]
    heard(vosk.KaldiRecognizer(loaded, RATE), sounds[0][:5])
    began = time.process_time()
    texts = [heard(vosk.KaldiRecognizer(loaded, RATE), sound) for sound in sounds]
    return time.process_time() - began, texts


def chunks(tap: Tap) -> list[bytes]:
    found = []
    while sound := tap.read(CHUNK):
        found.append(sound)
    return found


def heard(recogniser: Any, sound: Sequence[bytes]) -> str:
    parts = [json.loads(recogniser.Result())["text"] for piece in sound if recogniser.AcceptWaveform(piece)]
    return " ".join([*parts, json.loads(recogniser.FinalResult())["text"]])


@dataclass(slots=True)
class Followed:
    """What the live process did."""

    files: list[Sized]
    cpu: float = 0.0
    before: int = 0
    a_voice: float = 0.0
    shown: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    """By leg: seconds since the beginning, characters that had been told by then."""
    words: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    """By leg: the end of a word's sound, characters up to it."""
    text: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sized:
    """A tap and its length in bytes."""

    path: Path
    stat_size: int


def followed(model: Path, files: Sequence[Path], *, growing: bool) -> Followed:
    """The worker follows all of them while they grow, or whole as they are."""
    seen = Followed([Sized(file, file.stat().st_size) for file in files])
    process = subprocess.Popen(
        [sys.executable, "-m", "cti.speech.worker", str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        while json.loads(process.stdout.readline())["what"] != "ready":
            pass
        seen.before, cpu = memory(process.pid), cpu_seconds(process.pid)
        # copies: what was read of a tap is given back to the disk
        legs = {file.name: file.with_suffix(".sln48") for file in files}
        for file, tap in zip(files, legs.values(), strict=True):
            tap.write_bytes(b"" if growing else file.read_bytes())
        began = time.monotonic()
        carrier = threading.Thread(target=grow, args=(files, list(legs.values()), began))
        if growing:
            carrier.start()
        for leg, tap in legs.items():
            process.stdin.write(json.dumps({"do": "follow", "leg": leg, "file": str(tap)}).encode() + b"\n")
        process.stdin.flush()
        texts = {leg: "" for leg in legs}
        seen.shown, seen.words = {leg: [] for leg in legs}, {leg: [] for leg in legs}
        open_legs, most, ended = set(legs), seen.before, False
        while open_legs:
            told = json.loads(process.stdout.readline())
            match told["what"]:
                case "partial":
                    so_far = letters(texts[told["leg"]]) + letters(told["text"])
                    seen.shown[told["leg"]].append((time.monotonic() - began, so_far))
                    most = max(most, memory(process.pid))
                case "span":
                    place = letters(texts[told["leg"]])
                    for word in told["span"]["words"]:
                        place += letters(word["text"])
                        seen.words[told["leg"]].append((word["end"], place))
                    texts[told["leg"]] += told["span"]["text"]
                    seen.shown[told["leg"]].append((time.monotonic() - began, letters(texts[told["leg"]])))
                case "over":
                    open_legs.discard(told["leg"])
            if not ended and not carrier.is_alive():
                ended = True
                for leg in legs:
                    process.stdin.write(json.dumps({"do": "end", "leg": leg}).encode() + b"\n")
                process.stdin.flush()
        seen.cpu = cpu_seconds(process.pid) - cpu
        seen.a_voice = (most - seen.before) / len(files)
        seen.text = list(texts.values())
    finally:
        process.stdin.close()
        process.wait(20)
    return seen


def letters(text: str) -> int:
    return len(text.replace(" ", ""))


def grow(files: Sequence[Path], taps: Sequence[Path], began: float) -> None:
    """Write each tap in pieces, at the moment the last sample of a piece is spoken."""
    whole = [file.read_bytes() for file in files]
    for at in range(0, max(map(len, whole)), PIECE):
        end = began + (at + PIECE) / (2 * TAP_RATE)
        time.sleep(max(0.0, end - time.monotonic()))
        for data, tap in zip(whole, taps, strict=True):
            with tap.open("ab") as file:
                file.write(data[at : at + PIECE])


def cpu_seconds(pid: int) -> float:
    """User and system time of a process (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Resident KiB (proc(5), status)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])
