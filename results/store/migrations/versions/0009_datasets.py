"""Users' data sets, and which of them a job trains on.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BIG_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", _BIG_INTEGER, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("size", _BIG_INTEGER, nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("removed_at", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
    )
    here = sa.text("removed_at IS NULL")
    op.create_index(
        "uq_datasets_name", "datasets", ["name"], unique=True,
        sqlite_where=here, postgresql_where=here,
    )  # fmt: skip
    op.add_column("jobs", sa.Column("data", sa.Text()))
    op.create_index("ix_jobs_data", "jobs", ["data"])


def downgrade() -> None:
    op.drop_index("ix_jobs_data", "jobs")
    op.drop_column("jobs", "data")
    op.drop_table("datasets")
