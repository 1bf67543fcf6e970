"""Where models are looked for: one order for service, commands, doctor and tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.commands.prompts import recogniser
from cti.speech import models, where


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A folder for each place, all empty."""
    found = {name: tmp_path / name for name in ("told", "named", "home", "default", "cache")}
    monkeypatch.setenv("CTI_MODELS", str(found["named"]))
    monkeypatch.setenv("CTI_HOME", str(found["default"]))
    monkeypatch.setenv("VOSK_MODEL_PATH", str(found["cache"]))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    return found


def put(folder: Path) -> Path:
    (folder / "am").mkdir(parents=True)
    (folder / "am/final.mdl").touch()
    return folder


def test_the_first_place_that_has_the_recogniser_counts(homes: dict[str, Path]) -> None:
    models = homes["home"] / "models"
    assert where.model("", models) is None
    for place in (
        homes["cache"] / where.CACHED,
        homes["default"] / "models" / where.NAME,
        models / where.NAME,
        homes["named"] / where.NAME,
    ):
        put(place)
        assert where.model("", models) == place


def test_a_folder_that_settings_name_is_the_only_place(homes: dict[str, Path]) -> None:
    put(homes["named"] / where.NAME)
    assert where.model(str(homes["told"]), homes["home"]) is None
    assert where.model(str(put(homes["told"])), homes["home"]) == homes["told"]


def test_commands_find_the_recogniser_where_the_service_does(homes: dict[str, Path]) -> None:
    put(homes["named"] / where.NAME)
    assert recogniser(homes["home"], None) == homes["named"] / where.NAME
    homes["home"].mkdir()
    (homes["home"] / "settings.toml").write_text(f'speech_model = "{put(homes["told"])}"\n')
    assert recogniser(homes["home"], None) == homes["told"]
    assert recogniser(homes["home"], homes["cache"]) == homes["cache"] / where.NAME


def test_the_voice_is_looked_for_in_the_same_folders(homes: dict[str, Path]) -> None:
    models = homes["home"] / "models"
    assert where.voice(models) == homes["named"] / where.VOICE
    (homes["default"] / "models" / where.VOICE).mkdir(parents=True)
    assert where.voice(models) == homes["default"] / "models" / where.VOICE


def test_models_are_kept_under_the_names_they_are_looked_for() -> None:
    assert (models.VOSK_ZH.name, models.KOKORO.name) == (where.NAME, where.VOICE)
