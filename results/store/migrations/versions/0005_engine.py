"""The engine that trained a trial.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trials", sa.Column("engine", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("trials", "engine")
