"""The parts of SQL that SQLAlchemy spells by database: inserts on conflict, the clock."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from results.states import TrialState
from results.store import Store
from results.store.tables import COUNTERS, Counter, Now, count, ending, insert_if_new, timed
from tests.results.store.samples import change


@pytest.fixture(autouse=True)
def no_counters(store: Store) -> None:
    change(store, "DELETE FROM counters")


def counters(store: Store) -> dict[str, int]:
    with store._database.read() as connection:
        return {row.name: row.value for row in connection.execute(sa.select(COUNTERS))}


def test_counters_begin_at_zero_and_add_up(store: Store) -> None:
    with store._database.write() as connection:
        count(connection, {"b": 2, "a": 1})
        count(connection, {"b": 40})
    assert counters(store) == {"a": 1, "b": 42}


def test_a_row_that_is_there_is_not_inserted_again(store: Store) -> None:
    with store._database.write() as connection:
        for value in (1, 2):
            connection.execute(insert_if_new(connection, COUNTERS).values(name="a", value=value))
    assert counters(store) == {"a": 1}


def test_a_time_counts_in_milliseconds_and_never_below_zero() -> None:
    assert timed(Counter.TRIAL, 1.2345) == {"trial": 1, "trial_ms": 1234}
    assert timed(Counter.JOB_WAIT, -3.0) == {"job_wait": 1, "job_wait_ms": 0}


def test_ends_are_named_by_state_and_kind() -> None:
    assert ending(TrialState.SUCCEEDED) == "ended:succeeded"
    assert ending(TrialState.FAILED, "diverged") == "ended:failed:diverged"


def test_the_clock_of_the_database_is_in_seconds_since_1970(store: Store) -> None:
    with store._database.read() as connection:
        assert connection.scalar(sa.select(Now())) == pytest.approx(time.time(), abs=60)
