"""The declared scheduler: a name, or a name and its own parameters; the epochs of its rungs."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import SCHEDULERS, Code, Scheduler, SearchSpaceError, rung_epochs
from search_spaces.scheduling import PARAMETERS


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_name_means_the_defaults_which_are_written_out(name: str) -> None:
    scheduler = Scheduler.from_json(name)
    assert scheduler == Scheduler(name) == Scheduler.from_json({"name": name})
    written = scheduler.to_json()
    own = PARAMETERS[name]
    assert (list(written) == ["name", *own]) if own else (written == name)
    assert Scheduler.from_json(written) == scheduler


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "asha", "reduction_factor": 4, "min_epochs": 2, "stops": True},
        {"name": "hyperband", "reduction_factor": 2, "min_epochs": 1, "stops": False},
        {"name": "median", "min_epochs": 3, "min_trials": 10},
        {
            "name": "pbt",
            "population": 4,
            "interval": 3,
            "quantile": 0.5,
            "resample_probability": 0,
            "perturbation": [0.5, 2],
            "perturb": ["learning_rate"],
        },
    ],
)
def test_each_scheduler_takes_its_own_parameters(raw: dict[str, Any]) -> None:
    assert Scheduler.from_json(raw).to_json() == raw


@pytest.mark.parametrize(
    ("raw", "pointer", "code"),
    [
        (3, "/at", Code.WRONG_TYPE),
        ("aha", "/at", Code.UNKNOWN_SCHEDULER),
        ({}, "/at/name", Code.MISSING),
        ({"name": None}, "/at/name", Code.UNKNOWN_SCHEDULER),
        ({"name": ["asha"]}, "/at/name", Code.UNKNOWN_SCHEDULER),
        ({"name": "none", "min_epochs": 1}, "/at/min_epochs", Code.UNKNOWN_KEY),
        ({"name": "asha", "min_trials": 1}, "/at/min_trials", Code.UNKNOWN_KEY),
        ({"name": "asha", "reduction_factor": 1}, "/at/reduction_factor", Code.OUT_OF_RANGE),
        ({"name": "asha", "reduction_factor": 3.0}, "/at/reduction_factor", Code.WRONG_TYPE),
        ({"name": "asha", "min_epochs": 0}, "/at/min_epochs", Code.OUT_OF_RANGE),
        ({"name": "asha", "stops": 1}, "/at/stops", Code.WRONG_TYPE),
        ({"name": "pbt", "population": 1}, "/at/population", Code.OUT_OF_RANGE),
        ({"name": "pbt", "interval": 0}, "/at/interval", Code.OUT_OF_RANGE),
        ({"name": "pbt", "quantile": 0.6}, "/at/quantile", Code.OUT_OF_RANGE),
        ({"name": "pbt", "quantile": "a"}, "/at/quantile", Code.WRONG_TYPE),
        ({"name": "pbt", "resample_probability": 2}, "/at/resample_probability", Code.OUT_OF_RANGE),
        ({"name": "pbt", "perturbation": 0.8}, "/at/perturbation", Code.WRONG_TYPE),
        ({"name": "pbt", "perturbation": [1.2, 2]}, "/at/perturbation", Code.OUT_OF_RANGE),
        ({"name": "pbt", "perturbation": [0.8, "a"]}, "/at/perturbation/1", Code.WRONG_TYPE),
        ({"name": "pbt", "perturb": []}, "/at/perturb", Code.EMPTY),
        ({"name": "pbt", "perturb": "lr"}, "/at/perturb", Code.WRONG_TYPE),
        ({"name": "pbt", "min_epochs": 2}, "/at/min_epochs", Code.UNKNOWN_KEY),
    ],
)
def test_bad_schedulers(raw: object, pointer: str, code: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        Scheduler.from_json(raw, "/at")
    assert [(problem.pointer, problem.code) for problem in caught.value.problems] == [
        (pointer, code)
    ]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("ASHAScheduler", "asha"), ("async_hyperband", "asha"), ("SuccessiveHalvingPruner", "asha"),
        ("HyperbandPruner", "hyperband"), ("MedianPruner", "median"), ("NopPruner", "none"),
        ("median_stopping_rule", "median"), ("fifo", "none"),
        ("PopulationBasedTraining", "pbt"), ("PBTTuner", "pbt"),
    ],
)  # fmt: skip
def test_schedulers_of_other_tools(theirs: str, ours: str) -> None:
    with pytest.raises(SearchSpaceError, match=f"write {ours} instead"):
        Scheduler.from_json(theirs)


def test_the_first_epoch_at_which_trials_are_compared() -> None:
    assert Scheduler("none").first_rung == 0
    assert Scheduler("asha", min_epochs=2).first_rung == 2
    assert Scheduler("pbt", interval=3).first_rung == 3


def test_a_population_s_size_and_copies() -> None:
    assert [name for name in SCHEDULERS if Scheduler(name).is_population] == ["pbt"]
    assert Scheduler("pbt", population=8).replaced == 2
    assert Scheduler("pbt", population=3, quantile=0.5).replaced == 1
    assert Scheduler("pbt", population=8, interval=2).most_copies(9) == 8
    assert Scheduler("pbt", population=8, interval=2).most_copies(8) == 6
    assert Scheduler("asha").most_copies(9) == 0
    assert Scheduler("pbt", perturbation=(1.5, 0.5)).perturbation == (0.5, 1.5)


def test_what_promotes_needs_states() -> None:
    assert [name for name in SCHEDULERS if Scheduler(name).promotes] == ["asha", "hyperband"]
    assert not Scheduler("asha", stops=True).promotes


def test_what_stops_trials_for_good() -> None:
    assert [name for name in SCHEDULERS if Scheduler(name).ends_trials] == ["median"]
    assert Scheduler("asha", stops=True).ends_trials


@pytest.mark.parametrize(
    ("theirs", "hint"),
    [
        ("grace_period", "write min_epochs instead"),
        ("min_resource", "write min_epochs instead"),
        ("eta", "write reduction_factor instead"),
        ("max_t", "leave it out: trials train at most the epochs of the space"),
        ("population_size", "write population instead"),
        ("quantile_fraction", "write quantile instead"),
    ],
)
def test_parameters_of_other_tools(theirs: str, hint: str) -> None:
    own = "pbt" if theirs[0] in "pq" else "asha"
    with pytest.raises(SearchSpaceError) as caught:
        Scheduler.from_json({"name": own, theirs: 3})
    assert [problem.hint for problem in caught.value.problems] == [hint]


@pytest.mark.parametrize("name", SCHEDULERS)
def test_only_a_trainable_that_resumes_has_trials_promoted(name: str) -> None:
    declared = Scheduler(name)
    assert declared.for_trainable(resumes=True) == declared
    stopping = declared.for_trainable(resumes=False)
    assert not stopping.promotes
    assert stopping == (Scheduler(name, stops=True) if declared.promotes else declared)


@pytest.mark.parametrize(
    ("min_epochs", "factor", "epochs", "expected"),
    [
        (1, 3, 20, (1, 3, 9, 20)),
        (1, 3, 27, (1, 3, 9, 27)),
        (2, 2, 5, (2, 4, 5)),
        (5, 3, 5, (5,)),
        (9, 3, 5, (5,)),
        (1, 4, 1, (1,)),
    ],
)
def test_rungs_grow_by_the_factor_up_to_the_last_epoch(
    min_epochs: int, factor: int, epochs: int, expected: tuple[int, ...]
) -> None:
    assert rung_epochs(min_epochs, factor, epochs) == expected


@pytest.mark.parametrize(("min_epochs", "factor", "epochs"), [(0, 3, 9), (1, 1, 9), (1, 3, 0)])
def test_rungs_that_cannot_be_are_refused(min_epochs: int, factor: int, epochs: int) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        rung_epochs(min_epochs, factor, epochs)
