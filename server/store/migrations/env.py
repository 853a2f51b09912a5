"""Alembic's entry: always on the connection that `migrate.upgrade` hands over, never from a command line."""

from __future__ import annotations

from alembic import context

from mxward.server.store.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
