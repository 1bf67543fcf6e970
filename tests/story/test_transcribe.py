"""Recordings as samples, results of the recogniser as spans, and the commands around them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cti.__main__ import command_tree
from cti.errors import Refused
from cti.speech.ear import number_stretch, span_of
from cti.speech.recorded import pcm_of
from cti.speech.sound import alaw, from_alaw
from recording.recognised import typed
from tests.story.drafted import heard
from tests.story.plan_files import DEMO

RUN = CliRunner()


def wav(
    code: int, bits: int, data: bytes, rate: int = 8000, channels: int = 1, size: int | None = None
) -> bytes:
    """A wav file; ``size``: what its header claims."""
    block = bits // 8 * channels
    head = struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits)
    told = len(data) if size is None else size
    return (
        b"RIFF" + struct.pack("<I", 36 + told) + b"WAVEfmt " + struct.pack("<I", 16) + head
        + b"data" + struct.pack("<I", told) + data
    )  # fmt: skip


def samples(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}h", *values)


def test_pcm_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(1, 16, samples(1, -2, 3), rate=16000))
    assert pcm_of(tmp_path / "a.wav") == (samples(1, -2, 3), 16000)


def test_alaw_in_a_wav_and_without_a_header_sound_the_same(tmp_path: Path) -> None:
    code = alaw(from_alaw(bytes(range(256))))
    (tmp_path / "a.wav").write_bytes(wav(6, 8, code))
    (tmp_path / "a.alaw").write_bytes(code)
    assert pcm_of(tmp_path / "a.wav") == pcm_of(tmp_path / "a.alaw")


def test_two_channels_are_mixed(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(1, 16, samples(100, 300, -50, 50), channels=2))
    assert pcm_of(tmp_path / "a.wav")[0] == samples(200, 0)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_file_that_is_still_written_is_read_as_far_as_it_goes(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav(1, 16, samples(5, 6), size=size & 0x7FFFFFFF))
    assert pcm_of(tmp_path / "a.wav")[0] == samples(5, 6)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"ID3 music", "not a wav file"),
        (wav(85, 16, b"mp3!"), "code 85"),
        (wav(1, 16, samples(1), rate=4000), "4000"),
    ],
)
def test_what_is_no_telephone_recording_is_refused_with_a_remedy(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(Refused, match=fault) as refused:
        pcm_of(tmp_path / "a.wav")
    assert "sox" in str(refused.value)


def test_a_result_becomes_a_span_with_the_recognisers_own_text() -> None:
    told = {
        "text": "路灯 坏 了",
        "result": [
            {"word": "路灯", "start": 0.5, "end": 0.9, "conf": 1.0},
            {"word": "坏", "start": 0.9, "end": 1.1, "conf": 0.5},
            {"word": "了", "start": 1.1, "end": 1.2, "conf": 0.9},
        ],
    }
    span = span_of(json.dumps(told), "caller", offset=10.0)
    assert span is not None
    assert (span.text, span.start, span.end, span.confidence) == ("路灯 坏 了", 10.5, 11.2, 0.8)
    assert span_of('{"text": ""}') is None


def test_only_a_stretch_that_sounds_like_a_number_is_heard_again() -> None:
    number = heard("电话", "是", "一", "三", "就", "五", "六", "四", "吧", "七", "七", "一", "二")
    stretch = number_stretch(number)
    assert stretch is not None
    assert stretch[0] <= number.words[2].start
    assert stretch[1] == number.words[-1].end
    assert (
        number_stretch(heard("一", "三", "班", "和", "只有", "四", "零", "五", "只有", "七", "吧"))
        is not None
    )
    assert number_stretch(heard("我", "住", "三", "号", "楼", "五", "单元")) is None


def test_typed_lines_name_their_speaker() -> None:
    spans = typed(["话务员：您好", "来电人: 路灯坏了", "没写是谁", "", "c: 喂"])
    assert [(span.speaker, span.text) for span in spans] == [
        ("agent", "您好"), ("caller", "路灯坏了"), ("", "没写是谁"), ("caller", "喂"),
    ]  # fmt: skip


def test_without_the_model_transcribe_ends_with_3_and_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(1, 16, samples(*[0] * 80)))
    told = RUN.invoke(
        command_tree(["transcribe"]), ["transcribe", str(tmp_path / "a.wav"), "--models", str(tmp_path)]
    )
    assert told.exit_code == 3
    assert "cti speech fetch" in told.output.replace("\n", "")


def test_draft_prints_every_field_with_value_confidence_source_and_alternatives(tmp_path: Path) -> None:
    text = tmp_path / "call.txt"
    text.write_text(
        "话务员：您好\n来电人：人民路阳光花园路灯坏了，我叫张伟，电话幺三八零零零一零零零一。\n", "utf-8"
    )
    words = ["draft", "--text", str(text), "--plan", str(DEMO), "--at", "2026-03-12T09:40", "--json"]
    told = RUN.invoke(command_tree(["draft"]), words)
    assert told.exit_code == 0, told.output
    fields = json.loads(told.stdout)
    assert set(fields) == {
        "name",
        "phone",
        "address",
        "time",
        "kind",
        "subject",
        "unit",
        "flags",
        "title",
        "story",
    }
    for field in fields.values():
        assert {"value", "confidence", "source", "alternatives"} <= set(field)
        assert 0 <= field["confidence"] <= 1
    assert (fields["name"]["value"], fields["phone"]["value"]) == ("张伟", "13800010001")
    assert fields["address"]["value"]["street"] == "人民路"
    assert fields["unit"]["title"] == "市城市管理局"
    source = fields["name"]["source"][0]
    assert source["text"] == "张伟"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "one of"),
        (["--text", "/no/such/file"], 2, "cannot be read"),
        (["--text", "-", "--at", "gestern"], 2, "2026-03-12T09:40"),
        (["--text", "-", "--plan", "/no/such/plan"], 2, "no such plan"),
        (["--text", "-"], 1, "nothing was said"),
        (["../../etc/passwd"], 2, "no call's id"),
        (["demo-n1-1.1"], 2, "recorded"),
    ],
)
def test_wrong_use_of_draft_is_told_in_words(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    told = RUN.invoke(command_tree(["draft"]), ["draft", *words, "--home", str(tmp_path)], input="")
    assert told.exit_code == code
    assert said in told.output.replace("\n", " ")
