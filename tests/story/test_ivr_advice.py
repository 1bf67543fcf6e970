"""The answer to "where next?"."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivr.advice import Known, Question, where_next
from plan.model import Advice, Destination, Overflow, Plan
from tests.story.plan_files import demo

NOBODY = Known()


def asked(line: str = "main", caller: str = "13800001111") -> Question:
    return Question(call="demo-n1-1.1", line=line, caller=caller)


def test_most_callers_get_no_advice() -> None:
    assert where_next(demo(), asked(), NOBODY) is None


def test_a_caller_of_a_listed_range_is_sent_where_the_rule_says() -> None:
    assert where_next(demo(), asked(caller="12358001"), NOBODY) == Destination("queue", "market")


def test_a_rule_holds_for_its_lines_only() -> None:
    assert where_next(demo(), asked("12315", "12358001"), NOBODY) is None


def test_a_number_without_a_star_is_that_number_only() -> None:
    plan = demo().model_copy(update={"advice": (Advice(callers=("12358",), to="queue:market"),)})
    assert where_next(plan, asked(caller="12358"), NOBODY) == Destination("queue", "market")
    assert where_next(plan, asked(caller="123581"), NOBODY) is None


def test_the_first_rule_that_fits_counts() -> None:
    rules = (Advice(callers=("138*",), to="queue:fund"), Advice(callers=("1*",), to="queue:market"))
    plan = demo().model_copy(update={"advice": rules})
    assert where_next(plan, asked(), NOBODY) == Destination("queue", "fund")


def test_a_queue_that_nobody_staffs_gives_way_to_its_overflow() -> None:
    known = Known(staffed={"expert": ()})
    assert where_next(demo(), asked("12333"), known) == Destination("queue", "general")


def test_a_staffed_queue_keeps_its_callers() -> None:
    assert where_next(demo(), asked("12333"), Known(staffed={"expert": ("1007",)})) is None


def test_a_queue_of_which_nothing_is_known_keeps_its_callers() -> None:
    assert where_next(demo(), asked("12333"), NOBODY) is None


def test_overflows_that_lead_in_a_circle_end() -> None:
    circle = (Overflow(queue="expert", to="queue:general"), Overflow(queue="general", to="queue:expert"))
    plan = demo().model_copy(update={"overflow": circle})
    known = Known(staffed={"expert": (), "general": ()})
    assert where_next(plan, asked("12333"), known) == Destination("queue", "general")


def test_an_unknown_line_gets_no_advice() -> None:
    assert where_next(demo(), asked("nowhere"), NOBODY) is None


PLAN: Plan = demo()


@given(
    line=st.sampled_from([*PLAN.lines, "x", ""]),
    caller=st.text(max_size=20),
    staffed=st.dictionaries(st.sampled_from([*PLAN.queues]), st.sets(st.sampled_from([*PLAN.seats]))),
)
def test_advice_always_names_a_place_of_this_city(
    line: str, caller: str, staffed: dict[str, set[str]]
) -> None:
    to = where_next(PLAN, asked(line, caller), Known(staffed=staffed))
    assert to is None or PLAN.has(to)
