"""The digest of the request that made a job, to know a repeated one.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("request_digest", sa.Text()))


def downgrade() -> None:
    op.drop_column("jobs", "request_digest")
