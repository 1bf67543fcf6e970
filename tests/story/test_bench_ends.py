"""A run of benchmarks says which goals were met, missed or not measured, and its exit code says so too."""

from __future__ import annotations

import importlib
import types

import pytest

from bench import __main__ as bench
from bench.listening import word_lags
from bench.samples import Missing


def ran(monkeypatch: pytest.MonkeyPatch, **ends: bool | Missing) -> int:
    def module(name: str) -> types.SimpleNamespace:
        def main(full: bool) -> bool:
            end = ends[name.removeprefix("bench.")]
            if isinstance(end, Missing):
                raise end
            return end

        return types.SimpleNamespace(main=main)

    monkeypatch.setattr(bench, "NAMES", tuple(ends))
    monkeypatch.setattr(importlib, "import_module", module)
    return bench.main([])


def test_all_goals_met_is_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(monkeypatch, advice=True, held=True) == 0


def test_a_missed_goal_is_one_and_the_rest_is_measured_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, advice=False, speech=Missing("no model"), held=True) == 1
    assert "advice MISSED, speech not measured, held met" in capsys.readouterr().out


def test_what_is_missing_outside_is_three(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(monkeypatch, speech=Missing("no model"), held=True) == 3


def test_a_words_lag_is_counted_from_the_end_of_its_sound_to_the_text_that_holds_it() -> None:
    shown = [(1.0, 2), (2.5, 3), (3.0, 6)]
    assert word_lags(shown, [(0.5, 2), (1.0, 3), (2.0, 5)]) == [0.5, 1.5, 1.0]
    assert word_lags(shown, [(9.0, 7)]) == [], "a word that only the last text has cannot be placed"
