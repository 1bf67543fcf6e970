"""The shipped sounds as Asterisk itself plays them: its own number and queue words, heard by a recogniser."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asterisk_conf.prompts import MADE_BY_RULE
from cti import asterisk_process
from cti.speech import shelf
from cti.speech.readback import GRAMMAR_KINDS, Reader, characters
from cti.speech.sound import alaw, loudness, read_wav
from tests.live import speaking

PLAYED = ("hotline/recording-short", "hotline/queue-position-3", "queue-thankyou")
MODULES = (
    *(
        "res_timing_timerfd",
        "chan_bridge_media",
        "bridge_simple",
        "codec_alaw",
        "codec_ulaw",
        "codec_resample",
    ),
    *(
        "format_sln",
        "format_wav",
        "pbx_config",
        "app_playback",
        "app_record",
        "res_clioriginate",
        "func_channel",
    ),
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return speaking.reader()


@pytest.fixture(scope="module")
def recorded() -> Iterator[dict[str, Path]]:
    """What was heard at the far end of a Local channel while each extension spoke, and Asterisk's log."""
    found = asterisk_process.installed()
    # the path of Asterisk's control socket must stay below 108 bytes
    with tempfile.TemporaryDirectory(prefix="cti-say-") as name:
        folder = Path(name)
        conf = _configured(folder, found)
        log = folder / "console.log"
        with log.open("wb") as out:
            asterisk = subprocess.Popen([found.binary, "-fq", "-C", conf], stdout=out, stderr=out)
        try:
            _booted(asterisk, found.binary, conf)
            heard = {}
            for what in ("prompts", "number", "digits"):
                heard[what] = folder / f"{what}.wav"
                _cli(found.binary, conf, f"channel originate Local/{what}@say/n extension {what}@listen")
            # returns to us as the end of the process, when the last of the calls is over
            _cli(found.binary, conf, "core stop gracefully")
            asterisk.wait(timeout=90)
            yield {**heard, "log": folder / "log/messages"}
        finally:
            asterisk.kill()
            asterisk.wait()


def _configured(folder: Path, found: asterisk_process.Installed) -> Path:
    for below in ("data", "log", "run", "spool", "db", "var"):
        (folder / below).mkdir(parents=True)
    # Asterisk does not start without its documentation
    (folder / "data/documentation").symlink_to(found.share / "documentation")
    shelf.lay_out(folder / "data")
    places = {"etc": "", "data": "data", "varlib": "var", "db": "db", "key": "var", "agi": "var"}
    places |= {"spool": "spool", "run": "run", "log": "log"}
    lines = [f"ast{word}dir => {folder / place}" for word, place in places.items()]
    lines[0] = f"astetcdir => {folder}"
    files = {
        "asterisk.conf": ["[directories]", *lines, f"astmoddir => {found.modules}"],
        "modules.conf": ["[modules]", "autoload = no", *(f"load = {m}.so" for m in MODULES)],
        "logger.conf": ["[general]", "[logfiles]", "messages = warning,error"],
        "manager.conf": ["[general]", "enabled = no"],
        "extensions.conf": [
            "[say]",
            "exten => _[a-z].,1,Answer()",
            " same => n,Set(CHANNEL(language)=zh)",
            " same => n,Wait(0.3)",
            " same => n,Goto(speak,${EXTEN},1)",
            "[speak]",
            f"exten => prompts,1,Playback({'&'.join(PLAYED)})",
            "exten => number,1,SayNumber(20305)",
            "exten => digits,1,SayDigits(6037)",
            "[listen]",
            "exten => _[a-z].,1,Answer()",
            f" same => n,Record({folder}/${{EXTEN}}.wav,0,30,qk)",
        ],
    }
    for name, text in files.items():
        (folder / name).write_text("\n".join(text) + "\n")
    return folder / "asterisk.conf"


def _cli(binary: Path, conf: Path, command: str) -> None:
    done = subprocess.run(
        [binary, "-C", conf, "-rx", command], capture_output=True, text=True, timeout=30, check=False
    )
    # an unknown command is success to Asterisk's own exit code
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert "No such command" not in done.stdout


def _booted(asterisk: subprocess.Popen[bytes], binary: Path, conf: Path) -> None:
    """Wait for the control socket, then for Asterisk's own word that it is fully booted."""
    until = time.monotonic() + 30
    while not (conf.parent / "run/asterisk.ctl").exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            asterisk.wait(0.05)
        assert asterisk.returncode is None, (conf.parent / "console.log").read_text()
        assert time.monotonic() < until, "Asterisk made no control socket in 30 s"
    _cli(binary, conf, "core waitfullybooted")


def _heard(recorded: dict[str, Path], what: str) -> bytes:
    sound, rate = read_wav(recorded[what])
    assert rate == 8000
    assert loudness(sound) > -30, "nothing was heard"
    return alaw(sound)


@speaking.needs_model
def test_asterisk_plays_whole_prompts_to_a_chinese_channel(recorded: dict[str, Path], reader: Reader) -> None:
    heard = reader.read(_heard(recorded, "prompts"))
    assert "通话将被录音" in heard
    assert "前面还有三位" in heard


@speaking.needs_model
@pytest.mark.parametrize(("what", "words"), [("number", "二万零三百零五"), ("digits", "六零三七")])
def test_numbers_that_asterisk_puts_together_are_understood(
    recorded: dict[str, Path], reader: Reader, what: str, words: str
) -> None:
    heard = reader.read(_heard(recorded, what), list("零一二三四五六七八九十百千万亿"))
    assert characters(heard) == words


def test_asterisk_missed_no_sound(recorded: dict[str, Path]) -> None:
    log = recorded["log"].read_text() if recorded["log"].exists() else ""
    assert "does not exist in any format" not in log
    assert "Unable to open" not in log


@speaking.needs_model
def test_every_shipped_word_is_still_understood_by_the_recogniser(reader: Reader) -> None:
    """A sample of each kind; `cti prompts check` reads them all."""
    every = shelf.catalogue()
    alone = sorted({p.expected for p in every if p.kind in GRAMMAR_KINDS})
    kinds = {p.kind: p for p in every if p.kind not in MADE_BY_RULE}
    assert len(kinds) > 10
    for kind, prompt in kinds.items():
        words = alone if kind in GRAMMAR_KINDS else ()
        heard = reader.check(shelf.sound_of(prompt), prompt.expected, words)
        assert heard.passes(kind), f"{prompt.id}: {heard}"
