"""The audit trail: who ordered what, when, on whom, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_audit"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.String(128)
TIME = sa.Float(53)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("city", TEXT, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("did", TEXT, nullable=False),
        sa.Column("on", TEXT, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("why", sa.String(512), nullable=False),
        sa.Column("ended", TIME),
    )
    op.create_index("audit_by_at", "audit", ["at"])
    op.create_index("audit_by_city_at", "audit", ["city", "at"])


def downgrade() -> None:
    op.drop_table("audit")
