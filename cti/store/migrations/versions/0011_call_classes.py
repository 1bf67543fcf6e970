"""Consultations are found by the call they were made for."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("calls_by_consult_of", "calls", ["consult_of"])


def downgrade() -> None:
    op.drop_index("calls_by_consult_of", "calls")
