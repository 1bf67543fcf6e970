"""What roster, recount and shift's note are asked and answer: bounds, remedies, and what is hidden."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from calls.facts import CallId
from calls.note import ShiftNote
from cti.commands.truth import told
from cti.holidays import calendar
from cti.truth.compare import Difference, Truth
from cti.web.answers import Answered
from cti.web.api import CallAnswer
from cti.web.notes import MOST, NoteBody
from cti.web.roster import MOST_DAYS, RosterQuestion, roster_answer
from cti.web.staffing import DutyAnswer, duty_answer
from cti.web.truth import TruthAnswer, TruthQuestion, as_json
from cti.web.who import Role, Who
from queues.cover import Outlook, outlook
from queues.duties import Duty, DutyKind, Known, duties
from queues.hole import HoleKind
from queues.need import Shared
from tests.story.plan_files import checked, demo_files

MONDAY, SUNDAY = date(2026, 11, 2), date(2026, 11, 8)
SICK = '\n[[absences]]\nwho = "8001"\nfirst = 2026-11-02\nlast = 2026-11-08\nreason = "病假"\n'


def the_week(more: str = "") -> Outlook:
    files = demo_files()
    files["roster.toml"] += more.encode()
    plan = checked(files).plan
    assert plan is not None
    assert plan.roster is not None
    return outlook(plan, plan.roster, MONDAY, SUNDAY, calendar)


# --- the roster -------------------------------------------------------------------------------------------


def test_an_interval_is_short_of_people_exactly_where_a_hole_is() -> None:
    answer = roster_answer(the_week(SICK))
    assert not answer.whole
    short = {
        (row.since, queue)
        for row in answer.intervals
        for queue, there in row.queues.items()
        if there.rostered < there.to_roster
    }
    told_ = [h for h in answer.holes if h.kind in (HoleKind.SHORT, HoleKind.UNCOVERED)]
    assert short == {
        (row.since, hole.queue)
        for row in answer.intervals
        for hole in told_
        if hole.since <= row.since < hole.until
    }
    assert short


def test_a_whole_roster_says_so_and_has_every_interval_of_its_days_once() -> None:
    answer = roster_answer(the_week())
    assert (answer.whole, answer.holes) == (True, [])
    begins = datetime(2026, 11, 1, 16, tzinfo=UTC)  # Monday in Shanghai
    assert [row.since for row in answer.intervals] == [
        (begins + n * timedelta(minutes=30)).timestamp() for n in range(7 * 48)
    ]
    assert all(there.to_roster >= there.need for row in answer.intervals for there in row.queues.values())


def test_who_is_signed_in_stands_in_the_interval_of_now_and_in_no_other() -> None:
    found = the_week()
    now = found.intervals[20]
    shared = Shared(dict.fromkeys(now.queues, 2), dict.fromkeys(now.queues, 3))
    at = Outlook(
        found.city, found.first, found.last, found.tz, found.holes, found.intervals,
        at=now.begins.timestamp() + 60, signed_in=shared,
    )  # fmt: skip
    rows = roster_answer(at).intervals
    assert {(q.signed_in, q.signed_in_able) for q in rows[20].queues.values()} == {(2, 3)}
    others = {q.signed_in for n, row in enumerate(rows) if n != 20 for q in row.queues.values()}
    assert others == {None}


@pytest.mark.parametrize(
    ("asked", "field", "remedy"),
    [
        ({"from": "2026-11-20", "to": "2026-11-19"}, "to", "before 'from', 2026-11-20"),
        ({"from": "2026-11-01", "to": "2026-12-02"}, "to", "from 2026-11-01 to 2026-12-01, then"),
        ({"from": "0001-01-02"}, "from", "like 2026-11-20"),
        ({"from": "9999-12-30"}, "from", "like 2026-11-20"),
    ],
)
def test_days_that_cannot_be_looked_at_name_the_field_and_the_remedy(
    asked: dict[str, str], field: str, remedy: str
) -> None:
    with pytest.raises(Answered) as why:
        RosterQuestion.model_validate(asked).days(MONDAY)
    assert (why.value.status, why.value.field) == (400, field)
    assert remedy in str(why.value)


def test_without_days_the_two_weeks_from_today_are_looked_at_and_a_month_may_be() -> None:
    assert RosterQuestion.model_validate({}).days(MONDAY) == (MONDAY, date(2026, 11, 15))
    month = RosterQuestion.model_validate({"from": "2026-11-02", "to": "2026-12-02"}).days(MONDAY)
    assert (month[1] - month[0]).days + 1 == MOST_DAYS
    with pytest.raises(ValidationError, match="like 2026-11-20"):
        RosterQuestion.model_validate({"from": "next week"})


# --- the recount ------------------------------------------------------------------------------------------


def recounted(*differences: Difference) -> bytes:
    return json.dumps(told(Truth(calls=1, differences=list(differences)))).encode()


def test_the_recount_over_http_is_the_object_the_command_prints() -> None:
    plain = told(Truth(calls=1, differences=[Difference("demo-n1-1.1", "answered", True, False)]))
    assert list(TruthAnswer.model_fields) == list(plain)
    assert json.loads(as_json(json.dumps(plain).encode(), full=True)) == plain


def test_a_difference_in_a_citizens_number_is_masked_for_who_may_not_see_it() -> None:
    number = Difference("demo-n1-1.1", "caller", "13800138000", None)
    line = Difference("demo-n1-1.1", "callback_of", "", "demo-n1-1795267219.1")

    def shown(*, full: bool) -> list[Any]:
        rows = json.loads(as_json(recounted(number, line), full=full))["differences"]
        return [(row["ledger"], row["asterisk"]) for row in rows]

    assert shown(full=False) == [("138****8000", None), ("", "demo-n1-1795267219.1")]
    assert shown(full=True)[0] == ("13800138000", None)


def test_a_recount_of_more_than_a_month_names_the_field_and_the_remedy() -> None:
    month = TruthQuestion.model_validate({"from": "2026-11-01", "to": "2026-12-02"})
    since, until = month.bounded(0.0)
    assert until - since == 31 * 86_400
    assert TruthQuestion.model_validate({"to": "10"}).bounded(0.0) == (0.0, 10.0)
    for asked, remedy in (
        ({"from": "2026-11-01", "to": "2026-12-02T00:00:01"}, "a month at a time"),
        ({"from": "20"}, "tell an earlier one"),
    ):
        with pytest.raises(Answered, match=remedy) as why:
            TruthQuestion.model_validate(asked).bounded(10.0)
        assert (why.value.status, why.value.field) == (400, "from")


# --- the note ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("字" * (MOST + 1), f"at most {MOST} characters, this has {MOST + 1}: shorten it"),
        (" \n ", "is empty"),
        ("\x1b[2J", "control characters"),
    ],
)
def test_a_note_that_cannot_be_kept_says_why_and_what_to_do(text: str, remedy: str) -> None:
    with pytest.raises(ValidationError, match=remedy) as why:
        NoteBody(text=text)
    assert [error["loc"] for error in why.value.errors()] == [("text",)]


def test_a_note_is_kept_as_it_was_typed() -> None:
    typed = "三号线路扩容\u3000九点前勿调队列\r\n\t8001 [bold]已知[/]"
    assert NoteBody(text=f" {typed} ").text == typed.replace("\r\n", "\n")
    assert len(NoteBody(text="字" * MOST).text) == MOST


def test_a_number_in_a_note_is_masked_for_who_may_not_see_it() -> None:
    written = ShiftNote(
        id="demo-note-1", at=5.0, city="demo", who="zhang", role="agent", text="回电 13800138000"
    )
    (duty,) = duties(Known((), notes=[written]))
    assert duty_answer(duty, full=False).text == "回电 138****8000"
    whole = duty_answer(duty, full=True)
    assert (whole.text, whole.by, whole.since, whole.note) == (written.text, "zhang", 5.0, "demo-note-1")


@pytest.mark.parametrize("role", [role for role in Role if not Who("", role).full])
def test_what_is_masked_is_described_as_masked_for_everybody_for_whom_it_is(role: Role) -> None:
    described = [DutyAnswer.model_fields[name] for name in ("number", "reason", "text")]
    for field in (*described, CallAnswer.model_fields["caller"]):
        assert f"{role}s" in (field.description or "")


def test_a_number_in_the_reason_why_a_duty_was_settled_is_masked_for_who_may_not_see_it() -> None:
    done = Duty(
        DutyKind.CALL_BACK, "demo", CallId("demo-1"), 5.0, "main", "general", "13800138000",
        settled=9.0, settled_by="chief", reason="用手机回拨 138-0013-8000",
    )  # fmt: skip
    assert duty_answer(done, full=False).reason == "用手机回拨 138-****-8000"
    assert duty_answer(done, full=True).reason == done.reason
