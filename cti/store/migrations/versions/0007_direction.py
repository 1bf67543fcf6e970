"""Calls that agents make to citizens stand beside those that citizens make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("direction", sa.String(128), nullable=False, server_default="in"))


def downgrade() -> None:
    with op.batch_alter_table("calls") as calls:
        calls.drop_column("direction")
