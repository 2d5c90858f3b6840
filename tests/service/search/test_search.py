"""One search from its first trial to its confirmed winner, also after it was taken over."""

from __future__ import annotations

import math
import random
import statistics
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from results.records import Failure, TrialRecord
from results.states import FailureKind, Purpose, TrialState
from search_spaces import Budget
from service.search.budget import BudgetTracker
from service.search.hyperband import Hyperband
from service.search.samplers import Sampler, make_sampler
from service.search.scheduler import Action
from service.search.schedulers import make_scheduler
from service.search.search import Search, Step, Values
from tests.service.stand_ins import spec

EPOCHS = 9
RANGE = {"learning_rate": {"low": 0.001, "high": 1.0, "log": True}}


def loss(parameters: Any, seed: int, epoch: int) -> float:
    """A curve that falls, to a level that the learning rate and the seed decide."""
    noise = random.Random(f"{sorted(parameters.items())} {seed}").gauss(0, 0.01)
    return (parameters["learning_rate"] - 0.1) ** 2 + 1.0 / epoch + noise


class World:
    """Trains what a search says, on two slots; what it has recorded outlives the search."""

    def __init__(self, **fields: Any) -> None:
        self.spec = spec(epochs=EPOCHS, metric="train_rmse", **fields)
        self.trials: dict[int, TrialRecord] = {}
        self.values: dict[int, dict[int, dict[str, float]]] = {}
        self.steps: list[tuple[int, int]] = []
        self.running: dict[int, Step] = {}
        self.ended_by = ""
        self.search = self.new_search()

    def new_search(self) -> Search:
        space = self.spec.space
        records = sorted(self.trials.values(), key=lambda record: record.number)
        sampler = self.new_sampler(records) if space.is_sampled else None
        rungs = make_scheduler(space.scheduler, epochs=EPOCHS)
        kept: dict[int, Values] = {
            number: {epoch: found[epoch] for epoch in found if epoch in rungs.rungs()}
            for number, found in self.values.items()
        }
        budget = BudgetTracker(space, lambda: 0.0)
        return Search(
            self.spec, records, kept, scheduler=rungs, sampler=sampler, budget=budget,
            ended_by=self.ended_by,
        )  # fmt: skip

    def new_sampler(self, records: list[TrialRecord]) -> Sampler:
        return make_sampler(self.spec.space, seed=self.spec.seed, records=records)

    def take_over(self) -> None:
        """Lose the driver: what ran is queued again, and the search begins from the records."""
        for number in self.running:
            self.change(number, state=TrialState.QUEUED)
        self.running.clear()
        self.search = self.new_search()

    def change(self, number: int, **fields: Any) -> None:
        old = self.trials[number]
        members = {name: getattr(old, name) for name in old.__dataclass_fields__}
        self.trials[number] = TrialRecord(**{**members, **fields})

    def begin(self) -> bool:
        """Begin a step where one can begin; return whether one did."""
        step = self.search.next(nothing_runs=not self.running)
        for copy in self.search.take_copies():
            new = TrialRecord(
                copy.number, TrialState.QUEUED, copy.parameters, copy.seed, epochs=copy.epochs,
                parent=copy.parent, start_epoch=copy.start_epoch,
            )  # fmt: skip
            self.trials.setdefault(copy.number, new)
        for stopped in self.search.take_stopped():
            if stopped.number in self.trials:
                self.change(stopped.number, state=TrialState.STOPPED)
        self.ended_by = self.search.ended_by
        if step is None:
            return False
        assert step.is_new == (step.number not in self.trials)
        if step.is_new:
            self.trials[step.number] = TrialRecord(
                step.number, TrialState.QUEUED, step.parameters, step.seed,
                purpose=step.purpose, configuration=step.configuration,
            )  # fmt: skip
        found = self.trials[step.number]
        self.change(step.number, state=TrialState.RUNNING, resumed_from=found.epochs)
        self.steps.append((step.number, step.until))
        self.running[step.number] = step
        return True

    def train(self, number: int) -> None:
        """Train one epoch of a running trial."""
        step, record = self.running[number], self.trials[number]
        epoch = record.epochs + 1
        metrics = self.metrics(step, epoch)
        action = self.search.report(number, epoch, metrics, seconds=float(epoch))
        self.values.setdefault(number, {})[epoch] = {**metrics, "seconds": float(epoch)}
        self.change(number, epochs=epoch, metrics=metrics, seconds=float(epoch))
        if epoch == EPOCHS:
            self.end(number, TrialState.SUCCEEDED)
        elif action is Action.STOP:
            self.end(number, TrialState.STOPPED)
        elif epoch == step.until:
            assert action is Action.PAUSE
            self.end(number, TrialState.PAUSED)

    def metrics(self, step: Step, epoch: int) -> dict[str, float]:
        return {"train_rmse": loss(step.parameters, step.seed, epoch)}

    def end(self, number: int, state: TrialState) -> None:
        del self.running[number]
        self.change(number, state=state)
        self.search.end(number, state, {})

    def run(self, *, crash_after: int = -1, slots: int = 2) -> None:
        """Run the search; lose the driver once after so many epochs."""
        for step in range(100_000):
            while len(self.running) < slots and self.begin():
                pass
            if step == crash_after:
                self.take_over()
                continue
            if not self.running:
                return
            self.train(min(self.running))
        raise AssertionError("the search does not end")

    def states(self) -> list[TrialState]:
        return [record.state for _, record in sorted(self.trials.items())]


class EarlyWorld(World):
    """Every trial that goes on after the first rung ends by itself before the next."""

    def train(self, number: int) -> None:
        super().train(number)
        if number in self.running and self.trials[number].epochs == 2:
            self.end(number, TrialState.SUCCEEDED)


class Ends:
    """A sampler that keeps how trials ended."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []

    def draw(self, number: int) -> dict[str, Any]:
        return {"learning_rate": 1.0 / (1 + number)}

    def begin(self, number: int) -> None:
        pass

    def observe(self, *_: Any) -> None:
        pass

    def end(self, number: int, *, succeeded: bool) -> None:
        self.told.append((number, "ended" if succeeded else "failed"))

    def leave_out(self, number: int) -> None:
        self.told.append((number, "left out"))

    def is_ready(self) -> bool:
        return True

    def close(self) -> None:
        pass


ASHA = {"strategy": "random", "trials": 12, "parameters": RANGE,
        "scheduler": {"name": "asha", "reduction_factor": 3}}  # fmt: skip


def test_nothing_waits_for_a_trial_that_ended_early() -> None:
    world = EarlyWorld(**ASHA)
    world.run()
    ended = [n for n, trial in world.trials.items() if trial.state is TrialState.SUCCEEDED]
    assert ended
    assert set(world.states()) == {TrialState.SUCCEEDED, TrialState.STOPPED}
    assert all([until for n, until in world.steps if n == number] == [1, 3] for number in ended)


class TooSlow(World):
    """Trials with a higher learning rate are the better and the slower ones."""

    def metrics(self, step: Step, epoch: int) -> dict[str, float]:
        rate = step.parameters["learning_rate"]
        return {"train_rmse": 1.0 - rate + 1.0 / epoch, "cost": rate}


@pytest.mark.parametrize("stops", [True, False], ids=["stopping", "promoting"])
def test_trials_that_violate_a_constraint_are_not_trained_further(stops: bool) -> None:
    limit = [{"metric": "cost", "at_most": 0.1}]
    scheduler = {"name": "asha", "reduction_factor": 3, "stops": stops}
    world = TooSlow(**ASHA | {"trials": 40, "constraints": limit, "scheduler": scheduler})
    world.run()
    whole = [one for one in world.trials.values() if one.state is TrialState.SUCCEEDED]
    is_allowed = [one.metrics["cost"] <= 0.1 for one in whole]
    assert any(is_allowed)
    assert all(is_allowed[4:]), "the first ones are compared with few"


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_where_all_violate_a_constraint_few_are_trained_to_the_end(name: str) -> None:
    limit = [{"metric": "cost", "at_most": 0.0}]
    world = TooSlow(**ASHA | {"constraints": limit, "scheduler": {"name": name}})
    world.run()
    assert 1 <= world.states().count(TrialState.SUCCEEDED) <= 5


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_a_search_ends_with_a_trial_that_keeps_the_constraints(name: str) -> None:
    """Few do, and they are the worse ones otherwise."""
    limit = [{"metric": "cost", "at_most": 0.002}]
    for seed in range(3):
        fields = {"constraints": limit, "scheduler": {"name": name}, "seed": seed}
        world = TooSlow(**ASHA | fields)
        world.run()
        whole = [one for one in world.trials.values() if one.state is TrialState.SUCCEEDED]
        is_allowed = any(found[1]["cost"] <= 0.002 for found in world.values.values())
        assert is_allowed == any(one.metrics["cost"] <= 0.002 for one in whole)


def test_a_search_without_improvement_ends_although_its_trials_only_pause() -> None:
    budget = Budget(trials_without_improvement=8)
    world = World(**ASHA | {"trials": 200, "budget": budget.to_json()})
    world.run()
    assert world.ended_by == "8 trials in a row brought no improvement"
    assert len(world.trials) < 100


@pytest.mark.parametrize("crash_after", range(1, 30, 4))
def test_a_taken_over_search_without_improvement_ends_no_sooner(crash_after: int) -> None:
    """Nobody knows in which order trials had paused: those without improvement count anew."""
    world = World(**ASHA | {"trials": 60, "budget": {"trials_without_improvement": 8}})
    world.run(crash_after=crash_after, slots=1)
    begun = sum(1 for trial in world.trials.values() if trial.epochs)
    assert begun == 60 or begun >= 8 + crash_after // 3


def test_a_sampler_is_told_of_trials_that_are_stopped_as_after_a_take_over() -> None:
    calls: list[tuple[int, int]] = []

    class Told(World):
        def new_sampler(self, records: list[TrialRecord]) -> Sampler:
            sampler = super().new_sampler(records)
            observe = sampler.observe

            def note(number: int, epoch: int, losses: Any, excess: Any) -> None:
                calls.append((number, epoch))
                observe(number, epoch, losses, excess)

            sampler.observe = note  # type: ignore[method-assign]
            return sampler

    world = Told(**ASHA | {"scheduler": {**ASHA["scheduler"], "stops": True}})
    world.run()
    assert TrialState.STOPPED in world.states()
    told, calls[:] = sorted(calls), []
    world.new_search()
    assert sorted(calls) == told


def test_a_sampler_is_told_at_the_end_that_a_constrained_metric_was_never_reported() -> None:
    told: set[tuple[bool, Any]] = set()

    class Told(World):
        def new_sampler(self, records: list[TrialRecord]) -> Sampler:
            sampler = super().new_sampler(records)

            def note(number: int, epoch: int, losses: Any, excess: Any) -> None:
                told.add((epoch == EPOCHS, excess))

            sampler.observe = note  # type: ignore[method-assign]
            return sampler

    world = Told(**ASHA | {"constraints": [{"metric": "cost", "at_most": 0.5}]})
    world.run(crash_after=20)
    assert told == {(False, (0.0,)), (True, (math.inf,))}


def test_a_trial_goes_on_only_when_it_has_paused() -> None:
    search = World(**ASHA | {"trials": 3}).search
    for number in range(3):
        step = search.next(nothing_runs=False)
        assert step is not None
        assert (step.number, step.until) == (number, 1)
        assert search.report(number, 1, {"train_rmse": float(number)}, 0.1) is Action.PAUSE
    assert search.next(nothing_runs=False) is None  # the best one is still storing its state
    search.end(1, TrialState.PAUSED, {})
    assert search.next(nothing_runs=False) is None
    search.end(0, TrialState.PAUSED, {})
    step = search.next(nothing_runs=False)
    assert step is not None
    assert (step.number, step.until) == (0, 3)


def test_every_trial_of_a_plain_search_trains_to_the_end_in_order() -> None:
    world = World(strategy="random", trials=5, parameters=RANGE)
    world.run()
    assert world.steps == [(number, EPOCHS) for number in range(5)]
    assert set(world.states()) == {TrialState.SUCCEEDED}
    assert world.search.planned == 5


def test_the_brackets_of_a_hyperband_end_side_by_side() -> None:
    """Two trials in the first two brackets: each trains one of its own to the end, at one time."""
    fields = ASHA | {"scheduler": {"name": "hyperband"}, "trials": 2}
    world = World(**fields)
    brackets = Hyperband(epochs=EPOCHS)
    assert [brackets.bracket(number) for number in (0, 1)] == [0, 1]
    world.run()
    assert world.states() == [TrialState.SUCCEEDED] * 2
    assert world.steps == [(0, 1), (1, 3), (0, 3), (0, 9), (1, 9)]


def test_asha_trains_few_trials_to_the_end_and_stops_the_rest() -> None:
    world = World(**ASHA)
    world.run()
    states = world.states()
    assert len(states) == 12
    assert set(states) == {TrialState.SUCCEEDED, TrialState.STOPPED}
    best = min(world.trials.values(), key=lambda t: loss(t.parameters, t.seed, EPOCHS))
    assert world.trials[best.number].state is TrialState.SUCCEEDED
    assert sum(record.epochs for record in world.trials.values()) < 12 * EPOCHS / 2


@pytest.mark.parametrize("fields", [ASHA, {**ASHA, "scheduler": "none"}])
def test_a_trial_whose_end_was_not_recorded_any_more_ends(fields: dict[str, Any]) -> None:
    world = World(**{**fields, "trials": 3})
    while not any(record.epochs == EPOCHS for record in world.trials.values()):
        while len(world.running) < 2 and world.begin():
            pass
        world.train(min(world.running))
    number = next(n for n, record in world.trials.items() if record.epochs == EPOCHS)
    world.change(number, state=TrialState.QUEUED)
    world.take_over()
    assert world.begin()
    assert world.steps[-1] == (number, EPOCHS)


@pytest.mark.parametrize("crash_after", range(0, 40, 3))
def test_a_search_that_is_taken_over_promotes_the_same_trials(crash_after: int) -> None:
    listed = {"learning_rate": {"values": [0.01 * k for k in range(1, 13)]}}
    fields = {**ASHA, "strategy": "grid", "parameters": listed}
    plain, crashed = World(**fields), World(**fields)
    for world in (plain, crashed):
        values = listed["learning_rate"]["values"]
        for number, value in enumerate(values):
            world.trials[number] = TrialRecord(
                number, TrialState.QUEUED, {"learning_rate": value}, 42, configuration=number
            )
        world.search = world.new_search()
    plain.run(slots=1)
    crashed.run(slots=1, crash_after=crash_after)
    promoted = dict.fromkeys(step for step in plain.steps)
    assert dict.fromkeys(step for step in crashed.steps) == promoted
    assert crashed.states() == plain.states()


def test_repeats_run_each_configuration_with_further_seeds() -> None:
    world = World(strategy="random", trials=6, parameters=RANGE, repeats=3)
    world.run()
    seeds = [(t.configuration, t.seed) for _, t in sorted(world.trials.items())]
    assert seeds == [(0, 42), (0, 43), (0, 44), (3, 42), (3, 43), (3, 44)]
    parameters = [tuple(t.parameters.items()) for _, t in sorted(world.trials.items())]
    assert len(set(parameters)) == 2


@pytest.mark.parametrize(
    ("state", "kind", "told"),
    [
        (TrialState.FAILED, FailureKind.DIVERGED, "failed"),
        (TrialState.FAILED, None, "failed"),
        (TrialState.FAILED, FailureKind.INTERNAL, "left out"),
        (TrialState.FAILED, FailureKind.INFEASIBLE, "left out"),
        (TrialState.CANCELLED, None, "left out"),
        (TrialState.STOPPED, None, "ended"),
    ],
)
def test_a_search_that_is_taken_over_tells_of_failures_of_configurations_alone(
    state: TrialState, kind: FailureKind | None, told: str
) -> None:
    world = World(strategy="random", trials=2, parameters=RANGE)
    error = Failure(kind, "why") if kind else None
    world.trials[0] = TrialRecord(0, state, {"learning_rate": 0.5}, 42, error=error)
    ends = Ends()
    world.new_sampler = lambda _: ends  # type: ignore[method-assign]
    world.search = world.new_search()
    assert ends.told == [(0, told)]


@pytest.mark.parametrize("kind", [FailureKind.DIVERGED, FailureKind.INFEASIBLE])
def test_every_failure_counts_in_the_budget(kind: FailureKind) -> None:
    """Where nodes die or the data is missing, all trials fail: that is to end a search too."""
    world = World(strategy="random", trials=9, parameters=RANGE, budget={"failed_trials": 2})
    for number in range(2):
        assert world.begin()
        del world.running[number]
        world.change(number, state=TrialState.FAILED, error=Failure(kind, "why"))
        world.search.end(number, TrialState.FAILED, {}, kind)
    assert not world.begin()
    assert world.search.ended_by == "2 trials failed"
    world.ended_by = ""
    assert world.new_search().is_spent


def test_a_target_ends_the_search_and_the_rest_is_stopped() -> None:
    world = World(strategy="random", trials=50, parameters=RANGE, budget={"target": 0.2})
    world.run()
    assert "reached the target 0.2: train_rmse" in world.search.ended_by
    assert world.search.planned == len(world.trials) < 50
    assert min(record.metrics["train_rmse"] for record in world.trials.values()) <= 0.2
    # A failed trial that is run again is all that a search which has ended still runs.
    world.change(0, state=TrialState.QUEUED)
    world.steps.clear()
    world.take_over()
    world.change(0, epochs=0)
    world.search = world.new_search()
    world.run()
    assert world.steps == [(0, EPOCHS)]


def test_with_repeats_a_mean_reaches_the_target_and_whole_configurations_count() -> None:
    budget = {"target": 100.0, "trials_without_improvement": 1}
    world = World(strategy="random", trials=9, parameters=RANGE, repeats=3, budget=budget)
    world.run(slots=1)
    # The first seed is good enough already, but a configuration is ranked with all its seeds.
    assert world.states() == [TrialState.SUCCEEDED] * 3
    mean = statistics.fmean(trial.metrics["train_rmse"] for trial in world.trials.values())
    reached = f"trial 0 reached the target 100: train_rmse {mean:.6g} (mean of 3 seeds)"
    assert world.search.ended_by == reached


def test_a_driver_that_is_lost_when_the_budget_is_spent_starts_nothing_again() -> None:
    world = World(strategy="random", trials=50, parameters=RANGE, budget={"epochs": 12})
    while not world.search.is_spent:
        while len(world.running) < 2 and world.begin():
            pass
        world.train(min(world.running))
    assert world.running
    assert not world.begin()
    world.steps.clear()
    world.take_over()
    world.run()
    assert world.steps == []
    assert world.ended_by == "the budget of 12 epochs is spent"
    assert set(world.states()) == {TrialState.SUCCEEDED, TrialState.STOPPED}


def test_trials_that_ended_count_in_the_order_of_their_ends() -> None:
    world = World(strategy="random", trials=9, parameters=RANGE,
                  budget={"trials_without_improvement": 3})  # fmt: skip
    while len(world.trials) < 5:
        world.begin()
    for place, number in enumerate((4, 3, 2, 1, 0)):  # the first one is the best, and ends last
        at = datetime(2026, 1, 1, 0, place, tzinfo=UTC)
        world.change(number, state=TrialState.SUCCEEDED, epochs=EPOCHS, finished_at=at,
                     metrics={"train_rmse": float(number)})  # fmt: skip
    world.running.clear()
    world.search = world.new_search()
    assert not world.search.is_spent
    assert world.begin()


CONFIRM = {
    "strategy": "random",
    "trials": 4,
    "parameters": RANGE,
    "confirm": {"top": 2, "seeds": 4},
}


def test_the_best_and_the_default_run_again_with_common_seeds() -> None:
    world = World(**CONFIRM)
    assert world.search.planned == 4 + 3 * 4
    world.run()
    confirming = [t for t in world.trials.values() if t.purpose is Purpose.CONFIRM]
    best = sorted(range(4), key=lambda n: loss(world.trials[n].parameters, 42, EPOCHS))[:2]
    default = next(t for t in confirming if t.parameters == {"learning_rate": 0.001})
    assert {t.configuration for t in confirming} == {*best, default.configuration}
    assert world.trials[default.configuration].purpose is Purpose.CONFIRM
    assert min(t.seed for t in confirming) == 43
    assert all(t.epochs == EPOCHS for t in confirming)
    assert world.search.planned == len(world.trials)


def test_where_few_trained_to_the_end_those_that_trained_longest_are_confirmed_too() -> None:
    world = World(**{**ASHA, "confirm": {"top": 3, "seeds": 2}})
    world.run()
    confirming = {t.configuration for t in world.trials.values() if t.purpose is Purpose.CONFIRM}
    searched = [t for t in world.trials.values() if t.purpose is Purpose.SEARCH]
    best = sorted(searched, key=lambda t: (-t.epochs, loss(t.parameters, t.seed, t.epochs)))[:3]
    assert {t.number for t in best} <= confirming
    assert {t.state for t in best} == {TrialState.SUCCEEDED, TrialState.STOPPED}


@pytest.mark.parametrize("crash_after", range(30, 110, 7))
def test_a_confirmation_that_is_taken_over_runs_the_same_trials(crash_after: int) -> None:
    plain, crashed = World(**CONFIRM), World(**CONFIRM)
    plain.run()
    crashed.run(crash_after=crash_after)
    pairs = [
        sorted((str(t.parameters), t.seed) for t in world.trials.values() if t.number > 3)
        for world in (plain, crashed)
    ]
    assert pairs[0] == pairs[1]
    assert crashed.search.planned == len(crashed.trials)


@pytest.mark.parametrize("repeats", [1, 2])
def test_a_confirmed_search_that_is_extended_draws_more_and_confirms_again(repeats: int) -> None:
    world = World(**CONFIRM, repeats=repeats)
    world.run()
    more = replace(world.spec, trials=8, space=replace(world.spec.space, trials=8 // repeats))
    last, world.spec = max(world.trials), more
    world.search = world.new_search()
    world.run(crash_after=5)
    searched = [t for t in world.trials.values() if t.purpose is Purpose.SEARCH]
    assert [t.number for t in searched] == [0, 1, 2, 3, *range(last + 1, last + 5)]
    assert [t.seed - 42 for t in searched] == [0, 1][:repeats] * (8 // repeats)
    assert len({str(t.parameters) for t in searched}) == 8 // repeats
    assert set(world.states()) == {TrialState.SUCCEEDED}
    assert world.search.planned == len(world.trials)


def test_trials_of_a_former_confirmation_that_nobody_needs_are_stopped() -> None:
    world = World(**CONFIRM)
    world.run()
    confirming = [t for t in world.trials.values() if t.purpose is Purpose.CONFIRM]
    for trial in confirming:  # as if the job were extended to more epochs
        world.change(trial.number, state=TrialState.QUEUED, epochs=0)
    for number in range(4):  # others are the best now
        worse = {"train_rmse": 2.0 if number in {t.configuration for t in confirming} else 1.0}
        world.change(number, metrics=worse)
    world.search = world.new_search()
    world.run()
    assert set(world.states()) == {TrialState.SUCCEEDED, TrialState.STOPPED}
    assert world.search.planned == len(world.trials)


@pytest.mark.parametrize("crash_after", range(0, 60, 9))
def test_a_confirmation_trains_to_the_end_what_a_former_one_had_stopped(crash_after: int) -> None:
    world = World(**CONFIRM)
    world.run()
    stopped = next(t for t in world.trials.values() if t.purpose is Purpose.CONFIRM)
    for number in range(stopped.number + 1, max(world.trials) + 1):
        del world.trials[number]
    # As if it had been cancelled, and extended while others were the best.
    partial = {"state": TrialState.STOPPED, "epochs": 2, "metrics": {"train_rmse": 99.0}}
    world.change(stopped.number, **partial)
    world.search = world.new_search()
    world.run(crash_after=crash_after)
    same = [
        trial
        for trial in world.trials.values()
        if (trial.configuration, trial.seed) == (stopped.configuration, stopped.seed)
    ]
    assert [(t.state, t.epochs) for t in same] == [
        (TrialState.STOPPED, 2),
        (TrialState.SUCCEEDED, EPOCHS),
    ]
    ends = [t.seed for t in world.trials.values() if t.state is TrialState.SUCCEEDED]
    assert ends.count(43) == 3
    assert world.search.planned == len(world.trials)


class Penalized(World):
    """Two of three configurations and seeds get the largest or the least number as a loss."""

    def metrics(self, step: Step, epoch: int) -> dict[str, float]:
        if step.purpose is Purpose.SEARCH:
            return super().metrics(step, epoch)
        penalty = sys.float_info.max if step.seed % 2 else -sys.float_info.max
        return {"train_rmse": penalty} if step.configuration % 3 else super().metrics(step, epoch)


@pytest.mark.parametrize("crash_after", [-1, 45])
def test_a_confirmation_ends_with_the_largest_numbers_as_penalties(crash_after: int) -> None:
    world = Penalized(**{**CONFIRM, "confirm": {"top": 4, "seeds": 4}})
    world.run(crash_after=crash_after)
    confirming = [t for t in world.trials.values() if t.purpose is Purpose.CONFIRM]
    kept = {t.configuration for t in confirming if t.seed == 44}
    assert kept
    assert all(configuration % 3 == 0 for configuration in kept)
    assert world.search.planned == len(world.trials)


def test_the_plan_of_a_search_that_is_extended_has_a_place_for_all_that_can_run() -> None:
    world = World(**CONFIRM)
    world.run()
    for number in range(4):  # those that were not confirmed are the best now
        known = {t.configuration for t in world.trials.values() if t.purpose is Purpose.CONFIRM}
        world.change(number, metrics={"train_rmse": 2.0 if number in known else 1.0})
    world.search = world.new_search()
    assert world.begin()
    left = world.search.planned - sum(t.state.is_finished for t in world.trials.values())
    assert left == 2 * 4
    world.run()
    assert world.search.planned == len(world.trials)


def test_a_search_that_is_taken_over_plans_what_the_job_had_planned() -> None:
    space = World(**CONFIRM).spec.space
    search = Search(
        World(**CONFIRM).spec, [], {}, planned=29, sampler=None,
        scheduler=make_scheduler(space.scheduler, epochs=EPOCHS),
        budget=BudgetTracker(space, lambda: 0.0),
    )  # fmt: skip
    assert search.planned == 29


def test_no_budget_ends_a_search_that_is_complete() -> None:
    world = World(strategy="random", trials=3, parameters=RANGE, budget={"epochs": 3 * EPOCHS + 1})
    world.run()
    budget = BudgetTracker(replace(world.spec.space, budget=Budget(epochs=1)), lambda: 0.0)
    records = list(world.trials.values())
    scheduler = make_scheduler(world.spec.space.scheduler, epochs=EPOCHS)
    search = Search(world.spec, records, {}, scheduler=scheduler, sampler=None, budget=budget)
    assert search.next(nothing_runs=True) is None
    assert search.ended_by == ""
