"""What all tests share: a test's category is its folder, and nothing is quietly left out.

A test module outside a category folder fails collection. With ``CTI_NO_SKIP=1`` (set by ``make test``)
a skipped test is a failed one: a missing tool is to be installed, not passed over. The one exception
says so in its reason, which then begins with ``by design:``.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

# a busy machine is no fault of what is tested
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

CATEGORIES = ("story", "replay", "live", "outage", "desk", "bench")
"""In the order in which they run: the cheap ones tell first."""

HERE = Path(__file__).parent
BY_DESIGN = "by design:"
LISTENING = frozenset(
    f"tests/{name}.py"
    for name in (
        "live/test_speech", "live/test_transcribe", "live/test_prompts_played", "live/test_spoken_menu",
        "live/test_recogniser_port",
        "outage/test_speech_dies",
    )
)  # fmt: skip
"""Files whose recognisers would take each other's processors, and the seconds they are judged by."""


def category_of(module: Path, tests: Path = HERE) -> str | None:
    """The folder right below ``tests`` that holds the module; None when that is no category."""
    try:
        below = module.relative_to(tests).parts
    except ValueError:
        return None
    return below[0] if len(below) > 1 and below[0] in CATEGORIES else None


class Homeless(pytest.Module):
    """A test module outside every category: its collection fails and says where it belongs."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        raise self.CollectError(
            f"{self.path}: a test without a category. Move it into one of "
            + ", ".join(f"tests/{name}/" for name in CATEGORIES)
        )


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    if category_of(module_path) is None:
        return Homeless.from_parent(parent, path=module_path)
    return None


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wrong = []
    for item in items:
        category = category_of(item.path)
        if category is None:
            continue
        others = sorted({mark.name for mark in item.iter_markers()} & set(CATEGORIES) - {category})
        if others:
            wrong.append(f"{item.nodeid}: marked {', '.join(others)} but lies in tests/{category}/")
        item.add_marker(category)
    if wrong:
        raise pytest.UsageError("\n".join(wrong))


class OneListens(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """``--dist loadfile``, with the files of LISTENING one after the other."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "listening" if file in LISTENING else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneListens | None:
    return OneListens(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write golden files anew; read the difference before committing"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """True when golden files are to be written instead of compared (``--update``)."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def full_size() -> bool:
    """True under ``make prove``: the full runs instead of seeded samples of them."""
    return os.environ.get("CTI_PROVE") == "1"


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CTI_NO_SKIP") != "1" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if reason.removeprefix("Skipped: ").startswith(BY_DESIGN):
        return
    report.outcome = "failed"
    report.longrepr = (
        f"{report.nodeid}: skipped ({reason}), and a skip counts as a failure here (CTI_NO_SKIP=1). "
        "Install what is missing: setup/all.sh --tests"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(report)
    return report
