"""The jobs of the page's benchmark are written as a driver writes them, the same each time."""

from __future__ import annotations

from pathlib import Path

from benchmarks.page_jobs import METRICS, fill, new_trials, report
from results.states import JobState, TrialState
from tests.databases import migrated_store


def test_a_whole_job_is_written(tmp_path: Path) -> None:
    store = migrated_store(f"sqlite:///{tmp_path / 'argbest.db'}")
    job = fill(store, trials=8, epochs=3)
    assert (job.state, job.progress.trials, job.progress.finished) == (JobState.SUCCEEDED, 8, 8)
    trials = store.trials(job.id)
    # Trial 5 is stopped and trial 7 fails, each after 1 + its number modulo the epochs.
    assert [trial.number for trial in trials if trial.state is TrialState.STOPPED] == [5]
    assert [trial.number for trial in trials if trial.state is TrialState.FAILED] == [7]
    assert [trial.epochs for trial in trials] == [3, 3, 3, 3, 3, 3, 3, 2]
    curve = store.curve(job.id, 2)
    assert set(curve.metrics) == set(METRICS)
    again = [report(new_trials(8)[2], epoch).metrics for epoch in curve.epochs]
    assert [curve.metrics[METRICS[1]][place] for place in range(3)] == [
        one[METRICS[1]] for one in again
    ]
    store.close()
