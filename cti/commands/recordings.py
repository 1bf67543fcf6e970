"""`cti recordings`: found, checked, listened to, exported, held, their keys rotated. 录音"""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import quote, urlencode

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cti.commands.asking import served
from cti.commands.moment import moment
from cti.commands.options import HomeOption, home_of
from cti.errors import Broken, NotNow, Refused
from cti.home import Home

if TYPE_CHECKING:
    from cti.ring import Ring
    from cti.shelf.chosen import Chosen

app = typer.Typer(no_args_is_help=True, help="录音：查询、核对、收听、导出、法律留存、密钥轮换 recordings")

STATES = {
    "filed": "[green]已归档 filed[/]",
    "missing": "[red]缺失 missing[/]",
    "expired": "已到期删除 expired",
    "rolling": "录音中 rolling",
    "paused": "[yellow]暂停 paused[/]",
    "wanted": "[yellow]待录 wanted[/]",
}
SECONDS = 60.0
PLAYERS = (("play", "-q"), ("aplay", "-q"), ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"))

Since = Annotated[
    float | None, typer.Option("--from", parser=moment, metavar="T", help="ISO 8601 or -24h; default -24h")
]
Until = Annotated[
    float | None, typer.Option("--to", parser=moment, metavar="T", help="ISO 8601 or -1h; default now")
]
City = Annotated[str | None, typer.Option("--city", help="only this city 只看一个城市")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON document")]
Purpose = Annotated[str, typer.Option("--purpose", help="why, kept in the audit trail 用途（记入日志）")]
Out = Annotated[Path | None, typer.Option("--out", help="write a wav here 写入文件")]
Consultations = Annotated[
    bool, typer.Option("--consultations", help="with what citizens did not hear 连同市民听不到的咨询")
]


@app.command("list")
def list_(
    call: Annotated[str, typer.Argument(help="only this call 只看一次通话")] = "",
    since: Since = None,
    until: Until = None,
    city: City = None,
    line: Annotated[str, typer.Option("--line", help="only this line 线路")] = "",
    original: Annotated[str, typer.Option("--original", help="only this number dialled 市民所拨号码")] = "",
    seat: Annotated[str, typer.Option("--seat", help="only this seat 座席")] = "",
    state: Annotated[str, typer.Option("--state", help="filed, missing or expired 状态")] = "",
    said: Annotated[str, typer.Option("--said", help="with this word or phrase 说过的词句")] = "",
    sound: Annotated[str, typer.Option("--sound", help="by sound: pinyin or characters 同音")] = "",
    most: Annotated[int, typer.Option("--limit", min=1, max=1000, help="at most so many 条数")] = 50,
    as_json: AsJson = False,
    home: HomeOption = None,
) -> None:
    """Recordings, one row a leg, the newest first. 录音列表与检索

    Examples:

      cti recordings list                        cti recordings list --state missing

      cti recordings list --original 12336       cti recordings list --line 12315

      cti recordings list --said 噪音            cti recordings list --sound "jie fang lu"
    """
    asked = {
        "call": call, "city": city, "line": line, "original": original, "seat": seat, "state": state,
        "said": said, "sound": sound, "from": since, "to": until, "limit": most,
    }  # fmt: skip
    query = urlencode({k: v for k, v in asked.items() if v not in (None, "")})
    with _told():
        rows = served(home_of(home), f"/api/recordings?{query}", full=True, seconds=SECONDS)
        if rows is None:
            raise NotNow("服务未应答 the service does not answer: cti up")
    if as_json:
        _json(rows)
        return
    table = Table(title=f"录音 recordings: {len(rows)}", header_style="bold")
    for head in (
        "自\nfrom",
        "秒\nseconds",
        "通话\ncall",
        "所拨\ndialled",
        "谁\nwho",
        "状态\nstate",
        "录音\nleg",
        "内容\nwords",
    ):
        table.add_column(head)
    for row in rows:
        began = row["began"] or row["ended"] or 0.0
        hits = "; ".join(f"{h['second']:.1f}s {h['text']}" for h in row["hits"][:3])
        note = row["why"] or ("封存 sealed" if row["sealed"] else "") or row["heard"]
        table.add_row(
            f"{datetime.fromtimestamp(began).astimezone():%m-%d %H:%M:%S}",
            f"{row['seconds']:.1f}" + (f" (-{row['short']:.1f})" if row["short"] else ""),
            row["call"],
            row["original"],
            f"{row['role']} {row['seat']}".strip(),
            STATES.get(row["state"], row["state"]) + (" 留存 held" if row["held"] else ""),
            row["leg"],
            hits or note,
        )
    _console().print(table)


@app.command()
def check(
    since: Since = None,
    until: Until = None,
    city: City = None,
    deep: Annotated[bool, typer.Option("--deep", help="read every file, compare checksums 逐个校验")] = False,
    as_json: AsJson = False,
    home: HomeOption = None,
) -> None:
    """Is every second of talk in exactly one filed recording? 核对录音

    Talk as the ledger has it, and answers in Asterisk's own queue_log and CDR, against rows and files: gaps,
    doubles, missing recordings with their reason, files of no call, files that are gone; on disk and on the
    shelf, where there is one.

    Example: cti recordings check --from -7d --deep

    Exit codes: 0 all there, 1 something is not, 3 the database cannot be read.
    """
    at = home_of(home)
    now = time.time()
    begin, end = since if since is not None else now - 86400, until if until is not None else now
    with _told():
        found = asyncio.run(_check(at, begin, end, city, deep))
    if as_json:
        _json(found.as_json())
    else:
        _show(found)
    if not found.whole:
        raise typer.Exit(1)


async def _check(at: Home, since: float, until: float, city: str | None, deep: bool) -> Any:
    from cti import recordings_check
    from cti.recording_parts import keys_of
    from cti.ring import Ring
    from cti.settings import database_url
    from cti.settings import read as read_settings
    from cti.shelf.chosen import Chosen
    from cti.store.history import History

    settings = read_settings(at)
    url = database_url(settings, at)
    if url.startswith("sqlite") and not at.database.exists():
        raise NotNow(f"没有数据库 there is no {at.database}: cti up")
    history = History(url)
    try:
        with Progress(transient=True, disable=not sys.stderr.isatty(), console=Console(stderr=True)) as bar:
            task = bar.add_task("check", total=None)
            return await recordings_check.check(
                at,
                history,
                since,
                until,
                city,
                deep=deep,
                ring=lambda: Ring(keys_of(at, settings)),
                shelf=Chosen(at, settings),
                told=lambda done, of: bar.update(task, completed=done, total=of),
            )
    finally:
        await history.close()


def _show(found: Any) -> None:
    out = _console()
    out.print(
        f"通话 calls {found.calls} · 录音 legs {found.legs} · 通话秒数 talk {found.talk:.0f} s "
        f"(每方计 each side counted) · 录音秒数 recorded {found.recorded:.0f} s"
    )
    if found.shelf:
        told = f"已存 carried {found.carried} · 待存 waiting {found.waiting}"
        out.print(f"存储 shelf {found.shelf}: {told}", markup=False)
    if found.shelf_trouble:
        out.print(f"存储查不到 the shelf cannot be looked at: {found.shelf_trouble}", markup=False)
    names = {
        "gaps": "缺口 talk in no recording",
        "twice": "重复 talk in two recordings",
        "missing": "缺失 recordings missing",
        "lost": "丢失或被改 filed, and gone or changed",
        "orphans": "无主文件 files of no call",
        "shelf_lost": "存储上丢失或被改 carried, and gone from the shelf or changed",
        "shelf_orphans": "存储上的无主文件 files on the shelf of no recording we keep",
        "unheard": "仅 Asterisk 可知 answered by Asterisk's files only",
    }
    for name, text in names.items():
        rows = getattr(found, name)
        out.print(f"{text}: [{'red' if rows else 'green'}]{len(rows)}[/]")
        for row in rows[:20]:
            out.print(
                f"  {row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)}", markup=False
            )
    out.print("[green]完整 whole[/]" if found.whole else "[red]不完整 not whole[/]")


@app.command()
def play(
    what: Annotated[str, typer.Argument(help="a call (both sides), or one leg's recording")],
    purpose: Purpose,
    out: Out = None,
    consultations: Consultations = False,
    home: HomeOption = None,
) -> None:
    """Listen to a call or to one leg, or write it as a wav; it stands in the audit trail. 收听

    Example: cti recordings play demo-n1-1795277485.8 --purpose 投诉复核 --out call.wav
    """
    leg = what.partition("-")[0] == "n1" or "-" not in what
    if leg and consultations:
        _fail("--consultations 只用于通话 is for a call: a leg holds those that you may hear", 2)
    path = f"/api/recordings/{quote(what)}/audio" if leg else f"/api/calls/{quote(what)}/mix"
    asked = {"purpose": purpose} | ({"consultations": "true"} if consultations else {})
    with _told():
        data = _fetch(home_of(home), f"{path}?{urlencode(asked)}", None)
    if out is not None:
        _write(out, data)
        return
    player = next((p for p in PLAYERS if shutil.which(p[0])), None)
    if player is None:
        _fail("没有播放程序 no player here (play, aplay, ffplay): use --out FILE", 3)
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(data)
        file.flush()
        raise typer.Exit(0 if subprocess.run([*player, file.name]).returncode == 0 else 3)


@app.command()
def export(
    call: Annotated[str, typer.Argument(help="the call's id 通话编号")],
    purpose: Purpose,
    out: Annotated[Path, typer.Option("--out", help="write the wav here 写入文件")],
    consultations: Consultations = False,
    home: HomeOption = None,
) -> None:
    """Both sides of a call as one wav that begins with a notice of confidentiality. 导出（含保密提示）

    Example: cti recordings export demo-n1-1795277485.8 --purpose 司法调取 --out call.wav
    """
    with _told():
        asked = {"purpose": purpose, "consultations": consultations}
        data = _fetch(home_of(home), f"/api/calls/{quote(call)}/export", asked)
    _write(out, data)


@app.command()
def hold(
    call: Annotated[str, typer.Argument(help="the call's id 通话编号")],
    purpose: Purpose,
    home: HomeOption = None,
) -> None:
    """Keep this call's recordings whatever the terms say (legal hold). 法律留存

    Example: cti recordings hold demo-n1-1732190695.12 --purpose 投诉复核
    """
    _order(home, call, "hold", purpose)


@app.command()
def release(
    call: Annotated[str, typer.Argument(help="the call's id 通话编号")],
    purpose: Purpose,
    home: HomeOption = None,
) -> None:
    """End a legal hold: the ordinary terms hold again. 解除留存

    Example: cti recordings release demo-n1-1732190695.12 --purpose 复核已结
    """
    _order(home, call, "release", purpose)


@app.command()
def rotate(
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with the newest key, make none 继续上次轮换")
    ] = False,
    retire: Annotated[
        bool, typer.Option("--retire", help="make none; remove the old keys for good 删除旧密钥")
    ] = False,
    home: HomeOption = None,
) -> None:
    """A new key for recordings; every sealed file's own key is wrapped with it anew. 轮换密钥

    On disk the sound is not written again; a recording on the shelf is fetched, wrapped and carried again.
    May be stopped and gone on with (--resume): files wrapped with an older key still open. --retire removes
    the older keys, and refuses while a file needs one.

    Example: cti recordings rotate && cti recordings rotate --retire
    """
    from cti.recording_parts import keys_of
    from cti.retiring import retired
    from cti.ring import Ring
    from cti.settings import read as read_settings
    from cti.shelf.chosen import Chosen

    if resume and retire:
        _fail("--resume 与 --retire 只能选一 one of --resume and --retire", 2)
    at = home_of(home)
    with _told():
        settings = read_settings(at)
        ring, shelf = Ring(keys_of(at, settings)), Chosen(at, settings)
        if retire:
            gone = asyncio.run(retired(ring, at.recordings, shelf() if shelf.there else None))
            told = f"已删除 removed: {', '.join(gone)}" if gone else "没有旧密钥 there is no old key"
        else:
            name = ring.newest if resume else ring.rotate()
            which = "密钥 key" if resume else "新密钥 new key"
            told = f"{which} {name}; {_wrapped_anew(at, ring, shelf)}"
    _console().print(f"{told} ({ring.path})", markup=False)


def _wrapped_anew(at: Home, ring: Ring, shelf: Chosen) -> str:
    """Raises NotNow, Refused, Broken, OSError."""
    from cti import vault
    from cti.retiring import PATIENCE
    from cti.shelf.rewrapping import rewrapped

    done = far = 0
    ring.drained(PATIENCE)
    files = sorted(at.recordings.rglob(f"*{vault.SUFFIX}"))
    with Progress(transient=True, disable=not sys.stderr.isatty(), console=Console(stderr=True)) as bar:
        for path in bar.track(files, description="rotate"):
            with suppress(FileNotFoundError):  # kept long enough, or carried and removed
                done += vault.rewrap(ring, path)
        if shelf.there:
            task = bar.add_task("shelf", total=None)
            far = asyncio.run(rewrapped(ring, shelf(), lambda n: bar.update(task, completed=n)))
    return f"{done} of {len(files)} wrapped anew" + (f", {far} on the shelf" if shelf.there else "")


def _order(home: Path | None, call: str, did: str, purpose: str) -> None:
    with _told():
        path = f"/api/calls/{quote(call)}/{did}"
        told = served(home_of(home), path, full=True, body={"purpose": purpose})
        if told is None:
            raise NotNow("服务未应答 the service does not answer: cti up")
    _console().print(f"完成 done: {did} {call}", markup=False)


def _fetch(home: Home, path: str, body: dict[str, Any] | None) -> bytes:
    """The wav the service answers with. Raises NotNow, Refused."""
    token = home.tokens["operator"]
    door = http.client.HTTPConnection("127.0.0.1", home.ports.api, timeout=SECONDS)
    try:
        told = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {token}"}
        door.request("GET" if body is None else "POST", path, body=told, headers=headers)
        answer = door.getresponse()
        data = answer.read()
    except (OSError, http.client.HTTPException) as why:
        raise NotNow(f"服务未应答 the service does not answer ({why}): cti up") from why
    finally:
        door.close()
    if answer.status in (200, 206):
        return data
    detail = str(json.loads(data).get("detail", "")) if data.startswith(b"{") else f"HTTP {answer.status}"
    raise NotNow(detail) if answer.status == 503 else Refused(detail)


def _write(out: Path, data: bytes) -> None:
    try:
        out.write_bytes(data)
    except OSError as why:
        _fail(f"{out}: {why.strerror}", 3)
    _console().print(f"{out}: {len(data) / 16000:.1f} s", markup=False)


@contextmanager
def _told() -> Iterator[None]:
    from cti.settings import BadSettings

    try:
        yield
    except (Refused, BadSettings) as why:
        _fail(str(why), 2)
    except (NotNow, Broken, OSError) as why:
        _fail(str(why), 3)


def _json(told: Any) -> None:
    json.dump(told, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


def _console() -> Console:
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=180)


def _fail(why: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(why, markup=False)
    raise typer.Exit(code)
