"""The failsafe program, run as Asterisk runs it: a child process with an AGI conversation on its pipes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asterisk_conf.render import render
from tests.story.plan_files import ROOT, demo, site

HEAD = b"agi_request: failsafe\nagi_channel: PJSIP/demo-carrier-00000001\nagi_uniqueid: n1-1.1\n\n"


@pytest.fixture
def defaults(tmp_path: Path) -> Path:
    path = tmp_path / "failsafe.json"
    path.write_text(render([demo()], site())["failsafe.json"], "utf-8")
    return path


def start(defaults: Path, notes: Path, city: str = "demo", line: str = "12315") -> subprocess.Popen[bytes]:
    # as set-up does: a copy elsewhere, which does not see our own package named asterisk
    program = defaults.with_name("failsafe.py")
    program.write_text(
        (ROOT / "cti/failsafe.py").read_text("utf-8").replace("@LIBRARY@", "/nowhere"), "utf-8"
    )
    words = [
        sys.executable,
        str(program),
        "demo-n1-1.1",
        city,
        line,
        str(defaults),
        str(notes),
    ]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_it_tells_the_lines_first_place_and_leaves_a_note(defaults: Path, tmp_path: Path) -> None:
    out, err = start(defaults, tmp_path / "notes").communicate(HEAD + b"200 result=1\n", timeout=10)
    assert out == b'SET VARIABLE "NEXT" "queue:market"\n'
    assert err == b""
    note = json.loads((tmp_path / "notes/demo-n1-1.1.json").read_text("utf-8"))
    assert (note["call"], note["city"], note["line"]) == ("demo-n1-1.1", "demo", "12315")


def test_a_line_it_does_not_know_is_left_to_the_dialplan(defaults: Path, tmp_path: Path) -> None:
    child = start(defaults, tmp_path / "notes", line="nowhere")
    out, _ = child.communicate(HEAD, timeout=10)
    assert (out, child.returncode) == (b"", 0)


def test_without_its_file_it_says_nothing(tmp_path: Path) -> None:
    child = start(tmp_path / "missing.json", tmp_path / "notes")
    out, _ = child.communicate(HEAD, timeout=10)
    assert (out, child.returncode) == (b"", 0)


def test_a_folder_it_cannot_write_changes_nothing(defaults: Path) -> None:
    child = start(defaults, Path("/proc/nowhere"))
    out, _ = child.communicate(HEAD + b"200 result=1\n", timeout=10)
    assert out == b'SET VARIABLE "NEXT" "queue:market"\n'
    assert child.returncode == 0


def test_an_asterisk_that_never_speaks_cannot_keep_it(defaults: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    child = start(defaults, tmp_path / "notes")
    # the end is the kernel's: neither head nor answer ever come
    assert child.wait(timeout=10) == -signal.SIGALRM
    assert time.monotonic() - began < 3.0
    child.communicate()


def test_an_asterisk_that_hangs_up_ends_it(defaults: Path, tmp_path: Path) -> None:
    child = start(defaults, tmp_path / "notes")
    child.communicate(HEAD, timeout=10)
    assert child.returncode in (0, 1)
