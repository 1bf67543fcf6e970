"""A centre's hand-over as facts: case and story are read whatever the other machine made of them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from calls import facts as f
from calls.model import CallState
from calls.picture import Picture
from calls.step import step
from cti.asterisk.hear_story import story_of
from tests.story.a_call import CALL, CALLER

STORY = "六安路口两车追尾，无人受伤。"


def arrived(**more: str) -> f.CallArrived:
    told = {"centre": "110", "case": "JJ-42", "story": STORY, **more}
    return f.CallArrived(
        at=1.0,
        node="n1",
        call=CALL,
        leg=CALLER,
        city="luan",
        trunk="police",
        line="emergency",
        called="12345",
        original="110",
        caller="13900000001",
        sip_call="x",
        **told,
    )


def test_the_call_carries_centre_case_and_story() -> None:
    call = step(Picture(), arrived()).calls[CALL]
    assert call.state is CallState.GREETED
    assert (call.centre, call.case, call.story) == ("110", "JJ-42", STORY)


@pytest.mark.parametrize("cut", range(12))
def test_a_story_cut_anywhere_is_read_as_far_as_it_is_whole(cut: int) -> None:
    encoded = quote(STORY)
    assert STORY.startswith(story_of(encoded[: len(encoded) - cut]))


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("%", ""),
        ("a%4", "a"),
        ("%00%1b%0a", "\n"),
        ("%ff%fe", ""),
        ("%zz", "%zz"),
    ],
)
def test_what_is_no_text_does_no_harm(encoded: str, text: str) -> None:
    assert story_of(encoded) == text
