"""Where a sealed recording is kept: on disk, on the shelf, on both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recordings", sa.Column("kept", sa.String(128), nullable=False, server_default="disk"))
    op.create_index("recordings_by_kept", "recordings", ["kept", "ended"])


def downgrade() -> None:
    op.drop_index("recordings_by_kept", "recordings")
    op.drop_column("recordings", "kept")
