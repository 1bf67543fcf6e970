"""Where the speech models lie: told by a setting, fetched, or in vosk's own cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cti.home import default_home

NAME = "vosk-zh"
VOICE = "kokoro"
CACHED = "vosk-model-small-cn-0.22"
"""Under this name the vosk package's own download keeps it (``vosk.Model(lang="cn")``)."""


def folders(models: Path) -> Iterator[Path]:
    """Folders that hold models by name, in order: CTI_MODELS, the home's, and the default home's, which all
    checkouts of this user share (set-up fetches the tests' recogniser there: ``setup/words.sh``)."""
    if named := os.environ.get("CTI_MODELS"):
        yield Path(named)
    yield models
    yield default_home() / "models"


def places(told: str, models: Path) -> Iterator[Path]:
    """Where to look, in order. ``told`` names the model's folder itself; ``models`` is the home's folder."""
    if told:
        yield Path(told)
        return
    for folder in folders(models):
        yield folder / NAME
    for cache in (os.environ.get("VOSK_MODEL_PATH"), "/usr/share/vosk", Path.home() / ".cache/vosk"):
        if cache:
            yield Path(cache) / CACHED


def model(told: str, models: Path) -> Path | None:
    """The recogniser's model; None when there is none."""
    return next((place for place in places(told, models) if (place / "am" / "final.mdl").is_file()), None)


def voice(models: Path) -> Path:
    """The voice's folder; where it would be fetched to when there is none."""
    known = [folder / VOICE for folder in folders(models)]
    return next((place for place in known if place.is_dir()), known[0])
