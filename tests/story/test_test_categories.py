"""The rules of tests/conftest.py, tried on small suites of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
INI = """[pytest]
asyncio_default_fixture_loop_scope = function
addopts = --strict-markers -p no:cacheprovider
markers =
  story
  live
"""
CONFTEST = Path(__file__).parents[1] / "conftest.py"


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CTI_NO_SKIP", raising=False)
    pytester.makeini(INI)
    tests = pytester.mkdir("tests")
    (tests / "conftest.py").write_text(CONFTEST.read_text())
    for category in ("story", "live", "elsewhere"):
        (tests / category).mkdir()
    return pytester


def write(suite: pytest.Pytester, place: str, text: str) -> None:
    (suite.path / "tests" / place).write_text(text)


def test_a_test_carries_the_category_of_its_folder(suite: pytest.Pytester) -> None:
    write(suite, "story/test_a.py", "def test_one(): pass\n")
    write(suite, "live/test_b.py", "def test_two(): pass\n")
    suite.runpytest("-m", "live").assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize("place", ["test_loose.py", "elsewhere/test_lost.py"])
def test_a_test_outside_the_categories_fails_collection(suite: pytest.Pytester, place: str) -> None:
    write(suite, place, "def test_one(): pass\n")
    result = suite.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*a test without a category. Move it into one of tests/story/*"])


def test_a_marker_that_contradicts_the_folder_is_refused(suite: pytest.Pytester) -> None:
    write(suite, "story/test_a.py", "import pytest\n@pytest.mark.live\ndef test_one(): pass\n")
    result = suite.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*marked live but lies in tests/story/*"])


SKIPS = """
import pytest
def test_in_the_test(): pytest.skip("no sipp")
@pytest.mark.skip(reason="no redis")
def test_by_marker(): pass
def test_designed(): pytest.skip("by design: only as an ordinary user")
"""


def test_a_skip_is_a_skip_while_working(suite: pytest.Pytester) -> None:
    write(suite, "story/test_a.py", SKIPS)
    suite.runpytest().assert_outcomes(skipped=3)


def test_a_skip_is_a_failure_in_the_full_run(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTI_NO_SKIP", "1")
    write(suite, "story/test_a.py", SKIPS)
    write(suite, "live/test_b.py", "import pytest\npytest.importorskip('no_such_module')\n")
    result = suite.runpytest()
    result.assert_outcomes(errors=1)
    result = suite.runpytest("tests/story")
    result.assert_outcomes(failed=1, errors=1, skipped=1)  # a skip by marker happens at setup
    result.stdout.fnmatch_lines(["*skipped (Skipped: no sipp), and a skip counts as a failure*"])


@pytest.mark.parametrize(("told", "outcome"), [("", "failed"), ("0", "skipped")])
def test_without_a_recogniser_its_tests_fail_unless_they_were_opted_out_of(
    tmp_path: Path, told: str, outcome: str
) -> None:
    nowhere = dict.fromkeys(("CTI_MODELS", "CTI_HOME", "VOSK_MODEL_PATH", "HOME"), str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/live/test_transcribe.py", "-n0", "-k", "recognisers_own"],
        cwd=CONFTEST.parents[1],
        env={**os.environ, **nowhere, "CTI_NO_SKIP": "1", "CTI_TEST_SPEECH": told},
        capture_output=True,
        text=True,
    )
    assert f"1 {outcome}" in done.stdout.replace("1 error", "1 failed"), done.stdout
    assert ("setup/speech.sh fetches it" if outcome == "failed" else "CTI_TEST_SPEECH=0") in done.stdout


def test_files_that_listen_run_one_after_the_other_and_all_others_at_once(suite: pytest.Pytester) -> None:
    names = ("test_speech", "test_transcribe", "test_other")
    for name in names:
        write(
            suite,
            f"live/{name}.py",
            "def test_one(worker_id): open(__file__ + '.ran', 'w').write(worker_id)\n",
        )
    suite.runpytest("-n2", "--dist", "loadfile").assert_outcomes(passed=3)
    speech, transcribe, other = ((suite.path / f"tests/live/{name}.py.ran").read_text() for name in names)
    assert speech == transcribe != other


def test_every_file_that_listens_is_there() -> None:
    from tests.conftest import LISTENING

    assert all((CONFTEST.parents[1] / file).is_file() for file in LISTENING)
