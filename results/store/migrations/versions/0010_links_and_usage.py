"""Links to one job, who made a token, and what a running trial uses.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("job_id", sa.Text()))
    op.create_index("ix_tokens_job_id", "tokens", ["job_id"])
    op.add_column("tokens", sa.Column("made_by", sa.Text(), server_default="", nullable=False))
    op.add_column("trials", sa.Column("usage", sa.JSON()))


def downgrade() -> None:
    op.drop_column("trials", "usage")
    # A former version does not know that they are for one job alone.
    op.execute(sa.text("DELETE FROM tokens WHERE job_id IS NOT NULL"))
    op.drop_index("ix_tokens_job_id", "tokens")
    op.drop_column("tokens", "made_by")
    op.drop_column("tokens", "job_id")
