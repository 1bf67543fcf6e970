"""Hand-off records: callers brought to a centre, a colleague, an outside number, or handed to us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.String(128)
TIME = sa.Float(53)


def upgrade() -> None:
    op.create_table(
        "handoffs",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("call", TEXT, nullable=False),
        sa.Column("city", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("centre", TEXT, nullable=False),
        sa.Column("asked", TIME, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("changed", TIME, nullable=False),
        sa.Column("row", sa.Text, nullable=False),
    )
    op.create_index("handoffs_by_city_asked", "handoffs", ["city", "asked"])
    op.create_index("handoffs_by_call", "handoffs", ["call"])


def downgrade() -> None:
    op.drop_table("handoffs")
