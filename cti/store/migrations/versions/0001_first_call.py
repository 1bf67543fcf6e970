"""Calls, visits, cursors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.String(128)
TIME = sa.Float(53)


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", TEXT, primary_key=True),
        *(sa.Column(name, TEXT, nullable=False) for name in ("city", "line", "trunk", "caller")),
        *(sa.Column(name, TEXT, nullable=False) for name in ("called", "original", "leg", "state")),
        sa.Column("since", TIME, nullable=False),
        sa.Column("arrived", TIME, nullable=False),
        sa.Column("greeted", TIME),
        sa.Column("queue", TEXT, nullable=False),
        sa.Column("joined", TIME),
        sa.Column("seat", TEXT, nullable=False),
        sa.Column("answered", TIME),
        sa.Column("first_seat", TEXT, nullable=False),
        sa.Column("ended", TIME),
        sa.Column("left_by", TEXT),
        sa.Column("cause", sa.Integer, nullable=False),
        sa.Column("visits", sa.Integer, nullable=False),
        sa.Column("advice", TEXT, nullable=False),
        sa.Column("advised_by", TEXT, nullable=False),
        sa.Column("recording", sa.String(512), nullable=False),
        sa.Column("owed", sa.Boolean, nullable=False),
        sa.Column("consult_of", TEXT),
        sa.Column("seconds_to_answer", TIME),
        sa.Column("seconds_in_all", TIME),
    )
    op.create_index("calls_by_city_arrived", "calls", ["city", "arrived"])
    op.create_index("calls_by_arrived", "calls", ["arrived"])
    op.create_index("calls_by_caller", "calls", ["caller"])
    op.create_table(
        "visits",
        sa.Column("call", TEXT, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("city", "queue", "leg")),
        sa.Column("joined", TIME, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("left", TIME),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("seat", TEXT, nullable=False),
        sa.Column("waited", TIME, nullable=False),
        sa.Column("rang", TIME, nullable=False),
        sa.Column("talked", TIME),
        sa.Column("declined", sa.Integer, nullable=False),
        sa.Column("key", TEXT, nullable=False),
    )
    op.create_index("visits_by_city_queue_joined", "visits", ["city", "queue", "joined"])
    op.create_table(
        "cursors",
        sa.Column("journal", TEXT, primary_key=True),
        sa.Column("segment", sa.BigInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in ("cursors", "visits", "calls"):
        op.drop_table(table)
