"""A voice of our own shop, written down by the real recogniser: nothing lost, numbers heard twice."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cti.__main__ import command_tree
from cti.speech import shelf
from cti.speech.ear import Vosk, heard
from cti.speech.recorded import pcm_of
from tests.house import ROOT
from tests.live import speaking

pytestmark = speaking.needs_model


@pytest.fixture(scope="module")
def ear() -> Vosk:
    return speaking.ear()


def spoken(*ids: str) -> bytes:
    """Shipped prompts one after the other, as A-law."""
    catalogue = shelf.catalogue()
    return b"".join(shelf.sound_of(catalogue[id]) + bytes([0xD5]) * 1600 for id in ids)


def test_the_text_is_the_recognisers_own(ear: Vosk, tmp_path: Path) -> None:
    import vosk

    (tmp_path / "call.alaw").write_bytes(spoken("greeting"))
    pcm, rate = pcm_of(tmp_path / "call.alaw")
    # Kaldi adds noise from C's rand() to every sample: the same noise for both
    ctypes.CDLL(None).srand(1)
    spans = list(heard(ear, pcm, rate))
    ctypes.CDLL(None).srand(1)
    raw = vosk.KaldiRecognizer(ear._model, rate)
    raw.SetWords(True)
    parts = []
    for at in range(0, len(pcm), 8000):
        if raw.AcceptWaveform(pcm[at : at + 8000]):
            parts.append(json.loads(raw.Result())["text"])
    parts.append(json.loads(raw.FinalResult())["text"])
    assert [span.text for span in spans] == [part for part in parts if part]
    assert spans[0].words[0].start >= 0
    assert spans[-1].end <= len(pcm) / 2 / rate


def test_a_number_is_heard_a_second_time_with_a_grammar_of_digits(ear: Vosk, tmp_path: Path) -> None:
    digits = "13856405678"
    (tmp_path / "call.alaw").write_bytes(spoken(*(f"digits/{d}" for d in digits)))
    pcm, rate = pcm_of(tmp_path / "call.alaw")
    told = [span.digits for span in heard(ear, pcm, rate) if span.digits]
    assert told == [digits]


# --- the commands, with the model where the service would find it -----------------------------------------

RUN = CliRunner()


@pytest.fixture
def told_by_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose settings alone name the model."""
    found = speaking.model()
    assert found is not None
    for name in ("CTI_MODELS", "CTI_HOME", "VOSK_MODEL_PATH", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text(f'speech_model = "{found}"\n')
    return home


def test_transcribe_prints_every_span_with_times_text_and_confidence(told_by_settings: Path) -> None:
    files = [str(speaking.CLIP), str(speaking.COMPLAINT)]
    words = ["transcribe", *files, "--json", "--home", str(told_by_settings)]
    told = RUN.invoke(command_tree(["transcribe"]), words)
    assert told.exit_code == 0, told.output
    spans = json.loads(told.stdout)
    assert {tuple(span)[:5] for span in spans} == {("file", "start", "end", "text", "confidence")}
    for file in files:
        mine = [span for span in spans if span["file"] == file]
        assert [s["start"] for s in mine] == sorted(s["start"] for s in mine)
        assert all(0 <= s["start"] < s["end"] and 0 < s["confidence"] <= 1 for s in mine)
        said = speaking.said_in(Path(file))
        assert speaking.cer(said, "".join(s["text"] for s in mine)) < 0.25


def test_words_with_their_times_are_in_the_json_when_asked_for(told_by_settings: Path) -> None:
    words = ["transcribe", str(speaking.CLIP), "--json", "--words", "--home", str(told_by_settings)]
    [span] = json.loads(RUN.invoke(command_tree(["transcribe"]), words).stdout)
    assert " ".join(word["text"] for word in span["words"]) == span["text"]
    assert all(span["start"] <= word["start"] < word["end"] <= span["end"] for word in span["words"])


def test_the_draft_of_a_call_is_made_from_its_recordings(told_by_settings: Path) -> None:
    call = "demo-n1-1773279600.12"
    folder = told_by_settings / "recordings/2026-03-12" / call
    folder.mkdir(parents=True)
    (folder / f"{call.partition('-')[2]}.wav").write_bytes(speaking.COMPLAINT.read_bytes())
    words = ["draft", call, "--json", "--home", str(told_by_settings), "--plan", str(ROOT / "plans/demo")]
    told = RUN.invoke(command_tree(["draft"]), words)
    assert told.exit_code == 0, told.output
    fields = json.loads(told.stdout)
    assert (fields["name"]["value"], fields["phone"]["value"]) == ("王建国", "13856405678")
    assert fields["address"]["value"]["street"] == "人民路"
    # 昨天晚上十点多, from the moment in the call's own id
    assert fields["time"]["value"]["start"].startswith("2026-03-11T22")
    assert all({"value", "confidence", "source", "alternatives"} <= set(field) for field in fields.values())


def test_a_fault_in_the_settings_is_told_in_words_and_not_passed_over(told_by_settings: Path) -> None:
    (told_by_settings / "settings.toml").write_text('speech_legs = "many"\n')
    words = ["transcribe", str(speaking.CLIP), "--home", str(told_by_settings)]
    told = RUN.invoke(command_tree(["transcribe"]), words)
    assert told.exit_code == 2
    assert "speech_legs" in told.output
