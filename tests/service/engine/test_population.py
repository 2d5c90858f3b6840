"""A population of real trials through store, segment queue and segments, without Ray."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.lineage import schedule
from results.records import Checkpoint, Lease, TrialRecord
from results.states import FailureKind, TrialState
from results.storage import Storage
from results.store import Store
from service.engine.allowance import Allowance
from service.engine.messages import Assignment, End, Failed
from service.engine.recorder import Recorder
from service.engine.searching import make_search
from service.engine.segment import Segment
from service.engine.segment_queue import FINISHED, SegmentQueue
from service.engine.storage_thread import StorageThread
from service.engine.trial_output import TrialOutput
from tests.real_data import DATASETS
from tests.service.engine.test_segment_queue import Marks
from tests.service.stand_ins import claim, opened, settings_in, spec, trial_context
from trainables import datasets, numpy_reference
from trainables.numpy_models import rmse, with_bias
from trainables.numpy_trainables import train_linear_regression

EPOCHS, MEMBERS = 3, 2
JOB = spec(
    epochs=EPOCHS, strategy="random", trials=MEMBERS,
    parameters={"learning_rate": {"low": 1e-5, "high": 1e-3, "log": True}},
    scheduler={"name": "pbt", "population": MEMBERS, "interval": 1, "perturb": ["learning_rate"]},
)  # fmt: skip


class Driver:
    """What a driver does with a job in one slot; made again, it takes the job over."""

    def __init__(self, store: Store, lease: Lease, folder: Path, name: str = "first") -> None:
        self.name = name
        self.store, self.job = store, store.job(lease.job_id)
        self.storage = Storage(str(folder / "storage"))
        context = trial_context(JOB, folder / "storage")
        self.context = replace(context, job_id=lease.job_id)
        self.files = StorageThread(self.storage)
        self.recorder = Recorder(store, lease, self.files)
        search = make_search(store, self.job, store.trials(lease.job_id))
        self.queue = SegmentQueue(
            lease.job_id, JOB, search, store.checkpoints(lease.job_id), allowance=Allowance(1),
            recorder=self.recorder, marks=Marks(), output=TrialOutput(folder / "logs", 10**6),
        )  # fmt: skip

    def run(self, segments: int = 1000, *, cut: bool = False) -> None:
        """Run so many segments; ``cut`` leaves what the last one sent after its report unsaid."""
        for number in range(segments):
            found = self.queue.next(f"{self.name}-{number}")
            if found == FINISHED:
                break
            assert isinstance(found, Assignment)
            self._train(found, cut=cut and number == segments - 1)
            self.recorder.flush()
        self.recorder.flush()
        self.files.close()

    def _train(self, assignment: Assignment, *, cut: bool) -> None:
        segment = Segment(assignment, self.context)
        ended = False
        while not ended:
            messages = segment.take()
            ended = any(isinstance(message, End) for message in messages)
            kept = [m for m in messages if type(m).__name__ in ("Started", "Epoch")]
            self.queue.take(assignment.segment, kept if cut else messages)
        if not cut:
            self.queue.end(assignment.segment)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    datasets.ensure("ames", DATASETS)
    with opened(settings_in(tmp_path, "")) as store:
        yield store


def submitted(store: Store) -> Lease:
    store.create_job(JOB, fingerprint="", trials=[])
    return claim(store)


def outcome(store: Store, job_id: str) -> dict[int, Any]:
    return {
        t.number: (t.parameters, t.parent, t.start_epoch, t.state, t.epochs, t.metrics)
        for t in store.trials(job_id)
    }


class Reached(Exception):
    pass


class Until:
    """Takes reports up to an epoch, and the state after it."""

    def __init__(self, last: int) -> None:
        self.last, self.values = last, list[float]()
        self.state: dict[str, Any] = {}

    def __call__(
        self, epoch: int, metrics: Mapping[str, float], *, engine: str = "", state: Any = None
    ) -> None:
        self.values.append(metrics["train_rmse"])
        if epoch == self.last:
            self.state = copy.deepcopy(state())
            raise Reached


def by_hand(trial: int, trials: dict[int, TrialRecord]) -> list[float]:
    """Train with the learning rates of the schedule, each part from the state of the one before."""
    data, state, found = datasets.load("ames", DATASETS), None, list[float]()
    assert isinstance(data, datasets.RegressionData)

    for part in schedule(trials, trial):
        report = Until(part.last)
        with pytest.raises(Reached):
            train_linear_regression(
                part.parameters, data, report, epochs=EPOCHS, seed=42, resume=state
            )
        state = report.state
        found += report.values
    return found


def in_plain_numpy(trial: int, trials: dict[int, TrialRecord]) -> list[float]:
    """Train in one plain loop that changes its learning rate where the schedule does."""
    data = datasets.load("ames", DATASETS)
    assert isinstance(data, datasets.RegressionData)
    x, stream = with_bias(data.x_train), np.random.RandomState(42)
    weights, order, found = np.zeros(x.shape[1]), np.arange(len(x)), list[float]()
    for part in schedule(trials, trial):
        for _ in range(part.first, part.last + 1):
            order = order[stream.permutation(len(x))]
            rate = part.parameters["learning_rate"]
            numpy_reference.linear_regression_epoch(weights, x, data.y_train, order, rate)
            found.append(rmse(x @ weights, data.y_train) * data.y_scale)
    return found


def test_copies_go_on_bit_for_bit_and_a_take_over_changes_nothing(
    store: Store, tmp_path: Path
) -> None:
    lease = submitted(store)
    driver = Driver(store, lease, tmp_path)
    driver.run()
    whole, trials = outcome(store, lease.job_id), {t.number: t for t in store.trials(lease.job_id)}
    assert [t.start_epoch for t in trials.values() if t.parent is not None] == [1, 2]
    assert [t.state for t in trials.values()].count(TrialState.SUCCEEDED) == MEMBERS
    job = store.job(lease.job_id)
    assert job.progress.epochs_done == sum(t.trained for t in trials.values()) == MEMBERS * EPOCHS
    assert (job.progress.trials, job.progress.stopped) == (4, 2)

    # The best copy's line of ancestors, trained by hand: the same numbers, bit for bit.
    curves = {curve.trial: curve for curve in store.curves(lease.job_id)}
    last = max(trials)
    line = schedule(trials, last)
    ours = [
        curves[part.trial].metrics["train_rmse"][curves[part.trial].epochs.index(epoch)]
        for part in line
        for epoch in range(part.first, part.last + 1)
    ]
    assert ours == by_hand(last, trials)
    assert ours == pytest.approx(in_plain_numpy(last, trials), rel=1e-9)
    assert curves[last].epochs == (trials[last].start_epoch + 1,)
    # Of the states only the models are left, in the table and in the storage.
    names = {checkpoint.name for checkpoint in store.checkpoints(lease.job_id)}
    assert names == set(driver.storage.names(f"jobs/{lease.job_id}"))
    assert {c.epoch for c in store.checkpoints(lease.job_id)} == {EPOCHS}

    for segments, cut in ((3, False), (4, True)):
        folder = tmp_path / f"{segments}"
        again = submitted(store)
        Driver(store, again, folder).run(segments, cut=cut)
        for record in store.trials(again.job_id):
            if record.state is TrialState.RUNNING:
                store.requeue_trial(again, record.number)
        Driver(store, again, folder, "second").run()
        assert outcome(store, again.job_id) == whole, segments


def test_a_copy_whose_first_state_is_gone_fails_by_name(tmp_path: Path) -> None:
    datasets.ensure("ames", DATASETS)
    gone = Checkpoint(5, 2, 0.0, "jobs/a/0/s-2.npz", 9, "0" * 64)
    parameters = {"learning_rate": 0.001}
    assignment = Assignment("s", 5, parameters, 42, 3, (gone,), start_epoch=2)
    messages = Segment(assignment, trial_context(JOB, tmp_path / "storage")).take()
    (end,) = [message for message in messages if isinstance(message, Failed)]
    assert end.failure.kind is FailureKind.INFEASIBLE
    assert "the state of another trial after epoch 2, from which this one goes on" in (
        end.failure.message
    )
