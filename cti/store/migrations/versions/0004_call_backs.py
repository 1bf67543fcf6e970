"""A call back of ours names the call in which it was promised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("callback_of", sa.String(128), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("calls") as calls:
        calls.drop_column("callback_of")
