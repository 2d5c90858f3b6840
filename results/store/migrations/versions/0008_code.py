"""Archives of code, and which of them a job runs.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "code",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", _BIG_INTEGER, nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("unpacked", _BIG_INTEGER, nullable=False),
        sa.Column("used_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_code"),
    )
    op.add_column("jobs", sa.Column("code", sa.Text()))
    op.create_index("ix_jobs_code", "jobs", ["code"])


def downgrade() -> None:
    op.drop_index("ix_jobs_code", "jobs")
    op.drop_column("jobs", "code")
    op.drop_table("code")
