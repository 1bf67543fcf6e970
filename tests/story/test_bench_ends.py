"""A run of benchmarks says which goals were met, missed or not measured, and its exit code says so too."""

from __future__ import annotations

import importlib
import types

import pytest

from bench import __main__ as bench
from bench.listening import judged, word_lags
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


def test_of_listening_each_ratio_the_lag_and_the_texts_are_goals_of_their_own() -> None:
    met = dict.fromkeys(("ratio", "ratio_growing", "lag_p99", "identical"), "met")
    assert judged(0.9, 0.9, 1.5, 4, 4) == met
    assert judged(0.89, 0.9, 1.5, 4, 4) == met | {"ratio": "missed"}
    assert judged(0.9, 0.89, 1.5, 4, 4) == met | {"ratio_growing": "missed"}
    assert judged(0.9, 0.9, 1.51, 4, 4) == met | {"lag_p99": "missed"}
    assert judged(0.9, 0.9, 1.5, 3, 4) == met | {"identical": "missed"}
