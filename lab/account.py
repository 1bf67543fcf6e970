"""`cti lab call` and `cti lab phone` as accounts: what the phones saw, for a person and for a program."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from lab.client import Client, LabDown, Line, Unheard
from lab.parties import Call
from lab.scenario import Dialling, Lab
from lab.wav import complete

LeftBy = Literal["caller", "agent", "system", "timeout"]
NEAR = 2.0
"""Seconds between the seat hanging up and the end of the caller's line: the agent ended the call."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAccount:
    """One call as the phones saw it; None where nobody knows. Seconds count from the INVITE."""

    call: str | None
    answered: bool
    """A seat answered. A line that only a machine answered is not (decision 10)."""
    seat: str | None
    seconds_to_seat: float | None
    left_by: LeftBy
    heard: str | None
    seconds_to_ring: float | None
    sip_call: str

    def told(self, *, more: bool = False) -> dict[str, Any]:
        """The published fields; with ``more`` also what measurements use."""
        names = ["call", "answered", "seat", "seconds_to_seat", "left_by", "heard"]
        if more:
            names += ["seconds_to_ring", "sip_call"]
        return {name: getattr(self, name) for name in names}


async def follow(
    lab: Lab, dialling: Dialling, seconds: float, hear: Path | None, stop: asyncio.Event, say: Say
) -> CallAccount:
    """Make the call, tell of it, end it after ``seconds`` or at ``stop``. Raises NotDone, LabDown."""
    since = lab.client.count
    call = await dialling
    waiting = asyncio.create_task(_end_of(lab.client, call, since, say))
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({waiting, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    left: LeftBy | None = None if waiting in done else "caller" if stopping in done else "timeout"
    stopping.cancel()
    if left is not None:
        say(f"{_clock(seconds)} 主叫挂机 the caller hangs up" + (" (--for)" if left == "timeout" else ""))
        with contextlib.suppress(Unheard):
            await call.hangs_up()
    with contextlib.suppress(asyncio.CancelledError):
        waiting.cancel()
        await waiting
    lines = lab.client.lines(since)
    seats = [x for x in lines if x["caller_sip_call"] == call.sip_call and x["kind"] == "seat"]
    rang = next((x for x in seats if x["what"] == "rings"), None)
    answered = next((x for x in seats if x["what"] == "answered"), None)
    return CallAccount(
        call=(rang and rang["call"]) or lab.house.call_of(call.sip_call),
        answered=answered is not None,
        seat=answered["phone"].partition("-")[2] if answered else None,
        seconds_to_seat=round(answered["at"] - call.sent, 3) if answered else None,
        seconds_to_ring=round(rang["at"] - call.sent, 3) if rang else None,
        left_by=left or _who_left(call, lines, seats),
        heard=await _kept(call, hear),
        sip_call=call.sip_call,
    )


async def _end_of(client: Client, call: Call, since: int, say: Say) -> None:
    """Tell each line of this call until the caller's phone sees the end."""
    at = since
    while True:
        line = await client.line("the call", lambda x: _belongs(x, call), 3600, at)
        at = line["n"] + 1
        _narrate(line, call.sent, say)
        if line["leg"] == call.leg and line["what"] == "ended":
            return


def _belongs(line: Line, call: Call) -> bool:
    return line["leg"] == call.leg or (bool(call.sip_call) and line["caller_sip_call"] == call.sip_call)


def _who_left(call: Call, lines: list[Line], seats: list[Line]) -> LeftBy:
    end = next((x for x in lines if x["leg"] == call.leg and x["what"] == "ended"), None)
    if end is None or end["by"] == "self":
        return "caller"
    hung_up = (x for x in seats if x["what"] == "ended" and x["by"] == "self" and x["answered"])
    return "agent" if any(abs(end["at"] - x["at"]) < NEAR for x in hung_up) else "system"


async def _kept(call: Call, hear: Path | None) -> str | None:
    if hear is None:
        return None
    try:
        recording = await call.kept()
    except TimeoutError:
        return None
    hear.parent.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(shutil.copyfile, recording, hear)
    return str(hear)


_WORDS = {
    "sent": "拨出 dialled",
    "progress": "听到回铃或提示 early media",
    "ringing": "振铃 ringing",
    "rings": "振铃 rings",
    "answered": "接听 answered",
    "says": "开始说话 speaks",
    "said": "说完 has spoken",
    "key": "收到按键 got key",
    "ended": "结束 over",
}


def _narrate(line: Line, began: float, say: Say) -> None:
    words = _WORDS.get(line["what"])
    if words is None:
        return
    who = "主叫 caller" if line["kind"] == "citizen" else f"座席 seat {line['phone']}"
    if line["what"] == "key":
        words += f" {line['key']}"
    if line["what"] == "ended":
        words += {"self": " (自己挂机 hung up)", "far": " (对方结束 by the other side)"}.get(line["by"], "")
    say(f"{_clock(line['at'] - began)} {who} {words}")


def _clock(seconds: float) -> str:
    return f"{seconds:6.2f} s"


async def attend(
    client: Client,
    phone: str,
    told: dict[str, Any],
    seconds: float | None,
    hear: Path | None,
    stop: asyncio.Event,
    taken: Callable[[], None],
    say: Say,
) -> list[dict[str, Any]]:
    """Be that seat's phone until ``stop``, for ``seconds``, or (answering, without a time) for one call.

    ``taken`` is called when the phone obeys.
    """
    since = client.count
    await client.ask("behave", phone=phone, hear=hear is not None, **told)
    taken()
    one = seconds is None and told["does"] == "answer"
    calls: dict[str, dict[str, Any]] = {}
    watching = asyncio.create_task(_watch(client, phone, since, calls, say, one))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({watching, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    folder = Path((await client.ask("status"))["heard"])
    for leg, call in calls.items():
        if call["ended_by"] is None:
            with contextlib.suppress(LabDown):
                await client.ask("hang_up", leg=leg)
                await client.line("the end", partial(_ends, leg), 5, since)
    if not watching.done():
        watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    if hear is not None:
        for leg in [leg for leg, call in calls.items() if call["answered"]][-1:]:
            calls[leg]["heard"] = await _copied(folder / f"{leg}.wav", hear)
    return list(calls.values())


async def dials(
    client: Client, phone: str, number: str, hear: Path | None, seconds: float | None,
    stop: asyncio.Event, say: Say,
) -> dict[str, Any]:  # fmt: skip
    """Call from a seat's phone (a feature code, a colleague) and listen to the end, or for ``seconds``."""
    since, began = client.count, time.time()
    call = await client.ask("dial", number=number, phone=phone, hear=True, caller=phone.partition("-")[2])
    leg, answered, by = call["leg"], False, ""

    async def listen() -> None:
        nonlocal answered, by
        at = since
        while not by:
            line = await client.line(phone, lambda x: x["leg"] == leg, 10**6, at)
            at = line["n"] + 1
            answered = answered or line["what"] == "answered"
            by = str(line.get("by", "")) if line["what"] == "ended" else ""
            _narrate(line, began, say)

    listening, stopping = asyncio.create_task(listen()), asyncio.create_task(stop.wait())
    await asyncio.wait({listening, stopping}, timeout=seconds or 60.0, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not listening.done():
        await client.ask("hang_up", leg=leg)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(listening, 5)
    heard = await _copied(Path(call["heard"]), hear) if hear is not None else None
    return {"phone": phone, "dialled": number, "answered": answered, "ended_by": by or None, "heard": heard}


def _ends(leg: str, line: dict[str, Any]) -> bool:
    return bool(line["leg"] == leg and line["what"] == "ended")


async def _copied(recording: Path, to: Path) -> str | None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while not complete(recording):  # noqa: ASYNC110  # another process (Asterisk) writes the file; its header is what says that it was closed
                await asyncio.sleep(0.05)
        to.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(shutil.copyfile, recording, to)
        return str(to)
    return None


async def _watch(
    client: Client, phone: str, since: int, calls: dict[str, dict[str, Any]], say: Say, one: bool
) -> None:
    at, began = since, 0.0
    while True:
        line = await client.line(phone, lambda x: x["phone"] == phone and bool(x["leg"]), 10**6, at)
        at = line["n"] + 1
        began = began or line["at"]
        _narrate(line, began, say)
        leg = line["leg"]
        if line["what"] == "rings":
            calls[leg] = {
                "call": line["call"] or None,
                "caller": line["caller"],
                "original": line.get("original") or None,
                "rang_at": line["at"],
                "answered": False,
                "seconds_to_answer": None,
                "ended_by": None,
                "heard": None,
            }
        elif leg in calls and line["what"] == "answered":
            calls[leg] |= {
                "answered": True,
                "seconds_to_answer": round(line["at"] - calls[leg]["rang_at"], 3),
            }
        elif leg in calls and line["what"] == "ended":
            calls[leg]["ended_by"] = line["by"]
            if one and calls[leg]["answered"]:
                return
