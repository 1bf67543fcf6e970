"""What callers leave behind the last queue lies beside the legs' files, and belongs to the call."""

from __future__ import annotations

from pathlib import Path

from calls.facts import CallId
from cti.home import Home
from cti.leg_file import orphans
from cti.speech.drafting import known_call
from recording.table import is_message, speaker

CALL = CallId("demo-n1-1732190695.12")
LEG = "n1-1732190695.12"


def lies(folder: Path, name: str) -> Path:
    path = folder / "20261121" / CALL / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_a_message_nobody_filed_is_found_under_the_name_of_the_leg_that_left_it(tmp_path: Path) -> None:
    mine = lies(tmp_path, f"{LEG}-message.wav")
    ((path, call, leg),) = orphans(tmp_path, frozenset())
    assert (path, call, speaker(leg), is_message(leg)) == (mine, CALL, LEG, True)
    assert orphans(tmp_path, frozenset({leg})) == []


def test_a_message_under_its_old_name_is_found_as_well_sealed_or_not(tmp_path: Path) -> None:
    for name in ("message.wav", "message.wav.sealed"):
        path = lies(tmp_path, name)
        ((found, _, leg),) = orphans(tmp_path, frozenset())
        assert (found, leg) == (path, f"{LEG}-message")
        path.unlink()


def test_a_draft_hears_the_leg_and_not_its_message_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    leg = lies(home.recordings, f"{LEG}.wav")
    lies(home.recordings, f"{LEG}-message.wav")
    assert known_call(home, CALL).legs == (leg,)
