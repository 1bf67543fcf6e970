"""A channel that is redirected between two of its own steps goes where the redirection says.

Asterisk 22.10, main/pbx.c: ``__ast_pbx_run`` asks whether the channel is redirected, and then adds one to its
priority, without a lock; and ``ast_explicit_goto`` of an application that runs meanwhile overwrites the place
of the redirection with the one before its own. A place that is not there ends the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from asterisk_conf.desk import HOW
from asterisk_conf.render import render
from plan.model import Plan
from tests.story.plan_files import demo, site
from tests.story.test_city_plans import FIVE
from tests.story.test_city_plans import plan as city
from tests.story.walked import Contexts, Step, read

REDIRECTED = re.compile(r"ChannelRedirect\(.*?,([a-z-]+),([a-z]+),(1|comes)\)")


LED = {
    *(("transfer-caller", "s"), ("transfer-blind", "s"), ("desk-taken", "s")),
    *(("desk-freed", "queue"), ("desk-freed", "end")),
}
"""Where channels go by themselves from what a redirection leads to, or from where it finds them."""


def contexts(plan: Plan) -> Contexts:
    return read(render([plan], site(plan))["extensions.conf"])


def redirected(known: Contexts) -> set[tuple[str, str]]:
    """Context and extension of every redirection: the dialplan's own, and the service's orders."""
    text = "\n".join(f"{step.app}({step.args})" for step in every(known))
    assert text.count("ChannelRedirect(") == len(REDIRECTED.findall(text))
    told = {(context, exten) for context, exten, step in REDIRECTED.findall(text) if step == "1"}
    return told | {("desk-taker", "s")} | {("desk-watch", how) for how in HOW}


def every(known: Contexts) -> Iterator[Step]:
    for extens in known.values():
        for steps in extens.values():
            yield from steps


def own(known: Contexts) -> Iterator[tuple[str, str, str]]:
    """Where a step of a channel leads the channel itself: context, extension, priority or label."""
    for context, extens in known.items():
        for exten, steps in extens.items():
            for step in steps:
                if step.app not in ("Goto", "GotoIf"):
                    continue
                told = step.args if step.app == "Goto" else step.args.partition("?")[2]
                for place in filter(None, told.split(":")):
                    words = place.split(",")
                    here = [context, exten][: 3 - len(words)]
                    to, at, priority = [*here, *words]
                    yield to, at, priority


PLANS = [pytest.param(demo(), id="demo"), *(pytest.param(city(name), id=name) for name in FIVE)]


@pytest.mark.parametrize("plan", PLANS)
def test_whoever_is_redirected_may_begin_at_either_of_two_steps_that_do_nothing(plan: Plan) -> None:
    known = contexts(plan)
    places = redirected(known)
    assert {("transfer-agent", "room"), ("transfer-back", "s"), ("desk-led", "s")} <= places
    for context, exten in places:
        assert [step.app for step in known[context][exten][:2]] == ["NoOp", "NoOp"], (context, exten)


@pytest.mark.parametrize("plan", PLANS)
def test_whoever_goes_there_by_itself_finds_a_step_before_it(plan: Plan) -> None:
    """To priority 2: a redirection that is overwritten then begins at 1, and there is such a step."""
    known = contexts(plan)
    places = redirected(known) | LED
    wrong = [place for place in own(known) if place[:2] in places and place[2] == "1"]
    assert wrong == []
    assert [place for place in own(known) if place[:2] in places and place[2] == "2"]


def test_who_is_brought_along_and_who_goes_by_itself_meet_in_one_extension_at_an_idle_step() -> None:
    """One step before it stands the music of a consultation, which nobody would end."""
    steps = contexts(demo())["transfer-caller"]["s"]
    [enter] = [at for at, step in enumerate(steps) if step.label == "enter"]
    assert [step.app for step in steps[enter - 2 : enter]] == ["MusicOnHold", "NoOp"]
    assert steps[enter - 1].label == "comes"


def test_only_who_waits_in_music_is_brought_along_by_whoever_comes() -> None:
    """Who goes into the room anyway is between two steps until then: nobody redirects them to it."""
    steps = contexts(demo())["transfer-caller"]["s"]
    told = [step.args for step in steps if step.app == "Set" and step.args.startswith("SHARED(WHERE)=")]
    assert told[0] == 'SHARED(WHERE)=${IF($["${CUT(MOVE,:,1)}" = "consult"]?hold:room)}'
    assert not [step for step in told[1:] if "hold" in step]
