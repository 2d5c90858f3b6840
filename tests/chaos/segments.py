"""kill -9 of trial processes, drivers and controllers of long jobs, and pauses: what is lost.

A job of long numpy trials runs once undisturbed. Then the same job runs again and again while its
processes are killed, and it is paused and resumed. Every curve must equal the undisturbed one bit
for bit. Epochs that a trial had reported and reports again are counted; the part of an epoch that
was under way is lost too, and not counted. Moments are those of the store's events.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from copy import copy
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import psutil

from benchmarks.service_process import RunningService, running_service
from results.records import TrialRecord
from results.states import FailureKind, JobState, TrialState
from results.store import Store, open_store
from service.engine import processes
from service.settings import Settings
from tests.chaos.outcome import Outcome, nothing_done, slow, spread
from tests.chaos.searches import controller_of, until

SEED = 40
SLOTS = 2
#: A kill comes this long after a trial's first report of its segment, drawn uniformly.
KILL_SECONDS = (0.0, 4.0)
#: A whole long job, beside other programs.
JOB_SECONDS = 900.0
Seconds = float


@dataclass(frozen=True, slots=True)
class Size:
    """The extent of a long job; an epoch of a network of ``hidden`` 200 takes about a second."""

    trials: int = 3
    epochs: int = 12
    hidden: int = 200

    @property
    def body(self) -> dict[str, Any]:
        """The job to submit."""
        rates = [0.001 / (1 + number) for number in range(self.trials)]
        return {
            "search_space": "q3_mlp", "strategy": "grid", "epochs": self.epochs,
            "parameters": {"learning_rate": {"values": rates}, "hidden_size": self.hidden},
            "max_failures": 10,
        }  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What the disturbances of one kind cost: epochs per disturbed trial, seconds per kind."""

    done: int = 0
    again: list[int] = field(default_factory=list)
    took: list[Seconds] = field(default_factory=list)


class LongJobs:
    """The same long job, again and again."""

    def __init__(self, service: RunningService, store: Store, body: Mapping[str, Any]) -> None:
        """Run the job once undisturbed, then submit it again."""
        self.service, self.store, self._body = service, store, body
        first = service.client.submit(body).id
        self._wait(first)
        self._results = self._results_of(first)
        self.violations = [] if self._is_whole(first) else [f"the undisturbed job {first} failed"]
        self.jobs: list[str] = []
        self.trivial: list[str] = []
        self._submit()

    def _submit(self) -> None:
        self.jobs.append(self.service.client.submit(self._body).id)

    def submit_trivial(self) -> str:
        """Submit a job of one trial of a millisecond; return its id."""
        body = {"search_space": "q2_linear_regression", "epochs": 1}
        self.trivial.append(self.service.client.submit(body).id)
        return self.trivial[-1]

    def settle(self) -> str:
        """Wait until a segment of the current job has reported; return the job's id."""
        return until(self._working, "a segment that reports")

    def _working(self) -> str | None:
        job_id = self.jobs[-1]
        if self._is_finished(job_id):
            self._submit()
            return None
        leased = self.store.leased_jobs().get(job_id)
        if leased is None or leased.driver is None or not psutil.pid_exists(leased.driver.pid):
            return None
        new = (trial.epochs > trial.resumed_from for trial in self.running(job_id).values())
        return job_id if any(new) else None

    def running(self, job_id: str) -> dict[int, TrialRecord]:
        """Return the job's running trials by number."""
        trials = self.store.trials(job_id)
        return {trial.number: trial for trial in trials if trial.state is TrialState.RUNNING}

    def driver(self, job_id: str) -> psutil.Process | None:
        """Return the process that drives the job; None if there is none now."""
        leased = self.store.leased_jobs().get(job_id)
        return processes.find(leased.driver) if leased and leased.driver else None

    def trial_processes(self, job_id: str) -> list[psutil.Process]:
        """Return the processes that run the job's trials."""
        leased = self.store.leased_jobs().get(job_id)
        found = processes.trial_processes(leased.driver) if leased and leased.driver else []
        return [process for process in found if not processes.is_idle(process)]

    def _wait(self, job_id: str) -> None:
        what = f"job {job_id} finished"
        until(lambda: self._is_finished(job_id) or None, what, within_s=JOB_SECONDS)

    def _is_finished(self, job_id: str) -> bool:
        return self.store.job(job_id).state.is_finished

    def _is_whole(self, job_id: str) -> bool:
        """Whether the job has succeeded, and its results are those of the undisturbed one."""
        job = self.store.job(job_id)
        return job.state is JobState.SUCCEEDED and self._results_of(job_id) == self._results

    def _other(self, job_id: str) -> str:
        """Return each result that is not as in the undisturbed job, and how it was there."""
        pairs = zip(self._results_of(job_id), self._results, strict=True)
        return "; ".join(f"{found}, was {before}" for found, before in pairs if found != before)

    def _results_of(self, job_id: str) -> tuple[object, ...]:
        """Return each trial's state and the epochs that it came to, and every curve."""
        trials = self.store.trials(job_id)
        return *((t.number, t.state.value, t.epochs) for t in trials), *self.store.curves(job_id)

    @property
    def epochs(self) -> list[int]:
        """The epochs to which each trial of the job comes."""
        return [trial.epochs for trial in self.store.trials(self.jobs[-1])]

    def check_all(self) -> int:
        """Wait for all jobs and check them; return the number of attempts of the long ones."""
        for job_id in [*self.jobs, *self.trivial]:
            self._wait(job_id)
        self.violations += [
            f"job {job_id} is {self.store.job(job_id).state}; other results: {self._other(job_id)}"
            for job_id in self.jobs
            if not self._is_whole(job_id)
        ]
        self.violations += [
            f"job {job_id} is {self.store.job(job_id).state}"
            for job_id in self.trivial
            if self.store.job(job_id).state is not JobState.SUCCEEDED
        ]
        return sum(trial.attempt for job_id in self.jobs for trial in self.store.trials(job_id))


class Watch:
    """Follows the trials of a job over a disturbance."""

    def __init__(self, store: Store, job_id: str, trials: Mapping[int, TrialRecord]) -> None:
        self._store, self._job_id, self._before = store, job_id, trials
        self._reached = {number: trial.epochs for number, trial in trials.items()}
        self._mark = store.last_event()

    def look(self) -> dict[int, TrialRecord]:
        """Note how far the trials have come; return their records by number."""
        found = {trial.number: trial for trial in self._store.trials(self._job_id)}
        for number, before in self._before.items():
            if found[number].attempt == before.attempt:
                self._reached[number] = max(self._reached[number], found[number].epochs)
        return found

    def lost(self) -> list[int] | None:
        """Return the trials whose process was seen lost, once there are; none if all ended."""
        found = self.look()
        events = self._store.events(after=self._mark, job_id=self._job_id)
        lost = {e.trial for e in events if e.detail == FailureKind.WORKER_LOST}
        numbers = [number for number in self._before if number in lost]
        is_over = all(found[number].state.is_finished for number in self._before)
        return numbers if numbers or is_over else None

    def of(self, numbers: Collection[int]) -> Watch:
        """Return the watch of only these trials."""
        only = copy(self)
        only._before = {number: self._before[number] for number in numbers}
        return only

    def all_again(self) -> dict[int, Seconds] | None:
        """Return when each trial has started again (UNIX time), once all have or have finished."""
        found = self.look()
        events = self._store.events(after=self._mark, job_id=self._job_id)
        starts: dict[int, Seconds] = {}
        for event in events:
            trial = event.trial
            if trial is not None and trial in self._before and event.state == TrialState.RUNNING:
                starts.setdefault(trial, event.at.timestamp())
        left = [n for n in self._before if n not in starts and not found[n].state.is_finished]
        return None if left else starts

    def trained_again(self) -> list[int]:
        """Return for each trial how many epochs that it had reported it reports again."""
        found = self.look()
        return [
            0 if found[number].attempt == before.attempt
            else max(0, self._reached[number] - found[number].resumed_from)
            for number, before in self._before.items()
        ]  # fmt: skip


def _kill_trial_process(jobs: LongJobs, job_id: str, tally: Tally) -> bool:
    found, running = jobs.trial_processes(job_id), jobs.running(job_id)
    if not found or not running:
        return False
    watch = Watch(jobs.store, job_id, running)
    killed = _kill(found[0])
    lost = until(watch.lost, "the trial of a killed process is queued again")
    return bool(lost) and _count(watch.of(lost), killed, tally)


def kill_driver(jobs: LongJobs, job_id: str, tally: Tally) -> bool:
    """Kill the job's driver; return whether its trials were started again by another."""
    driver, running = jobs.driver(job_id), jobs.running(job_id)
    if driver is None or not running:
        return False
    watch = Watch(jobs.store, job_id, running)
    return _count(watch, _kill(driver), tally)


def _kill(process: psutil.Process) -> Seconds:
    """Kill the process; return the moment (UNIX time)."""
    killed = time.time()
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    return killed


def _count(watch: Watch, killed: Seconds, tally: Tally) -> bool:
    """Wait until the watched trials have started again; return whether any has."""
    starts = until(watch.all_again, "the trials of a killed process start again")
    if not starts:
        return False  # they had ended just before
    tally.took.append(min(starts.values()) - killed)
    tally.again += watch.trained_again()
    return True


def _kill_controller(jobs: LongJobs, job_id: str, tally: Tally) -> bool:
    watch = Watch(jobs.store, job_id, jobs.running(job_id))
    controller = controller_of(jobs.service)
    killed = _kill(controller)
    trivial = jobs.submit_trivial()

    def done() -> bool | None:
        watch.look()
        return jobs.store.job(trivial).state.is_finished or None

    until(done, "a job submitted after the controller was killed")
    claimed = jobs.store.job(trivial).started_at
    if claimed is not None:
        tally.took.append(claimed.timestamp() - killed)
    tally.again += watch.trained_again()
    return True


def _pause(jobs: LongJobs, job_id: str, tally: Tally) -> bool:
    """Pause the job and resume it; the seconds are those until it has paused."""
    watch = Watch(jobs.store, job_id, jobs.running(job_id))
    began = time.monotonic()
    jobs.service.client.pause(job_id)

    def paused() -> JobState | None:
        watch.look()
        state = jobs.store.job(job_id).state
        return state if state is JobState.PAUSED or state.is_finished else None

    if until(paused, "the job paused").is_finished:
        return False
    tally.took.append(time.monotonic() - began)
    jobs.service.client.resume(job_id)
    until(watch.all_again, "the trials of a resumed job")
    tally.again += watch.trained_again()
    return True


KINDS: dict[str, Callable[[LongJobs, str, Tally], bool]] = {
    "trial process": _kill_trial_process,
    "driver": kill_driver,
    "controller": _kill_controller,
    "pause": _pause,
}


def disturb_segments(
    settings: Settings, kills: int, *, limit_s: float, size: Size | None = None
) -> Outcome:
    """Kill ``kills`` processes, of each kind in turn, with a pause after each turn; then check.

    ``settings`` say where Fashion-MNIST lies prepared, and how often a checkpoint is made.
    """
    drawn, tallies = random.Random(SEED), {kind: Tally() for kind in KINDS}
    own = settings.model_copy(update={"max_claims": 1000})
    with (
        running_service(own, workers=SLOTS, database_url=settings.database_url) as service,
        closing(open_store(service.settings.store_url)) as store,
    ):
        jobs = LongJobs(service, store, (size or Size()).body)
        give_up = time.monotonic() + limit_s
        kinds = cycle(KINDS.items())
        while _killed(tallies) < kills and time.monotonic() < give_up:
            kind, act = next(kinds)
            while not _try(act, jobs, tallies[kind], drawn):
                continue
            tallies[kind].done += 1
        attempts = jobs.check_all()
    return _outcome(settings, kills, tallies, jobs, attempts)


def _try(
    act: Callable[[LongJobs, str, Tally], bool], jobs: LongJobs, tally: Tally, drawn: random.Random
) -> bool:
    job_id = jobs.settle()
    time.sleep(drawn.uniform(*KILL_SECONDS))
    return act(jobs, job_id, tally)


def _killed(tallies: Mapping[str, Tally]) -> int:
    return sum(tally.done for kind, tally in tallies.items() if kind != "pause")


def _outcome(
    settings: Settings, kills: int, tallies: Mapping[str, Tally], jobs: LongJobs, attempts: int
) -> Outcome:
    figures: dict[str, str | int | float] = {
        "kill -9": f"{_killed(tallies)} of {kills}",
        "a checkpoint every (s)": settings.checkpoint_seconds,
    }
    for kind, tally in tallies.items():
        figures[f"{kind}: times"] = tally.done
        again = spread(f"{kind}: epochs again", tally.again)
        figures |= {name.replace(" (s)", ""): value for name, value in again.items()}
        figures |= spread(f"{kind}: took", tally.took)
    took = [seconds for tally in tallies.values() for seconds in tally.took]
    figures |= {"jobs": len(jobs.jobs), "attempts": attempts}
    figures |= {"results lost or changed": len(jobs.violations)}
    violations = [
        *jobs.violations, *slow(took), *nothing_done("kill -9", _killed(tallies), kills),
    ]  # fmt: skip
    place = "PostgreSQL" if settings.database_url else "SQLite"
    return Outcome(f"Segments of long trials, {place}", figures, violations)
