"""What it is about and whose business it is: subjects by their words, units by the plan."""

from __future__ import annotations

from dataclasses import dataclass

from recording.draft.fields import Field, Occasion, Option
from recording.draft.said import Source, Talk
from recording.draft.subjects import STRONG, SUBJECTS, WEAK

LINE = 2.5
"""Who dialled 12315 most likely wants market regulation; words of the call may still say otherwise."""
KEY = 2.0
"""The same of a menu's key, less sure: people press whatever brings them to a person."""
ALIAS = 1.5
JOINS = 0.45
KEYWORD = 3.0


@dataclass(frozen=True, slots=True)
class _Score:
    points: float
    sources: tuple[Source, ...]


def subject_of(talk: Talk) -> Field:
    """The likeliest subject, the next ones as alternatives."""
    scores = sorted(_subjects(talk).items(), key=lambda item: -item[1].points)
    if not scores:
        return Field()
    total = sum(score.points for _, score in scores[:5])
    (first, best), rest = scores[0], scores[1:4]
    return Field(
        first,
        _share(best.points, total),
        best.sources,
        tuple(Option(name, _share(score.points, total)) for name, score in rest),
    )


def _share(points: float, total: float) -> float:
    return round(min(0.95, points / max(total, 0.1) * min(1.0, points / STRONG)), 3)


def _subjects(talk: Talk) -> dict[str, _Score]:
    found: dict[str, _Score] = {}
    for name, (strong, weak) in SUBJECTS.items():
        points, sources = 0.0, []
        for pattern, weight in ((strong, STRONG), (weak, WEAK)):
            if pattern is None:
                continue
            seen: set[str] = set()
            for turn in talk.turns:
                share = weight * (0.4 if turn.agent else 1.0)
                for match in pattern.finditer(turn.text):
                    if match[0] in seen:
                        continue
                    # a second word of the same kind adds less, a first one early in the talk more
                    points += share * (0.4 if seen else 1.0) * (1.0 if turn.index > 3 else 1.15)
                    seen.add(match[0])
                    sources.append(talk.source(turn.index, *match.span()))
        if points:
            found[name] = _Score(points, tuple(sources[:4]))
    return found


def unit_of(talk: Talk, occasion: Occasion) -> Field:
    """The unit to propose, by its key in the plan; the next as alternatives. None without units.toml."""
    subjects = _subjects(talk)
    points: dict[str, float] = {}
    sources: dict[str, tuple[Source, ...]] = {}
    for key, unit in occasion.units.items():
        main = [subjects[name] for name in unit.subjects if name in subjects]
        joined = [subjects[name] for name in unit.joins if name in subjects]
        score = _sum([s.points for s in main]) + JOINS * _sum([s.points for s in joined])
        for turn in talk.turns:
            share = 0.4 if turn.agent else 1.0
            score += share * ALIAS * any(alias in turn.text for alias in (*unit.aliases, unit.title))
            score += share * KEYWORD * sum(word in turn.text for word in unit.keywords)
        score += LINE * (occasion.line in unit.lines) + KEY * (occasion.key_unit == key)
        if score > 0:
            points[key] = score
            best = max((*main, *joined), key=lambda s: s.points, default=None)
            sources[key] = best.sources if best else ()
    if not points:
        return Field()
    ranked = sorted(points, key=lambda key: -points[key])
    total = sum(points[key] for key in ranked[:4])
    return Field(
        ranked[0],
        _share(points[ranked[0]], total),
        sources[ranked[0]],
        tuple(Option(key, _share(points[key], total)) for key in ranked[1:3]),
    )


def _sum(scores: list[float]) -> float:
    """The best counts whole, further ones a fifth: a unit with many subjects is not the likelier for it."""
    ordered = sorted(scores, reverse=True)
    return ordered[0] + 0.2 * sum(ordered[1:3]) if ordered else 0.0
