"""Versions on disk: a bad plan changes nothing, a good one is in force by one link."""

from __future__ import annotations

import os
import shutil
import threading
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cti import asterisk_process, plan_folder
from cti.commands.plan import app
from cti.home import Home
from cti.plan_folder import BadPlan
from cti.plan_reload import take_over
from cti.speech.sound import Wave
from cti.speech.voice import Utterance
from tests.fakes.power import Power
from tests.story.plan_files import DEMO, site

run = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(DEMO, tmp_path / "demo")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def change(folder: Path, old: str = "wait_seconds = 90", new: str = "wait_seconds = 80") -> None:
    path = folder / "queues.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_a_plan_is_kept_as_a_version_and_in_force(home: Home, folder: Path) -> None:
    version = plan_folder.keep(home, folder)
    assert version.name == "0001"
    assert plan_folder.in_force(home, "demo") == version
    assert plan_folder.load(home.plan("demo")) == plan_folder.load(folder)
    assert home.cities() == ("demo",)


def test_an_unchanged_plan_makes_no_new_version(home: Home, folder: Path) -> None:
    assert plan_folder.keep(home, folder) == plan_folder.keep(home, folder)


def test_a_changed_plan_is_a_new_version_and_the_old_one_stays(home: Home, folder: Path) -> None:
    old = plan_folder.keep(home, folder)
    change(folder)
    new = plan_folder.keep(home, folder)
    assert [v.name for v in plan_folder.versions(home, "demo")] == ["0001", "0002"]
    assert plan_folder.load(old).queues["general"].wait_seconds == 90
    assert plan_folder.load(new).queues["general"].wait_seconds == 80


def test_a_bad_plan_is_refused_and_the_one_in_force_stays(home: Home, folder: Path) -> None:
    version = plan_folder.keep(home, folder)
    change(folder, 'next = "message:busy"', 'next = "message:bussy"')
    with pytest.raises(BadPlan, match="did you mean 'busy'"):
        plan_folder.keep(home, folder)
    assert plan_folder.in_force(home, "demo") == version
    assert len(plan_folder.versions(home, "demo")) == 1


def test_going_back_is_moving_the_link(home: Home, folder: Path) -> None:
    old = plan_folder.keep(home, folder)
    change(folder)
    plan_folder.keep(home, folder)
    plan_folder.point(home, "demo", old)
    assert plan_folder.in_force(home, "demo") == old


def test_no_such_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match="no such folder"):
        plan_folder.load(tmp_path / "nowhere")


def test_a_wav_is_looked_into(folder: Path) -> None:
    own = folder / "prompts.toml"
    own.write_text(own.read_text("utf-8").replace('"menu-service.wav"', '"own.wav"'), "utf-8")
    (folder / "own.wav").write_bytes(b"no sound at all")
    with pytest.raises(BadPlan, match="cannot be played"):
        plan_folder.load(folder)
    with wave.open(str(folder / "own.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 8000)
    assert plan_folder.load(folder).prompts["menu-service"].wav == "own.wav"


def test_installed_files_are_the_owners_only_and_know_their_hash(home: Home, folder: Path) -> None:
    plan_folder.keep(home, folder)
    plans = [plan_folder.load(home.plan("demo"))]
    digest = plan_folder.install(home, plans, site())
    files = plan_folder.installed_files(home, ("extensions.conf", "pjsip.conf"))
    assert plan_folder.hash_of(files) == digest
    assert (home.asterisk / "etc/pjsip.conf").stat().st_mode & 0o777 == 0o600


def test_a_version_in_force_outlives_a_power_cut(
    home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = Power(monkeypatch)
    linked = os.replace

    def cut(beside: Path, link: Path) -> None:
        linked(beside, link)
        power.cut(home.root)

    monkeypatch.setattr(os, "replace", cut)
    version = plan_folder.keep(home, folder)
    assert plan_folder.load(home.plan("demo")) == plan_folder.load(folder)
    assert plan_folder.source_of(version) == folder.resolve()


def test_what_an_apply_that_was_killed_left_for_asterisk_belongs_to_asterisk(
    home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[int, int] = {}
    taken: list[int] = []
    replace = os.replace
    monkeypatch.setattr(
        asterisk_process, "run_as", lambda _: asterisk_process.RunAs((), asterisk_process.NOBODY, "")
    )
    monkeypatch.setattr(os, "fchown", lambda fd, uid, gid: given.update({os.fstat(fd).st_ino: uid}))
    plan_folder.keep(home, folder)
    plans = [plan_folder.load(home.plan("demo"))]

    def killed(fresh: str, path: Path) -> None:
        replace(fresh, path)
        if path.parent.name == "etc":
            taken.append(path.stat().st_ino)
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        plan_folder.install(home, plans, site())
    assert [given.get(file) for file in taken] == [asterisk_process.NOBODY]


def test_a_prompt_without_a_sound_is_told_and_replaced(home: Home, folder: Path) -> None:
    own = folder / "prompts.toml"
    own.write_text(own.read_text().replace('wav = "menu-service.wav"\n', ""))
    plan_folder.keep(home, folder)
    told: list[str] = []
    chosen = plan_folder.sounds(home, plan_folder.load(home.plan("demo")), told.append)
    assert chosen["menu-service"].startswith("hotline/")
    assert any("menu-service" in text for text in told)


class StandingStill:
    """A voice that does not answer for as long as somebody wants."""

    name = "standing still"

    def __init__(self) -> None:
        self.asked, self.goes_on = threading.Event(), threading.Event()

    def say(self, utterance: Utterance) -> tuple[Wave, int]:
        self.asked.set()
        assert self.goes_on.wait(20)
        return np.zeros(2400, dtype=np.float32), 24000


def test_a_voice_that_stands_still_keeps_a_new_plan_waiting_and_the_old_one_whole(
    home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_folder.keep(home, folder)
    old = plan_folder.install(home, [plan_folder.load(home.plan("demo"))], site())
    etc = home.asterisk / "etc"
    before = {path.name: path.read_bytes() for path in etc.iterdir()}
    own = folder / "prompts.toml"
    own.write_text(own.read_text().replace('wav = "menu-service.wav"\n', ""))
    change(folder)
    plan_folder.keep(home, folder)
    voice = StandingStill()
    monkeypatch.setattr(plan_folder, "_voice", lambda home: voice)
    new = [plan_folder.load(home.plan("demo"))]
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(plan_folder.install, home, new, site())
        assert voice.asked.wait(20)
        assert {path.name: path.read_bytes() for path in etc.iterdir()} == before
        voice.goes_on.set()
        assert waiting.result(20) != old


class Fake:
    """An Asterisk that runs what it is told to, or never does."""

    def __init__(self, runs: str, takes: str) -> None:
        self.runs, self.takes = runs, takes

    async def reload(self) -> None:
        self.runs = self.takes

    async def plan_hash(self) -> str:
        return self.runs


async def test_a_plan_is_taken_over_when_asterisk_says_its_hash() -> None:
    assert await take_over(Fake("old", "new"), "new")


async def test_a_plan_that_asterisk_does_not_take_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti.plan_reload.SECONDS", 0.05)
    assert not await take_over(Fake("old", "old"), "new")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, home: Home, folder: Path) -> Fake:
    """An Asterisk that runs version 0001 and never takes over another."""
    version = plan_folder.keep(home, folder)
    digest = plan_folder.install(home, [plan_folder.load(version)], site())
    asterisk = Fake(digest, digest)
    monkeypatch.setattr("cti.plan_reload.SECONDS", 0.05)
    monkeypatch.setattr("cti.commands.plan.AmiReloader", lambda _home: asterisk)
    monkeypatch.setattr("cti.commands.plan._site", lambda _home, _plans: site())
    return asterisk


def test_a_plan_that_asterisk_does_not_take_is_rolled_back(home: Home, folder: Path, fake: Fake) -> None:
    change(folder)
    done = run.invoke(app, ["apply", str(folder), "--home", str(home.root)])
    assert done.exit_code == 1
    version = plan_folder.in_force(home, "demo")
    assert version is not None
    assert version.name == "0001"
    written = plan_folder.installed_files(home, ("extensions.conf",))
    assert plan_folder.hash_of(written) == fake.runs


def test_apply_then_rollback_is_confirmed_by_asterisk(home: Home, folder: Path, fake: Fake) -> None:
    first = fake.runs
    change(folder)
    plan_folder.keep(home, folder)
    fake.takes = plan_folder.install(home, [plan_folder.load(home.plan("demo"))], site())
    assert run.invoke(app, ["apply", str(folder), "--home", str(home.root)]).exit_code == 0
    assert fake.runs != first
    fake.takes = first
    assert run.invoke(app, ["rollback", "--home", str(home.root)]).exit_code == 0
    assert fake.runs == first


def test_a_bad_plan_never_reaches_asterisk(home: Home, folder: Path, fake: Fake) -> None:
    fake.takes = "must not be asked"
    change(folder, 'next = "message:busy"', 'next = "message:bussy"')
    done = run.invoke(app, ["apply", str(folder), "--home", str(home.root)])
    assert done.exit_code == 1
    assert "did you mean 'busy'?" in done.stdout
    assert fake.runs != "must not be asked"


# --- the command ------------------------------------------------------------------------------


def test_check_prints_one_line_for_each_fault_and_ends_with_1(folder: Path) -> None:
    change(folder, 'next = "message:busy"', 'next = "message:bussy"')
    change(folder, "wait_seconds = 90", "wait_seconds = -90")
    done = run.invoke(app, ["check", str(folder)])
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "queues.toml: general.wait_seconds: -90 is too small (at least 5)",
        "queues.toml: general.next: no such message 'bussy' (did you mean 'busy'?)",
    ]


def test_check_of_a_sound_plan_ends_with_0() -> None:
    assert run.invoke(app, ["check", str(DEMO)]).exit_code == 0


def test_check_of_no_folder_is_wrong_use(tmp_path: Path) -> None:
    assert run.invoke(app, ["check", str(tmp_path / "nowhere")]).exit_code == 2


def test_try_of_an_unknown_number_is_no() -> None:
    assert run.invoke(app, ["try", "99999", "--plan", str(DEMO)]).exit_code == 1


def test_diff_says_whether_something_would_change(home: Home, folder: Path) -> None:
    plan_folder.keep(home, folder)
    words = ["diff", str(folder), "--home", str(home.root)]
    assert run.invoke(app, words).exit_code == 0
    change(folder)
    done = run.invoke(app, words)
    assert done.exit_code == 1
    assert "~ queues.general.wait_seconds: 90 -> 80" in done.stdout


def test_rollback_without_an_older_version_is_no(home: Home, folder: Path) -> None:
    plan_folder.keep(home, folder)
    assert run.invoke(app, ["rollback", "--home", str(home.root)]).exit_code == 1
