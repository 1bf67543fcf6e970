"""The workshop: speaks the standard prompts and a plan's own texts, takes in a plan's recordings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from asterisk_conf import prompts
from asterisk_conf.prompts import Made, Prompt
from cti.errors import NotNow, Refused
from cti.home import write_atomic
from cti.speech.alaw import linear
from cti.speech.shelf import PLAYED, RECIPE, SOUNDS, file_of, keep_account, keep_played, key, made
from cti.speech.sound import LINE_RATE, alaw, normalised, read_wav, to_line_rate
from cti.speech.tones import COMPUTED
from cti.speech.voice import Utterance, Voice


def spoken_alaw(voice: Voice, utterance: Utterance) -> bytes:
    """A text as the telephone gets it: trimmed, at speech level, 8 kHz A-law."""
    sound, rate = voice.say(utterance)
    return alaw(normalised(to_line_rate(sound, rate)))


def make(
    wanted: Iterable[Prompt], voice: Callable[[], Voice], folder: Path = SOUNDS
) -> Iterator[tuple[Prompt, Made]]:
    """Make each wanted prompt and enter it in the account at once, so that a stop loses one prompt only.

    The voice is called for when the first spoken prompt comes: tones need none.
    """
    account = made(folder)
    speaker: Voice | None = None
    for prompt in wanted:
        if prompt.kind in prompts.MADE_BY_RULE:
            data, provenance = alaw(COMPUTED[prompt.id]()), "computed by cti/speech/tones.py"
        else:
            speaker = speaker or voice()
            how = Utterance(prompt.spoken, prompt.style, prompt.speed, prompt.stop, prompt.keep)
            data, provenance = spoken_alaw(speaker, how), speaker.name
        path = file_of(prompt, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        facts = Made(key(prompt), digest, round(len(data) / LINE_RATE, 2), provenance)
        account[prompt.id] = facts
        keep_account(account, folder)
        yield prompt, facts


def read_back(account: dict[str, Made], id: str, heard: str, cer: float, ser: float) -> None:
    """Enter what the recogniser heard."""
    account[id] = replace(account[id], heard=heard, cer=round(cer, 3), ser=round(ser, 3))


def record(wavs: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """A plan's own recordings (id -> wav of any rate) as Asterisk plays them. Their level is the
    operator's choice and is left alone. Raises Refused naming the file and the remedy."""
    written: dict[str, Path] = {}
    for id, path in wavs.items():
        sound, rate = read_wav(path)
        written[id] = _stored(folder, id, alaw(to_line_rate(sound, rate)))
    return written


def synthesise(
    texts: Mapping[str, str],
    folder: Path,
    voice: Callable[[], Voice],
    unspoken: Callable[[str, Exception], None] | None = None,
) -> dict[str, Path]:
    """A plan's own texts (id -> Chinese text) spoken into ``folder``; what was spoken before from the same
    text is taken over, without loading the voice when that is all of them.

    ``unspoken`` is told of each text that could not be spoken (NotNow: no voice, Refused: it cannot say
    that), and the others go on; without it the first such failure is raised.
    """
    account_file = folder / "spoken.json"
    account = _account(account_file)
    written: dict[str, Path] = {}
    speaker: Voice | None = None
    for id, text in texts.items():
        path = folder / f"{id}{PLAYED}"
        if not path.is_file() or account.get(id) != _mark(text, path.read_bytes()):
            try:
                speaker = speaker or voice()
                code = spoken_alaw(speaker, Utterance(prompts.spoken(text)))
            except (NotNow, Refused) as why:
                if unspoken is None:
                    raise
                unspoken(id, why)
                continue
            path = _stored(folder, id, code)
            account[id] = _mark(text, path.read_bytes())
            write_atomic(account_file, json.dumps(account, ensure_ascii=False, indent=1) + "\n")
        written[id] = path
    return written


def _account(file: Path) -> dict[str, str]:
    """Empty when it cannot be read: all is spoken anew."""
    try:
        account = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return account if isinstance(account, dict) else {}


def _mark(text: str, data: bytes) -> str:
    """Ties a sound to its text: a recording that once lay under the same name is not taken for it."""
    return f"{RECIPE} {hashlib.sha256(data).hexdigest()[:16]} {text}"


def _stored(folder: Path, id: str, alaw: bytes) -> Path:
    path = folder / f"{id}{PLAYED}"
    keep_played(path, linear(alaw))
    return path
