"""Alembic's environment: migrates on the connection that it is given, in its transaction."""

from alembic import context

from results.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, compare_type=True
)
with context.begin_transaction():
    context.run_migrations()
