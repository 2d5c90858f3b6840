"""Progress and best trial on the job's row, ends of trials in the counters, a trial's engine.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JOBS = sa.table(
    "jobs", *map(sa.column, ("id", "finished", "failed", "running", "epochs_done")),
    sa.column("spec", sa.JSON), sa.column("best", sa.JSON),
)  # fmt: skip
_TRIALS = sa.table(
    "trials", *map(sa.column, ("job_id", "number", "state", "score", "epochs", "finished_at")),
    sa.column("error", sa.JSON), sa.column("parameters", sa.JSON), sa.column("metrics", sa.JSON),
)  # fmt: skip
_COUNTERS = sa.table("counters", sa.column("name"), sa.column("value"))
_SUCCEEDED = _TRIALS.c.state == "succeeded"


def upgrade() -> None:
    op.add_column("trials", sa.Column("engine", sa.Text(), server_default="", nullable=False))
    for name in ("finished", "failed", "running"):
        op.add_column("jobs", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    big_integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("jobs", sa.Column("epochs_done", big_integer, server_default="0", nullable=False))
    op.add_column("jobs", sa.Column("best", sa.JSON()))
    _fill_progress(op.get_bind())
    _fill_best(op.get_bind())
    _fill_counters(op.get_bind())
    op.drop_column("trials", "score")


def downgrade() -> None:
    op.add_column("trials", sa.Column("score", sa.Double()))
    _fill_scores(op.get_bind())
    is_end = _COUNTERS.c.name.startswith("ended:")
    op.execute(sa.delete(_COUNTERS).where(is_end))
    for name in ("finished", "failed", "running", "epochs_done", "best"):
        op.drop_column("jobs", name)
    op.drop_column("trials", "engine")


def _fill_progress(connection: Connection) -> None:
    is_finished = _TRIALS.c.state.in_(("succeeded", "failed", "cancelled"))
    sums = {
        "finished": sa.func.count().filter(is_finished),
        "failed": sa.func.count().filter(_TRIALS.c.state == "failed"),
        "running": sa.func.count().filter(_TRIALS.c.state == "running"),
        "epochs_done": sa.func.coalesce(sa.func.sum(_TRIALS.c.epochs), 0),
    }
    of_job = {
        name: sa.select(value).where(_TRIALS.c.job_id == _JOBS.c.id).scalar_subquery()
        for name, value in sums.items()
    }
    connection.execute(sa.update(_JOBS).values(of_job))


def _fill_best(connection: Connection) -> None:
    rank = sa.func.row_number().over(
        partition_by=_TRIALS.c.job_id, order_by=(_TRIALS.c.score.desc(), _TRIALS.c.number)
    )
    ranked = (
        sa.select(_TRIALS.c.job_id, _TRIALS.c.number, rank.label("rank"))
        .where(_SUCCEEDED, _TRIALS.c.score.is_not(None))
        .subquery()
    )
    is_best = sa.and_(
        _TRIALS.c.job_id == ranked.c.job_id, _TRIALS.c.number == ranked.c.number, ranked.c.rank == 1
    )
    columns = (_TRIALS.c.job_id, _TRIALS.c.number, _TRIALS.c.parameters, _TRIALS.c.metrics)
    for row in connection.execute(sa.select(*columns).join(ranked, is_best)).all():
        best = {"trial": row.number, "parameters": row.parameters, "metrics": row.metrics}
        connection.execute(sa.update(_JOBS).where(_JOBS.c.id == row.job_id).values(best=best))


def _fill_counters(connection: Connection) -> None:
    kind = _TRIALS.c.error["kind"].as_string()
    query = (
        sa.select(_TRIALS.c.state, kind.label("kind"), sa.func.count().label("trials"))
        .where(_TRIALS.c.finished_at.is_not(None))
        .group_by(_TRIALS.c.state, kind)
    )
    for row in connection.execute(query).all():
        name = f"ended:{row.state}:{row.kind}" if row.kind else f"ended:{row.state}"
        connection.execute(sa.insert(_COUNTERS).values(name=name, value=row.trials))


def _fill_scores(connection: Connection) -> None:
    for job in connection.execute(sa.select(_JOBS.c.id, _JOBS.c.spec)).all():
        value = _TRIALS.c.metrics[job.spec["metric"]].as_float()
        score = value if job.spec["mode"] == "max" else -value
        scored = sa.update(_TRIALS).where(_TRIALS.c.job_id == job.id)
        connection.execute(scored.values(score=score))
