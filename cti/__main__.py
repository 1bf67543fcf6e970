"""The `cti` command. `python -m cti` is the same.

Only the part that a word asks for is imported: a person waits for `cti calls`, not for the database
library of a command they did not type.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module

import typer

COMMANDS = {
    "up": ("cti.commands.machine", "up"),
    "down": ("cti.commands.machine", "down"),
    "serve": ("cti.commands.machine", "serve"),
    "doctor": ("cti.commands.machine", "doctor_command"),
    "calls": ("cti.commands.show", "calls"),
    "seats": ("cti.commands.show", "seats"),
    "queues": ("cti.commands.show", "queues"),
    "story": ("cti.commands.show", "story"),
    "ledger": ("cti.commands.ledger", "ledger"),
    "truth": ("cti.commands.truth", "truth"),
    "refill": ("cti.commands.ledger", "refill"),
    "duties": ("cti.commands.duties", "duties"),
    "board": ("cti.commands.board", "board"),
    "audit": ("cti.commands.audit", "audit"),
    "record": ("cti.commands.record", "record"),
    "transcribe": ("cti.commands.speech", "transcribe"),
    "draft": ("cti.commands.speech", "draft"),
}
GROUPS = {
    "plan": "cti.commands.plan",
    "roster": "cti.commands.roster",
    "account": "cti.commands.account",
    "prompts": "cti.commands.prompts",
    "speech": "cti.commands.speech",
    "recordings": "cti.commands.recordings",
    "lab": "lab.command",
}
HIDDEN = frozenset({"serve"})
"""`cti up` types this one."""

HELP = """hotline12345: 12345 政务热线话务系统, on Asterisk.

First call: `cti up --lab`, then from another shell `cti lab call 12345`.

Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 something outside is missing."""


def command_tree(words: Iterable[str]) -> typer.Typer:
    """The commands with these names; all when one is not known, so that help and errors are whole."""
    wanted = set(words)
    if not wanted or not wanted <= {*COMMANDS, *GROUPS}:
        wanted = {*COMMANDS, *GROUPS}
    app = typer.Typer(
        name="cti",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_show_locals=False,
    )
    # a callback keeps the word on the command line when there is one command only
    app.callback(help=HELP)(lambda: None)
    for name, (module, function) in COMMANDS.items():
        if name in wanted:
            app.command(name, hidden=name in HIDDEN)(getattr(import_module(module), function))
    for name, module in GROUPS.items():
        if name in wanted:
            app.add_typer(import_module(module).app, name=name)
    return app


def main() -> None:
    """Entry point of the installed command."""
    command_tree(sys.argv[1:2])()


if __name__ == "__main__":
    main()
