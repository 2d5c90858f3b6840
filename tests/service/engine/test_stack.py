"""Stacked trials without Ray: what is refused, how they are grouped, what is recorded of each."""

from __future__ import annotations

import math
import re
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from ray import tune

from results.errors import LeaseLost
from results.records import Lease, NewTrial, TrialRecord
from results.spec import JobSpec
from results.states import FailureKind, TrialState
from results.store import Store
from search_spaces import SearchSpace
from service.engine.pause_gate import PauseGate
from service.engine.recorder import Recorder
from service.engine.search import make_search
from service.engine.trial import (
    LISTED,
    MOST_MESSAGE,
    MOST_TRACEBACK,
    DivergedError,
    EpochReporter,
    TrialContext,
    TrialError,
    parameters_of,
    run_trial,
)
from tests.real_data import DATASETS, ensure_fashion_mnist
from tests.service.running import PLUGIN
from tests.service.stand_ins import claim, opened, settings_in, spec
from trainables import datasets, registry

LOGISTIC = {"search_space": "q4_logistic_regression"}
#: How Ray's memory monitor tells of a process that it ended.
KILLED = "1 worker(s) were killed due to the node running low on memory."
RATES = [{"learning_rate": rate} for rate in (0.1, 0.2, 0.3)]


# --- what a job may ask for --------------------------------------------------------------------


def plan(client: TestClient, **body: Any) -> Any:
    return client.post("/api/v1/jobs?dry_run=true", json=body)


def test_a_job_tells_its_stack_and_has_none_unless_asked(client: TestClient) -> None:
    assert plan(client, **LOGISTIC).json()["spec"]["stack"] == 1
    stacked = plan(client, **LOGISTIC, stack=16).json()
    assert stacked["spec"]["stack"] == 16
    assert stacked["fingerprint"] != plan(client, **LOGISTIC).json()["fingerprint"]


@pytest.mark.parametrize("stack", [0, 257, 1.5, "2"])
def test_the_size_of_a_stack_has_limits(client: TestClient, stack: object) -> None:
    answer = plan(client, **LOGISTIC, stack=stack)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/stack"]


@pytest.mark.parametrize(
    ("body", "detail", "hint"),
    [
        ({"search_space": "q3_mlp"}, "one trial at a time", "torch_feedforward"),
        (
            {
                **LOGISTIC,
                "strategy": "tpe",
                "parameters": {"learning_rate": {"low": 0.01, "high": 0.1}},
            },
            "one configuration after another",
            "strategy: grid",
        ),
    ],
)
def test_a_stack_that_cannot_be_is_refused_with_the_fix(
    client: TestClient, body: dict[str, Any], detail: str, hint: str
) -> None:
    assert plan(client, **body, stack=1).status_code == 200
    answer = plan(client, **body, stack=2)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/stack", "not_applicable")
    assert detail in error["detail"]
    assert hint in error["hint"]


INLINE = {
    "name": "rates", "trainable": "torch_logistic_regression", "dataset": "fashion_mnist",
    "epochs": 1, "metric": "validation_accuracy", "mode": "max", "strategy": "grid",
    "parameters": {"device": {"values": ["auto", "cuda"]}},
}  # fmt: skip
CUDA = {"parameters": {"device": "cuda"}}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({**LOGISTIC, **CUDA}, "/parameters/device"),
        ({"search_space": INLINE}, "/search_space/parameters/device"),
        ({"search_space": INLINE, **CUDA}, "/parameters/device"),
    ],
)
def test_a_gpu_that_trials_are_not_given_is_refused_with_the_fix(
    client: TestClient, body: dict[str, Any], pointer: str
) -> None:
    answer = plan(client, **body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert "resources_per_trial.gpu (--gpus)" in error["hint"]
    assert plan(client, **body, resources_per_trial={"gpu": 0.5}).status_code == 200


def test_a_gpu_that_no_trial_uses_need_not_be_given(client: TestClient) -> None:
    assert plan(client, search_space=INLINE, strategy="single").status_code == 200
    assert plan(client, **LOGISTIC, parameters={"device": "cpu"}).status_code == 200


def test_the_specification_of_a_job_from_before_stacks_is_read() -> None:
    stored = spec().to_json()
    del stored["stack"]
    assert JobSpec.from_json(stored).stack == 1


# --- how trials are grouped --------------------------------------------------------------------


def grid(**parameters: Any) -> SearchSpace:
    values = {name: {"values": list(of)} for name, of in parameters.items()}
    return SearchSpace.from_json({
        "name": "grid", "trainable": "torch_feedforward", "dataset": "fashion_mnist", "epochs": 1,
        "metric": "validation_accuracy", "mode": "max", "strategy": "grid", "parameters": values,
    })  # fmt: skip


def stacks(configs: Sequence[Mapping[str, Any]], most: int, done: Sequence[int] = ()) -> Any:
    """Return the numbers of the trials in each stack of a search."""
    records = [
        TrialRecord(n, TrialState.SUCCEEDED if n in done else TrialState.QUEUED, config, 42)
        for n, config in enumerate(configs)
    ]
    search = make_search(
        grid(hidden_size=[100]), seed=42, job_id="job", records=records, stack=most
    )
    if search.num_samples == 0:
        return []
    listed = search.param_space[LISTED]["grid_search"]
    for stack in listed:
        assert parameters_of({LISTED: stack}) == [configs[one["number"]] for one in stack]
    return [[one["number"] for one in stack] for stack in listed]


SIZES = [{"hidden_size": size, "learning_rate": r} for size in (100, 150) for r in (0.1, 0.2, 0.3)]


def test_trials_of_one_architecture_are_stacked() -> None:
    assert stacks(SIZES, 3) == [[0, 1, 2], [3, 4, 5]]
    assert stacks(SIZES, 256) == [[0, 1, 2], [3, 4, 5]]
    assert stacks(SIZES, 2) == [[0, 1], [2], [3, 4], [5]]
    assert stacks(SIZES[::-1], 3) == [[0, 1, 2], [3, 4, 5]]


def test_without_stacks_each_trial_is_by_itself_in_order() -> None:
    assert stacks(SIZES, 1) == [[n] for n in range(6)]


def test_what_has_finished_is_not_stacked_again() -> None:
    assert stacks(SIZES, 3, done=[1, 3, 4, 5]) == [[0, 2]]
    assert stacks(SIZES, 3, done=range(6)) == []


def test_a_parameter_left_out_is_at_its_default() -> None:
    assert stacks([{"hidden_size": 200}, {"dropout": 0.5}, {"layers": 2}], 3) == [[0, 1], [2]]


# --- what a trial process tells ----------------------------------------------------------------


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(tune, "report", messages.append)
    return messages


def test_an_epoch_of_a_stack_is_one_message(told: list[dict[str, Any]]) -> None:
    report = EpochReporter(frozenset({"loss"}), "loss", 3, epochs=2)
    report(1, [{"loss": 0.5}, {"loss": math.nan}, {"loss": 0.25}])
    report(2, [{"loss": 0.4}, {"loss": math.nan}, {"loss": 0.2}])
    first, second = told
    assert first["reports"] == [(0, {"loss": 0.5}), (2, {"loss": 0.25})]
    ((member, why),) = first["diverged"]
    assert member == 1
    assert why.startswith("loss was nan in epoch 1")
    assert second["reports"] == [(0, {"loss": 0.4}), (2, {"loss": 0.2})]
    assert second["diverged"] == []
    assert [m["objective"] for m in told] == [0.5, 0.4]


def test_a_stack_ends_when_all_have_diverged(told: list[dict[str, Any]]) -> None:
    report = EpochReporter(frozenset({"loss"}), "loss", 2, epochs=2)
    report(1, [{"loss": math.inf}, {"loss": 1.0}])
    with pytest.raises(DivergedError, match="loss was nan in epoch 2"):
        report(2, [{"loss": math.inf}, {"loss": math.nan}])
    assert [m["reports"] for m in told] == [[(1, {"loss": 1.0})], []]
    assert "objective" not in told[0]


def test_other_metrics_and_other_members_are_refused(told: list[dict[str, Any]]) -> None:
    report = EpochReporter(frozenset({"loss"}), "loss", 2, epochs=2)
    with pytest.raises(ValueError, match=r"\['error'\] in epoch 1 where it declares \['loss'\]"):
        report(1, [{"loss": 1.0}, {"error": 1.0}])
    with pytest.raises(ValueError, match="1 trials in epoch 1 where the stack has 2"):
        report(1, [{"loss": 1.0}])
    assert told == []


def test_members_share_the_time_of_their_stack(told: list[dict[str, Any]]) -> None:
    """Their seconds are added up: as the time of a job, and in the figures of all jobs."""
    report = EpochReporter(frozenset({"loss"}), "loss", 4, epochs=2, started=time.monotonic() - 400)
    report(1, [{"loss": 0.5}] * 4)
    assert told[0]["seconds"] == pytest.approx(100, abs=5)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[TrialContext]:
    """Three epochs of the plugin's trainable; the registry knows it meanwhile."""
    datasets.ensure("ames", DATASETS)
    monkeypatch.syspath_prepend(str(PLUGIN))
    registry._load.cache_clear()
    yield TrialContext(spec(trainable="test_steps", metric="score", epochs=3), DATASETS, None)
    registry._load.cache_clear()


def fail(context: TrialContext, **parameters: Any) -> TrialError:
    with pytest.raises(TrialError) as raised:
        run_trial(parameters, context)
    return raised.value


@pytest.mark.parametrize("epoch", [0, 1, 3, 1.0, "2", None])
def test_another_epoch_than_the_next_is_refused(told: list[dict[str, Any]], epoch: Any) -> None:
    report = EpochReporter(frozenset({"loss"}), "loss", 1, epochs=3)
    report.alone(1, {"loss": 0.5})
    with pytest.raises(ValueError, match=re.escape(f"epoch {epoch!r} after 1 of 3 epochs")):
        report.alone(epoch, {"loss": 0.25})
    assert len(told) == 1


def test_an_epoch_may_be_a_whole_number_of_numpys(told: list[dict[str, Any]]) -> None:
    report = EpochReporter(frozenset({"loss"}), "loss", 1, epochs=1)
    report.alone(np.int64(1), {"loss": 0.5})
    report.check_complete()
    assert type(told[0]["epoch"]) is int
    with pytest.raises(ValueError, match="epoch 2 after 1 of 1 epochs"):
        report.alone(2, {"loss": 0.25})


@pytest.mark.parametrize(
    ("second_epoch", "why"),
    [
        ("skip", "reported epoch 3 after 1 of 3 epochs"),
        ("stop", "returned after it had reported 1 of 3 epochs"),
    ],
)
def test_a_trial_that_leaves_epochs_out_has_failed(
    told: list[dict[str, Any]], plugin: TrialContext, second_epoch: str, why: str
) -> None:
    """Such a number would be refused by the store, and end the job with all its trials."""
    fail(plugin, second_epoch=second_epoch)
    assert [message["event"] for message in told] == ["started", "epoch", "failed"]
    failure = told[-1]["failure"]
    assert failure["kind"] == FailureKind.USER_ERROR
    assert why in failure["message"]
    assert "report each of them once" in failure["message"]


def test_a_failure_of_endless_text_is_cut_where_it_happens(
    told: list[dict[str, Any]], plugin: TrialContext
) -> None:
    raised = fail(plugin, second_epoch="raise at length")
    failure = told[-1]["failure"]
    assert failure["message"].startswith("ValueError: firstx")
    assert failure["message"].endswith("xlast")
    assert "998,021 characters left out" in failure["message"]
    assert len(failure["message"]) < MOST_MESSAGE + 50
    assert "in _misbehave" in failure["traceback"]
    assert len(failure["traceback"]) < MOST_TRACEBACK + 50
    # This is what Ray ships: the text alone.
    assert str(raised) == failure["traceback"]
    shipped = "".join(traceback.format_exception(raised))
    assert len(shipped) < MOST_TRACEBACK + 5_000


def test_a_gpu_that_is_not_there_is_no_fault_of_the_code(
    told: list[dict[str, Any]],
) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    ensure_fashion_mnist()
    job = spec(trainable="torch_logistic_regression", dataset="fashion_mnist")
    with pytest.raises(TrialError, match="device is cuda"):
        run_trial({"device": "cuda"}, TrialContext(job, DATASETS, None))
    started, failed = told
    assert started == {"event": "started"}
    assert failed["failure"]["kind"] == FailureKind.INFEASIBLE
    assert "resources_per_trial.gpu" in failed["failure"]["message"]
    assert not FailureKind.INFEASIBLE.is_retried


# --- what is recorded --------------------------------------------------------------------------


@dataclass
class TuneTrial:
    """What the recorder asks of a trial of Tune's."""

    numbers: Sequence[int]
    trial_id: str = "t0"
    status: str = "RUNNING"
    error_file: str | None = None
    max_failures: int = 3
    config: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.config = {LISTED: [{"number": n, "parameters": RATES[n]} for n in self.numbers]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(settings_in(tmp_path, "127.0.0.1:1")) as store:
        yield store


@pytest.fixture
def lease(store: Store) -> Lease:
    job = spec(trials=3, strategy="grid", stack=3, epochs=4)
    trials = [NewTrial(n, rate, 42) for n, rate in enumerate(RATES)]
    store.create_job(job, fingerprint="", trials=trials)
    return claim(store)


@dataclass
class Run:
    """A recorder and the stack that it is told of."""

    store: Store
    lease: Lease
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        records = self.store.trials(self.lease.job_id)
        job = spec(trials=3, strategy="grid", stack=3, epochs=4, **self.changes)
        self.recorder = Recorder(self.store, self.lease, records, spec=job, gate=PauseGate())
        self.trial = TuneTrial(range(3))

    def start(self) -> None:
        self.recorder.on_trial_start(0, [], self.trial)
        self._result(event="started", hostname="here")

    def epoch(
        self, epoch: int, *values: float | None, diverged: Sequence[tuple[int, str]] = ()
    ) -> None:
        """Tell each member's loss; None for one that reports no more."""
        reports = [(m, {"train_rmse": v}) for m, v in enumerate(values) if v is not None]
        self._result(event="epoch", epoch=epoch, seconds=1.0, reports=reports, diverged=diverged)

    def _result(self, **result: Any) -> None:
        self.recorder.on_trial_result(0, [], self.trial, result)

    def states(self) -> list[str]:
        return [trial.state for trial in self.store.trials(self.lease.job_id)]

    def curves(self) -> list[tuple[float, ...]]:
        return [c.metrics["train_rmse"] for c in self.store.curves(self.lease.job_id)]

    def attempts(self) -> list[int]:
        return [trial.attempt for trial in self.store.trials(self.lease.job_id)]


def test_every_member_has_its_curve_and_ends_with_the_stack(store: Store, lease: Lease) -> None:
    run = Run(store, lease)
    run.start()
    assert run.states() == ["running"] * 3
    run.epoch(1, 0.1, 0.2, 0.3)
    run.epoch(2, 0.01, 0.02, 0.03)
    run.recorder.on_trial_complete(0, [], run.trial)
    assert run.states() == ["succeeded"] * 3
    assert run.curves() == [(0.1, 0.01), (0.2, 0.02), (0.3, 0.03)]


def test_a_member_that_diverges_fails_alone(store: Store, lease: Lease) -> None:
    run = Run(store, lease)
    run.start()
    run.epoch(1, 0.1, 0.2, 0.3)
    run.epoch(2, 0.01, None, 0.03, diverged=[(1, "train_rmse was nan in epoch 2")])
    assert run.states() == ["running", "failed", "running"]
    run.epoch(3, 0.001, None, 0.003)
    run.recorder.on_trial_complete(0, [], run.trial)
    assert run.states() == ["succeeded", "failed", "succeeded"]
    assert run.curves() == [(0.1, 0.01, 0.001), (0.2,), (0.3, 0.03, 0.003)]
    error = store.trial(lease.job_id, 1).error
    assert error is not None
    assert (error.kind, error.message) == (FailureKind.DIVERGED, "train_rmse was nan in epoch 2")


def test_a_stack_that_runs_again_leaves_out_what_had_diverged(store: Store, lease: Lease) -> None:
    run = Run(store, lease)
    run.start()
    run.epoch(1, 0.1, 0.2, 0.3)
    run.epoch(2, 0.01, None, 0.03, diverged=[(1, "first")])
    run.start()
    assert run.attempts() == [2, 1, 2]
    run.epoch(1, 0.4, 0.5, 0.6)
    run.epoch(2, 0.04, None, 0.06, diverged=[(1, "second")])
    run.recorder.on_trial_complete(0, [], run.trial)
    assert run.states() == ["succeeded", "failed", "succeeded"]
    assert run.curves() == [(0.4, 0.04), (0.2,), (0.6, 0.06)]
    error = store.trial(lease.job_id, 1).error
    assert error is not None
    assert error.message == "first"


def test_the_death_of_a_stack_fails_all_its_members(store: Store, lease: Lease) -> None:
    run = Run(store, lease)
    run.start()
    run.epoch(1, 0.1, 0.2, 0.3)
    run.recorder.on_trial_error(0, [], run.trial)
    trials = store.trials(lease.job_id)
    assert [t.error.kind for t in trials if t.error] == [FailureKind.WORKER_LOST] * 3
    assert run.states() == ["failed"] * 3


@pytest.mark.parametrize("is_there", [True, False])
def test_a_stack_that_never_began_fails_too(store: Store, lease: Lease, is_there: bool) -> None:
    """Tune tells of a start once the process is there; it may die before."""
    run = Run(store, lease)
    if is_there:
        run.recorder.on_trial_start(0, [], run.trial)
    run.recorder.on_trial_error(0, [], run.trial)
    assert run.states() == ["failed"] * 3
    assert run.attempts() == [1] * 3
    errors = [t.error for t in store.trials(lease.job_id)]
    assert [e.kind for e in errors if e] == [FailureKind.WORKER_LOST] * 3


def test_a_samplers_trial_whose_process_never_was_there_joins_the_job(
    store: Store, lease: Lease
) -> None:
    run = Run(store, lease)
    run.trial.config = {"learning_rate": 0.4}
    run.recorder.on_trial_error(0, [], run.trial)
    assert run.states() == ["queued"] * 3 + ["failed"]
    assert store.trial(lease.job_id, 3).parameters == {"learning_rate": 0.4}


def test_reports_that_could_not_be_written_are_kept(store: Store, lease: Lease) -> None:
    """Tune goes on after what is raised at the end of a trial; the next write tells it again."""
    run = Run(store, lease)
    run.start()
    run.epoch(1, 0.1, 0.2, 0.3)
    store.renew_lease(lease, 0.001)
    time.sleep(0.02)
    claim(store)
    for _ in range(2):
        with pytest.raises(LeaseLost):
            run.recorder.on_trial_complete(0, [], run.trial)
        with pytest.raises(LeaseLost):
            run.recorder.flush()


def test_a_time_limit_is_the_whole_stacks(store: Store, lease: Lease) -> None:
    run = Run(store, lease, {"time_limit_s": 0.1})
    run.start()
    run.recorder.on_step_end(0, [run.trial])
    assert run.trial.max_failures == 0
    run.recorder.on_trial_error(0, [], run.trial)
    errors = [t.error for t in store.trials(lease.job_id)]
    assert [e.kind for e in errors if e] == [FailureKind.TIME_LIMIT] * 3


def test_a_stack_whose_code_raises_is_started_again_up_to_max_failures(
    store: Store, lease: Lease
) -> None:
    run = Run(store, lease, {"max_failures": 1})
    failure = {"kind": "user_error", "message": "too much", "traceback": "t"}
    left = []
    for _ in range(2):
        run.start()
        run._result(event="failed", failure=failure)
        left.append(run.trial.max_failures)
    assert left == [3, 0]
    run.recorder.on_trial_error(0, [], run.trial)
    assert {t.error.message for t in store.trials(lease.job_id) if t.error} == {"too much"}
    assert run.attempts() == [2] * 3


def test_a_time_limit_counts_from_the_start_of_each_attempt(store: Store, lease: Lease) -> None:
    """A process that is lost twice, the second time before its training began."""
    run = Run(store, lease, {"time_limit_s": 1.0})
    run.start()
    time.sleep(0.6)
    run.recorder.on_trial_recover(0, [], run.trial)
    run.recorder.on_step_end(0, [run.trial])
    assert run.trial.max_failures == 3
    run.recorder.on_trial_error(0, [], run.trial)
    errors = [t.error for t in store.trials(lease.job_id)]
    assert [e.kind for e in errors if e] == [FailureKind.WORKER_LOST] * 3
    assert run.attempts() == [2] * 3


def test_what_an_attempt_told_is_not_the_end_of_the_next(store: Store, lease: Lease) -> None:
    run = Run(store, lease, {"max_failures": 1})
    run.start()
    run._result(event="failed", failure={"kind": "user_error", "message": "m", "traceback": "t"})
    run.recorder.on_trial_recover(0, [], run.trial)
    run.recorder.on_trial_error(0, [], run.trial)
    errors = [t.error for t in store.trials(lease.job_id)]
    assert [e.kind for e in errors if e] == [FailureKind.WORKER_LOST] * 3


@pytest.mark.parametrize(
    ("deaths", "kind"),
    [
        (["The actor died.", KILLED], FailureKind.OUT_OF_MEMORY),
        ([KILLED, "The actor died."], FailureKind.WORKER_LOST),
    ],
)
def test_the_last_death_of_a_process_tells_its_kind(
    store: Store, lease: Lease, tmp_path: Path, deaths: Sequence[str], kind: FailureKind
) -> None:
    """Ray's exceptions are known by their text alone, one under the other in a file of Tune's."""
    file = tmp_path / "error.txt"
    written = [f"Failure # {n} (occurred at 2026)\n{text}\n" for n, text in enumerate(deaths, 1)]
    file.write_text("".join(written), encoding="utf-8")
    run = Run(store, lease)
    run.start()
    run.trial.error_file = str(file)
    run.recorder.on_trial_error(0, [], run.trial)
    errors = [t.error for t in store.trials(lease.job_id)]
    assert {(e.kind, e.traceback) for e in errors if e} == {(kind, f"{deaths[1]}\n")}
