"""What the recorder writes of each trial, told by Tune as the driver's Tune would tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from results.errors import LeaseLost
from results.records import Failure, Lease, TrialRecord
from results.states import FailureKind, TrialState
from results.store import Store
from service.engine.messages import (
    ASSIGNMENT,
    Assignment,
    Epoch,
    Failed,
    Message,
    Started,
    to_result,
)
from service.engine.pause_gate import PauseGate, PauseReached
from service.engine.recorder import FLUSH_SECONDS, RETRY_SECONDS, Recorder
from tests.service.stand_ins import accept, away, claim, opened, settings_in, spec

#: How Ray's memory monitor tells of a process that it ended.
KILLED = "1 worker(s) were killed due to the node running low on memory."
RATES = [{"learning_rate": rate} for rate in (0.1, 0.2, 0.3)]
USER_ERROR = Failure(FailureKind.USER_ERROR, "too much", "t")
DIVERGED = Failure(FailureKind.DIVERGED, "train_rmse was nan in epoch 2")


@dataclass
class TuneTrial:
    """What the recorder asks of a trial of Tune's."""

    number: int
    parameters: dict[str, Any]
    status: str = "RUNNING"
    error_file: str | None = None
    max_failures: int = 3
    seed: int = 42

    @property
    def trial_id(self) -> str:
        return f"t{self.number}"

    @property
    def config(self) -> dict[str, Any]:
        return {ASSIGNMENT: Assignment(self.number, self.parameters, self.seed).to_json()}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(settings_in(tmp_path, "127.0.0.1:1")) as store:
        yield store


@pytest.fixture
def lease(store: Store) -> Lease:
    job = spec(
        trials=3, strategy="grid", epochs=4,
        parameters={"learning_rate": {"values": [0.1, 0.2, 0.3]}},
    )  # fmt: skip
    accept(store, job, RATES)
    return claim(store)


@dataclass
class Run:
    """A recorder, a clock that stands still unless it is set, and one trial of each number."""

    store: Store
    lease: Lease
    max_failures: int = 0
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate = PauseGate()
        self.recorder = Recorder(
            self.store, self.lease, self.store.trials(self.lease.job_id),
            max_failures=self.max_failures, gate=self.gate,
            clock=lambda: self.now, sleep=self.slept.append,
        )  # fmt: skip
        self.trials = [TuneTrial(n, rates) for n, rates in enumerate(RATES)]
        self.first = self.trials[0]

    def send(self, message: Message, trial: TuneTrial | None = None) -> None:
        """Let the trial's message go Tune's way: past the gate to the recorder."""
        trial, result = trial or self.first, to_result(message)
        self.gate.on_trial_result(None, trial, result)
        self.recorder.on_trial_result(0, [], trial, result)

    def start(self, trial: TuneTrial | None = None) -> None:
        self.recorder.on_trial_start(0, [], trial or self.first)
        self.send(Started("here"), trial)

    def epoch(self, epoch: int, value: float, trial: TuneTrial | None = None) -> None:
        self.send(Epoch(epoch, {"train_rmse": value}, value, 1.0), trial)

    def record(self, number: int = 0) -> TrialRecord:
        return self.store.trial(self.lease.job_id, number)

    def states(self) -> list[str]:
        return [trial.state for trial in self.store.trials(self.lease.job_id)]

    def curves(self) -> list[tuple[float, ...]]:
        return [c.metrics["train_rmse"] for c in self.store.curves(self.lease.job_id)]


@pytest.fixture
def run(store: Store, lease: Lease) -> Run:
    return Run(store, lease)


def test_every_trial_has_its_curve_and_its_end(run: Run) -> None:
    for trial in run.trials[:2]:
        run.start(trial)
    assert run.states() == ["running", "running", "queued"]
    assert run.record().node == "here"
    for epoch in (1, 2):
        for trial in run.trials[:2]:
            run.epoch(epoch, 10.0 * epoch + trial.number, trial)
    run.recorder.on_trial_complete(0, [], run.first)
    assert run.states() == ["succeeded", "running", "queued"]
    assert run.curves() == [(10.0, 20.0), (11.0, 21.0)]


def test_a_trial_that_reports_a_failure_ends_with_it(run: Run) -> None:
    run.start()
    run.epoch(1, 0.1)
    run.send(Failed(DIVERGED))
    assert run.first.max_failures == 0, "Tune is not to start it again"
    run.recorder.on_trial_error(0, [], run.first)
    assert run.record().error == DIVERGED
    assert run.curves() == [(0.1,)]


def test_a_trial_that_runs_again_has_the_curve_of_its_last_attempt(run: Run) -> None:
    run.start()
    run.epoch(1, 0.1)
    run.recorder.on_trial_recover(0, [], run.first)
    waiting = run.record()
    assert (waiting.state, waiting.node, waiting.attempt) == (TrialState.QUEUED, None, 1)
    run.start()
    run.epoch(1, 0.4)
    run.epoch(2, 0.5)
    run.recorder.on_trial_complete(0, [], run.first)
    assert run.record().attempt == 2
    assert run.curves() == [(0.4, 0.5)]


def test_a_process_that_dies_without_a_word_is_lost(run: Run) -> None:
    run.start()
    run.epoch(1, 0.1)
    run.recorder.on_trial_error(0, [], run.first)
    error = run.record().error
    assert error is not None
    assert error.kind is FailureKind.WORKER_LOST
    assert run.states() == ["failed", "queued", "queued"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_trial_that_never_began_fails_too(run: Run, is_there: bool) -> None:
    """Tune tells of a start once the process is there; it may die before."""
    if is_there:
        run.recorder.on_trial_start(0, [], run.first)
    run.recorder.on_trial_error(0, [], run.first)
    trial = run.record()
    assert (trial.state, trial.attempt) == (TrialState.FAILED, 1)
    assert trial.error is not None
    assert trial.error.kind is FailureKind.WORKER_LOST


def test_a_sampled_trial_joins_the_job_with_its_seed(run: Run) -> None:
    sampled = TuneTrial(3, {"learning_rate": 0.4}, seed=7)
    run.recorder.on_trial_start(0, [], sampled)
    assert run.states() == ["queued"] * 4
    assert (run.record(3).parameters, run.record(3).seed) == ({"learning_rate": 0.4}, 7)


def test_a_sampled_trial_whose_process_never_was_there_joins_the_job(run: Run) -> None:
    run.recorder.on_trial_error(0, [], TuneTrial(3, {"learning_rate": 0.4}))
    assert run.states() == ["queued"] * 3 + ["failed"]
    assert run.record(3).parameters == {"learning_rate": 0.4}


def test_a_result_that_is_no_message_of_ours_fails_its_trial_alone(run: Run) -> None:
    for trial in run.trials[:2]:
        run.start(trial)
    stray = {"val_loss": 0.5}
    assert run.gate.on_trial_result(None, run.first, stray) == "STOP"
    run.recorder.on_trial_result(0, [], run.first, stray)
    run.recorder.on_trial_complete(0, [], run.first)
    error = run.record().error
    assert error is not None
    assert error.kind is FailureKind.USER_ERROR
    assert "called ray.tune.report" in error.message
    assert run.states() == ["failed", "running", "queued"]


# --- when it is written ------------------------------------------------------------------------


def test_reports_are_written_in_batches(run: Run) -> None:
    run.start()
    run.epoch(1, 0.1)
    run.recorder.on_step_end(0, [])
    assert run.curves() == []
    run.now += FLUSH_SECONDS
    run.recorder.on_step_end(0, [])
    assert run.curves() == [(0.1,)]


def test_a_database_that_is_away_is_waited_for(run: Run) -> None:
    run.start()
    run.epoch(1, 0.1)
    gone = away(run.store)
    gone.__enter__()

    def sleep(seconds: float) -> None:
        run.slept.append(seconds)
        if len(run.slept) == 2:
            gone.__exit__(None, None, None)

    run.recorder._sleep = sleep
    run.recorder.on_trial_complete(0, [], run.first)
    assert run.slept == [RETRY_SECONDS] * 2
    assert run.record().state is TrialState.SUCCEEDED
    assert run.curves() == [(0.1,)]


def test_reports_that_could_not_be_written_are_kept(store: Store, lease: Lease, run: Run) -> None:
    """Tune goes on after what is raised at the end of a trial; the next write raises it again."""
    run.start()
    run.epoch(1, 0.1)
    store.release_job(lease)
    claim(store)
    for _ in range(2):
        with pytest.raises(LeaseLost):
            run.recorder.on_trial_complete(0, [], run.first)
        with pytest.raises(LeaseLost):
            run.recorder.flush()


def test_a_pausing_job_ends_its_run_once_the_last_trial_has_ended(run: Run) -> None:
    run.start()
    run.gate.closed = True
    run.recorder.on_trial_start(0, [], run.trials[1])
    run.send(Started("here"), run.trials[1])
    assert run.states() == ["running", "queued", "queued"], "the second one is held back"
    run.epoch(1, 0.1)
    run.recorder.on_step_end(0, [])
    run.gate.on_trial_complete(None, run.first, {})
    with pytest.raises(PauseReached):
        run.recorder.on_step_end(0, [])
    assert run.curves() == [(0.1,)]


# --- attempts ----------------------------------------------------------------------------------


def test_a_trial_whose_code_raises_is_started_again_up_to_max_failures(
    store: Store, lease: Lease
) -> None:
    run = Run(store, lease, max_failures=1)
    left = []
    for _ in range(2):
        run.start()
        run.send(Failed(USER_ERROR))
        left.append(run.first.max_failures)
    assert left == [3, 0]
    run.recorder.on_trial_error(0, [], run.first)
    assert run.record().error == USER_ERROR
    assert run.record().attempt == 2


@pytest.mark.parametrize("kind", list(FailureKind))
def test_only_what_may_go_well_the_next_time_is_started_again(
    store: Store, lease: Lease, kind: FailureKind
) -> None:
    run = Run(store, lease, max_failures=5)
    run.start()
    run.send(Failed(Failure(kind, "")))
    assert run.first.max_failures == (3 if kind.is_retried else 0)


def test_what_an_attempt_reported_is_not_the_end_of_the_next(store: Store, lease: Lease) -> None:
    run = Run(store, lease, max_failures=1)
    run.start()
    run.send(Failed(USER_ERROR))
    run.recorder.on_trial_recover(0, [], run.first)
    run.recorder.on_trial_error(0, [], run.first)
    trial = run.record()
    assert trial.error is not None
    assert (trial.error.kind, trial.attempt) == (FailureKind.WORKER_LOST, 2)


@pytest.mark.parametrize(
    ("deaths", "kind"),
    [
        (["The actor died.", KILLED], FailureKind.OUT_OF_MEMORY),
        ([KILLED, "The actor died."], FailureKind.WORKER_LOST),
    ],
)
def test_the_last_death_of_a_process_tells_its_kind(
    run: Run, tmp_path: Path, deaths: Sequence[str], kind: FailureKind
) -> None:
    """Ray's exceptions are known by their text alone, one under the other in a file of Tune's."""
    file = tmp_path / "error.txt"
    written = [f"Failure # {n} (occurred at 2026)\n{text}\n" for n, text in enumerate(deaths, 1)]
    file.write_text("".join(written), encoding="utf-8")
    run.start()
    run.first.error_file = str(file)
    run.recorder.on_trial_error(0, [], run.first)
    error = run.record().error
    assert error is not None
    assert (error.kind, error.traceback) == (kind, f"{deaths[1]}\n")
