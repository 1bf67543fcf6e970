"""Two computers agree, whatever the line between them does."""

from __future__ import annotations

import random

import pytest

from transfer.agree import Message, Side, change, due, heard_before, recalled, take


def test_a_record_is_offered_received_and_confirmed() -> None:
    us, them = change(Side(), "h1", 1, {"location": "人民路"}), Side()
    us, (offer,) = due(us, 0.0)
    them, (received,), new = take(them, offer)
    assert new
    us, (confirm,), settled = take(us, received)
    assert settled
    them, answers, _ = take(them, confirm)
    assert answers == ()
    assert us.settled
    assert them.settled
    assert them.theirs["h1"].body == {"location": "人民路"}


def test_what_is_not_answered_is_said_again_later_and_later() -> None:
    us = change(Side(), "h1", 1, {})
    moments = []
    for tick in range(100):
        us, said = due(us, tick / 2)
        moments += [tick / 2 for _ in said]
    assert moments[:5] == [0.0, 0.5, 1.5, 3.5, 7.5]


def test_an_older_version_never_undoes_a_newer_one() -> None:
    them, _, _ = take(Side(), Message("offer", "h1", 2, {"summary": "new"}))
    them, (answer,), new = take(them, Message("offer", "h1", 1, {"summary": "old"}))
    assert not new
    assert (answer.says, answer.version) == ("received", 2)
    assert them.theirs["h1"].body == {"summary": "new"}


def test_receipt_of_an_old_version_does_not_settle_the_new_one() -> None:
    us = change(change(Side(), "h1", 1, {}), "h1", 2, {})
    us, _, settled = take(us, Message("received", "h1", 1))
    assert not settled
    assert not us.settled


def test_what_was_told_and_is_forgotten_is_said_again_as_the_newest() -> None:
    us = recalled(Side(), "h1", 3, {"outcome": "asked"}, received=True)
    us, answers, _ = take(us, Message("received", "h1", 5))
    us, (offer,) = due(us, 0.0)
    assert answers == ()
    assert (offer.says, offer.version, offer.body) == ("offer", 6, {"outcome": "asked"})


def test_what_is_known_is_not_recalled_over_it() -> None:
    us = change(Side(), "h1", 5, {"outcome": "over"})
    assert recalled(us, "h1", 3, {}, received=True) is us
    them, _, _ = take(Side(), Message("offer", "h1", 2, {}))
    assert heard_before(them, "h1", 1) is them


@pytest.mark.parametrize("restarts", [0.0, 0.05], ids=["", "and computers that are killed"])
@pytest.mark.parametrize("seed", range(60))
def test_both_sides_agree_over_a_line_that_loses_repeats_delays_and_reorders(
    seed: int, restarts: float
) -> None:
    chance = random.Random(seed)
    sides = [Side(), Side()]
    wire: list[tuple[float, int, Message]] = []
    said: list[dict[str, tuple[int, dict[str, str]]]] = [{}, {}]
    noted: list[dict[str, tuple[int, dict[str, str]]]] = [{}, {}]
    written: list[dict[str, tuple[int, dict[str, str], bool]]] = [{}, {}]

    def dies(who: int) -> None:
        """What was noted of the other side is on disk before it is answered; of one's own records the last
        version may be lost, and that it was received."""
        side = Side()
        for record, (version, body, received) in written[who].items():
            side = recalled(side, record, version, body, received=received)
            said[who][record] = (version, body)
        for record, (version, _) in noted[who].items():
            side = heard_before(side, record, version)
        sides[who] = side

    def send(now: float, to: int, messages: tuple[Message, ...]) -> None:
        for message in messages:
            for _ in range(chance.choice((0, 1, 1, 2))):  # lost, once, repeated
                wire.append((now + chance.expovariate(1.0), to, message))

    now, step = 0.0, 0
    while now < 600:
        now += 0.25
        step += 1
        if step < 100 and chance.random() < 0.1:
            who, record = chance.randrange(2), f"r{chance.randrange(4)}"
            body = {"n": str(step)}
            sides[who] = change(sides[who], record, step, body)
            said[who][record] = (step, body)
            if record not in written[who] or chance.random() < 0.7:
                written[who][record] = (step, body, False)
        if step < 120 and chance.random() < restarts:
            dies(chance.randrange(2))
        arrived = [m for m in wire if m[0] <= now]
        wire = [m for m in wire if m[0] > now]
        chance.shuffle(arrived)
        for _, to, message in arrived:
            sides[to], answers, new = take(sides[to], message)
            send(now, 1 - to, answers)
            if new and message.says == "offer":
                before, _ = noted[to].get(message.record, (0, {}))
                assert message.version > before, "an older one undoes a newer"
                noted[to][message.record] = (message.version, dict(message.body))
            mine = sides[to].mine.get(message.record)
            if mine is not None and (mine.received or mine.version > said[to][message.record][0]):
                written[to][message.record] = (mine.version, dict(mine.body), mine.received)
        for who in (0, 1):
            sides[who], messages = due(sides[who], now)
            send(now, 1 - who, messages)
    for who in (0, 1):
        assert sides[who].settled
        last = {record: body for record, (_, body) in said[who].items()}
        assert {record: body for record, (_, body) in noted[1 - who].items()} == last
