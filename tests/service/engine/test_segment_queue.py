"""Which segment a job runs next, which ones stop, and what becomes of trials that end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from results.records import Checkpoint, EpochReport, Failure, NewTrial, TrialRecord
from results.states import FailureKind, Purpose, TrialState
from results.store.batch import (
    AddCheckpoint,
    AddTrial,
    FinishTrial,
    Move,
    PauseTrial,
    PlanTrials,
    RequeueTrial,
    StartTrial,
)
from service.engine.allowance import Allowance
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
from service.engine.segment_queue import FINISHED, IDLE_SECONDS, LEAVE, LOST_RETRIES, SegmentQueue
from service.search.budget import BudgetTracker
from service.search.schedulers import make_scheduler
from service.search.search import Search
from tests.service.stand_ins import spec

EPOCHS = 4
DIVERGED = Failure(FailureKind.DIVERGED, "train_rmse was nan")
USER_ERROR = Failure(FailureKind.USER_ERROR, "too much", "t")


class Moves:
    """A recorder that keeps what it takes, in order."""

    def __init__(self) -> None:
        self.taken: list[Move | EpochReport] = []
        self.dropped: list[str] = []

    def add(self, move: Move) -> None:
        self.taken.append(move)

    def report(self, report: EpochReport) -> None:
        self.taken.append(report)

    def drop(self, checkpoints: Iterable[Checkpoint]) -> None:
        self.dropped += [checkpoint.name for checkpoint in checkpoints]

    def new(self) -> list[Move | EpochReport]:
        """Return what was taken since the last call."""
        new, self.taken = self.taken, []
        return new


class Draws:
    """A sampler that draws 10, 11, ... and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, float | str]] = []

    def draw(self, number: int) -> dict[str, Any]:
        return {"learning_rate": 10.0 + number}

    def begin(self, number: int) -> None:
        pass

    def observe(
        self, number: int, epoch: int, losses: tuple[float, ...], excess: tuple[float, ...]
    ) -> None:
        assert epoch == EPOCHS
        self.told.append((number, *losses))

    def end(self, number: int, *, succeeded: bool) -> None:
        self.told.append((number, "succeeded" if succeeded else "failed"))

    def leave_out(self, number: int) -> None:
        self.told.append((number, "left out"))

    def is_ready(self) -> bool:
        return True

    def close(self) -> None:
        raise NotImplementedError


class Marks:
    """Keeps the segments that were asked to stop, and to end."""

    def __init__(self) -> None:
        self.stopped: list[str] = []
        self.ended: list[str] = []

    def stop(self, segment_id: str) -> None:
        self.stopped.append(segment_id)

    def end(self, segment_id: str) -> None:
        self.ended.append(segment_id)


class Printed:
    """Keeps what trials print, and the notes before it."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.notes: list[tuple[int, str]] = []

    def write(self, number: int, text: str) -> None:
        self.lines.append((number, text))

    def note(self, number: int, text: str) -> None:
        self.notes.append((number, text))


class Job:
    """A queue over a job of some trials, and all that it uses."""

    def __init__(
        self,
        *states: TrialState,
        trials: int = 0,
        checkpoints: Iterable[Checkpoint] = (),
        slots: int = 2,
        sampler: Draws | None = None,
        failures: Mapping[int, int] = MappingProxyType({}),
        **fields: Any,
    ) -> None:
        self.elapsed = self.now = 0.0
        self.moves, self.allowance, self.marks = Moves(), Allowance(slots), Marks()
        self.output = Printed()
        self.asked, self.sampler = self.marks.stopped, sampler
        records = [
            TrialRecord(n, state, {"learning_rate": 0.1 * n}, 42, {"train_rmse": 9.0})
            for n, state in enumerate(states)
        ]
        strategy = "random" if sampler else "grid"
        space = {"learning_rate": {"low": 0.0, "high": 1.0} if sampler else {"values": [0.1, 0.2]}}
        job = spec(
            trials=trials or len(states), epochs=EPOCHS, strategy=strategy, parameters=space,
            metric="train_rmse", **fields,
        )  # fmt: skip
        search = Search(
            job, records, {}, scheduler=make_scheduler(job.space.scheduler, epochs=EPOCHS),
            sampler=sampler, budget=BudgetTracker(job.space, lambda: self.elapsed),
        )  # fmt: skip
        self.queue = SegmentQueue(
            "a" * 16,
            job,
            search,
            checkpoints,
            allowance=self.allowance,
            recorder=self.moves,  # type: ignore[arg-type]
            marks=self.marks,
            output=self.output,  # type: ignore[arg-type]
            failures=failures,
            clock=lambda: self.now,
        )
        self.segments = iter("abcdefghijklmnop")

    def next(self) -> Assignment | str | None:
        return self.queue.next(next(self.segments))

    def begin(self) -> Assignment:
        found = self.next()
        assert isinstance(found, Assignment)
        self.queue.take(found.segment, [Started("node")])
        return found

    def end(self, segment: str, *messages: Message) -> None:
        self.queue.take(segment, messages)
        self.queue.end(segment)

    def lose(self, segment: str, lost: Failure | None = None) -> None:
        """Lose the process of a segment."""
        self.queue.end(segment, is_gone=True, lost=lost)


def checkpoint(trial: int, epoch: int, name: str = "") -> Checkpoint:
    name = name or f"{trial}-{epoch}"
    return Checkpoint(trial, epoch, 1.5 * epoch, name, 100, "0" * 64)


def epoch(number: int, value: float = 0.5) -> Epoch:
    return Epoch(number, {"train_rmse": value}, 1.5 * number)


QUEUED = TrialState.QUEUED


def test_segments_begin_in_the_order_of_their_trials_as_many_as_there_are_slots() -> None:
    job = Job(QUEUED, TrialState.SUCCEEDED, QUEUED, QUEUED)
    assert [job.begin().number, job.begin().number] == [0, 2]
    assert job.next() is None
    job.end("a", Finished())
    assert job.begin().number == 3
    job.end("b", Finished())
    assert job.next() == LEAVE, "one still runs, and nothing is left for its process"
    assert job.next() is None
    job.end("d", Finished())
    assert job.next() == FINISHED
    assert not job.queue.has_paused
    assert not job.queue.has_no_slot


def test_a_trial_leaves_its_start_reports_and_end_in_order() -> None:
    job = Job(QUEUED)
    job.begin()
    job.end("a", Epoch(1, {"train_rmse": 2.0}, 0.5, "numba"), Finished())
    assert job.moves.new() == [
        StartTrial(0, "node"),
        EpochReport(0, 0, 1, {"train_rmse": 2.0}, 0.5, "numba"),
        FinishTrial(0, TrialState.SUCCEEDED),
    ]


def test_the_jobs_own_limit_holds_too() -> None:
    job = Job(QUEUED, QUEUED, QUEUED, slots=3, max_concurrent_trials=1)
    job.begin()
    assert job.next() is None


def test_a_trial_goes_on_from_its_checkpoints() -> None:
    found = [checkpoint(0, 3), checkpoint(0, 2), checkpoint(7, 1)]
    job = Job(QUEUED, checkpoints=found)
    assignment = job.next()
    assert isinstance(assignment, Assignment)
    assert assignment.checkpoints == tuple(found[:2])
    job.end(assignment.segment, Started("node", 3), Finished())
    assert job.moves.new()[0] == StartTrial(0, "node", 3)


def test_checkpoints_that_could_not_be_used_are_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = Job(QUEUED, checkpoints=[checkpoint(0, 3), checkpoint(0, 2)])
    job.next()
    job.queue.take("a", [Started("node", 2, "the checkpoint after epoch 3 is left out: damaged")])
    assert job.moves.dropped == ["0-3"]
    assert "trial 0 goes on after epoch 2: the checkpoint after epoch 3 is left out" in caplog.text
    job.queue.take("a", [Failed(Failure(FailureKind.WORKER_LOST, "gone"))])
    job.queue.end("a")
    again = job.next()
    assert isinstance(again, Assignment)
    assert again.checkpoints == (checkpoint(0, 2),)


def test_of_a_running_trial_two_checkpoints_are_kept_and_of_a_finished_one_its_model() -> None:
    job = Job(QUEUED)
    job.begin()
    for epoch in range(1, EPOCHS + 1):
        job.queue.take("a", [Checkpointed(checkpoint(0, epoch))])
    assert job.moves.dropped == ["0-1", "0-2"]
    job.end("a", Finished())
    assert job.moves.dropped == ["0-1", "0-2", "0-3"]
    assert AddCheckpoint(checkpoint(0, EPOCHS)) in job.moves.new()


def test_a_trial_that_ended_early_keeps_the_state_of_its_last_report() -> None:
    job = Job(QUEUED)
    job.begin()
    for epoch in (1, 2):
        job.queue.take("a", [Epoch(epoch, {}, 1.0), Checkpointed(checkpoint(0, epoch))])
    job.end("a", Finished())
    assert job.moves.dropped == ["0-1"]


def test_a_trial_that_failed_for_good_keeps_no_checkpoint() -> None:
    job = Job(QUEUED)
    job.begin()
    job.end("a", Checkpointed(checkpoint(0, 1)), Failed(DIVERGED))
    assert job.moves.dropped == ["0-1"]
    assert job.moves.new()[-1] == FinishTrial(0, TrialState.FAILED, DIVERGED)
    assert job.next() == FINISHED


def test_a_failure_is_tried_again_as_often_as_the_job_says_from_the_last_checkpoint() -> None:
    job = Job(QUEUED, max_failures=1)
    job.begin()
    job.end("a", Checkpointed(checkpoint(0, 2)), Failed(USER_ERROR))
    assert job.moves.new()[-1] == RequeueTrial(0, "user_error")
    again = job.next()
    assert isinstance(again, Assignment)
    assert again.checkpoints == (checkpoint(0, 2),)
    job.end("b", Started("node", 2), Failed(USER_ERROR))
    start, end = job.moves.new()
    assert start == StartTrial(0, "node", 2, is_retry=True)
    assert end == FinishTrial(0, TrialState.FAILED, USER_ERROR)


def test_failures_under_a_former_driver_and_before_a_pause_count() -> None:
    job = Job(QUEUED, QUEUED, max_failures=2, failures={0: 2, 1: 1}, scheduler=ASHA)
    job.begin()
    job.end("a", Failed(USER_ERROR))
    assert job.moves.new()[-1] == FinishTrial(0, TrialState.FAILED, USER_ERROR)
    job.begin()
    job.end("b", Failed(USER_ERROR))
    job.begin()
    pause(job, "c", 1, 0.5)
    job.begin()
    job.end("d", Failed(USER_ERROR))
    assert job.moves.new()[-1] == FinishTrial(1, TrialState.FAILED, USER_ERROR)


def test_a_lost_process_is_tried_again_a_few_times_and_more_often_if_the_trial_goes_on() -> None:
    job = Job(QUEUED)
    for _ in range(LOST_RETRIES):
        job.lose(job.begin().segment)
    last = job.begin()
    job.queue.take(last.segment, [Checkpointed(checkpoint(0, 1))])
    job.lose(last.segment)
    for _ in range(LOST_RETRIES - 1):
        job.lose(job.begin().segment)
    job.moves.new()
    job.lose(job.begin().segment)
    end = job.moves.new()[-1]
    assert isinstance(end, FinishTrial)
    assert end.error is not None
    assert end.error.kind is FailureKind.WORKER_LOST


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (FailureKind.DIVERGED, "failed"),
        (FailureKind.TIME_LIMIT, "failed"),
        (FailureKind.USER_ERROR, "failed"),
        (FailureKind.INFEASIBLE, "left out"),
        (FailureKind.WORKER_LOST, "failed"),
    ],
)
def test_a_sampler_is_told_of_failures_of_configurations_alone(
    kind: FailureKind, told: str
) -> None:
    draws = Draws()
    job = Job(sampler=draws, trials=1)
    for _ in range(1 + LOST_RETRIES):
        found = job.next()
        if not isinstance(found, Assignment):
            break
        job.queue.take(found.segment, [Started("node")])
        job.end(found.segment, Failed(Failure(kind, "why")))
    assert draws.told == [(0, told)]


def test_a_process_that_dies_before_it_says_anything_has_had_an_attempt() -> None:
    job = Job(QUEUED)
    lost = Failure(FailureKind.INFEASIBLE, "no")
    job.next()
    job.lose("a", lost)
    assert job.moves.new() == [StartTrial(0, None), FinishTrial(0, TrialState.FAILED, lost)]


def test_memory_that_a_trial_before_has_taken_costs_the_next_one_no_failure() -> None:
    job = Job(QUEUED)
    job.next()
    job.lose("a", Failure(FailureKind.OUT_OF_MEMORY, "the machine ran out of memory"))
    assert job.moves.new() == [RequeueTrial(0, FailureKind.WORKER_LOST)]


def test_segments_stop_where_more_run_than_may_and_go_on_later() -> None:
    job = Job(QUEUED, QUEUED, QUEUED)
    job.begin()
    job.begin()
    job.queue.stop_surplus()
    assert job.asked == []
    job.allowance.slots = 1
    job.queue.stop_surplus()
    job.queue.stop_surplus()
    assert job.asked == ["b"], "the last trial, once"
    hello = Output("hello\n")
    job.end("b", epoch(2), Checkpointed(checkpoint(1, 2)), hello, Stopped())
    assert job.output.lines == [(1, "hello\n")]
    assert job.output.notes == []
    assert job.moves.new()[-1] == RequeueTrial(1, "goes on after epoch 2")
    assert job.next() == LEAVE, "its process would keep the slot from another job"
    assert job.next() is None
    job.allowance.slots = 2
    again = job.begin()
    assert (again.number, again.checkpoints) == (1, (checkpoint(1, 2),))
    job.queue.take(again.segment, [Started("elsewhere", 2)])
    assert job.output.notes == [(1, "--- goes on after epoch 2 on elsewhere\n")]


def test_the_segment_whose_epoch_ends_first_gives_its_slot_back() -> None:
    job = Job(QUEUED, QUEUED, QUEUED, slots=3)
    is_full = []
    for _ in range(3):
        job.begin()
        is_full.append(job.queue.is_full)
    assert is_full == [False, False, True]
    # The next epoch of the first ends at 20 s, that of the second at 16 s; the last has told none.
    job.now = 8.0
    job.queue.take("b", [epoch(1)])
    job.now = 10.0
    job.queue.take("a", [epoch(1)])
    job.allowance.slots = 1
    job.queue.stop_surplus()
    assert job.asked == ["b", "a"]


def test_a_segment_that_has_not_begun_gives_its_slot_back_before_all_others() -> None:
    job = Job(QUEUED, QUEUED, slots=2)
    job.begin()
    job.queue.take("a", [epoch(1)])
    job.next()
    job.allowance.slots = 1
    job.queue.stop_surplus()
    assert job.asked == ["b"]


def test_a_segment_that_may_hang_is_not_the_one_to_give_its_slot_back() -> None:
    job = Job(QUEUED, QUEUED, slots=2)
    job.begin()
    job.begin()
    job.now = 1.0
    job.queue.take("a", [epoch(1)])
    job.now = 100.0
    job.queue.take("b", [epoch(1)])
    job.allowance.slots = 1
    job.queue.stop_surplus()
    assert job.asked == ["b"]


def test_no_further_segment_gives_its_slot_back_where_one_ends_anyway() -> None:
    job = Job(QUEUED, QUEUED, slots=2, scheduler={**ASHA, "stops": True})
    job.begin()
    job.begin()
    job.queue.take("a", [epoch(1), epoch(2, 0.25)])
    job.queue.take("b", [epoch(1), epoch(2, 0.75)])
    assert job.marks.ended == ["b"]
    job.allowance.slots = 1
    job.queue.stop_surplus()
    assert job.asked == []


def test_a_pausing_job_stops_all_begins_none_and_is_over() -> None:
    job = Job(QUEUED, QUEUED, QUEUED)
    job.begin()
    job.begin()
    job.allowance.pausing = True
    job.queue.stop_surplus()
    assert sorted(job.asked) == ["a", "b"]
    assert job.next() is None
    job.end("a", Finished())
    job.end("b", epoch(2), Checkpointed(checkpoint(1, 2)), Stopped())
    assert job.next() == FINISHED
    assert job.queue.has_paused


def test_a_segment_that_stops_before_it_has_begun_leaves_its_trial_as_it_was() -> None:
    """Its trial had reported its last epoch when its process was lost: it has not paused."""
    job = Job(QUEUED, slots=1)
    job.begin()
    job.queue.take("a", [Checkpointed(checkpoint(0, 1)), epoch(EPOCHS)])
    job.lose("a")
    job.next()
    job.allowance.slots = 0
    job.queue.stop_surplus()
    job.moves.new()
    job.end("b", Stopped())
    assert job.moves.new() == []
    assert job.next() == FINISHED
    job.allowance.slots = 1
    again = job.begin()
    assert (again.number, again.until, again.checkpoints) == (0, EPOCHS, (checkpoint(0, 1),))
    assert job.moves.new() == [StartTrial(0, "node", 0, is_retry=True)]


def test_the_run_of_a_job_without_a_slot_is_over_until_it_has_one() -> None:
    job = Job(QUEUED, QUEUED, slots=1)
    job.begin()
    job.allowance.slots = 0
    job.queue.stop_surplus()
    job.end("a", epoch(1), Checkpointed(checkpoint(0, 1)), Stopped())
    assert job.next() == FINISHED
    assert job.queue.has_no_slot
    assert not job.queue.has_paused
    job.allowance.slots = 1
    assert job.begin().checkpoints == (checkpoint(0, 1),)
    assert job.next() is None, "the process of the first segment has gone with its run"


def test_a_sampler_draws_one_trial_at_a_time_and_is_told_its_value() -> None:
    sampler = Draws()
    job = Job(TrialState.SUCCEEDED, QUEUED, trials=4, sampler=sampler)
    assert [job.begin().number, job.begin().number] == [1, 2]
    assert AddTrial(NewTrial(2, {"learning_rate": 12.0}, 42, configuration=2)) in job.moves.new()
    job.end("a", Epoch(4, {"train_rmse": 0.5}, 1.0), Finished())
    job.end("b", Epoch(4, {"train_rmse": 0.7}, 1.0), Failed(DIVERGED))
    assert sampler.told == [
        (0, 9.0),
        (0, "succeeded"),
        (1, 0.5),
        (1, "succeeded"),
        (2, "failed"),
    ]
    assert job.begin().parameters == {"learning_rate": 13.0}
    job.end("c", Finished())
    assert job.next() == FINISHED


def test_a_trial_that_had_trained_all_its_epochs_is_told_with_its_recorded_value() -> None:
    sampler = Draws()
    job = Job(QUEUED, trials=1, sampler=sampler, checkpoints=[checkpoint(0, EPOCHS)])
    job.begin()
    job.end("a", Finished())
    assert sampler.told == [(0, 9.0), (0, "succeeded")]


# --- a scheduler and a budget ------------------------------------------------------------------

ASHA = {"name": "asha", "reduction_factor": 2, "min_epochs": 2}


def pause(job: Job, segment: str, number: int, value: float) -> None:
    """Let a trial come to the end of its segment, at the first rung."""
    job.end(segment, epoch(1), epoch(2, value), Checkpointed(checkpoint(number, 2)), Stopped())


def test_trials_pause_at_a_rung_and_the_best_goes_on() -> None:
    job = Job(QUEUED, QUEUED, scheduler=ASHA)
    first, second = job.begin(), job.begin()
    assert (first.until, second.until) == (2, 2)
    job.queue.take("b", [Checkpointed(checkpoint(1, 1))])
    pause(job, "a", 0, 0.5)
    assert job.next() is None, "its process waits, since another takes long to start"
    job.now += IDLE_SECONDS
    assert job.next() == LEAVE
    pause(job, "b", 1, 0.25)
    assert [move for move in job.moves.new() if isinstance(move, PauseTrial)] == [
        PauseTrial(0),
        PauseTrial(1),
    ]
    assert job.moves.dropped == ["1-1"], "the newest is enough for one that waits"
    best = job.begin()
    assert (best.number, best.until, best.checkpoints) == (1, EPOCHS, (checkpoint(1, 2),))
    job.now += IDLE_SECONDS
    assert job.next() is None, "no process waits that could leave"
    job.end(best.segment, epoch(3), epoch(4, 0.125), Checkpointed(checkpoint(1, 4)), Finished())
    assert job.next() == FINISHED
    assert FinishTrial(0, TrialState.STOPPED) in job.moves.new()
    assert job.moves.dropped == ["1-1", "1-2", "0-2"]


@pytest.mark.parametrize("end", [Stopped(), Finished(), Failed(USER_ERROR), None])
def test_a_trial_that_is_stopped_ends_with_the_report_that_decided_it(end: End | None) -> None:
    job = Job(QUEUED, QUEUED, QUEUED, slots=3, scheduler={**ASHA, "stops": True})
    for _ in range(3):
        assert job.begin().until == EPOCHS
    job.queue.take("a", [epoch(2, 0.25)])
    job.moves.new()
    job.queue.take("b", [epoch(2, 0.75)])
    assert job.marks.ended == ["b"]
    assert job.moves.new() == [
        EpochReport(1, 0, 2, {"train_rmse": 0.75}, 3.0), FinishTrial(1, TrialState.STOPPED),
    ]  # fmt: skip
    # It ends after its next epoch, of which nothing is kept.
    job.queue.take("b", [epoch(3, 0.01), Checkpointed(checkpoint(1, 3))])
    assert job.next() is None, "its slot is not free yet"
    if end is None:
        job.lose("b")
    else:
        job.end("b", end)
    assert job.moves.new() == []
    assert job.moves.dropped == ["1-3"]


def test_nothing_is_started_again_when_the_budget_is_spent() -> None:
    job = Job(QUEUED, QUEUED, max_failures=3, budget={"seconds": 60})
    for segment in (job.begin().segment, job.begin().segment):
        job.elapsed += 31.0
        job.end(segment, epoch(1), Failed(USER_ERROR))  # nobody has asked it to end yet
    assert job.next() == FINISHED
    ends = [move for move in job.moves.new() if isinstance(move, FinishTrial)]
    assert ends == [FinishTrial(n, TrialState.STOPPED) for n in range(2)]


def test_why_the_search_ended_is_written_when_what_ran_has_ended() -> None:
    job = Job(QUEUED, QUEUED, QUEUED, budget={"seconds": 60})
    for segment in (job.begin().segment, job.begin().segment):
        job.elapsed = 61.0
        job.queue.stop_surplus()
        assert not any(isinstance(move, PlanTrials) for move in job.moves.new())
        job.end(segment, epoch(1), Stopped())
        found = job.next()
    assert found == FINISHED
    assert job.moves.new()[-1] == PlanTrials(3, "the budget of 60 seconds is spent")


def test_where_the_budget_is_spent_all_trials_are_stopped() -> None:
    job = Job(QUEUED, QUEUED, QUEUED, QUEUED, budget={"seconds": 60})
    job.begin()
    job.begin()
    job.queue.stop_surplus()
    assert job.marks.ended == []
    job.elapsed = 61.0
    job.queue.stop_surplus()
    job.queue.stop_surplus()
    assert job.marks.ended == ["a", "b"]
    job.end("a", epoch(1), Stopped())
    job.queue.take("b", [epoch(1)])
    job.lose("b")
    assert job.next() == FINISHED
    moves = job.moves.new()
    finished = [move.number for move in moves if move == stopped(move)]
    assert finished == [0, 1, 2, 3], "one that was lost meanwhile, and those never begun, too"
    assert moves[-1] == PlanTrials(4, "the budget of 60 seconds is spent")


def stopped(move: object) -> FinishTrial:
    return FinishTrial(getattr(move, "number", -1), TrialState.STOPPED)


def test_a_winner_is_confirmed_by_trials_of_their_own() -> None:
    job = Job(QUEUED, QUEUED, slots=3, confirm={"top": 1, "seeds": 2})
    for value in (0.25, 0.5):
        job.end(job.begin().segment, epoch(4, value), Finished())
    job.moves.new()
    best, default = job.next(), job.next()
    assert isinstance(best, Assignment)
    assert isinstance(default, Assignment)
    assert (best.number, best.seed, best.parameters) == (2, 43, {"learning_rate": 0.0})
    assert (default.number, default.seed, default.until) == (3, 43, EPOCHS)
    moves = job.moves.new()
    assert [move.at_once for move in moves if isinstance(move, PlanTrials)] == [2]
    added = [move.trial for move in moves if isinstance(move, AddTrial)]
    assert [(new.purpose, new.configuration) for new in added] == [
        (Purpose.CONFIRM, 0),
        (Purpose.CONFIRM, 1),
    ]
    assert job.next() is None, "the next round begins when this one has ended"
    job.end(default.segment, Started("node"), epoch(4, 0.5), Finished())
    assert job.next() is None
    assert job.moves.new()[-1] == PlanTrials(6, at_once=1), "and needs no slot until then"
