"""A fault in a plan, in the words of the person who edits it: file, place, fault, hint; one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plan.words import WrongWord, did_you_mean, shown


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """``queues.toml: market.next: no such message 'sory' (did you mean 'sorry'?)``."""

    file: str
    place: str
    fault: str
    hint: str = ""
    warning: bool = False
    """Works, but probably not as meant."""

    def __str__(self) -> str:
        text = ": ".join(part for part in (self.file, self.place, self.fault) if part)
        if self.warning:
            text += " [warning]"
        return _visible(f"{text} ({self.hint})" if self.hint else text)


def _visible(text: str) -> str:
    """Keys may hold anything a stranger wrote: still one line, and nothing a terminal obeys."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


_KINDS = {
    "string_type": ("text", "put it in straight quotes"),
    "int_type": ("a whole number", "without quotes"),
    "bool_type": ("true or false", "without quotes"),
    "tuple_type": ("a list", 'like ["a", "b"]'),
    "dict_type": ("a table", "like { a = 1 }"),
    "date_type": ("a date", "like 2021-12-31, without quotes"),
    "float_type": ("a number", "without quotes"),
    "model_type": ("a table", "start it with [name] on a line of its own"),
}


def spoken(file: str, error: Any, fields: tuple[str, ...]) -> Fault:
    """One pydantic error (``ErrorDetails``) as a fault. ``fields`` are the keys the table may have."""
    place = ".".join(str(part) for part in error["loc"] if part != "[key]")
    kind, context, value = error["type"], error.get("ctx", {}), error.get("input")
    match kind:
        case "missing":
            return Fault(file, place, "is missing", "every table of this kind needs it")
        case "extra_forbidden":
            name = str(error["loc"][-1])
            return Fault(file, place[:80], f"unknown key {shown(name)}", did_you_mean(name, fields))
        case "greater_than_equal":
            return Fault(file, place, f"{_value(value)} is too small", f"at least {context['ge']}")
        case "less_than_equal":
            return Fault(file, place, f"{_value(value)} is too large", f"at most {context['le']}")
        case "too_short":
            return Fault(file, place, "is empty", f"at least {context['min_length']}")
        case "too_long":
            return Fault(
                file, place, f"has {context['actual_length']} entries", f"at most {context['max_length']}"
            )
        case "literal_error":
            known = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
            return Fault(file, place, f"{_value(value)} is not known here", did_you_mean(str(value), known))
        case "value_error" if isinstance(context.get("error"), WrongWord):
            word: WrongWord = context["error"]
            return Fault(file, place[:80], str(word), word.hint)
    if kind in _KINDS:
        wanted, hint = _KINDS[kind]
        return Fault(file, place, f"{_value(value)} is not {wanted}", hint)
    return Fault(file, place, f"{_value(value)} is not accepted", str(error["msg"]))


def _value(value: object) -> str:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        # str() of an int of more than 4300 digits raises
        return str(value) if abs(value) < 10**18 else "this number"
    if isinstance(value, float):
        return str(value)
    if isinstance(value, tuple):
        return "a list"
    return "a table" if isinstance(value, dict) else f"a {type(value).__name__}"
