"""The shelf: which standard prompts there are, whether they are whole, and where Asterisk finds them.

``asterisk_conf/sounds/zh`` holds one ``.alaw`` per prompt and ``made.json``, its account. Nothing here
needs the voice or numpy.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import asterisk_conf
from asterisk_conf import prompts
from asterisk_conf.prompts import Catalogue, Made, Prompt
from cti.speech.alaw import linear

RECIPE = 1
"""Raised when trimming, loudness or coding changes so that every prompt must be made again."""
HERE = Path(asterisk_conf.__file__).parent
SOUNDS = HERE / "sounds" / "zh"
ENDING = ".alaw"
PLAYED = ".sln"
"""What Asterisk is given to play: the same samples as 16 bit linear. Debian's Asterisk 22 drops frames on a
translation path after one with a later sequence number, and A-law from a file has number 0: once it was
played, whatever hears or speaks into what this channel is told (ChanSpy's barge) is deaf to every talker
whose numbers start beyond 32768. Linear frames take no such path."""


def catalogue() -> Catalogue:
    """The standard prompts as shipped."""
    return prompts.catalogue((HERE / "prompts.toml").read_text(encoding="utf-8"))


def made(folder: Path = SOUNDS) -> dict[str, Made]:
    """What has been made, without what has lost its file."""
    account = folder / "made.json"
    if not account.exists():
        return {}
    known = catalogue().prompts
    return {
        id: facts
        for id, facts in prompts.made(account.read_text(encoding="utf-8")).items()
        if id in known and file_of(known[id], folder).is_file()
    }


def shipped() -> dict[str, str]:
    """id -> sound name of every standard prompt that is really there: for ``prompts.resolve``."""
    return catalogue().shipped(made())


def keep_account(account: Mapping[str, Made], folder: Path = SOUNDS) -> None:
    """Write made.json, in the order of the catalogue; a reader sees the old or the new one."""
    ordered = {p.id: asdict(account[p.id]) for p in catalogue() if p.id in account}
    lines = ",\n".join(f"{json.dumps(i)}: {json.dumps(f, ensure_ascii=False)}" for i, f in ordered.items())
    text = f'{{"recipe": {RECIPE}, "prompts": {{\n{lines}\n}}}}\n'
    beside = folder / ".made.json"
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, folder / "made.json")


def file_of(prompt: Prompt, folder: Path = SOUNDS) -> Path:
    """Where the sound of a prompt lies."""
    return folder / f"{prompt.play}{ENDING}"


def key(prompt: Prompt) -> str:
    """Digest of everything the sound of ``prompt`` depends on, but the voice."""
    how = [RECIPE, prompt.spoken, prompt.style, prompt.speed, prompt.stop, prompt.keep, prompt.kind]
    return hashlib.sha256(json.dumps(how, ensure_ascii=False).encode()).hexdigest()[:16]


def stale(folder: Path = SOUNDS) -> list[Prompt]:
    """Prompts never made, or made of another text or by another recipe."""
    account = made(folder)
    return [p for p in catalogue() if p.id not in account or account[p.id].key != key(p)]


@dataclass(frozen=True, slots=True)
class Tampered:
    """A sound file that is not the one its account tells of."""

    id: str
    path: Path


def tampered(folder: Path = SOUNDS) -> list[Tampered]:
    """Files whose SHA-256 differs from made.json."""
    known = catalogue().prompts
    return [
        Tampered(id, file_of(known[id], folder))
        for id, facts in made(folder).items()
        if hashlib.sha256(file_of(known[id], folder).read_bytes()).hexdigest() != facts.sha256
    ]


def lay_out(data: Path) -> int:
    """Copy the shipped sounds to ``data/sounds/zh`` and the hold music to ``data/moh``, where the
    unprivileged Asterisk can read them (it could not follow a link into a private checkout), as linear
    samples. Returns how many changed.

    musiconhold.conf: ``[default] mode=files, directory=<data>/moh``.
    """
    return sum(keep_played(target, linear(path.read_bytes())) for path, target in laid_out(data))


def laid_out(data: Path) -> Iterator[tuple[Path, Path]]:
    """Each shipped sound and where Asterisk plays it from."""
    for path in sorted(SOUNDS.rglob(f"*{ENDING}")):
        inside = path.relative_to(SOUNDS)
        target = data / inside if inside.parts[0] == "moh" else data / "sounds" / "zh" / inside
        yield path, target.with_suffix(PLAYED)


def keep_played(target: Path, data: bytes) -> bool:
    """Write what Asterisk plays; a call sees the old or the new one. Whether it changed.

    An A-law file of the same name would be taken in its place, so it goes.
    """
    target.with_suffix(ENDING).unlink(missing_ok=True)
    if target.is_file() and target.read_bytes() == data:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}")
    beside.write_bytes(data)
    os.chmod(beside, 0o644)
    os.replace(beside, target)
    return True


def sound_of(prompt: Prompt, folder: Path = SOUNDS) -> bytes:
    """The A-law bytes of a prompt that was made."""
    return file_of(prompt, folder).read_bytes()
