"""Red flags in what was said; recordings that are short are found without reading all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT = sa.String(128)
TIME = sa.Float(53)


def upgrade() -> None:
    op.create_table(
        "flags",
        sa.Column("call", TEXT, primary_key=True),
        sa.Column("flag", TEXT, primary_key=True),
        sa.Column("city", TEXT, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("leg", TEXT, nullable=False),
        sa.Column("second", TIME, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("flags_by_city_at", "flags", ["city", "at"])
    op.create_index("recordings_by_short", "recordings", ["short", "ended"])


def downgrade() -> None:
    op.drop_index("recordings_by_short", "recordings")
    op.drop_table("flags")
