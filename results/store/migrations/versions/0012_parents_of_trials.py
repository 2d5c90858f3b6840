"""Trials that go on from the state of another one: which, and after which epoch.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trials", sa.Column("parent", sa.Integer()))
    op.add_column(
        "trials", sa.Column("start_epoch", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    for name in ("parent", "start_epoch"):
        op.drop_column("trials", name)
