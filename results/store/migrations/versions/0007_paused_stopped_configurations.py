"""Paused and stopped trials, what trials are for, their configurations, and early ends of searches.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TRIALS = sa.table("trials", *map(sa.column, ("number", "configuration", "state")))
_COUNTERS = sa.table("counters", sa.column("name"))


def upgrade() -> None:
    for name in ("stopped", "paused"):
        op.add_column("jobs", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("jobs", sa.Column("ended_by", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "trials", sa.Column("model_bytes", _BIG_INTEGER, server_default="0", nullable=False)
    )
    op.add_column(
        "trials", sa.Column("purpose", sa.Text(), server_default="search", nullable=False)
    )
    op.add_column("trials", sa.Column("configuration", sa.Integer()))
    op.execute(sa.update(_TRIALS).values(configuration=_TRIALS.c.number))
    op.create_index("ix_trials_job_id_configuration", "trials", ["job_id", "configuration"])


def downgrade() -> None:
    # The former version knows neither state: what waited is queued, what was stopped is cancelled.
    for state, former in (("paused", "queued"), ("stopped", "cancelled")):
        op.execute(sa.update(_TRIALS).where(_TRIALS.c.state == state).values(state=former))
    op.execute(sa.delete(_COUNTERS).where(_COUNTERS.c.name == "ended:stopped"))
    op.drop_index("ix_trials_job_id_configuration", "trials")
    for name in ("model_bytes", "purpose", "configuration"):
        op.drop_column("trials", name)
    for name in ("stopped", "paused", "ended_by"):
        op.drop_column("jobs", name)
