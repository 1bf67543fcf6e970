"""The rules of tests/conftest.py, tried on small suites of their own."""

from __future__ import annotations

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
