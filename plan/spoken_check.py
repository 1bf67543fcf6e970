"""Faults of spoken menus: words that lead nowhere, words of two keys, words nobody listens for."""

from __future__ import annotations

from collections.abc import Iterator

from plan.faults import Fault
from plan.model import Menu, Plan
from plan.words import did_you_mean

FILE = "menus.toml"


def faults_of_spoken(plan: Plan) -> Iterator[Fault]:
    """Every menu on its own: the same word may mean another thing in another menu."""
    for name, menu in plan.menus.items():
        if menu.spoken is None:
            if menu.words:
                yield Fault(
                    FILE, f"{name}.words", "nobody listens for them", "add spoken = true", warning=True
                )
        elif not menu.words:
            yield Fault(
                FILE,
                f"{name}.words",
                "is missing, but the menu is spoken",
                f'[{name}.words] and for each key: 1 = ["医保", "社保"]',
            )
        yield from _keys(name, menu)
        yield from _overlaps(name, menu)


def _keys(name: str, menu: Menu) -> Iterator[Fault]:
    for key in menu.words:
        if key not in menu.keys:
            yield Fault(
                FILE, f"{name}.words.{key}", f"the menu has no key '{key}'", did_you_mean(key, menu.keys)
            )


def _overlaps(name: str, menu: Menu) -> Iterator[Fault]:
    """A word that is another key's, or stands inside one: who says the longer says both."""
    owner: dict[str, str] = {}
    for key, words in menu.words.items():
        for word in words:
            place = f"{name}.words.{key}"
            if word in owner:
                same = owner[word] == key
                yield Fault(
                    FILE,
                    place,
                    f"'{word}' stands there twice"
                    if same
                    else f"'{word}' is a word of key {owner[word]} too",
                    "keep one" if same else "a word has one key",
                )
                continue
            owner[word] = key
    for word, key in owner.items():
        for longer, other in owner.items():
            if word != longer and word in longer and key != other:
                yield Fault(
                    FILE,
                    f"{name}.words.{key}",
                    f"'{word}' stands inside '{longer}' of key {other}",
                    "who says the longer one says both: choose other words",
                )
