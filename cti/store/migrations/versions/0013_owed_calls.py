"""Calls that owe a call back, and those that were one, are found without a look at all others."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    back = text("callback_of != ''")
    # SQLite takes the index only for the words SQLAlchemy asks with
    op.create_index(
        "calls_owed", "calls", ["arrived"], sqlite_where=text("owed = 1"), postgresql_where=text("owed")
    )
    op.create_index(
        "calls_by_callback_of", "calls", ["callback_of"], sqlite_where=back, postgresql_where=back
    )


def downgrade() -> None:
    op.drop_index("calls_by_callback_of", "calls")
    op.drop_index("calls_owed", "calls")
