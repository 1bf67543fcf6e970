"""The `cti` command. `python -m cti` is the same."""

from __future__ import annotations

import typer

from cti.commands import machine
from cti.commands.duties import duties
from cti.commands.ledger import ledger, refill
from cti.commands.plan import app as plan
from cti.commands.prompts import app as prompts
from cti.commands.record import record
from cti.commands.roster import app as roster
from cti.commands.show import calls, queues, seats, story
from cti.commands.truth import truth
from lab.command import app as lab
from lab.mixed_command import mixed

app = typer.Typer(
    name="cti",
    help="hotline12345: 12345 政务热线话务系统, on Asterisk.\n\n"
    "First call: `cti up --lab`, then from another shell `cti lab call 12345`.\n\n"
    "Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 something outside is missing.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
)
app.command("up")(machine.up)
app.command("down")(machine.down)
app.command("serve", hidden=True)(machine.serve)
app.command("doctor")(machine.doctor_command)
app.command("calls")(calls)
app.command("seats")(seats)
app.command("queues")(queues)
app.command("story")(story)
app.command("ledger")(ledger)
app.command("truth")(truth)
app.command("refill")(refill)
app.command("duties")(duties)
app.command("record")(record)
app.add_typer(plan, name="plan")
app.add_typer(roster, name="roster")
app.add_typer(prompts, name="prompts")
lab.command("mixed")(mixed)
app.add_typer(lab, name="lab")


def main() -> None:
    """Entry point of the installed command."""
    app()


if __name__ == "__main__":
    main()
