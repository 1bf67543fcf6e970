"""What a shift writes for the next one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TEXT = sa.String(128)
TIME = sa.Float(53)


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("city", TEXT, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("notes_by_city_at", "notes", ["city", "at"])


def downgrade() -> None:
    op.drop_table("notes")
