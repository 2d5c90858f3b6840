"""A segment, run in a thread of this process: the messages that it gathers, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from results.records import Checkpoint
from results.states import FailureKind
from results.storage import Storage
from service.engine import segment as segments
from service.engine.checkpoints import stop_mark
from service.engine.failures import MAX_MESSAGE, MAX_TRACEBACK
from service.engine.messages import (
    Assignment,
    Checkpointed,
    End,
    Epoch,
    Failed,
    Finished,
    Message,
    Output,
    Started,
    Stopped,
)
from service.engine.processes import host_name
from service.engine.segment import Segment, time_limit
from service.engine.training import TrialContext
from tests.real_data import DATASETS, ensure_fashion_mnist
from tests.service.running import PLUGIN
from tests.service.stand_ins import spec, trial_context
from trainables import datasets, registry

EPOCHS = 3


@pytest.fixture(autouse=True)
def built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the plugin's trainable here, as a built-in one."""
    monkeypatch.setattr(TrialContext, "is_built_in", property(lambda _: True))


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrialContext]:
    """Three epochs of the plugin's trainable; the registry has it meanwhile."""
    datasets.ensure("ames", DATASETS)
    monkeypatch.syspath_prepend(str(PLUGIN))
    registry._load.cache_clear()
    job = spec(trainable="test_steps", metric="score", epochs=EPOCHS)
    yield trial_context(job, tmp_path / "storage", checkpoint_seconds=0)
    registry._load.cache_clear()


def run(
    context: TrialContext,
    *offered: Checkpoint,
    seed: int = 42,
    at_start: Callable[[], None] = lambda: None,
    **parameters: Any,
) -> list[Message]:
    """Return all messages of a segment; ``at_start`` is called once it has begun."""
    segment = Segment(
        Assignment("segment", 0, parameters, seed, context.spec.space.epochs, offered), context
    )
    sent = segment.take()
    at_start()
    while not (sent and isinstance(sent[-1], End)):
        sent += segment.take()
    assert sum(isinstance(message, End) for message in sent) == 1
    return sent


def ask_to_stop(context: TrialContext) -> None:
    Storage(context.storage).mark(stop_mark(context.job_id, "segment"))


def failure(messages: list[Message]) -> Failed:
    last = messages[-1]
    assert isinstance(last, Failed)
    return last


def test_a_trial_sends_its_start_each_epoch_each_checkpoint_and_its_end(
    plugin: TrialContext,
) -> None:
    start, *middle, end = run(plugin, x=2.0)
    assert (start, end) == (Started(host_name()), Finished())
    epochs = [message for message in middle if isinstance(message, Epoch)]
    assert [(e.epoch, e.metrics) for e in epochs] == [(n, {"score": 2.0}) for n in (1, 2, 3)]
    assert [type(message) for message in middle] == [Epoch, Checkpointed] * EPOCHS


def test_a_segment_goes_on_from_each_checkpoint_to_the_same_end(plugin: TrialContext) -> None:
    first = run(plugin, x=2.0)
    whole = [message.metrics for message in first if isinstance(message, Epoch)]
    for found in [m.checkpoint for m in first if isinstance(m, Checkpointed)]:
        start, *others = run(plugin, found, x=2.0)
        assert start == Started(host_name(), found.epoch)
        assert others[-1] == Finished()
        rest = [message for message in others if isinstance(message, Epoch)]
        assert [epoch.metrics for epoch in rest] == whole[found.epoch :]
        assert all(epoch.seconds >= found.seconds for epoch in rest)


def test_a_segment_that_is_asked_to_stop_ends_with_a_checkpoint(
    plugin: TrialContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "STOP_SECONDS", 0.01)
    *_, kept, end = run(plugin, at_start=lambda: ask_to_stop(plugin), pause_s=0.5)
    assert end == Stopped()
    assert isinstance(kept, Checkpointed)
    assert kept.checkpoint.epoch < EPOCHS


def test_a_segment_that_was_asked_to_stop_before_it_had_a_slot_does_not_begin(
    plugin: TrialContext,
) -> None:
    """One without states would keep the slot to its end, though its job is to pause."""
    ask_to_stop(plugin)
    assert run(plugin, has_state=False) == [Stopped()]


def test_a_trainable_without_a_state_is_not_stopped(
    plugin: TrialContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "STOP_SECONDS", 0.01)
    sent = run(plugin, at_start=lambda: ask_to_stop(plugin), has_state=False, pause_s=0.1)
    assert [type(message) for message in sent] == [Started, *[Epoch] * EPOCHS, Finished]


def test_a_trainable_that_cannot_be_resumed_begins_again(
    plugin: TrialContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    (model,) = [m.checkpoint for m in run(plugin) if isinstance(m, Checkpointed)][-1:]

    def train(config: object, data: object, report: Any, *, epochs: int, seed: int) -> None:
        for epoch in range(1, epochs + 1):
            report(epoch, {"score": 7.0}, state=lambda: {"epoch": 0})

    monkeypatch.setattr(registry.Trainable, "resolve", lambda _: train)
    start, *others = run(plugin, model)
    assert start == Started(host_name(), 0, "test_steps cannot be resumed")
    assert [m.epoch for m in others if isinstance(m, Epoch)] == [1, 2, 3]
    kept = [m.checkpoint.epoch for m in others if isinstance(m, Checkpointed)]
    assert kept == [EPOCHS], "its model alone"


def test_a_trial_trains_with_its_own_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []

    def train(config: object, data: object, report: Any, *, epochs: int, seed: int) -> None:
        seeds.append(seed)
        metrics = ("train_rmse", "test_rmse", "distance_to_analytic")
        report(1, dict.fromkeys(metrics, 1.0))

    datasets.ensure("ames", DATASETS)
    monkeypatch.setattr(registry.Trainable, "resolve", lambda _: train)
    run(trial_context(spec(), tmp_path), seed=7)
    assert spec().seed == 42
    assert seeds == [7]


@pytest.mark.parametrize(
    ("second_epoch", "why"),
    [
        ("skip", "reported epoch 3 after 1 of 3 epochs"),
        ("stop", "returned after it had reported 1 of 3 epochs"),
    ],
)
def test_a_trial_that_leaves_epochs_out_has_failed(
    plugin: TrialContext, second_epoch: str, why: str
) -> None:
    """Such a number would be refused by the store, and end the job with all its trials."""
    sent = run(plugin, second_epoch=second_epoch, has_state=False)
    assert [type(message) for message in sent] == [Started, Epoch, Failed]
    failed = failure(sent).failure
    assert failed.kind == FailureKind.USER_ERROR
    assert why in failed.message
    assert "report each of them once" in failed.message


def test_a_trial_that_diverges_has_failed_without_a_traceback(plugin: TrialContext) -> None:
    failed = failure(run(plugin, second_epoch="diverge")).failure
    assert failed.kind is FailureKind.DIVERGED
    assert failed.message.startswith("score was nan in epoch 2: the training diverged")
    assert failed.traceback is None


def test_a_failure_of_endless_text_is_cut_where_it_happens(plugin: TrialContext) -> None:
    failed = failure(run(plugin, second_epoch="raise at length")).failure
    assert failed.message.startswith("ValueError: firstx")
    assert failed.message.endswith("xlast")
    assert "998,021 characters left out" in failed.message
    assert len(failed.message) < MAX_MESSAGE + 50
    assert failed.traceback is not None
    assert "in _misbehave" in failed.traceback
    assert len(failed.traceback) < MAX_TRACEBACK + 50


def test_a_gpu_that_is_not_there_is_no_fault_of_the_code(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    ensure_fashion_mnist()
    job = spec(trainable="torch_logistic_regression", dataset="fashion_mnist")
    failed = failure(run(trial_context(job, tmp_path), device="cuda")).failure
    assert failed.kind is FailureKind.INFEASIBLE
    assert "resources_per_trial.gpu" in failed.message
    assert not FailureKind.INFEASIBLE.is_retried


# --- the time limit ----------------------------------------------------------------------------


def test_a_trial_past_its_time_limit_fails_while_its_thread_is_stuck(tmp_path: Path) -> None:
    go_on = threading.Event()

    def train(*_: object, **__: object) -> None:
        go_on.wait(60)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry.Trainable, "resolve", lambda _: train)
        datasets.ensure("ames", DATASETS)
        segment = Segment(
            Assignment("s", 0, {}, 1, 3), trial_context(spec(time_limit_s=0.2), tmp_path)
        )
        sent: list[Message] = []
        while not (sent and isinstance(sent[-1], Failed)):
            sent += segment.take()
    failed = failure(sent).failure
    assert failed.kind is FailureKind.TIME_LIMIT
    assert "time limit of 0.2 s (time_limit_s)" in failed.message
    assert not FailureKind.TIME_LIMIT.is_retried
    assert segment.is_stuck()
    go_on.set()


def test_a_trial_within_its_time_limit_is_not_ended_later() -> None:
    def expire() -> None:
        raise AssertionError

    before = threading.active_count()
    for seconds in (None, 60.0):
        with time_limit(seconds, expire):
            pass
    with pytest.raises(KeyError), time_limit(60.0, expire):
        raise KeyError
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(10)
    assert threading.active_count() <= before


def test_what_a_built_in_trainable_prints_is_sent_before_its_end(
    plugin: TrialContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it comes, while no message does; the last line may lack its line feed."""
    monkeypatch.setattr(segments, "STOP_SECONDS", 0.01)
    goes_on = threading.Event()

    def prints(*_: object, **__: object) -> None:
        print("hello")
        assert goes_on.wait(60)
        print("bye", end="")

    monkeypatch.setattr(segments, "train_segment", prints)
    segment = Segment(Assignment("segment", 0, {}, 42, EPOCHS), plugin)
    assert segment.take() == [Output("hello\n")]
    goes_on.set()
    assert segment.take() == [Output("bye\n"), Finished()]
