"""Tags and notes that are changed by hand, the queue's order, and the course of the best value.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_COLUMNS = ("place", "history", "notes", "tags")


def upgrade() -> None:
    nothing = sa.text("'{}'")
    op.add_column("jobs", sa.Column("tags", sa.JSON(), server_default=nothing, nullable=False))
    op.add_column("jobs", sa.Column("notes", sa.Text(), server_default="", nullable=False))
    op.add_column("jobs", sa.Column("history", sa.JSON()))
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("jobs", sa.Column("place", big))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    given = "json_extract(spec, '$.tags')" if is_sqlite else "spec -> 'tags'"
    op.execute(f"UPDATE jobs SET tags = {given} WHERE {given} IS NOT NULL")  # noqa: S608 - constants


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("jobs", name)
