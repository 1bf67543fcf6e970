"""Run by alembic, with the connection that ``upgrade`` hands over."""

from __future__ import annotations

from alembic import context

from cti.store.models import Base

connection = context.config.attributes["connection"]
# batch mode: SQLite changes a table by copying it
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
