"""Values <-> plain dicts that any JSON writer takes. Versioned: old journals stay readable.

Reading is forgiving where time passes: a field this version does not know is dropped, a field an
older version did not write gets its type's empty value. A fact nobody knows any more is ``Unknown``.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from calls import facts
from calls.facts import Fact

VERSION = 1

T = TypeVar("T")


class Unknown(ValueError):
    """Not something this version can read; the text says why."""


FACTS: Mapping[str, type[Fact]] = {
    name: kind
    for name, kind in vars(facts).items()
    if isinstance(kind, type) and issubclass(kind, Fact) and kind is not Fact
}
"""Every fact by its name."""


def fact_to_dict(fact: Fact) -> dict[str, Any]:
    return {"v": VERSION, "fact": type(fact).__name__, **to_dict(fact)}


def fact_from_dict(told: Mapping[str, Any]) -> Fact:
    """Raises Unknown for a fact or a version this program does not know."""
    version = told.get("v")
    if not isinstance(version, int) or version > VERSION:
        raise Unknown(f"version {version!r} of the journal, this program reads up to {VERSION}")
    kind = FACTS.get(str(told.get("fact")))
    if kind is None:
        raise Unknown(f"fact {told.get('fact')!r}")
    return from_dict(kind, told)


def to_dict(value: Any) -> dict[str, Any]:
    """A frozen value as a dict of plain things: text, numbers, lists, dicts, None."""
    kind: Any = type(value)
    names, read, rich = _shape(kind)
    told = dict(zip(names, read(value), strict=True))
    for name in rich:
        told[name] = _plain(told[name])
    return told


def from_dict(kind: type[T], told: Mapping[str, Any]) -> T:
    """The value again. Raises Unknown when a field cannot be read as what it should be."""
    made: dict[str, Any] = {}
    readable: Any = kind
    for name, read, empty in _readers(readable):
        try:
            if name in told:
                made[name] = read(told[name])
            elif empty is not _DEFAULT:
                made[name] = empty
        except (TypeError, ValueError, LookupError) as why:
            raise Unknown(f"{kind.__name__}.{name}: {told.get(name)!r}") from why
    return kind(**made)


_DEFAULT = object()


@cache
def _shape(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[str, ...]]:
    """Names of the fields, their values in one go, and which of them may be no plain thing by their type."""
    hints = get_type_hints(kind)
    names = tuple(f.name for f in fields(kind))
    rich = tuple(name for name in names if not _is_plain(hints[name]))
    # of one name only attrgetter gives a bare value
    read = attrgetter(*names) if len(names) > 1 else lambda value: tuple(getattr(value, n) for n in names)
    return names, read, rich


def _is_plain(hint: Any) -> bool:
    hint = _bare(hint)
    if get_origin(hint) in (types.UnionType, Union):
        return all(_is_plain(arg) for arg in get_args(hint))
    return hint in (str, int, float, bool, type(None))


def _plain(value: Any) -> Any:
    if value is None or type(value) in (str, float, int, bool):
        return value
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return to_dict(value)
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return value


@cache
def _readers(kind: Any) -> tuple[tuple[str, Callable[[Any], Any], Any], ...]:
    hints = get_type_hints(kind)
    rows: list[tuple[str, Callable[[Any], Any], Any]] = []
    for f in fields(kind):
        has_default = f.default is not MISSING or f.default_factory is not MISSING
        rows.append((f.name, _reader(hints[f.name]), _DEFAULT if has_default else _empty(hints[f.name])))
    return tuple(rows)


def _bare(hint: Any) -> Any:
    """NewType -> what it really is."""
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    return hint


def _reader(hint: Any) -> Callable[[Any], Any]:
    hint = _bare(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        inner = _reader(next(a for a in args if a is not type(None)))
        return lambda told: None if told is None else inner(told)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            each = _reader(args[0])
            return lambda told: tuple(each(v) for v in told)
        readers = [_reader(a) for a in args]
        return lambda told: tuple(r(v) for r, v in zip(readers, told, strict=True))
    if is_dataclass(hint) and isinstance(hint, type):
        kind: type = hint
        return lambda told: from_dict(kind, told)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if hint is bool:
        return _read_bool
    if hint in (str, int, float):
        return _exactly(hint)
    raise TypeError(f"no way to read {hint!r}")


def _read_bool(told: Any) -> bool:
    if not isinstance(told, bool):
        raise TypeError(told)
    return told


def _exactly(kind: type) -> Callable[[Any], Any]:
    allowed = (int, float) if kind is float else (kind,)

    def read(told: Any) -> Any:
        if not isinstance(told, allowed) or isinstance(told, bool):
            raise TypeError(told)
        return kind(told)

    return read


def _empty(hint: Any) -> Any:
    hint = _bare(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        return None
    if origin is tuple:
        return ()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if isinstance(hint, type) and hint in (str, int, float, bool):
        return hint()
    raise TypeError(f"{hint!r} has no empty value: give the field a default ({args})")
