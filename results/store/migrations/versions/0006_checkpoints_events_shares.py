"""Checkpoints of trials, events, and the shares of jobs in the cluster.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("priority", sa.Integer(), server_default="1", nullable=False))
    op.add_column("jobs", sa.Column("slots", sa.Integer()))
    op.add_column("jobs", sa.Column("slots_since", sa.Double()))
    for name in ("resumed_from", "checkpoint"):
        op.add_column("trials", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    _make_checkpoints()
    _make_events()
    op.create_table(
        "capacity",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cpu", sa.Double(), nullable=False),
        sa.Column("gpu", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_capacity"),
    )


def downgrade() -> None:
    for table in ("capacity", "events", "checkpoints"):
        op.drop_table(table)
    for name in ("resumed_from", "checkpoint"):
        op.drop_column("trials", name)
    for name in ("priority", "slots", "slots_since"):
        op.drop_column("jobs", name)


def _make_checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trial", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("size", _BIG_INTEGER, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id", "trial"],
            ["trials.job_id", "trials.number"],
            name="fk_checkpoints_trials",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "name", name="pk_checkpoints"),
    )


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _BIG_INTEGER, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("trial", sa.Integer()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer()),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_job_id_id", "events", ["job_id", "id"])
