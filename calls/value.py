"""What the rooms' values are: dataclasses that nobody changes, made quickly.

``dataclass`` and ``replace`` are those of ``dataclasses``, and to mypy nothing else: it refuses every change
of a frozen one. At run time nothing is frozen, because a frozen dataclass sets each of its fields through
``object.__setattr__``, ten times as slowly, and ``replace`` takes all fields in one go, where the standard
one asks about each in Python. A call of forty fields is changed a dozen times in its life, the picture around
it a hundred times.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

__all__ = ["dataclass", "field", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:
    import dataclasses
    from operator import attrgetter

    def dataclass(*, frozen, **options):
        """``frozen`` still makes it hashable by its fields."""
        return dataclasses.dataclass(unsafe_hash=frozen, **options)

    class _Shapes(dict):
        """Type -> names of its fields, the place of each (None: it is made by names), all values at once."""

        def __missing__(self, kind):
            known = dataclasses.fields(kind)
            names = tuple(f.name for f in known)
            by_name = any(f.kw_only for f in known)
            places = None if by_name else {name: place for place, name in enumerate(names)}
            # of one name only attrgetter gives a bare value
            read = attrgetter(*names) if len(names) > 1 else lambda value: [getattr(value, n) for n in names]
            self[kind] = names, places, read
            return self[kind]

    _SHAPES = _Shapes()

    def replace(value, /, **changes):
        """The same value with these changes. Raises TypeError, KeyError for a field it has not."""
        kind = type(value)
        names, places, read = _SHAPES[kind]
        if places is None:
            return kind(**(dict(zip(names, read(value), strict=True)) | changes))
        told = list(read(value))
        for name, new in changes.items():
            told[places[name]] = new
        return kind(*told)
