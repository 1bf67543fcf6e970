"""What the ledger needs: how far an abandoned caller had come, who did what in a call, what was refilled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.String(128)
TIME = sa.Float(53)


def upgrade() -> None:
    op.add_column("calls", sa.Column("stage", TEXT, nullable=False, server_default=""))
    op.add_column("calls", sa.Column("source", TEXT, nullable=False, server_default="heard"))
    op.add_column("visits", sa.Column("source", TEXT, nullable=False, server_default="heard"))
    op.create_table(
        "stints",
        sa.Column("leg", TEXT, primary_key=True),
        sa.Column("call", TEXT, nullable=False),
        sa.Column("city", TEXT, nullable=False),
        sa.Column("seat", TEXT, nullable=False),
        sa.Column("queue", TEXT, nullable=False),
        sa.Column("began", TIME, nullable=False),
        sa.Column("part", TEXT, nullable=False),
        sa.Column("answered", TIME),
        sa.Column("ended", TIME),
        sa.Column("ring", TIME, nullable=False),
        sa.Column("talk", TIME, nullable=False),
        sa.Column("hold", TIME, nullable=False),
        sa.Column("wrap_up", TIME),
        sa.Column("source", TEXT, nullable=False, server_default="heard"),
    )
    op.create_index("stints_by_call", "stints", ["call"])
    op.create_index("stints_by_city_seat_began", "stints", ["city", "seat", "began"])
    op.create_index("stints_by_began", "stints", ["began"])
    op.create_table(
        "refills",
        sa.Column("node", TEXT, primary_key=True),
        sa.Column("until", TIME, primary_key=True),
        sa.Column("since", TIME, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("done", TIME, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("refills")
    op.drop_table("stints")
    with op.batch_alter_table("visits") as visits:
        visits.drop_column("source")
    with op.batch_alter_table("calls") as calls:
        calls.drop_column("source")
        calls.drop_column("stage")
