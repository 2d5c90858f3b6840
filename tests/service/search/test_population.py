"""A population on simulated slots: its copies, failures, budgets, and what a take-over changes."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest

from results.records import TrialRecord
from results.states import TrialState
from service.search.samplers import Sampler
from tests.service.search.test_search import EPOCHS, RANGE, World

PBT = {"name": "pbt", "population": 8, "interval": 2, "perturb": ["learning_rate"]}
#: Above this learning rate a trial diverges, unless a test says otherwise.
DIVERGES = math.inf


class Draws:
    """A sampler whose draws depend on the trial's number alone."""

    def draw(self, number: int) -> dict[str, Any]:
        return {"learning_rate": math.exp(Random(number).uniform(math.log(0.001), 0.0))}

    def begin(self, number: int) -> None:
        pass

    def observe(self, *_: Any) -> None:
        pass

    def end(self, number: int, *, succeeded: bool) -> None:
        pass

    def leave_out(self, number: int) -> None:
        pass

    def is_ready(self) -> bool:
        return True

    def close(self) -> None:
        pass


class Training(World):
    """Trains a number that grows by what the learning rate allows; a state is that number.

    The best rate falls from 0.5 to 0.05 during the training. A trial whose learning rate is above
    ``diverges`` fails after its third epoch.
    """

    def __init__(self, *, diverges: float = math.inf, **fields: Any) -> None:
        self.diverges = diverges
        self.progress: dict[int, float] = {}
        self.states_kept: dict[tuple[int, int], float] = {}
        self.trained = 0
        self.last_paused = -1
        super().__init__(
            **{"strategy": "random", "trials": 8, "parameters": RANGE, "scheduler": PBT} | fields
        )

    def new_sampler(self, records: list[TrialRecord]) -> Sampler:
        return Draws()

    def begin(self) -> bool:
        if not super().begin():
            return False
        number = self.steps[-1][0]
        record = self.trials[number]
        start = record.checkpoint or record.start_epoch
        self.change(number, epochs=start, resumed_from=start)
        self.values[number] = {e: v for e, v in self.values.get(number, {}).items() if e <= start}
        origin = number if record.checkpoint or record.parent is None else record.parent
        self.progress[number] = self.states_kept[origin, start] if start else 0.0
        return True

    def train(self, number: int) -> None:
        step, epoch = self.running[number], self.trials[number].epochs + 1
        rate = step.parameters["learning_rate"]
        if epoch == 3 and rate > self.diverges:
            self.end(number, TrialState.FAILED)
            return
        wanted = 0.5 * 0.1 ** (epoch / EPOCHS)
        self.progress[number] += math.exp(-(math.log(rate / wanted) ** 2))
        self.trained += 1
        metrics = {"train_rmse": 1 / (1 + self.progress[number])}
        self.search.report(number, epoch, metrics, seconds=float(epoch))
        self.values.setdefault(number, {})[epoch] = {**metrics, "seconds": float(epoch)}
        self.change(number, epochs=epoch, metrics=metrics)
        if epoch == EPOCHS:
            self.end(number, TrialState.SUCCEEDED)
        elif epoch == step.until:
            self.states_kept[number, epoch] = self.progress[number]
            self.last_paused = number
            self.change(number, checkpoint=epoch)
            self.end(number, TrialState.PAUSED)

    def lose_last_state(self) -> None:
        """Undo that the trial that paused last has stored its state and paused, if it waits."""
        number = self.last_paused
        if number >= 0 and self.trials[number].state is TrialState.PAUSED:
            before = max(self.trials[number].epochs - 2, 0)
            kept = before if (number, before) in self.states_kept else 0
            self.change(number, state=TrialState.QUEUED, checkpoint=kept)

    def outcome(self) -> dict[int, Any]:
        return {
            t.number: (t.parameters, t.parent, t.start_epoch, t.state, t.epochs, t.metrics)
            for t in self.trials.values()
        }


def copies(world: Training) -> list[TrialRecord]:
    return [trial for trial in world.trials.values() if trial.parent is not None]


def test_the_worst_quarter_goes_on_from_the_states_of_the_best() -> None:
    world = Training()
    assert world.search.planned == 8 + 2 * 4
    world.run()
    assert [copy.start_epoch for copy in copies(world)] == [2, 2, 4, 4, 6, 6, 8, 8]
    assert world.states().count(TrialState.SUCCEEDED) == 8
    assert world.states().count(TrialState.STOPPED) == 8
    assert world.search.planned == len(world.trials) == 16
    for copy in copies(world):
        epoch = copy.start_epoch
        at = {n: v[epoch]["train_rmse"] for n, v in world.values.items() if epoch in v}
        in_order = sorted(at, key=lambda n: at[n])
        assert copy.parent in in_order[:2]
        gone = [
            n for n in in_order
            if world.trials[n].state is TrialState.STOPPED and world.trials[n].epochs == epoch
        ]  # fmt: skip
        assert gone == in_order[-2:]
        assert min(world.values[copy.number], default=epoch + 1) == epoch + 1
        assert copy.parameters != world.trials[copy.parent].parameters
    assert world.trained == 8 * EPOCHS == sum(trial.trained for trial in world.trials.values())


def test_a_schedule_beats_the_best_fixed_value_of_the_population() -> None:
    with_copies, without = Training(), Training(scheduler="none")
    with_copies.run()
    without.run()
    found = [
        min(t.metrics["train_rmse"] for t in world.trials.values() if t.epochs == EPOCHS)
        for world in (with_copies, without)
    ]
    assert found[0] < found[1]


@pytest.mark.parametrize("slots", [1, 3, 20])
def test_what_is_decided_does_not_depend_on_how_many_train_at_a_time(slots: int) -> None:
    first, other = Training(diverges=0.4), Training(diverges=0.4)
    first.run()
    other.run(slots=slots)
    assert other.outcome() == first.outcome()


def test_copies_take_the_places_of_trials_that_failed_first() -> None:
    world = Training(diverges=0.05)
    world.run()
    failed = [t for t in world.trials.values() if t.state is TrialState.FAILED]
    assert len(failed) > 2
    # After epoch 4 two of the places are taken and nobody is stopped; the others wait for theirs.
    assert [copy.start_epoch for copy in copies(world)].count(4) == 2
    stopped = [t.epochs for t in world.trials.values() if t.state is TrialState.STOPPED]
    assert stopped.count(2) == 2
    assert stopped.count(4) == 0
    assert len(copies(world)) == len(failed) + len(stopped)
    assert world.states().count(TrialState.SUCCEEDED) == 8


def test_a_population_of_which_all_have_failed_ends() -> None:
    world = Training(diverges=0.0)
    world.run()
    assert set(world.states()) <= {TrialState.FAILED, TrialState.STOPPED}
    assert world.search.planned == len(world.trials)


def test_a_budget_counts_only_epochs_that_were_trained() -> None:
    world = Training(budget={"epochs": 30})
    world.run()
    assert world.search.ended_by == "the budget of 30 epochs is spent"
    assert 30 <= world.trained <= 33  # what runs trains on to its next pause here
    assert all(trial.state.is_finished for trial in world.trials.values())
    assert len(copies(world)) == 2


def crashed(crash_after: int, *, lose_state: bool) -> Training:
    """Return what comes of a job whose driver is lost once, at its k-th event."""
    world = Training(diverges=0.4)

    def take_over() -> None:
        if lose_state:
            world.lose_last_state()
        World.take_over(world)

    world.take_over = take_over  # type: ignore[method-assign]
    world.run(crash_after=crash_after)
    return world


@pytest.mark.parametrize("lose_state", [False, True])
def test_a_take_over_after_any_event_changes_no_decision(lose_state: bool) -> None:
    plain = Training(diverges=0.4)
    plain.run()
    for crash_after in range(75):
        world = crashed(crash_after, lose_state=lose_state)
        assert world.outcome() == plain.outcome(), crash_after
