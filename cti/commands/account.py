"""`cti account`: who may sign in to the desk by name and password. 帐号"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from cti.accounts import Accounts
from cti.commands.options import HomeOption, home_of
from cti.errors import Refused
from cti.web.who import Role, Who

app = typer.Typer(no_args_is_help=True, help="Who may sign in to the desk by name and password. 帐号管理")


@app.command("set")
def set_account(
    name: Annotated[str, typer.Argument(help="small letters, digits, hyphens")],
    role: Annotated[Role, typer.Option("--role", help="what they may do 角色")] = Role.OBSERVER,
    city: Annotated[str, typer.Option("--city", help="only this city; empty: all 城市")] = "",
    agent: Annotated[str, typer.Option("--agent", help="their 工号, when they sit at seats")] = "",
    stdin: Annotated[bool, typer.Option("--password-stdin", help="read the password from a pipe")] = False,
    home: HomeOption = None,
) -> None:
    """Make an account, or change one. Its old sessions end. 新建或修改帐号

    Examples:

      cti account set wang --role supervisor --city demo

      echo "$PASSWORD" | cti account set wang --role supervisor --password-stdin
    """
    if stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = typer.prompt("密码 password", hide_input=True, confirmation_prompt=True)
    try:
        Accounts(home_of(home), dict).put(Who(name=name, role=role, city=city, agent=agent), password)
    except Refused as why:
        _fail(str(why))
    typer.echo(f"{name}: {role} {city or 'all cities'}")


@app.command("list")
def list_accounts(home: HomeOption = None) -> None:
    """Every account. 帐号列表

    Example: cti account list --home ~/h2
    """
    try:
        known = Accounts(home_of(home), dict).all()
    except Refused as why:
        _fail(str(why))
    for who in known:
        typer.echo(f"{who.name:24} {who.role:12} {who.city or '*':16} {who.agent}")


@app.command("remove")
def remove_account(name: str, home: HomeOption = None) -> None:
    """Remove an account. Its sessions end at once. 删除帐号

    Example: cti account remove wang
    """
    try:
        Accounts(home_of(home), dict).remove(name)
    except Refused as why:
        _fail(str(why))
    typer.echo(f"{name}: removed")


def _fail(why: str) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(why, markup=False)
    raise typer.Exit(2)
