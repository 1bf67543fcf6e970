"""`cti lab …`: be a citizen, a seat's phone or a whole city, against a running hotline."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from cti.commands.options import HomeOption, home_of
from lab.account import attend, dials, follow
from lab.city import Traffic, per_second
from lab.client import Client, LabDown, NotDone, Unheard
from lab.mixed_command import mixed
from lab.observer import HouseDown
from lab.scenario import Lab
from lab.voices import citizens

app = typer.Typer(
    help="模拟城市：市民来电、座席话机。"
    "The city outside: citizens' calls and seats' phones (needs `cti up --lab`).",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
app.command("mixed")(mixed)
NO, WRONG, MISSING = 1, 2, 3
"""Exit codes: the answer is no; wrong use; something outside is missing."""


def _seconds(text: str | float) -> float:
    if isinstance(text, float):  # typer passes a default through the parser too
        return text
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min)?", text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no time (like 30, 30s or 2m)")
    return float(found[1]) * {"ms": 0.001, None: 1, "s": 1, "m": 60, "min": 60}[found[2]]


def _number(text: str) -> str:
    if not re.fullmatch(r"[+]?[0-9*#]{1,30}", text):
        raise typer.BadParameter(f"{text!r} is no telephone number")
    return text


def _keys(text: str) -> str:
    if not re.fullmatch(r"!?[0-9*#A-D,w]+", text):
        raise typer.BadParameter(f"{text!r}: keys are 0-9 * # A-D; `,` waits for a pause, `w` half a second")
    return text


def _rate(text: str | float) -> float:
    if isinstance(text, float):
        return text
    try:
        return per_second(text)
    except ValueError as why:
        raise typer.BadParameter(str(why)) from None


JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object instead of the running account")]
CityOption = Annotated[str | None, typer.Option("--city", help="the plan's id, when several cities run")]
SayOption = Annotated[
    Path | None,
    typer.Option("--say", exists=True, dir_okay=False, help="WAV to be said (any rate, 1 or 2 channels)"),
]


@app.command()
def call(
    number: Annotated[
        str, typer.Argument(parser=_number, metavar="NUMBER", help="the number dialled, e.g. 12345")
    ],
    caller: Annotated[str, typer.Option("--from", parser=_number, metavar="CALLER")] = "13900000000",
    diversion: Annotated[
        str,
        typer.Option(parser=lambda x: x and _number(x), metavar="NUMBER", help="forwarded from this number"),
    ] = "",
    say: SayOption = None,
    press: Annotated[
        str,
        typer.Option(
            parser=lambda x: x and _keys(x),
            metavar="KEYS",
            help="pressed when the voice first pauses; `,` waits for the next pause, `w` half a second, "
            "`!` in front: at once",
        ),
    ] = "",
    hear: Annotated[Path | None, typer.Option(metavar="OUT.wav", help="keep what the caller hears")] = None,
    seconds: Annotated[
        float, typer.Option("--for", parser=_seconds, metavar="SECONDS", help="hang up after so long")
    ] = 30.0,
    city: CityOption = None,
    silent: Annotated[
        bool, typer.Option("--silent", help="say nothing; else, without --say, a shipped sentence")
    ] = False,
    say_at_once: Annotated[
        bool, typer.Option(help="speak when the line is up, not when a seat answers")
    ] = False,
    json_: JsonOption = False,
    more: Annotated[bool, typer.Option(help="with --json: also seconds_to_ring and sip_call")] = False,
    home: HomeOption = None,
) -> None:
    """A citizen calls the hotline. 市民拨打热线

    Prints what the phones saw. `answered` means: a seat answered. Exit code 0 answered, 1 not answered.

    Examples:

      cti lab call 12345 --for 15s

      cti lab call 12345 --from 13900000001 --say words.wav --hear heard.wav --for 30s --json

      cti lab call 12346 --press 1

      cti lab call 12345 --diversion 12315
    """
    out = Console(highlight=False, soft_wrap=True, stderr=json_)

    async def run(stop: asyncio.Event) -> int:
        async with Lab(home_of(home), by_hand=False) as lab:
            dialling = lab.caller(caller, city).dials(number, diversion=diversion)
            words = say or (None if silent else next(iter(citizens()), None))
            if words is not None:
                dialling.says(words.resolve(), when="answer" if say_at_once else "seat")
            if press:
                dialling.presses(press)
            account = await follow(lab, dialling, seconds, hear, stop, _silent if json_ else out.print)
        if json_:
            print(json.dumps(account.told(more=more), ensure_ascii=False))
        else:
            out.print(_summary(account.told()))
        return 0 if account.answered else NO

    _play(run, out)


@app.command()
def phone(
    seat: Annotated[str, typer.Argument(metavar="SEAT", help="the seat's number, e.g. 1001 (or demo-1001)")],
    answer: Annotated[bool, typer.Option("--answer", help="pick up (the default)")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="decline (403)")] = False,
    busy: Annotated[bool, typer.Option("--busy", help="say busy (486)")] = False,
    ignore: Annotated[bool, typer.Option("--ignore", help="ring and do nothing")] = False,
    after: Annotated[
        float, typer.Option(parser=_seconds, metavar="S", help="seconds of ringing before that")
    ] = 1.0,
    say: SayOption = None,
    hear: Annotated[Path | None, typer.Option(metavar="OUT.wav", help="keep what the seat hears")] = None,
    hang_up: Annotated[
        float | None, typer.Option(parser=_seconds, metavar="S", help="hang up after so long a talk")
    ] = None,
    dial: Annotated[
        str,
        typer.Option(
            parser=lambda x: x and _number(x),
            metavar="NUMBER",
            help="call from this phone: *11 signs in, *12 out, *13 ready, *14 pauses, *15 where am I",
        ),
    ] = "",
    seconds: Annotated[
        float | None,
        typer.Option(
            "--for", parser=_seconds, metavar="S", help="keep the phone so long (else: one call, or Ctrl-C)"
        ),
    ] = None,
    city: CityOption = None,
    json_: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Take over a seat's phone, and give it back at the end. 接管座席话机

    Answering, it ends with the first call it answered; otherwise with Ctrl-C; with --for after that time.

    Examples:

      cti lab phone 1001 --answer --say greeting.wav --hear heard.wav

      cti lab phone 1001 --busy --for 1m

      cti lab phone 1001 --dial "*143"
    """
    out = Console(highlight=False, soft_wrap=True, stderr=json_)
    chosen = [name for name, is_on in _does(answer, reject, busy, ignore).items() if is_on] or ["answer"]
    if len(chosen) > 1:
        out.print(f"[red]--{' and --'.join(chosen)}: choose one[/]")
        raise typer.Exit(WRONG)
    does = {"does": chosen[0], "after": after, "say": str(say.resolve()) if say else None, "talk": hang_up}

    async def run(stop: asyncio.Event) -> int:
        async with Client(where := home_of(home)) as client:
            cities = where.state().get("cities") or where.cities() or ["demo"]
            name = seat if "-" in seat else f"{city or cities[0]}-{seat}"

            say_ = _silent if json_ else out.print
            if dial:
                told = await dials(client, name, dial, hear, seconds, stop, say_)
                if json_:
                    print(json.dumps(told, ensure_ascii=False))
                return 0 if told["answered"] else NO

            def taken() -> None:
                out.print(f"话机 phone {name}: {chosen[0]} (Ctrl-C 交还 gives it back)")

            calls = await attend(client, name, does, seconds, hear, stop, taken, say_)
        if json_:
            print(json.dumps({"phone": name, "calls": calls}, ensure_ascii=False))
        return 0 if calls else NO

    _play(run, out)


@app.command("city")
def city_command(
    rate: Annotated[float, typer.Option(parser=_rate, metavar="RATE", help="calls, like 2/min or 0.5/s")] = 2
    / 60,
    seconds: Annotated[
        float | None,
        typer.Option("--for", parser=_seconds, metavar="S", help="stop after so long (else: Ctrl-C)"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="the same city again")] = None,
    home: HomeOption = None,
) -> None:
    """Keep calls coming: various callers, words, patience. 持续来电

    Examples:

      cti lab city --rate 2/min

      cti lab city --rate 1/s --for 1m --seed 7
    """
    out = Console(highlight=False, soft_wrap=True)

    async def run(stop: asyncio.Event) -> int:
        async with Client(home_of(home)) as client:
            traffic = Traffic(client, rate, seed)
            out.print(f"城市开始来电 the city calls {rate * 60:g} times a minute (Ctrl-C 停止 stops)")
            calling = asyncio.create_task(traffic.run(seconds))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({calling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if calling.done():
                calling.result()
            calling.cancel()
            stopping.cancel()
            out.print(f"来电 calls {traffic.made}, 接通座席 reached a seat {traffic.reached}")
        return 0

    _play(run, out)


def _does(answer: bool, reject: bool, busy: bool, ignore: bool) -> dict[str, bool]:
    return {"answer": answer, "reject": reject, "busy": busy, "ignore": ignore}


def _summary(told: dict[str, Any]) -> str:
    if not told["answered"]:
        text = "[yellow]未接通座席 no seat answered[/]"
    else:
        text = f"[green]座席 seat {told['seat']} 接听 answered after {told['seconds_to_seat']:.2f} s[/]"
    by = {
        "caller": "主叫挂机 the caller left",
        "agent": "座席挂机 the agent hung up",
        "system": "系统结束 ended by the hotline",
        "timeout": "到时 ended by --for",
    }[told["left_by"]]
    kept = f"\n录音 heard: {told['heard']}" if told["heard"] else ""
    story = f"\n经过 the story: cti story {told['call']}" if told["call"] else ""
    return f"{text}; {by}{kept}{story}"


def _silent(_: str) -> None:
    return


def _play(run: Any, out: Console) -> None:
    """Run until done or until SIGINT/SIGTERM asks to stop; failures become exit codes and one line."""

    async def guarded() -> int:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        todo: Coroutine[Any, Any, int] = run(stop)
        return await todo

    try:
        code = asyncio.run(guarded())
    except (LabDown, HouseDown) as why:
        out.print(f"[red]{escape(str(why))}[/]")
        code = MISSING
    except NotDone as why:
        out.print(f"[red]{escape(str(why))}[/]")
        code = MISSING if why.kind == "WireDown" else WRONG
    except Unheard as why:
        out.print(f"[red]{escape(str(why))}[/]")
        code = NO
    raise typer.Exit(code)
