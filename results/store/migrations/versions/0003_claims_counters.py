"""Claims of a job since it was last resumed; counters of take-overs and refused writes.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big_integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    # The token counts restarts on purpose too: nobody knows how many claims were lost before.
    op.add_column("jobs", sa.Column("claims", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", big_integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )


def downgrade() -> None:
    op.drop_table("counters")
    op.drop_column("jobs", "claims")
