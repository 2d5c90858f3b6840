"""How soon a short job gets a slot of a long one, and how jobs of other weights share the slots.

All moments are those at which a client of the API sees them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.service_figures import WARM_SECONDS
from benchmarks.service_process import running_service
from service.client.client import Client
from service.settings import Settings
from tests.chaos.outcome import Outcome
from tests.chaos.searches import plugged_in, until, waiting_space

LONG_JOB = {"search_space": "q4_grid"}
SHORT_JOB = {"search_space": "q2_linear_regression"}
POLL_SECONDS = 0.05
#: Compiling the code of a long trial takes minutes beside other programs.
FIRST_REPORT_SECONDS = 600.0
#: The jobs that share: the weight of each, and how many seconds after the first it comes.
PRIORITIES = (1, 1, 2)
ARRIVALS = (0.0, 8.0, 16.0)
SAMPLE_SECONDS = 0.25
#: How many short jobs come while a grid runs, and the pause before each.
SHORT_JOBS = 5
BETWEEN_SECONDS = 30.0
#: Seconds of a short job, by what they last until; those of the grid begin with the job's end.
ShortTry = dict[str, float]


# --- a short job beside a long one ---------------------------------------------------------------


def submit_beside_a_grid(
    settings: Settings, *, code: Path | None = None, times: int = SHORT_JOBS
) -> Outcome:
    """Submit short jobs, one after the other, while a grid has both slots, and wait for its own.

    The next one is submitted when the grid has had both slots again for a while. The folder
    ``code`` has compiled code, and gets more; without it, the grid's trials compile their own
    meanwhile, which takes both processors for minutes.
    """
    tries: list[ShortTry] = []
    with running_service(settings, workers=2, cache_dir=code) as service:
        client = service.client
        client.wait(client.submit(SHORT_JOB).id)  # its data and code are there
        grid = client.submit(LONG_JOB).id
        until(lambda: _both_train(client, grid), "both slots train", within_s=FIRST_REPORT_SECONDS)
        for _ in range(times):
            time.sleep(BETWEEN_SECONDS)
            tries.append(_try_short(client, grid))
        grid_state = client.cancel(grid).state
    figures: dict[str, str | int | float] = {"short jobs": times}
    for name in ("first report", "end", "both slots again"):
        seconds = [one[name] for one in tries]
        figures[f"{name} (s), median"] = median(seconds)
        figures[f"{name} (s), maximum"] = max(seconds)
    violations = [] if grid_state in {"running", "cancelling"} else [f"the grid was {grid_state}"]
    return Outcome("q2_linear_regression beside q4_grid, two slots", figures, violations)


def _try_short(client: Client, grid: str) -> ShortTry:
    began = time.monotonic()
    short = client.submit(SHORT_JOB).id
    first_report = _seconds_until_report(client, short, began)
    job = client.wait(short)
    if not job.has_succeeded:
        raise RuntimeError(f"the short job {short} is {job.state}")
    end = time.monotonic()
    until(lambda: _both_train(client, grid), "the grid has both slots again")
    back = time.monotonic() - end
    return {"first report": first_report, "end": end - began, "both slots again": back}


def _seconds_until_report(client: Client, job_id: str, began: float) -> float:
    def reported() -> float | None:
        return time.monotonic() - began if client.job(job_id).progress.epochs_done else None

    return until(reported, "the short job reports")


def _both_train(client: Client, job_id: str) -> bool | None:
    """Whether the job has two slots, and its trials in both have reported; None if not."""
    trials = [trial for trial in client.trials(job_id) if trial.state == "running"]
    reported = sum(trial.epochs > 0 for trial in trials)
    return True if client.job(job_id).slots == reported == 2 else None


# --- jobs with weights ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """The slots and the running trials of each job (0 before it came), at some second."""

    seconds: float
    slots: tuple[int, ...]
    running: tuple[int, ...]


def follow_weights(settings: Settings, slots: int, *, seconds: float) -> list[Sample]:
    """Run jobs with :data:`PRIORITIES` on so many slots; return their shares over the time."""
    samples: list[Sample] = []
    body = {"search_space": waiting_space(200)}
    with plugged_in(), running_service(settings, workers=slots) as service:
        ids: list[str] = []
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            if len(ids) < len(ARRIVALS) and now >= ARRIVALS[len(ids)]:
                job = {**body, "priority": PRIORITIES[len(ids)], "name": f"job {len(ids)}"}
                ids.append(service.client.submit(job).id)
            samples.append(_sample(service.client, ids, now))
            time.sleep(SAMPLE_SECONDS)
        for job_id in ids:
            service.client.cancel(job_id)
    return samples


def _sample(client: Client, ids: Sequence[str], now: float) -> Sample:
    jobs = [client.job(job_id) for job_id in ids]
    none = (0,) * (len(PRIORITIES) - len(ids))
    held = tuple(job.slots or 0 for job in jobs)
    return Sample(now, held + none, tuple(job.progress.running for job in jobs) + none)


def share_by_weight(
    settings: Settings, *, slots: int, seconds: float, plot: Path | None = None
) -> Outcome:
    """Let jobs share ``slots`` slots for ``seconds``; draw their shares into the file ``plot``."""
    samples = follow_weights(settings, slots, seconds=seconds)
    if plot is not None:
        from tests.chaos.shares_plot import draw

        draw(samples, plot, slots=slots, priorities=PRIORITIES)
    together = [sample for sample in samples if sample.seconds > ARRIVALS[-1] + 2]
    figures: dict[str, str | int | float] = {"seconds": samples[-1].seconds}
    for number, priority in enumerate(PRIORITIES):
        held = [sample.slots[number] for sample in together]
        trained = [sample.running[number] for sample in together]
        figures[f"job {number}, priority {priority}: slots, mean"] = sum(held) / len(held)
        figures[f"job {number}, priority {priority}: running, mean"] = sum(trained) / len(trained)
    most = max(sum(sample.slots) for sample in together)
    violations = [] if most <= slots else [f"{most} slots were given of {slots}"]
    violations += [
        f"no trial of job {number} ran beside the others"
        for number in range(len(PRIORITIES))
        if not any(sample.running[number] for sample in together)
    ]
    if slots >= sum(PRIORITIES):
        expected = tuple(slots * priority // sum(PRIORITIES) for priority in PRIORITIES)
        if together[-1].slots != expected:
            violations.append(f"the shares are {together[-1].slots}, not {expected}")
    name = ", ".join(map(str, PRIORITIES))
    return Outcome(f"Three jobs with priorities {name} on {slots} slots", figures, violations)


# --- sampled trials ------------------------------------------------------------------------------


def run_sampled(settings: Settings) -> Outcome:
    """Run a random search of 8 trials of 3 s on two slots, whose driver waits for it."""
    space = waiting_space(1) | {"strategy": "random", "trials": 8}
    space["parameters"] = {"x": {"low": 0.0, "high": 1.0}, "pause_s": 0.6}
    with plugged_in(), running_service(settings, workers=2) as service:
        service.time_job({"search_space": waiting_space(1)})  # its data is there
        time.sleep(WARM_SECONDS)
        timed = service.time_job({"search_space": space})
    figures: dict[str, str | int | float] = {
        "submit to first report (s)": timed.first_report_s,
        "submit to end (s)": timed.done_s,
    }
    whole = sum(trial.state == "succeeded" for trial in timed.trials)
    violations = [] if whole == 8 else [f"{whole} of 8 trials succeeded"]
    return Outcome("random, 8 trials of 3 s on two slots", figures, violations)
