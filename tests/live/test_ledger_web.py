"""The ledger asked over HTTP, with rows of a real database."""

from __future__ import annotations

import aiohttp
import pytest

from calls import facts as f
from cti.commands import asking_figures as asking
from cti.errors import NotNow
from cti.web.ledger import LedgerQuestion
from tests.live.test_store_web import ENDING, LINKED, Town, drained, port, town
from tests.story.a_call import CALL, SEAT_LEG, answered, arrives, said

__all__ = ["port", "town"]

DAY = "from=0&to=86400"


async def heard(town: Town) -> None:
    """One call answered after 10 s, by seat 1001 in queue general."""
    town.hear(*LINKED, *answered(), *ENDING, said(f.LegEnded, 150.1, leg=SEAT_LEG))
    await drained(town)


async def test_one_answered_call_is_a_rate_of_one(town: Town) -> None:
    await heard(town)
    status, told = await town.get(f"/api/ledger?{DAY}", role="observer")
    assert status == 200
    total = told["total"]
    assert (total["offered"], total["connect_rate"], total["within_15s"]) == (1, 1.0, 1.0)
    assert total["to_answer"]["longest"] == 10.0
    assert told["worst_24h_within_15s"]["within_15s"] == 1.0


async def test_nothing_is_null_and_not_one_or_zero(town: Town) -> None:
    await drained(town)
    _, told = await town.get(f"/api/ledger?{DAY}")
    assert (told["total"]["connect_rate"], told["total"]["within_15s"]) == (None, None)
    assert told["worst_24h_within_15s"] is None


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("queue", "demo/general"),
        ("seat", "demo/1001"),
        ("line", "demo/main"),
        ("original", "demo/12345"),
        ("city", "demo"),
    ],
)
async def test_each_way_to_split_has_its_row(town: Town, by: str, key: str) -> None:
    await heard(town)
    _, told = await town.get(f"/api/ledger?{DAY}&by={by}")
    assert [(row["key"], row["answered"], row["connect_rate"]) for row in told["rows"]] == [(key, 1, 1.0)]


async def test_intervals_hold_every_call_once(town: Town) -> None:
    await heard(town)
    _, told = await town.get(f"/api/ledger?{DAY}&by=interval&minutes=30")
    assert [row["offered"] for row in told["rows"]] == [1] + [0] * 47


async def test_another_city_sees_nothing(town: Town) -> None:
    await heard(town)
    assert (await town.get(f"/api/ledger?{DAY}&city=other"))[1]["total"]["offered"] == 0


async def test_a_short_abandon_is_offered(town: Town) -> None:
    left = said(f.CallLeft, 102.0)
    town.hear(*LINKED, *arrives(100.0), left)
    await drained(town)
    total = (await town.get(f"/api/ledger?{DAY}"))[1]["total"]
    assert (total["offered"], total["short_abandoned"], total["connect_rate"]) == (1, 1, 0.0)
    assert total["abandoned_in"]["greeting"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=5&to=4", None),
        ("by=weather", "by"),
        ("minutes=0", "minutes"),
        ("from=0&to=86400000&by=interval&minutes=1", "minutes"),
        ("since=4", "since"),
        ("city=../x", "city"),
    ],
)
async def test_a_wrong_question_names_its_field(town: Town, query: str, field: str | None) -> None:
    status, problem = await town.get(f"/api/ledger?{query}")
    assert status == 400
    assert problem.get("field") == field


async def test_the_command_reads_the_database_when_no_service_lives(town: Town) -> None:
    await heard(town)
    # another port: nobody answers there
    town.home.state_file.write_text('{"base_port": 1}')
    told = await asking._counted(
        town.home, LedgerQuestion.model_validate({"from": 0.0, "to": 86400.0}), 0.0, 86400.0
    )
    assert told.total.offered == 1
    town.home.database.rename(town.home.database.with_suffix(".away"))
    with pytest.raises(NotNow, match="cti up"):
        await asking._counted(
            town.home, LedgerQuestion.model_validate({"from": 0.0, "to": 86400.0}), 0.0, 86400.0
        )


async def test_observers_do_not_put_history_right(town: Town) -> None:
    async with aiohttp.ClientSession() as session:
        for role, status in (("s-secret", 403), ("o-secret", 503)):
            async with session.post(
                f"{town.url}/api/ledger/refill",
                json={"from": 0, "to": 10},
                headers={"Authorization": f"Bearer {role}"},
            ) as answer:
                assert answer.status == status


async def test_a_stint_is_history(town: Town) -> None:
    await heard(town)
    span = await town.history.span(0.0, 86400.0)
    assert [c.id for c in span.calls] == [CALL]
    assert [(s.seat, s.part) for s in span.stints] == [("1001", "answered")]
