"""A trial, run in this process: the messages that it sends, and how it ends."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from ray import tune

from results.states import FailureKind
from service.engine.failures import MAX_MESSAGE, MAX_TRACEBACK
from service.engine.messages import (
    ASSIGNMENT,
    Assignment,
    Epoch,
    Failed,
    Message,
    Started,
    from_result,
)
from service.engine.processes import host_name
from service.engine.training import TrialContext
from service.engine.trial import TrialError, run_trial, time_limit
from tests.real_data import DATASETS, ensure_fashion_mnist
from tests.service.running import PLUGIN
from tests.service.stand_ins import spec
from trainables import datasets, registry


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """The messages that Tune would have carried to the driver."""
    messages: list[Message] = []

    def report(result: dict[str, Any]) -> None:
        message = from_result(result)
        assert message is not None
        messages.append(message)

    monkeypatch.setattr(tune, "report", report)
    return messages


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[TrialContext]:
    """Three epochs of the plugin's trainable; the registry has it meanwhile."""
    datasets.ensure("ames", DATASETS)
    monkeypatch.syspath_prepend(str(PLUGIN))
    registry._load.cache_clear()
    yield TrialContext(spec(trainable="test_steps", metric="score", epochs=3), DATASETS, None)
    registry._load.cache_clear()


def run(context: TrialContext, seed: int = 42, **parameters: Any) -> None:
    run_trial({ASSIGNMENT: Assignment(0, parameters, seed).to_json()}, context)


def fail(context: TrialContext, **parameters: Any) -> TrialError:
    with pytest.raises(TrialError) as raised:
        run(context, **parameters)
    return raised.value


def failure(messages: list[Message]) -> Failed:
    """Return the last message, a failure; before it came a start and perhaps epochs."""
    *before, last = messages
    assert isinstance(last, Failed)
    assert not any(isinstance(message, Failed) for message in before)
    return last


def test_a_trial_sends_its_start_and_each_epoch(sent: list[Message], plugin: TrialContext) -> None:
    run(plugin, x=2.0)
    start, *epochs = sent
    assert start == Started(host_name())
    assert [(e.epoch, e.metrics) for e in epochs if isinstance(e, Epoch)] == [
        (1, {"score": 2.0}), (2, {"score": 2.0}), (3, {"score": 2.0}),
    ]  # fmt: skip


def test_a_trial_trains_with_its_own_seed(
    sent: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []

    def train(config: object, data: object, report: Any, *, epochs: int, seed: int) -> None:
        seeds.append(seed)
        metrics = ("train_rmse", "test_rmse", "distance_to_analytic")
        report(1, dict.fromkeys(metrics, 1.0))

    datasets.ensure("ames", DATASETS)
    monkeypatch.setattr(registry.Trainable, "resolve", lambda _: train)
    run(TrialContext(spec(), DATASETS, None), seed=7)
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
    sent: list[Message], plugin: TrialContext, second_epoch: str, why: str
) -> None:
    """Such a number would be refused by the store, and end the job with all its trials."""
    fail(plugin, second_epoch=second_epoch)
    assert [type(message) for message in sent] == [Started, Epoch, Failed]
    failed = failure(sent).failure
    assert failed.kind == FailureKind.USER_ERROR
    assert why in failed.message
    assert "report each of them once" in failed.message


def test_a_trial_that_diverges_has_failed_without_a_traceback(
    sent: list[Message], plugin: TrialContext
) -> None:
    fail(plugin, second_epoch="diverge")
    failed = failure(sent).failure
    assert failed.kind is FailureKind.DIVERGED
    assert failed.message.startswith("score was nan in epoch 2: the training diverged")
    assert failed.traceback is None


def test_a_failure_of_endless_text_is_cut_where_it_happens(
    sent: list[Message], plugin: TrialContext
) -> None:
    raised = fail(plugin, second_epoch="raise at length")
    failed = failure(sent).failure
    assert failed.message.startswith("ValueError: firstx")
    assert failed.message.endswith("xlast")
    assert "998,021 characters left out" in failed.message
    assert len(failed.message) < MAX_MESSAGE + 50
    assert failed.traceback is not None
    assert "in _misbehave" in failed.traceback
    assert len(failed.traceback) < MAX_TRACEBACK + 50
    # This is what Ray ships: the text alone.
    assert str(raised) == failed.traceback
    shipped = "".join(traceback.format_exception(raised))
    assert len(shipped) < MAX_TRACEBACK + 5_000


def test_a_gpu_that_is_not_there_is_no_fault_of_the_code(sent: list[Message]) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    ensure_fashion_mnist()
    job = spec(trainable="torch_logistic_regression", dataset="fashion_mnist")
    with pytest.raises(TrialError, match="device is cuda"):
        run(TrialContext(job, DATASETS, None), device="cuda")
    failed = failure(sent).failure
    assert failed.kind is FailureKind.INFEASIBLE
    assert "resources_per_trial.gpu" in failed.message
    assert not FailureKind.INFEASIBLE.is_retried


# --- the time limit ----------------------------------------------------------------------------


def test_a_trial_past_its_time_limit_says_so_before_its_process_ends() -> None:
    sent: list[Message] = []
    ended = threading.Event()

    def end(status: int) -> Any:
        assert status == 1
        assert len(sent) == 1
        ended.set()

    with time_limit(0.01, sent.append, end):
        assert ended.wait(10)
    failed = failure(sent).failure
    assert failed.kind is FailureKind.TIME_LIMIT
    assert "time limit of 0.01 s (time_limit_s)" in failed.message
    assert not FailureKind.TIME_LIMIT.is_retried


def test_a_trial_within_its_time_limit_sends_nothing_and_goes_on() -> None:
    sent: list[Message] = []

    def end(status: int) -> Any:
        raise AssertionError(status)

    before = threading.active_count()
    for seconds in (None, 60.0):
        with time_limit(seconds, sent.append, end):
            pass
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(10)
    assert threading.active_count() == before
    assert sent == []


def test_a_trial_that_raises_within_its_time_limit_is_not_ended_later() -> None:
    def end(status: int) -> Any:
        raise AssertionError(status)

    with pytest.raises(KeyError), time_limit(60.0, lambda _: None, end):
        raise KeyError
