"""Whether Asterisk, which runs without rights, can read what it plays and execute what it starts.

Looked at as the user it runs as: root sees every file, and a caller would hear nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cti import asterisk_process
from cti.errors import NotNow
from cti.home import Home
from cti.speech import shelf

_SOUND = re.compile(r"(?<![\w/.-])(?:hotline|city-[a-z0-9]+)/[A-Za-z0-9/-]*[A-Za-z0-9](?![\w/$-])")
"""Our own sounds as configuration names them, but for those put together while a call is on
(``…-${SAY}``): they, and those that Asterisk names by itself (digits), are among the shipped ones."""
_PROGRAMS = {"failsafe": False, "announce": True}
"""Whether a caller hears something by it: ``announce`` tells the agent's number, where a queue's plan wants
that; without ``failsafe`` the dialplan takes the same place by itself."""
_UNREADABLE = 'while IFS= read -r path; do true <"$path" || printf "%s\\n" "$path"; done'
"""Opened, not tested: only the kernel knows what holds for a user."""
_UNSTARTABLE = 'while IFS= read -r path; do [ -r "$path" ] && [ -x "$path" ] || printf "%s\\n" "$path"; done'
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Lack:
    """A file that Asterisk cannot use, why, and what to do."""

    what: str
    remedy: str
    heard: bool = True
    """A caller hears less than they should."""


def configured(home: Home) -> bool:
    """Whether there is an Asterisk of this home to look at."""
    return (home.asterisk / "etc/extensions.conf").exists()


def sounds(home: Home) -> list[Lack]:
    """The shipped sounds and those that the installed configuration names, as far as they cannot be played.

    Raises NotNow when it cannot be looked at as Asterisk's user.
    """
    data = home.asterisk / "data"
    spoken = data / "sounds/zh"
    by_name: dict[Path, list[Path]] = {}
    for path in spoken.rglob("[!.]*.*"):
        by_name.setdefault(path.with_suffix(""), []).append(path)
    wanted = {target: [target] for _, target in shelf.laid_out(data)}
    for name in _named(home):
        wanted.setdefault((spoken / name).with_suffix(shelf.PLAYED), by_name.get(spoken / name, []))
    missing = {path for path, files in wanted.items() if not any(os.path.exists(file) for file in files)}
    there = {file for path, files in wanted.items() if path not in missing for file in files}
    again = "cti plan apply lays out a city's own, cti down and cti up the shipped ones"
    return [
        *(Lack(f"{path.relative_to(data)} is not there", again) for path in sorted(missing)),
        *(
            Lack(f"{path.relative_to(data)} cannot be read", f"chmod -R a+rX {data}")
            for path in _as_asterisk(home, _UNREADABLE, there)
        ),
    ]


def programs(home: Home) -> list[Lack]:
    """The AGI programs that Asterisk starts itself, as far as it cannot. Raises NotNow as ``sounds``."""
    folder = home.asterisk / "agi"
    configuration = "".join(_texts(home))
    found = []
    for path, speaks in ((folder / name, speaks) for name, speaks in _PROGRAMS.items()):
        heard = speaks and str(path) in configuration
        interpreter = _interpreter(path)
        if interpreter is None:
            found.append(Lack(f"{path} is not there", "cti down, cti up: it lays it out anew", heard))
        elif _as_asterisk(home, _UNSTARTABLE, [path]):
            remedy = f"chmod a+rx {path}; chmod a+x {folder}"
            found.append(Lack(f"{path} cannot be executed", remedy, heard))
        elif _as_asterisk(home, _UNSTARTABLE, [interpreter]):
            what = f"{interpreter}, which {path} runs on, cannot be executed"
            found.append(Lack(what, "sh setup/agi.sh, then cti down, cti up", heard))
    return found


def _named(home: Home) -> Iterator[str]:
    for text in _texts(home):
        yield from _SOUND.findall(text)


def _texts(home: Home) -> Iterator[str]:
    """The installed configuration."""
    for path in (home.asterisk / "etc").glob("*.conf"):
        if os.access(path, os.R_OK):
            yield path.read_text("utf-8", "replace")


def _interpreter(program: Path) -> Path | None:
    """What its first line names; None for a program that is not there."""
    try:
        first = program.read_text("utf-8").partition("\n")[0]
    except FileNotFoundError:
        return None
    except OSError:
        return program
    return Path(first.removeprefix("#!").split()[0]) if first.startswith("#!") else program


def _as_asterisk(home: Home, script: str, paths: Iterable[Path]) -> list[Path]:
    """Those of the paths that the script names, run as the user Asterisk runs as."""
    asked = sorted(paths)
    who = asterisk_process.run_as(home.root)
    try:
        ran = subprocess.run(
            [*who.command, "sh", "-c", script],
            input="".join(f"{path}\n" for path in asked),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd="/",
        )
    except (OSError, subprocess.TimeoutExpired) as why:
        raise NotNow(f"cannot be looked at {who.note}: {why}") from why
    if ran.returncode:
        raise NotNow(f"cannot be looked at {who.note}: {ran.stderr.strip()}")
    return [Path(line) for line in ran.stdout.splitlines()]
