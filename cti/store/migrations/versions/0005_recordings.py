"""Recordings: one row a leg; what was said in them; calls held for the law; tickets as calls make them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.String(128)
TIME = sa.Float(53)


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("leg", TEXT, primary_key=True),
        sa.Column("call", TEXT, nullable=False),
        sa.Column("city", TEXT, nullable=False),
        sa.Column("line", TEXT, nullable=False),
        sa.Column("seat", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("began", TIME),
        sa.Column("ended", TIME),
        sa.Column("seconds", TIME, nullable=False),
        sa.Column("short", TIME, nullable=False),
        sa.Column("pauses", sa.Text, nullable=False),
        sa.Column("file", sa.String(512), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("sealed", sa.Boolean, nullable=False),
        sa.Column("heard", TEXT, nullable=False),
    )
    op.create_index("recordings_by_call", "recordings", ["call"])
    op.create_index("recordings_by_city_began", "recordings", ["city", "began"])
    op.create_index("recordings_by_state", "recordings", ["state", "ended"])
    op.create_table(
        "spans",
        sa.Column("leg", TEXT, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("call", TEXT, nullable=False),
        sa.Column("city", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("start", TIME, nullable=False),
        sa.Column("end", TIME, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sound", sa.Text, nullable=False),
        sa.Column("confidence", TIME, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
    )
    op.create_index("spans_by_call", "spans", ["call"])
    op.create_index("spans_by_city_at", "spans", ["city", "at"])
    op.create_table(
        "holds",
        sa.Column("call", TEXT, primary_key=True),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("why", sa.String(512), nullable=False),
        sa.Column("since", TIME, nullable=False),
    )
    op.create_table(
        "tickets",
        sa.Column("number", TEXT, primary_key=True),
        sa.Column("city", TEXT, nullable=False),
        sa.Column("call", TEXT, nullable=False),
        sa.Column("original", TEXT, nullable=False),
        sa.Column("caller", TEXT, nullable=False),
        sa.Column("line", TEXT, nullable=False),
        sa.Column("made", TIME, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("draft", sa.Text, nullable=False),
        sa.Column("transcript", sa.Text, nullable=False),
    )
    op.create_index("tickets_by_call", "tickets", ["call"])
    op.create_index("tickets_by_city_made", "tickets", ["city", "made"])


def downgrade() -> None:
    op.drop_table("tickets")
    op.drop_table("holds")
    op.drop_table("spans")
    op.drop_table("recordings")
