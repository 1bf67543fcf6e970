"""Doctor sees what the unprivileged Asterisk cannot read or execute, and says what to do about it.

The demo plan laid out as `cti up` does it; no Asterisk runs. Looked at as the user it would run as.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cti import doctor, plan_folder, registrations
from cti.asterisk_process import Installed
from cti.home import Home
from cti.settings import Settings
from cti.site import lay_out, site_of
from tests.story.plan_files import DEMO

Spoil = Callable[[Path], None]
SOUNDS, PROGRAMS = "sounds within reach", "programs within reach"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("reach")
    asterisk = Installed(
        folder, folder / "asterisk", folder, folder / "modules", folder / "share", (22, 10, 1)
    )
    made = Home(folder / "home")
    (folder / "agi.env").write_text(f"AGI_PYTHON={_program(folder)}\nAGI_LIB={folder}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CTI_ASTERISK_PREFIX", str(folder))
        patch.setattr(registrations, "MEMORY", folder / "no-such-memory")
        plan_folder.keep(made, DEMO)
        lay_out(made, asterisk)
        plan = plan_folder.load(made.plan("demo"))
        site = site_of(made, made.ports, Settings(), asterisk, [plan], lab=True)
        plan_folder.install(made, [plan], site)
        yield made


def _program(folder: Path) -> Path:
    """An interpreter of the test's own, so that it can be closed."""
    made = folder / "python3"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return made


def looked(home: Home) -> dict[str, doctor.Check]:
    return {c.name: c for c in doctor.machine_checks(home) if c.name in (SOUNDS, PROGRAMS)}


def test_what_cti_up_lays_out_is_within_reach(home: Home) -> None:
    found = looked(home)
    assert {name: (c.ok, c.detail) for name, c in found.items()} == {SOUNDS: (True, ""), PROGRAMS: (True, "")}


def test_a_home_in_which_nothing_was_laid_out_yet_lacks_nothing(tmp_path: Path) -> None:
    assert looked(Home(tmp_path)) == {}


@pytest.mark.parametrize(
    "sound",
    [
        "sounds/zh/hotline/greeting.sln",  # the line's own greeting
        "sounds/zh/city-demo/menu-service.sln",  # a recording of the plan's own
        "sounds/zh/hotline/in-step.sln",  # what keeps recordings in step
        "sounds/zh/digits/1.sln",  # what Asterisk names by itself
        "moh/gentle.sln",
    ],
)
def test_a_sound_that_is_not_there_is_named(home: Home, sound: str) -> None:
    path = home.asterisk / "data" / sound
    away = path.with_name("away")
    path.rename(away)
    try:
        check = looked(home)[SOUNDS]
    finally:
        away.rename(path)
    assert (check.ok, check.need) == (False, True)
    assert check.detail == f"{sound} is not there"
    assert "cti plan apply" in check.remedy
    assert "cti up" in check.remedy


@pytest.mark.parametrize("closed", ["sounds/zh/hotline/greeting.sln", "sounds/zh/hotline"])
def test_a_sound_that_asterisk_may_not_read_is_named(home: Home, closed: str) -> None:
    path = home.asterisk / "data" / closed
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        check = looked(home)[SOUNDS]
    finally:
        path.chmod(mode)
    assert (check.ok, check.need) == (False, True)
    assert "sounds/zh/hotline/" in check.detail
    assert looked(home)[SOUNDS].ok


@pytest.mark.parametrize("program", ["failsafe", "announce"])
@pytest.mark.parametrize(
    ("spoil", "told", "remedy"),
    [
        (lambda path: path.chmod(0o644), "cannot be executed", "chmod a+rx"),
        (lambda path: path.chmod(0), "cannot be executed", "chmod a+rx"),
        (lambda path: path.unlink(), "is not there", "cti up"),
    ],
)
def test_a_program_that_asterisk_cannot_start_is_named(
    home: Home, program: str, spoil: Spoil, told: str, remedy: str
) -> None:
    path = home.asterisk / "agi" / program
    text = path.read_bytes()
    spoil(path)
    try:
        check = looked(home)[PROGRAMS]
    finally:
        path.unlink(missing_ok=True)
        path.write_bytes(text)
        path.chmod(0o755)
    # no queue of this plan announces agents; what the failsafe tells is the dialplan's own default too
    assert (check.ok, check.need) == (False, False)
    assert f"{path} {told}" in check.detail
    assert remedy in check.remedy


def test_an_announcement_of_agents_is_needed_where_a_queue_has_it(home: Home) -> None:
    path = home.asterisk / "agi/announce"
    queues = home.asterisk / "etc/extensions.conf"
    text = queues.read_text()
    queues.write_text(f"{text} same => n,Queue(demo-general,,,,,{path})\n")
    path.chmod(0o644)
    try:
        check = looked(home)[PROGRAMS]
    finally:
        path.chmod(0o755)
        queues.write_text(text)
    assert (check.ok, check.need) == (False, True)


def test_an_interpreter_that_asterisk_cannot_execute_is_named(home: Home) -> None:
    interpreter = home.root.parent / "python3"
    interpreter.chmod(0o644)
    try:
        check = looked(home)[PROGRAMS]
    finally:
        interpreter.chmod(0o755)
    # as the interpreter that set-up did not find: calls are served without it
    assert (check.ok, check.need) == (False, False)
    assert f"{interpreter}, which {home.asterisk / 'agi/failsafe'} runs on" in check.detail
    assert "setup/agi.sh" in check.remedy
