"""How many trials of a job could run at the same time, in the round of its confirmation.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("at_once", sa.Integer()))


def downgrade() -> None:
    op.drop_column("jobs", "at_once")
