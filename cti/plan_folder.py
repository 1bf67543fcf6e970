"""Plans on disk: a city's folder is read and checked, kept as a version, and put in force by one link.

``HOME/plan/<city>/versions/0001`` … hold copies of what was applied, ``current`` points to the one in
force. A version is never changed; going back is moving the link.
"""

from __future__ import annotations

import json
import os
import shutil
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asterisk_conf import prompts
from asterisk_conf.render import render
from asterisk_conf.site import Site
from cti import asterisk_process
from cti.errors import NotNow, Refused
from cti.home import Home, sync, write_atomic
from cti.speech import shelf, where
from cti.speech.pinyin import sounds as syllables
from ivr.spoken import Words
from plan.check import Checked, Sound, check, plan_prompts, together
from plan.faults import Fault
from plan.model import Plan

if TYPE_CHECKING:
    from cti.speech.voice import Voice

META = "applied.json"


class BadPlan(Exception):
    """A plan that is refused; ``faults`` has every reason, its text one line for each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def read(folder: Path) -> Checked:
    """Read and check the plan in a folder. Raises BadPlan when there is no such folder."""
    if not folder.is_dir():
        raise BadPlan([Fault(str(folder), "", "no such folder", "a plan is a folder with city.toml in it")])
    files: dict[str, bytes] = {}
    broken: list[Fault] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            files[path.name] = path.read_bytes()
        except OSError as why:
            broken.append(Fault(path.name, "", f"cannot be read: {why.strerror}", "see its owner and mode"))
    sounds = {
        str(path.relative_to(folder)): _sound(path)
        for path in sorted(folder.rglob("*.wav"))
        if path.is_file()
    }
    stored = folder.is_symlink() or folder.parent.name == "versions"
    standard = {prompt.id for prompt in shelf.catalogue()}
    checked = check(files, sounds, standard, None if stored else folder.resolve().name)
    checked = replace(checked, faults=(*checked.faults, *_sound_alike(checked.plan)))
    return Checked(None, (*broken, *checked.faults)) if broken else checked


def _sound_alike(plan: Plan | None) -> Iterator[Fault]:
    """Words of two keys of a spoken menu that no recogniser can tell apart."""
    for name, menu in () if plan is None else plan.menus.items():
        for key, word, other, same in Words(menu.words, syllables).alike():
            yield Fault(
                "menus.toml",
                f"{name}.words.{other}",
                f"'{same}' sounds like '{word}' of key {key}",
                "choose another word: such a caller is asked again",
                warning=True,
            )


def load(folder: Path) -> Plan:
    """The plan in a folder. Raises BadPlan with every fault."""
    checked = read(folder)
    if checked.plan is None:
        raise BadPlan([fault for fault in checked.faults if not fault.warning])
    return checked.plan


def _sound(path: Path) -> Sound:
    try:
        with wave.open(str(path), "rb") as file:
            seconds = file.getnframes() / (file.getframerate() or 1)
            return Sound(file.getframerate(), file.getnchannels(), 8 * file.getsampwidth(), seconds)
    except (OSError, EOFError, wave.Error) as why:
        return Sound(fault=str(why) or "it ends too early")


# --- versions ---------------------------------------------------------------------------------


def versions(home: Home, city: str) -> list[Path]:
    """The kept versions of a city's plan, the oldest first."""
    folder = home.root / "plan" / city / "versions"
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir()) if folder.is_dir() else []


def in_force(home: Home, city: str) -> Path | None:
    """The version that ``current`` points to."""
    link = home.plan(city)
    return link.resolve() if link.exists() else None


def keep(home: Home, folder: Path) -> Path:
    """Check a folder and put it in force as a new version, or leave the present one when nothing changed.

    Returns the version. Raises BadPlan; then nothing has changed.
    """
    plan = load(folder)
    now = in_force(home, plan.id)
    if now is not None and _same(now, folder):
        return now
    known = versions(home, plan.id)
    number = int(known[-1].name) + 1 if known else 1
    version = home.root / "plan" / plan.id / "versions" / f"{number:04}"
    beside = version.with_name(f".{version.name}.{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for path in _sources(folder):
        target = beside / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (beside / META).write_text(json.dumps({"source": str(folder.resolve())}) + "\n", "utf-8")
    for path in (*beside.rglob("*"), beside):
        sync(path)
    beside.rename(version)
    sync(version.parent)
    point(home, plan.id, version)
    return version


def point(home: Home, city: str, version: Path) -> None:
    """Let ``current`` point to a version; readers see the old one or the new one."""
    link = home.plan(city)
    beside = link.with_name(f".current.{os.getpid()}")
    beside.unlink(missing_ok=True)
    beside.symlink_to(os.path.relpath(version, link.parent))
    os.replace(beside, link)


def source_of(version: Path | None) -> Path | None:
    """The folder that a version was applied from."""
    if version is None:
        return None
    try:
        return Path(json.loads((version / META).read_text("utf-8"))["source"])
    except (OSError, ValueError, KeyError):
        return None


def _sources(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix in (".toml", ".wav") and p.is_file())


def _same(one: Path, other: Path) -> bool:
    def content(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in _sources(folder)}

    return content(one) == content(other)


# --- configuration ----------------------------------------------------------------------------


def rendered(home: Home, plans: Sequence[Plan], site: Site) -> dict[str, str]:
    """Every configuration file of these plans. Writes nothing but the plans' own sounds."""
    if clash := together(plans):
        raise BadPlan(clash)
    return render(plans, replace(site, sounds={plan.id: sounds(home, plan) for plan in plans}))


def install(
    home: Home, plans: Sequence[Plan], site: Site, tell: Callable[[str], None] = lambda _: None
) -> str:
    """Write Asterisk's configuration; returns its PLAN_HASH. A running Asterisk still has to reload.

    Each file is replaced at once; only its owner (the user Asterisk runs as) may read them, for there are
    passwords in them. ``tell`` hears of prompts that had to be replaced. Raises BadPlan for cities that
    cannot live together.
    """
    if clash := together(plans):
        raise BadPlan(clash)
    chosen = {plan.id: sounds(home, plan, tell) for plan in plans}
    files = render(plans, replace(site, sounds=chosen))
    etc = home.asterisk / "etc"
    owner = asterisk_process.run_as(home.root).owner
    for name, text in files.items():
        path = etc / name
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        write_atomic(path, text, mode=0o600, owner=owner)
    return hash_of(files)


def hash_of(files: Mapping[str, str]) -> str:
    """The PLAN_HASH written in rendered files."""
    line = next(line for line in files["extensions.conf"].splitlines() if line.startswith("PLAN_HASH"))
    return line.partition("=")[2].strip()


def installed_files(home: Home, names: Sequence[str]) -> dict[str, str]:
    """What is written for Asterisk now."""
    etc = home.asterisk / "etc"
    return {name: (etc / name).read_text("utf-8") for name in names if (etc / name).is_file()}


def sounds(home: Home, plan: Plan, tell: Callable[[str], None] = lambda _: None) -> dict[str, str]:
    """Prompt to sound for one city: its recordings, its texts as spoken by the voice, the shipped set.

    Own sounds are written where Asterisk plays them. ``tell`` hears of each prompt without a sound.
    """
    name = prompts.city_folder(plan.id)
    folder = home.asterisk / "data/sounds/zh" / name
    version = in_force(home, plan.id) or Path()
    wavs = {
        id: version / own.wav for id, own in plan.prompts.items() if own.wav and (version / own.wav).is_file()
    }
    texts = {id: own.text for id, own in plan.prompts.items() if own.text and id not in wavs}
    # numpy comes with it, and most plans that are read are not spoken
    from cti.speech import workshop

    own = {id: f"{name}/{id}" for id in workshop.record(wavs, folder)} if wavs else {}
    spoken: dict[str, str] = {}
    if texts:
        try:
            done = workshop.synthesise(
                texts,
                folder,
                lambda: _voice(home),
                unspoken=lambda id, why: tell(f"{plan.id}: prompt '{id}' cannot be spoken: {why}"),
            )
            spoken = {id: f"{name}/{id}" for id in done}
        except (NotNow, Refused, ModuleNotFoundError) as why:
            tell(f"{plan.id}: no voice for the plan's own texts: {why}")
    shipped = shelf.shipped()
    wanted = [prompt for _, _, prompt in plan_prompts(plan)]
    found = prompts.resolve(dict.fromkeys(wanted), own, spoken, shipped)
    for id, source in found.items():
        if source.fallback:
            tell(f"{plan.id}: prompt '{id}' has no sound, callers hear '{source.instead}' instead")
    return {id: source.play for id, source in found.items()}


def _voice(home: Home) -> Voice:
    from cti.speech.voice import Kokoro

    return Kokoro(where.voice(home.models))
