"""The number a citizen dialled stands beside recordings; those made before get it from their call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recordings", sa.Column("original", sa.String(128), nullable=False, server_default=""))
    op.execute(
        "UPDATE recordings SET original = COALESCE("
        "(SELECT calls.original FROM calls WHERE calls.id = recordings.call), '')"
    )


def downgrade() -> None:
    with op.batch_alter_table("recordings") as recordings:
        recordings.drop_column("original")
