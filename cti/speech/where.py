"""Where the recogniser's model lies: told by a setting, fetched, or in vosk's own cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

NAME = "vosk-zh"
CACHED = "vosk-model-small-cn-0.22"
"""Under this name the vosk package's own download keeps it (``vosk.Model(lang="cn")``)."""


def places(told: str, models: Path) -> Iterator[Path]:
    """Where to look, in order. ``told`` names the model's folder itself; ``models`` is the home's folder."""
    if told:
        yield Path(told)
        return
    if named := os.environ.get("CTI_MODELS"):
        yield Path(named) / NAME
    yield models / NAME
    for cache in (os.environ.get("VOSK_MODEL_PATH"), "/usr/share/vosk", Path.home() / ".cache/vosk"):
        if cache:
            yield Path(cache) / CACHED


def model(told: str, models: Path) -> Path | None:
    """The model's folder; None when there is none."""
    return next((place for place in places(told, models) if (place / "am" / "final.mdl").is_file()), None)
