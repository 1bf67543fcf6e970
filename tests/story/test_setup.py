"""Set-up on a machine made of fakes: what it takes, what it refuses, and what it tells the person then.

The scripts run as they are, in a checkout of the test's own. Their PATH holds the plain tools they need and
fakes that write down how they were called: nothing is installed, fetched or asked of the real machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# fmt: off
TOOLS = [
    "awk", "basename", "bash", "cat", "chmod", "cp", "cut", "dirname", "env", "find", "flock", "grep", "head",
    "ln", "mkdir", "mv", "readlink", "rm", "sed", "sh", "sha256sum", "sort", "tail", "tee", "wc", "xargs",
]
# fmt: on
"""Programs that only work with what they are given."""
PARTS = ("python", "asterisk", "agi", "tools", "speech")
LIBC = "Inst libc6 [2.36-9+deb12u9] (2.41-12 Debian:13.1/stable [amd64])"
SIPP = "Inst sip-tester (1:3.7.3-1 Debian:13.1/stable [amd64])"
A_PYTHON = f"""#!/bin/sh
echo "$(basename "$0") $*" >>"$FAKES/calls"
case "$1 $2" in
"-V ") echo "Python @VERSION@.1" ;;
"-m venv")
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m pip") @PIP@ ;;
"-c import ensurepip") ;;
-c*) exec {sys.executable} -I -S -c "import sys
sys.version_info = tuple(map(int, '@VERSION@'.split('.'))) + (1, 'final', 0)
sys.executable = '$0'
$2" ;;
esac
"""


@dataclass
class Machine:
    """A checkout, a PATH and a home; ``user`` is who ``id`` says we are."""

    root: Path
    user: int = 1000

    @property
    def checkout(self) -> Path:
        return self.root / "checkout"

    @property
    def prefix(self) -> Path:
        return self.root / "asterisk"

    @property
    def calls(self) -> str:
        """Every call of a fake, a line each."""
        told = self.root / "calls"
        return told.read_text() if told.exists() else ""

    def has(self, name: str, script: str, folder: str = "bin") -> Path:
        """Put a program there, which tells that it was called."""
        program = self.root / folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.unlink(missing_ok=True)
        told = 'echo "$(basename "$0") $*" >>"$FAKES/calls"'
        program.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{told}\n{script}\n")
        program.chmod(0o755)
        return program

    def has_python(self, version: str, *, name: str = "", pip: str = "echo Collecting x") -> Path:
        script = A_PYTHON.replace("@VERSION@", version).replace("@PIP@", pip)
        return self.has(name or f"python{version}", script)

    def has_asterisk(self, version: str) -> Path:
        return self.has("asterisk", f'[ "$1" = -V ] && echo "Asterisk {version}"')

    def has_apt(self, plan: str) -> None:
        """An apt whose dry run says ``plan``, and a sudo that only writes down what it should do."""
        self.has("apt-get", f"case $1 in -s) cat <<'X'\n{plan}\nX\n;; esac")
        self.has("sudo", "cat >/dev/null")

    def runs(self, script: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        self.has("id", f"#!/bin/sh\necho {self.user}\n")
        env = {
            "PATH": str(self.root / "bin"),
            "HOME": str(self.root / "home"),
            "FAKES": str(self.root),
            "CTI_ASTERISK_PREFIX": str(self.prefix),
            "CTI_LINK_DIR": str(self.root / "links"),
            "CTI_MODELS": str(self.root / "models"),
            **more,
        }
        return subprocess.run(
            [str(self.root / "bin/bash"), str(self.checkout / "setup" / script), *words],
            env=env, cwd=self.root, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Neither apt nor Asterisk nor Python: what is there is put there by the test."""
    made = Machine(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    for tool in TOOLS:
        there = shutil.which(tool)
        assert there, tool
        (tmp_path / "bin" / tool).symlink_to(there)
    shutil.copytree(ROOT / "setup", made.checkout / "setup")
    made.has("uname", "#!/bin/sh\necho x86_64\n")
    made.has("df", "#!/bin/sh\nprintf 'x\\nx 9 9 9000 x x\\n'\n")
    requirements = made.checkout / "requirements"
    requirements.mkdir()
    for name in ("build", "run", "test"):
        (requirements / f"{name}.txt").write_text("x==1 --hash=sha256:0\n")
    (made.checkout / "pyproject.toml").write_text("[project]\n")
    return made


def stops(done: subprocess.CompletedProcess[str], why: str, *remedies: str) -> None:
    """Exit code 3, why, and what a person can do about it."""
    assert done.returncode == 3, done
    assert why in done.stdout + done.stderr
    assert remedies, "a stop without a remedy"
    for remedy in remedies:
        assert f"what to do: {remedy}" in done.stderr, done.stderr


# --- packages of the host -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moved",
    [
        LIBC,
        LIBC.replace("libc6 ", "libc6:amd64 "),
        LIBC.replace("libc6 ", "libc-bin "),
        "Inst libc6 [2.41-12] (2.36-9+deb12u9 Debian:12/stable [amd64])",
    ],
)
def test_packages_that_would_change_the_libc_are_not_installed(machine: Machine, moved: str) -> None:
    machine.has_apt(f"{SIPP}\n{moved}\nConf libc6 (2.41-12 Debian:13.1/stable [amd64])")
    done = machine.runs("tools.sh")
    stops(done, "set-up never changes a libc", "as root: apt-get install sip-tester")
    # asked whether it could be root and how apt would go about it, and nothing more
    calls = [line for line in machine.calls.splitlines() if line != "sudo -n true"]
    assert calls, "apt was not even asked"
    assert all(line.startswith("apt-get -s ") for line in calls), calls


def test_other_packages_are_installed_without_starting_what_is_in_them(machine: Machine) -> None:
    # a foreign libc beside the host's own changes nothing for what is there
    machine.has_apt(f"{SIPP}\nInst libc6:i386 (2.41-12 Debian:13.1/stable [i386])")
    done = machine.runs("tools.sh")
    assert "never changes a libc" not in done.stdout
    as_root = [line for line in machine.calls.splitlines() if line.startswith("sudo -n -- ")]
    installed = next(n for n, line in enumerate(as_root) if "apt-get -q -y" in line)
    assert "sip-tester" in as_root[installed]
    assert any("tee /usr/sbin/policy-rc.d" in line for line in as_root[:installed])
    assert as_root[-1] == "sudo -n -- rm -f /usr/sbin/policy-rc.d"
    # this apt installed nothing: what is missing is looked at anew, and told
    stops(done, "could not be installed", "as root: apt-get install sip-tester", "then run again")


def test_a_machine_without_apt_is_told_what_to_install(machine: Machine) -> None:
    stops(machine.runs("tools.sh"), "this machine has no apt-get", "as root: apt-get install sip-tester")


def test_who_is_not_root_and_has_no_sudo_is_told_what_root_should_do(machine: Machine) -> None:
    machine.has_apt(SIPP)
    machine.has("sudo", "exit 1")
    stops(machine.runs("tools.sh"), "not root, and no sudo", "as root: apt-get install sip-tester")
    assert "apt-get" not in machine.calls


# --- Asterisk -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "version", ["20.6.0~dfsg+~cs6.13.40431414-2build5", "18.10.0", "certified/20.7-cert2"]
)
def test_an_asterisk_on_path_that_is_new_enough_is_taken(machine: Machine, version: str) -> None:
    theirs = machine.has_asterisk(version)
    done = machine.runs("asterisk.sh")
    assert done.returncode == 0, done
    ours = machine.prefix / "bin/asterisk"
    assert f"is used: {theirs}" in done.stdout
    said = subprocess.run([ours, "-V"], env=dict(os.environ, FAKES=str(machine.root)), capture_output=True)
    assert said.stdout.decode() == f"Asterisk {version}\n"
    assert f"from PATH\t{theirs}\tAsterisk {version}" in (machine.prefix / "packages.txt").read_text()
    # and the next time it is simply there
    assert "is ready" in machine.runs("asterisk.sh").stdout


@pytest.mark.parametrize("version", ["16.28.0~dfsg-0+deb11u4", "certified/16.8-cert14", "13.38.3"])
def test_an_old_asterisk_on_path_is_not_taken(machine: Machine, version: str) -> None:
    machine.has_asterisk(version)
    done = machine.runs("asterisk.sh")
    major = version.removeprefix("certified/").partition(".")[0]
    assert f"Asterisk {major} on PATH is older than 18" in done.stdout
    stops(done, "no apt-get to fetch one with", "install your distribution's asterisk (18 or newer)")
    assert not (machine.prefix / "bin/asterisk").exists()


def test_without_asterisk_and_apt_nothing_is_guessed(machine: Machine) -> None:
    stops(machine.runs("asterisk.sh"), "no Asterisk >= 18 on PATH", "install your distribution's asterisk")
    assert not (machine.prefix / "bin/asterisk").exists()


def test_a_full_disk_stops_before_anything_is_fetched(machine: Machine) -> None:
    machine.has_apt(SIPP)
    machine.has("dpkg-deb", "exit 1")
    machine.has("df", "#!/bin/sh\nprintf 'x\\nx 9 9 899 x x\\n'\n")
    keyring = machine.root / "keys.gpg"
    keyring.touch()
    mirror = {"CTI_ASTERISK_MIRROR": "http://127.0.0.1:9/debian", "CTI_ASTERISK_KEYRING": str(keyring)}
    stops(
        machine.runs("asterisk.sh", **mirror),
        "less than 900 MB free",
        "make room, or set CTI_ASTERISK_PREFIX",
    )
    assert "apt-get" not in machine.calls


# --- Python -------------------------------------------------------------------------------------------


def test_a_name_on_path_without_that_python_behind_it_is_passed_by(machine: Machine) -> None:
    machine.has("python3.11", "echo 'pyenv: python3.11: command not found' >&2; exit 127")
    machine.has_python("3.12")
    done = machine.runs("python.sh")
    assert done.returncode == 0, done
    assert f"Python 3.12.1: {machine.root / 'bin/python3.12'}" in done.stdout
    assert f"python3.12 -m venv {machine.checkout / '.venv'}" in machine.calls


def test_the_python_one_names_comes_first(machine: Machine) -> None:
    machine.has_python("3.11")
    mine = machine.has_python("3.13", name="mine")
    done = machine.runs("python.sh", CTI_PYTHON=str(mine))
    assert f"Python 3.13.1: {mine}" in done.stdout
    assert "python3.11" not in machine.calls


def test_a_python_too_old_or_too_new_is_not_taken(machine: Machine) -> None:
    machine.has_python("3.10", name="python3")
    machine.has_python("3.14", name="python3.13")
    stops(
        machine.runs("python.sh"),
        "no Python 3.11, 3.12 or 3.13",
        "as root: apt-get install python3 python3-venv",
        "or name one: CTI_PYTHON=",
    )
    assert "-m venv" not in machine.calls


def test_a_python_is_not_installed_together_with_another_libc(machine: Machine) -> None:
    machine.has_apt(LIBC)
    stops(machine.runs("python.sh"), "set-up never changes a libc", "as root: apt-get install python3")
    assert "apt-get -q -y" not in machine.calls


def test_packages_that_cannot_be_installed_are_told_with_pips_own_words(machine: Machine) -> None:
    machine.has_python("3.12", pip="echo 'ERROR: no such index'; exit 1")
    stops(machine.runs("python.sh"), "ERROR: no such index", "the whole story: ", "behind a mirror or proxy")


# --- all of it, once ----------------------------------------------------------------------------------


@pytest.fixture
def settled(machine: Machine) -> Machine:
    """A checkout whose parts only tell that they were called, after one whole set-up."""
    venv, asterisk = machine.checkout / ".venv/bin", machine.prefix
    for part in PARTS:
        machine.has(f"{part}.sh", "exit 0", "checkout/setup")
    for program, says in {"cti": "", "python": 'echo "Python 3.12.1"'}.items():
        venv.mkdir(parents=True, exist_ok=True)
        machine.has(program, f"#!/bin/sh\n{says}\n", "checkout/.venv/bin")
    (asterisk / "bin").mkdir(parents=True)
    machine.has("asterisk", "#!/bin/sh\necho 'Asterisk 22.5.1'\n", "asterisk/bin")
    (asterisk / "agi.env").write_text("AGI_PYTHON=/usr/bin/python3\n")
    done = machine.runs("all.sh")
    assert done.returncode == 0, done
    assert parts_of(machine) == ["python", "asterisk", "agi"]
    (machine.root / "calls").unlink()
    return machine


def parts_of(machine: Machine) -> list[str]:
    """The parts that ran, in order."""
    return [line.partition(".sh")[0] for line in machine.calls.splitlines() if ".sh " in line]


def test_a_stamp_that_fits_leaves_nothing_to_do(settled: Machine) -> None:
    done = settled.runs("all.sh")
    assert done.stdout.splitlines()[-1] == "set-up: nothing to do (Asterisk 22.5.1, Python 3.12.1)"
    assert parts_of(settled) == []
    assert (settled.root / "links/cti").readlink() == settled.checkout / ".venv/bin/cti"


def test_what_tests_need_contains_what_running_needs(settled: Machine) -> None:
    assert settled.runs("all.sh", "--tests").returncode == 0
    assert parts_of(settled) == ["python", "asterisk", "agi", "tools", "speech"]
    assert "nothing to do" in settled.runs("all.sh", "--tests").stdout
    assert "nothing to do" in settled.runs("all.sh").stdout


def asterisk_broken(machine: Machine) -> None:
    machine.has("asterisk", "#!/bin/sh\nexit 127\n", "asterisk/bin")


def python_broken(machine: Machine) -> None:
    machine.has("python", "#!/bin/sh\nexit 127\n", "checkout/.venv/bin")


def failsafe_gone(machine: Machine) -> None:
    (machine.prefix / "agi.env").unlink()


def lock_changed(machine: Machine) -> None:
    (machine.checkout / "requirements/run.txt").write_text("x==2 --hash=sha256:0\n")


def script_changed(machine: Machine) -> None:
    with (machine.checkout / "setup/words.sh").open("a") as words:
        words.write("# changed\n")


def somebody_else(machine: Machine) -> None:
    machine.user = 1001


@pytest.mark.parametrize(
    "changes",
    [asterisk_broken, python_broken, failsafe_gone, lock_changed, script_changed, somebody_else],
)
def test_a_stamp_that_does_not_fit_is_no_stamp(settled: Machine, changes: Callable[[Machine], None]) -> None:
    changes(settled)
    done = settled.runs("all.sh")
    assert "nothing to do" not in done.stdout
    assert parts_of(settled)[:1] == ["python"]


def test_a_part_that_stops_leaves_no_stamp(settled: Machine) -> None:
    settled.has("asterisk.sh", "echo 'what to do: x' >&2; exit 3", "checkout/setup")
    assert settled.runs("all.sh").returncode == 3
    (settled.root / "calls").unlink()
    assert settled.runs("all.sh").returncode == 3
    assert parts_of(settled) == ["python", "asterisk"]


def test_force_goes_through_every_part_again(settled: Machine) -> None:
    assert settled.runs("all.sh", "--force").returncode == 0
    assert "asterisk.sh --force\n" in settled.calls
    assert parts_of(settled) == ["python", "asterisk", "agi"]


def test_a_word_that_set_up_does_not_know_changes_nothing(settled: Machine) -> None:
    done = settled.runs("all.sh", "--test")
    assert done.returncode == 2
    assert "usage: setup/all.sh [--tests] [--force]" in done.stderr
    assert parts_of(settled) == []
