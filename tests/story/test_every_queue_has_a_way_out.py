"""No plan that is accepted renders a queue which callers cannot leave: roads drawn at random, and the
dialplan read as text, by code that shares nothing with the check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asterisk_conf.render import render
from tests.story.plan_files import Files, checked, demo_files, site

QUEUES = ("general", "market", "fund", "expert")
MENUS = ("service", "say")
PLACES = (
    *(f"queue:{name}" for name in QUEUES),
    *(f"menu:{name}" for name in MENUS),
    "phone:duty", "message:busy", "message:leave", "message:gone", "line:main", "queue:gone",
)  # fmt: skip
OWNERS = (*(f"queue:{name}" for name in QUEUES), *(f"menu:{name}" for name in MENUS), "phone:duty")
PLACE = re.compile(r"\[demo-((?:queue|menu|phone|message)-[a-z]+)\]")
GOES = re.compile(r"[?(:,]demo-((?:queue|menu|phone|message)-[a-z]+),s,1")
WAITS = re.compile(r",Queue\(demo-[a-z]+,[^,]*,,,(\d*)[,)]")

Roads = Mapping[str, str]
SOUND: Roads = {
    "queue:general": "message:busy", "queue:market": "queue:general", "queue:fund": "phone:duty",
    "queue:expert": "queue:general", "menu:service": "message:leave", "menu:say": "queue:general",
    "phone:duty": "message:leave",
}  # fmt: skip


def led(roads: Roads) -> Files:
    """The demo plan with these ways out: ``next`` of queues and the phone, ``otherwise`` of menus."""
    files = demo_files()
    for owner, to in roads.items():
        kind, _, name = owner.partition(":")
        if kind == "phone":
            files["phones.toml"] = (
                f'[{name}]\ntitle = "值班"\nnumber = "05551234567"\ntrunk = "carrier"\nnext = "{to}"\n'
            ).encode()
            continue
        file, key = ("queues.toml", "next") if kind == "queue" else ("menus.toml", "otherwise")
        found = re.search(rf'(?ms)^\[{name}\]$.*?^{key} = "([^"]*)"'.encode(), files[file])
        assert found is not None, owner
        files[file] = files[file][: found.start(1)] + to.encode() + files[file][found.end(1) :]
    return files


@cache
def rendered(roads: tuple[tuple[str, str], ...]) -> str | None:
    """extensions.conf; None: the plan is refused."""
    told = checked(led(dict(roads)))
    if told.plan is None:
        return None
    return render([told.plan], site(told.plan))["extensions.conf"]


def read(text: str) -> tuple[dict[str, set[str]], dict[str, list[str]]]:
    """Where each place's context goes, and its lines."""
    goes: dict[str, set[str]] = {}
    lines: dict[str, list[str]] = {}
    place = ""
    for line in text.splitlines():
        if line.startswith("["):
            found = PLACE.fullmatch(line)
            place = found[1] if found else ""
        elif place:
            lines.setdefault(place, []).append(line)
            goes.setdefault(place, set()).update(GOES.findall(line))
    return goes, lines


ANY = st.fixed_dictionaries({owner: st.sampled_from(PLACES) for owner in OWNERS})
ENDS = ("message:busy", "message:leave")
ONWARD = st.fixed_dictionaries(
    {
        owner: st.sampled_from((*ENDS, "queue:general", *OWNERS[n + 1 : n + 2]))
        for n, owner in enumerate(OWNERS)
    }
    | {"queue:general": st.sampled_from(ENDS)}
)
"""Few circles, so that many are accepted."""


@given(ANY | ONWARD)
@example(SOUND)
@example({**SOUND, "queue:general": "queue:expert"})
@example({**SOUND, "queue:general": "queue:general"})
@example({**SOUND, "phone:duty": "queue:fund"})
def test_whoever_waits_in_an_accepted_plan_comes_to_a_message_whatever_they_do(roads: Roads) -> None:
    text = rendered(tuple(roads.items()))
    if text is None:
        return
    goes, lines = read(text)
    ends: dict[str, int] = {}

    def longest(place: str, path: tuple[str, ...] = ()) -> int:
        assert place in lines, f"{path} lead to {place}, which nobody rendered"
        assert place not in path, f"a circle: {path} {place}"
        if place.startswith("message-"):
            return 1
        assert goes[place], f"{place} leads nowhere"
        if place not in ends:
            ends[place] = 1 + max(longest(to, (*path, place)) for to in goes[place])
        return ends[place]

    for queue in QUEUES:
        longest(f"queue-{queue}")
        (wait,) = [found[1] for line in lines[f"queue-{queue}"] if (found := WAITS.search(line))]
        assert wait, "the wait has no end of its own"
        assert int(wait) > 0
        # it ends with a way on that no condition holds back
        (*_, last) = filter(None, lines[f"queue-{queue}"])
        assert re.search(r",Goto\(demo-", last), last


@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        ({"queue:general": "queue:expert"}, "circle"),
        ({"queue:general": "queue:general"}, "circle"),
        ({"phone:duty": "queue:fund"}, "circle"),
        ({"queue:market": "menu:service", "menu:service": "queue:fund"}, "circle"),
        ({"queue:fund": "queue:gone"}, "no such queue"),
        ({"queue:market": "line:main"}, "cannot greet"),
    ],
)
def test_a_way_that_ends_nowhere_is_refused_and_the_sound_one_is_not(spoiled: Roads, told: str) -> None:
    assert rendered(tuple(SOUND.items())) is not None
    found = checked(led({**SOUND, **spoiled}))
    assert found.plan is None
    assert any(told in str(fault) for fault in found.faults), found.faults
