"""The store against a model in memory: random walks through a job's life, leases old and new.

`make test-long` takes many more steps. ``ARGBEST_HYPOTHESIS_STEPS`` is the least number of steps.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from results.errors import IdempotencyClash, IllegalMove, JobNotFound, LeaseLost
from results.records import BestTrial, EpochReport, Lease, LeaseCounts, Progress
from results.states import JobState, TrialState
from results.store import Store
from tests.conftest import LONG
from tests.results.store.samples import accept, change, expire, remove_all_jobs

LEASED = (JobState.RUNNING, JobState.PAUSING, JobState.CANCELLING)
SHARING = (JobState.RUNNING, JobState.PAUSING)
STEPS_OF_A_WALK = 40
#: By how much an extension enlarges a total; None: it does not name it.
MORE = st.sampled_from([None, 0, 1, 2])
TRIALS = st.integers(0, 1)
FINISHED_TRIALS = st.sampled_from([state for state in TrialState if state.is_finished])
ENDED = tuple(state for state in JobState if state.is_finished)
FINISHED_JOBS = st.sampled_from(ENDED)


@dataclass
class Trial:
    state: TrialState = TrialState.QUEUED
    attempt: int = 0
    reports: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)

    def epochs(self) -> dict[int, dict[str, float]]:
        """The metrics of the current attempt by epoch."""
        return {e: m for (attempt, e), m in self.reports.items() if attempt == self.attempt}

    def last(self) -> dict[str, float]:
        """The last value of each metric of the current attempt."""
        epochs = self.epochs()
        return {name: value for e in sorted(epochs) for name, value in epochs[e].items()}


@dataclass
class Job:
    id: str
    name: str
    key: str | None
    mode: Literal["min", "max"] = "max"
    state: JobState = JobState.QUEUED
    token: int = 0
    claims: int = 0
    expired: bool = False
    trials: tuple[Trial, Trial] = field(default_factory=lambda: (Trial(), Trial()))
    priority: int = 1
    planned: int = 2
    planned_epochs: int = 3
    #: The best trial when the job was extended: it stays so until the job has succeeded.
    former_best: BestTrial | None = None

    def queue_running_trials(self) -> None:
        """What becomes of running trials when their driver is gone; paused ones wait on."""
        for trial in self.trials:
            if trial.state is TrialState.RUNNING:
                trial.state = TrialState.QUEUED

    def has_failed_trial(self) -> bool:
        """Whether a trial has failed."""
        return any(trial.state is TrialState.FAILED for trial in self.trials)

    def retry(self) -> None:
        """Queue the job and every trial that has not succeeded."""
        self.state, self.claims = JobState.QUEUED, 0
        for trial in self.trials:
            if trial.state not in (TrialState.SUCCEEDED, TrialState.STOPPED):
                trial.state = TrialState.QUEUED

    def extend(self, trials: int, epochs: int) -> None:
        """Queue the job, what was cancelled or never began, and for more epochs what succeeded."""
        self.former_best = self.best()
        self.state, self.claims = JobState.QUEUED, 0
        for trial in self.trials:
            is_short = epochs > self.planned_epochs and len(trial.epochs()) < epochs
            is_through = trial.state is TrialState.SUCCEEDED and not is_short
            is_stopped = trial.state is TrialState.STOPPED and trial.attempt > 0
            if not is_through and not is_stopped and trial.state is not TrialState.FAILED:
                trial.state = TrialState.QUEUED
        self.planned, self.planned_epochs = trials, epochs

    def restarts(self) -> tuple[int, ...]:
        """The queued trials that have trained; none has a checkpoint here."""
        return tuple(
            number
            for number, trial in enumerate(self.trials)
            if trial.state is TrialState.QUEUED and trial.epochs()
        )

    def demand(self) -> int:
        """How many trials could use a slot."""
        progress = self.progress()
        if self.state is JobState.PAUSING:
            return progress.running
        left = progress.trials - progress.finished - progress.paused
        # One of the paused trials may go on.
        return left + bool(progress.paused)

    def finish(self, state: JobState) -> Counter[TrialState]:
        """End the job and what is unfinished of it; return how its trials ended by that."""
        self.state = state
        if state is JobState.SUCCEEDED:
            self.former_best = None
        ended: Counter[TrialState] = Counter()
        for trial in self.trials:
            is_stopped = state is JobState.SUCCEEDED and trial.state is TrialState.PAUSED
            if not trial.state.is_finished:
                trial.state = TrialState.STOPPED if is_stopped else TrialState.CANCELLED
                ended[trial.state] += 1
        return ended

    def progress(self) -> Progress:
        """What the store should say of the job."""
        states = [trial.state for trial in self.trials]
        done = sum(len(trial.epochs()) for trial in self.trials)
        is_cut_short = self.state.is_finished and TrialState.STOPPED in states
        return Progress(
            trials=self.planned,
            finished=sum(state.is_finished for state in states),
            failed=states.count(TrialState.FAILED),
            running=states.count(TrialState.RUNNING),
            epochs_done=done,
            epochs_total=done if is_cut_short else self.planned * self.planned_epochs,
            stopped=states.count(TrialState.STOPPED),
            paused=states.count(TrialState.PAUSED),
        )

    def best(self) -> BestTrial | None:
        """The best trial, by definition."""
        candidates = [] if self.former_best is None else [self.former_best]
        for number, trial in enumerate(self.trials):
            metrics = trial.last()
            value = metrics.get("validation_accuracy")
            if trial.state is TrialState.SUCCEEDED and value is not None:
                parameters = {"learning_rate": 0.1}
                candidates.append(
                    BestTrial(number, parameters, "validation_accuracy", value, metrics)
                )
        sign = -1 if self.mode == "max" else 1
        return min(candidates, key=lambda best: (sign * best.value, best.trial), default=None)


class StoreMachine(RuleBasedStateMachine):
    """Does the same to the store and to the model, and compares them after every step."""

    ids = Bundle("ids")
    leases = Bundle("leases")
    steps = 0

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.jobs: dict[str, Job] = {}
        remove_all_jobs(store)
        change(store, "DELETE FROM counters")
        self.take_overs = self.refused = 0
        self.ends: Counter[TrialState] = Counter()

    def held(self, lease: Lease) -> Job | None:
        """The job, if the lease is the current one."""
        job = self.jobs.get(lease.job_id)
        current = job is not None and job.token == lease.token and job.state in LEASED
        # Every caller then writes: a holder whose job was claimed by another is refused, counted.
        self.refused += job is not None and job.token > lease.token
        return job if current else None

    def raising(self, *cases: tuple[bool, type[Exception]]) -> AbstractContextManager[object]:
        """Expect the error of the first case that is true, if one is."""
        for applies, error in cases:
            if applies:
                return pytest.raises(error)
        return nullcontext()

    @rule(
        target=ids,
        key=st.sampled_from([None, "a", "b"]),
        name=st.sampled_from(["x", "y"]),
        mode=st.sampled_from(["min", "max"]),
    )
    def accept(self, key: str | None, name: str, mode: Literal["min", "max"]) -> str:
        same = [job for job in self.jobs.values() if key is not None and job.key == key]
        if same and same[0].name != name:
            with pytest.raises(IdempotencyClash):
                accept(self.store, 2, key=key, name=name)
            return same[0].id
        made = accept(self.store, 2, key=key, name=name, mode=mode).id
        if same:
            assert made == same[0].id
        else:
            assert made not in self.jobs
            self.jobs[made] = Job(made, name, key, mode)
        return made

    @rule(target=leases)
    def claim(self) -> Lease:
        free = [
            job
            for job in self.jobs.values()
            if job.state is JobState.QUEUED or (job.state in LEASED and job.expired)
        ]
        lease = self.store.claim_job("me", 60)
        if not free:
            assert lease is None
            return Lease("0" * 16, "me", 1)
        job = free[0]
        job.token += 1
        job.claims += 1
        self.take_overs += job.state is not JobState.QUEUED
        job.expired = False
        job.state = JobState.RUNNING if job.state is JobState.QUEUED else job.state
        job.queue_running_trials()
        assert lease == Lease(job.id, "me", job.token)
        return lease

    @rule(lease=leases, is_late=st.booleans())
    def renew(self, lease: Lease, is_late: bool) -> None:
        job = self.held(lease)
        with self.raising((job is None, LeaseLost)):
            assert self.store.renew_lease(lease, 60).state is job.state
            job.expired = is_late
            if is_late:
                expire(self.store, lease)

    @rule(lease=leases, lost=st.booleans())
    def release(self, lease: Lease, lost: bool) -> None:
        job = self.held(lease)
        cancelling = job is not None and job.state is JobState.CANCELLING
        with self.raising((job is None, LeaseLost), (cancelling, IllegalMove)):
            self.store.release_job(lease, lost=lost)
            self.take_overs += lost
            job.claims -= not lost
            pausing = job.state is JobState.PAUSING
            job.state = JobState.PAUSED if pausing else JobState.QUEUED
            job.queue_running_trials()

    @rule(job_id=ids)
    def cancel(self, job_id: str) -> None:
        job = self.jobs.get(job_id)
        done = job is not None and job.state in (JobState.SUCCEEDED, JobState.FAILED)
        with self.raising((job is None, JobNotFound), (done, IllegalMove)):
            self.store.request_cancel(job_id)
            if job.state in (JobState.QUEUED, JobState.PAUSED):
                self.ends += job.finish(JobState.CANCELLED)
            elif job.state in (JobState.RUNNING, JobState.PAUSING):
                job.state = JobState.CANCELLING

    @rule(job_id=ids)
    def pause(self, job_id: str) -> None:
        job = self.jobs.get(job_id)
        over = job is not None and (job.state.is_finished or job.state is JobState.CANCELLING)
        with self.raising((job is None, JobNotFound), (over, IllegalMove)):
            assert self.store.request_pause(job_id).id == job_id
            if job.state is JobState.QUEUED:
                job.state = JobState.PAUSED
            elif job.state is JobState.RUNNING:
                job.state = JobState.PAUSING

    @rule(job_id=ids)
    def resume(self, job_id: str) -> None:
        job = self.jobs.get(job_id)
        over = job is not None and (job.state.is_finished or job.state is JobState.CANCELLING)
        with self.raising((job is None, JobNotFound), (over, IllegalMove)):
            assert self.store.resume_job(job_id).id == job_id
            if job.state is JobState.PAUSED:
                job.state, job.claims = JobState.QUEUED, 0
            elif job.state is JobState.PAUSING:
                job.state = JobState.RUNNING

    @rule(job_id=ids)
    def retry_failed(self, job_id: str) -> None:
        job = self.jobs.get(job_id)
        refused = job is not None and (
            job.state is JobState.CANCELLED
            or (job.state is JobState.SUCCEEDED and not job.has_failed_trial())
            or (not job.state.is_finished and job.has_failed_trial())
        )
        with self.raising((job is None, JobNotFound), (refused, IllegalMove)):
            assert self.store.retry_failed(job_id).id == job_id
            if job.state.is_finished:
                job.retry()

    def in_states(self, *states: JobState) -> list[Job]:
        """The jobs in these states, oldest first."""
        return [job for job in self.jobs.values() if job.state in states]

    @initialize(target=ids, state=FINISHED_TRIALS, value=st.integers(-2, 2))
    def begin_with_a_job_that_has_succeeded(self, state: TrialState, value: int) -> str:
        """Run a whole job, which single steps seldom do."""
        job_id = self.accept(None, "x", "max")
        lease = self.claim()
        for number in (0, 1):
            self.start_trial(lease, number)
            self.write_report(lease, number, 1, 1, {"validation_accuracy"}, float(value * number))
        self.finish_trial(lease, 0, state)
        self.finish_trial(lease, 1, TrialState.SUCCEEDED)
        self.finish_job(lease, JobState.SUCCEEDED)
        return job_id

    @precondition(lambda self: self.in_states(*ENDED))
    @rule(trials=st.integers(0, 2), epochs=MORE)
    def extend_a_finished_job(self, trials: int, epochs: int | None) -> None:
        """Extend the oldest finished job, which the next rule seldom draws."""
        self.extend(self.in_states(*ENDED)[0].id, trials, epochs)

    @precondition(lambda self: self.in_states(*LEASED))
    @rule(state=FINISHED_JOBS)
    def finish_a_leased_job(self, state: JobState) -> None:
        """Finish the oldest job that may be, for which the other rule seldom draws the lease."""
        job = self.in_states(*LEASED)[0]
        self.finish_job(Lease(job.id, "me", job.token), state)

    @rule(job_id=ids, trials=MORE, epochs=MORE)
    def extend(self, job_id: str, trials: int | None, epochs: int | None) -> None:
        job = self.jobs.get(job_id)
        now = (job.planned, job.planned_epochs) if job else (2, 3)
        totals = [n + (more or 0) for n, more in zip(now, (trials, epochs), strict=True)]
        nothing = trials is None and epochs is None
        same = job is not None and not (job.state.is_finished or trials or epochs)
        is_cancelled = job is not None and job.state is JobState.CANCELLED
        is_more = trials != 0 and epochs != 0
        may = job is not None and job.state.is_finished and (is_more or is_cancelled)
        illegal = not same and not may
        with self.raising(
            (nothing, ValueError), (job is None, JobNotFound), (illegal, IllegalMove)
        ):
            extended = self.store.extend_job(
                job_id,
                trials=None if trials is None else totals[0],
                epochs=None if epochs is None else totals[1],
                fingerprint="fingerprint",
            )
            if not same:
                job.extend(*totals)
            assert (extended.job.id, extended.restarts) == (job_id, job.restarts())

    @rule(job_id=ids, priority=st.integers(0, 3))
    def set_priority(self, job_id: str, priority: int) -> None:
        job = self.jobs.get(job_id)
        over = job is not None and job.state.is_finished
        wrong = (priority == 0, ValueError)
        with self.raising(wrong, (job is None, JobNotFound), (over, IllegalMove)):
            assert self.store.set_priority(job_id, priority).id == job_id
            job.priority = priority

    @precondition(lambda self: self.in_states(*SHARING))
    @rule(cpu=st.integers(0, 4))
    def share_slots(self, cpu: int) -> None:
        self.store.note_capacity(cpu, 0)
        self.store.share_slots()
        sharing = [job for job in self.jobs.values() if job.state in SHARING]
        slots = {job.id: self.store.job(job.id).slots for job in sharing}
        if cpu == 0:
            assert set(slots.values()) <= {1}
            return
        needing = [job for job in sharing if job.demand()]
        wanted = sum(job.demand() for job in needing)
        # Each trial needs one CPU, and nothing lies idle while a trial waits.
        assert sum(slots[job.id] for job in needing) == min(cpu, wanted)
        assert all(slots[job.id] <= job.demand() for job in needing)
        assert len(needing) > cpu or all(slots.values())

    @rule(job_id=consumes(ids))
    def delete(self, job_id: str) -> None:
        job = self.jobs.get(job_id)
        unfinished = job is not None and not job.state.is_finished
        with self.raising((job is None, JobNotFound), (unfinished, IllegalMove)):
            self.store.delete_job(job_id)
            del self.jobs[job_id]

    @rule(lease=leases, number=TRIALS)
    def start_trial(self, lease: Lease, number: int) -> None:
        job = self.held(lease)
        done = job is not None and job.trials[number].state.is_finished
        with self.raising((job is None, LeaseLost), (done, IllegalMove)):
            attempt = self.store.start_trial(lease, number, node=None)
            trial = job.trials[number]
            trial.state, trial.attempt = TrialState.RUNNING, trial.attempt + 1
            assert attempt == trial.attempt

    @rule(
        lease=leases,
        number=TRIALS,
        attempt=st.integers(1, 3),
        epoch=st.integers(1, 3),
        names=st.sets(st.sampled_from(["validation_accuracy", "loss"])),
        value=st.floats(allow_nan=False, allow_infinity=False),
    )
    def write_report(
        self, lease: Lease, number: int, attempt: int, epoch: int, names: set[str], value: float
    ) -> None:
        job = self.held(lease)
        unknown = job is not None and attempt > job.trials[number].attempt
        with self.raising((job is None, LeaseLost), (unknown, ValueError)):
            metrics = dict.fromkeys(sorted(names), value)
            reports = [EpochReport(number, attempt, epoch, metrics, 1.0)]
            new = self.store.write_reports(lease, reports)
            trial = job.trials[number]
            known = trial.state.is_finished or (attempt, epoch) in trial.reports
            assert new == (0 if known else 1)
            if new:
                trial.reports[attempt, epoch] = metrics

    @rule(lease=leases, number=TRIALS)
    def requeue_trial(self, lease: Lease, number: int) -> None:
        job = self.held(lease)
        with self.raising((job is None, LeaseLost)):
            self.store.requeue_trial(lease, number)
            if job.trials[number].state is TrialState.RUNNING:
                job.trials[number].state = TrialState.QUEUED

    @rule(lease=leases, number=TRIALS)
    def pause_trial(self, lease: Lease, number: int) -> None:
        job = self.held(lease)
        with self.raising((job is None, LeaseLost)):
            self.store.pause_trial(lease, number)
            if job.trials[number].state is TrialState.RUNNING:
                job.trials[number].state = TrialState.PAUSED

    @rule(lease=leases, number=TRIALS, state=FINISHED_TRIALS)
    def finish_trial(self, lease: Lease, number: int, state: TrialState) -> None:
        job = self.held(lease)
        with self.raising((job is None, LeaseLost)):
            self.store.finish_trial(lease, number, state)
            if not job.trials[number].state.is_finished:
                job.trials[number].state = state
                self.ends[state] += 1

    @rule(lease=leases, state=FINISHED_JOBS)
    def finish_job(self, lease: Lease, state: JobState) -> None:
        job = self.held(lease)
        illegal = job is not None and not job.state.may_become(state)
        with self.raising((job is None, LeaseLost), (illegal, IllegalMove)):
            self.store.finish_job(lease, state)
            self.ends += job.finish(state)

    @invariant()
    def the_store_agrees_with_the_model(self) -> None:
        kept = self.store.jobs(limit=1000).items
        assert [job.id for job in kept] == list(self.jobs)[::-1]
        for record in kept:
            job = self.jobs[record.id]
            assert (record.state, record.lease_token) == (job.state, job.token)
            assert (record.claims, record.priority) == (job.claims, job.priority)
            assert record.slots is None or job.state in SHARING
            assert (record.progress, record.best) == (job.progress(), job.best())
            assert (record.finished_at is not None) == job.state.is_finished
            trials = self.store.trials(job.id)
            expected = [(trial.state, trial.attempt, trial.last()) for trial in job.trials]
            assert [(trial.state, trial.attempt, trial.metrics) for trial in trials] == expected
            assert record.progress.epochs_done == sum(trial.epochs for trial in trials)
        curves = {
            (job.id, c.trial): c for job in self.jobs.values() for c in self.store.curves(job.id)
        }
        assert {
            key: {
                epoch: {n: v[i] for n, v in c.metrics.items() if v[i] is not None}
                for i, epoch in enumerate(c.epochs)
            }
            for key, c in curves.items()
        } == {
            (job.id, number): trial.epochs()
            for job in self.jobs.values()
            for number, trial in enumerate(job.trials)
            if trial.epochs()
        }

    @invariant()
    def steps_are_counted(self) -> None:
        StoreMachine.steps += 1

    @invariant()
    def what_happened_to_leases_is_counted(self) -> None:
        assert self.store.lease_counts() == LeaseCounts(self.take_overs, self.refused)

    @invariant()
    def how_trials_ended_is_counted(self) -> None:
        found = {(end.state, end.kind): end.trials for end in self.store.trial_outcomes()}
        assert found == {(state, None): number for state, number in self.ends.items()}


def test_the_store_does_what_the_model_does(store: Store) -> None:
    machine: Callable[[], StoreMachine] = lambda: StoreMachine(store)  # noqa: E731
    wanted = int(os.environ.get("ARGBEST_HYPOTHESIS_STEPS", "0"))
    # A tenth more than it should take: some walks end early.
    # What the two databases do differently, few walks show.
    few = 15 if store.url.startswith("sqlite") else 5
    walks = max(300 if LONG else few, wanted * 11 // (10 * STEPS_OF_A_WALK) + 1)
    StoreMachine.steps = 0
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=walks,
            stateful_step_count=STEPS_OF_A_WALK,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert StoreMachine.steps >= wanted
