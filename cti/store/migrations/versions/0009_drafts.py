"""A call keeps its menu's key, a draft what was typed; a ticket says whether it has the whole talk; a leg's
words are searched as one text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.String(128)


def upgrade() -> None:
    for name in ("menu", "menu_key"):
        op.add_column("calls", sa.Column(name, TEXT, nullable=False, server_default=""))
    op.add_column("tickets", sa.Column("complete", sa.Boolean, nullable=False, server_default=sa.true()))
    op.execute(
        sa.text("UPDATE tickets SET complete = :no WHERE transcript LIKE :open").bindparams(
            sa.bindparam("no", False, sa.Boolean), open='{"complete": false%'
        )
    )
    op.create_index("tickets_by_caller", "tickets", ["city", "caller", "made"])
    op.create_index("tickets_by_complete", "tickets", ["complete", "made"])
    op.create_table(
        "typed",
        sa.Column("call", TEXT, primary_key=True),
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_index("typed_by_at", "typed", ["at"])
    op.create_table(
        "spoken",
        sa.Column("leg", TEXT, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sound", sa.Text, nullable=False),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    join = "string_agg(replace({0}, ' ', ''), '' ORDER BY number)"
    if not postgresql:
        join = "group_concat(replace({0}, ' ', ''), '')"  # ordered by its source: SQLite before 3.44
    columns = ", ".join(join.format(name) for name in ("text", "sound"))
    op.execute(
        f"INSERT INTO spoken (leg, text, sound) SELECT leg, {columns} "
        "FROM (SELECT leg, number, text, sound FROM spans ORDER BY leg, number) AS s GROUP BY leg"
    )


def downgrade() -> None:
    for table in ("spoken", "typed"):
        op.drop_table(table)
    for index in ("tickets_by_complete", "tickets_by_caller"):
        op.drop_index(index, "tickets")
    with op.batch_alter_table("tickets") as tickets:
        tickets.drop_column("complete")
    with op.batch_alter_table("calls") as calls:
        for name in ("menu_key", "menu"):
            calls.drop_column(name)
