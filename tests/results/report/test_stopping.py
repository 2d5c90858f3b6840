"""The table of what early stopping would have cost."""

from __future__ import annotations

from dataclasses import replace

from results.report.stopping import replay_tables
from tests.results.test_replay import REPLAY, SHORT


def test_the_job_beside_the_two_ways_to_stop() -> None:
    (table,) = replay_tables(REPLAY)
    assert table.title == "Stopping early: the job's curves run again on 2 slots"
    assert table.rows == (
        ("All epochs of all trials", "2880", "50 min 00 s", "1", "1", ""),
        ("asha", "600", "10 min 00 s", "2", "5", "2 of 4"),
        ("1 epoch each, then the best 23", "590", "10 min 40 s", "2", "2", "0 of 1"),
    )
    assert len(table.columns) == len(table.numeric) == len(table.rows[0])


def test_without_a_winner_cells_are_empty() -> None:
    (table,) = replay_tables(replace(REPLAY, short_run=replace(SHORT, ranks=())))
    assert table.rows[2][3:] == ("", "", "0 of 1")


def test_without_a_replay_there_is_no_table() -> None:
    assert replay_tables(None) == []
