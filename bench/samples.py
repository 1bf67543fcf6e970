"""What the speech benches listen to: a recogniser's model and recorded samples, if they are here."""

from __future__ import annotations

import os
from pathlib import Path

from cti.home import Home, default_home
from cti.speech import where

ROOT = Path(__file__).parents[1]


class Missing(Exception):
    """Something outside is not here; says what to do."""


def model() -> Path:
    """The recogniser's model. Raises Missing."""
    found = where.model("", Home(default_home()).models)
    if found is None:
        raise Missing("no recogniser's model: cti speech fetch, or CTI_MODELS names the folder of models")
    return found


def audio() -> Path:
    """Folder with manifest.json, wav16k/ and alaw8k/. Raises Missing."""
    folder = Path(os.environ.get("CTI_AUDIO") or ROOT / ".." / "shared" / "audio")
    if not (folder / "manifest.json").is_file():
        raise Missing("no samples: CTI_AUDIO names the folder with manifest.json, wav16k/ and alaw8k/")
    return folder


def models() -> Path:
    """Where voices lie."""
    return Path(os.environ.get("CTI_MODELS") or Home(default_home()).models)
