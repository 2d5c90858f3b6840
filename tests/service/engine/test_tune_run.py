"""A driver's run of Tune goes on from job to job, and ends when it should; Tune is a stand-in."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from ray import tune
from ray.tune.search import Searcher

from results.errors import LeaseLost
from service.engine import processes, tune_run
from service.engine.search import SegmentSearcher, Work
from service.engine.tune_run import TuneRun
from tests.service.running import until


class Segments:
    """A job of so many segments, and its recorder."""

    def __init__(self, number: int, error: Exception | None = None) -> None:
        self.left, self.error = number, error

    def next(self, segment_id: str) -> Any:
        if self.error is not None:
            raise self.error
        if not self.left:
            return "finished"
        self.left -= 1
        return "leave"


def work(segments: Segments, cpu: float = 1.0) -> Work:
    return Work(segments, segments, b"", (cpu, 0.0))  # type: ignore[arg-type]


class Tuner:
    """Runs what the searcher suggests, as Tune does, and notes how each run went."""

    runs: list[list[str]]

    def __init__(self, _: object, tune_config: tune.TuneConfig, run_config: tune.RunConfig) -> None:
        self.searcher: SegmentSearcher = tune_config.search_alg
        self.folder = Path(run_config.storage_path) / run_config.name

    def fit(self) -> None:
        self.folder.mkdir(parents=True)
        threads: list[str] = []
        self.runs.append(threads)
        while self.searcher.suggest("segment") != Searcher.FINISHED:
            threads.append(threading.current_thread().name)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    monkeypatch.setattr(tune, "Tuner", Tuner)
    Tuner.runs = []
    return Tuner.runs


def test_one_run_serves_one_job_after_another(tmp_path: Path, runs: list[list[str]]) -> None:
    run = TuneRun(tmp_path)
    assert not run.is_open
    for number in (2, 1, 0):
        segments = Segments(number)
        run.do(work(segments))
        assert segments.left == 0
        assert run.is_open
    assert runs == [["tune"] * 3]
    me = processes.process_name(processes.identity(os.getpid()))
    assert [folder.name for folder in tmp_path.iterdir()] == [me]
    run.end()
    assert not run.is_open
    assert list(tmp_path.iterdir()) == []
    run.end()


def test_a_run_without_a_next_job_ends_by_itself(
    tmp_path: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune_run, "KEEP_SECONDS", 0.05)
    run = TuneRun(tmp_path)
    run.do(work(Segments(1)))
    until(lambda: not list(tmp_path.iterdir()), within_s=10, what="it has ended")
    assert not run.is_open
    monkeypatch.setattr(tune_run, "KEEP_SECONDS", 600)
    run.do(work(Segments(1)))
    run.keep()
    run.do(work(Segments(1)))
    assert [len(one) for one in runs] == [1, 2]
    run.end()


def test_what_goes_wrong_after_a_job_is_no_error_of_the_next_one(
    tmp_path: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = Tuner.fit

    def fit_and_fail(tuner: Tuner) -> None:
        fit(tuner)
        raise OSError("No space left on device")

    monkeypatch.setattr(Tuner, "fit", fit_and_fail)
    run = TuneRun(tmp_path)
    for _ in range(2):
        run.do(work(Segments(1)))
        run.end()
    assert len(runs) == 2


def test_a_run_that_has_ended_is_followed_by_another(tmp_path: Path, runs: list[list[str]]) -> None:
    run = TuneRun(tmp_path)
    run.do(work(Segments(1)))
    run.end()
    run.do(work(Segments(2)))
    assert runs == [["tune"], ["tune"] * 2]
    run.end()


def test_trials_that_take_other_resources_have_a_run_of_their_own(
    tmp_path: Path, runs: list[list[str]]
) -> None:
    run = TuneRun(tmp_path)
    for cpu in (1.0, 0.5, 0.5):
        run.do(work(Segments(1), cpu))
    assert [len(one) for one in runs] == [1, 2]
    run.end()


def test_a_run_of_very_many_segments_takes_no_other_job(
    tmp_path: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune_run, "MOST_SEGMENTS", 2)
    run = TuneRun(tmp_path)
    for _ in range(4):
        run.do(work(Segments(2)))
    assert [len(one) for one in runs] == [4, 4]
    run.end()


def test_what_a_run_raises_is_raised_where_it_was_asked_for(
    tmp_path: Path, runs: list[list[str]]
) -> None:
    run = TuneRun(tmp_path)
    run.do(work(Segments(1)))
    with pytest.raises(LeaseLost, match="taken over"):
        run.do(work(Segments(1, LeaseLost("taken over"))))
    assert not run.is_open
    run.do(work(Segments(1)))
    assert [len(one) for one in runs] == [1, 1]
    run.end()


def test_a_run_that_tune_ends_by_itself_leaves_what_is_left(
    tmp_path: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tuner, "fit", lambda tuner: tuner.searcher.suggest("segment"))
    run, segments = TuneRun(tmp_path), Segments(3)
    run.do(work(segments))
    assert segments.left == 2
    until(lambda: not run.is_open, within_s=10, what="the run has ended")
    run.do(work(segments))
    assert segments.left == 1
    run.end()
