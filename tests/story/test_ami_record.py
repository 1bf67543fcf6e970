"""Tapes: what was said, when, and without anybody's number on it."""

from __future__ import annotations

import asyncio

import pytest

from cti.asterisk.record import Mask, Taped, read_tape, record, write_frame
from cti.errors import NotNow, Refused
from tests.fakes.ami_server import FakeAmi, error, event


def test_a_tape_reads_back_as_it_was_written() -> None:
    frames = [Taped(0.25, b"Event: A\r\nX: 1"), Taped(12.5, "Event: B\r\nName: 坐席".encode())]
    raw = b"a remark\n" + b"".join(write_frame(taped.at, taped.frame) for taped in frames)
    assert list(read_tape(raw)) == frames


def test_a_masked_number_is_the_same_invented_one_all_through() -> None:
    mask = Mask()
    first = mask(b"CallerIDNum: 13912345678\r\nExten: 12345")
    again = mask(b"URI: sip:13912345678@192.0.2.1\r\nOther: 05641234567")
    assert first == b"CallerIDNum: 13800000001\r\nExten: 12345"
    assert again == b"URI: sip:13800000001@192.0.2.1\r\nOther: 13800000002"


@pytest.mark.parametrize(
    "line",
    [
        b"Timestamp: 1732190695.123456",
        b"Uniqueid: n1-1732190695.12",
        b"Channel: PJSIP/demo-1001-00000012",
        b"File: 20261121/demo-n1-1732190695.12/message.wav",
    ],
)
def test_ids_and_times_are_no_numbers(line: bytes) -> None:
    assert Mask()(line) == line


def test_secrets_are_blotted_out() -> None:
    assert (
        Mask()(b"Secret: abc\r\nMD5Secret: def\r\nPassword: x")
        == b"Secret: ***\r\nMD5Secret: ***\r\nPassword: ***"
    )


async def test_a_recording_ends_when_asterisk_does() -> None:
    async with FakeAmi() as ami:
        tape: list[bytes] = []
        whole = asyncio.Event()

        def write(frame: bytes) -> None:
            tape.append(frame)
            if b"Event: Hangup" in frame:
                whole.set()

        task = asyncio.create_task(record(ami.address, "u", "s", write, mask=True))
        await ami.comes("Login")
        ami.say(event("Newchannel", CallerIDNum="13912345678"))
        ami.say(event("Hangup"))
        async with asyncio.timeout(5):
            await whole.wait()
        ami.drop()
        assert await task == 4
    frames = [taped.frame for taped in read_tape(b"".join(tape))]
    assert frames[2] == b"Event: Newchannel\r\nCallerIDNum: 13800000001"
    assert not any(b"Secret" in frame for frame in frames)


async def test_a_refused_recording_says_why() -> None:
    async with FakeAmi() as ami:
        ami.answers["Login"] = error("Authentication failed")
        with pytest.raises(Refused, match="Authentication failed"):
            await record(ami.address, "u", "s", lambda _: None)
    with pytest.raises(NotNow, match="no AMI at"):
        await record(ami.address, "u", "s", lambda _: None)
