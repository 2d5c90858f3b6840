"""Measure how soon a search through the service finds what the full grid found.

    python -m benchmarks.search_service --seeds 5

Each search is ``q4_grid``'s space with ``strategy: auto``, real training on Fashion-MNIST with Ray:
it ends as soon as a trial's last epoch is within :data:`MARGIN` of the best validation accuracy of
the full grid, which is another one on another machine: by default that of our own table. A single
training has luck, good or bad, so the time is noted too from when on the best trial so far has one
of the configurations whose mean over seeds, in our table, is within the margin of the best. With
``--code FOLDER`` the searches use the compiled code there and leave theirs; without it, each begins
without any. See docs/search-measured.md.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.records import BenchmarkError
from benchmarks.searches import grid
from benchmarks.service_process import RunningService, running_service
from results.states import TrialState
from service.client.errors import ClientError
from service.schemas import JobView, TrialView
from service.settings import Settings

#: What counts as found: a difference that seeds alone make.
MARGIN = 0.002
#: Trials after which a search gives up: as many as the grid has.
TRIALS = 144
#: Slots of the service: trials that train at the same time.
WORKERS = 2
_POLL_SECONDS = 1.0
_MOST_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Search:
    """One search: its seed, whether compiled code was at hand, and what it took to find.

    ``seconds`` are those from the POST to the end as the service recorded it; ``training_s`` those
    that its trials spent in training, all slots together; ``best`` is the validation accuracy
    found, ``target`` the one that was looked for, ``ended_by`` why the search ended, "" if all
    trials were used up. ``good_seconds`` are those until the best trial so far had one of the
    :func:`good` configurations, None if it had none.
    """

    seed: int
    has_code: bool
    seconds: float
    training_s: float
    trials: int
    epochs: int
    best: float
    target: float
    ended_by: str
    good_seconds: float | None

    @property
    def has_found(self) -> bool:
        """Whether it came within the margin of the grid's best."""
        return self.best >= self.target

    @property
    def training_share(self) -> float:
        """The part of the slots' time that was spent in training."""
        return self.training_s / (self.seconds * WORKERS)


def search(service: RunningService, seed: int, target: float, *, has_code: bool) -> Search:
    """Run one search to its end; raise :class:`BenchmarkError` if it fails."""
    body = {
        "search_space": "q4_grid",
        "strategy": "auto",
        "trials": TRIALS,
        "seed": seed,
        "confirm": False,
        "budget": {"target": target},
    }
    timed = service.time_job(
        body, poll_seconds=_POLL_SECONDS, most_seconds=_MOST_SECONDS, may_diverge=True
    )
    best = service.client.best(timed.job.id)
    return Search(
        seed=seed,
        has_code=has_code,
        seconds=timed.recorded_s,
        training_s=timed.training_s,
        trials=len(timed.trials),
        epochs=timed.job.progress.epochs_done,
        best=float(best.value),
        target=target,
        ended_by=timed.job.ended_by,
        good_seconds=_good_seconds(timed.job, timed.trials),
    )


def good() -> frozenset[str]:
    """Return the configurations whose mean over seeds is within the margin of the best one's."""
    means = grid.means()
    least = max(means.values()) - MARGIN
    return frozenset(key for key, mean in means.items() if mean >= least)


def _good_seconds(job: JobView, trials: Sequence[TrialView]) -> float | None:
    """Return the seconds until the best trial that had succeeded was a good one, and stayed so."""
    ends = [(t.finished_at, t.metrics[grid.METRIC], t.parameters)
            for t in trials if t.state == TrialState.SUCCEEDED and t.finished_at]  # fmt: skip
    since, best, wanted = None, -math.inf, good()
    for at, value, parameters in sorted(ends, key=lambda end: end[0]):
        if value > best:
            best, is_good = value, grid.key_of(parameters) in wanted
            since = (since or at) if is_good else None
    return None if since is None else (since - job.created_at).total_seconds()


def summary(searches: Sequence[Search]) -> str:
    """Return the searches as a Markdown table, and their median and longest time."""
    rows = [
        "| seed | compiled code | minutes | to a good one | in training | trials | epochs | best |",
        "|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in searches:
        code = "at hand" if one.has_code else "none"
        best = f"{one.best:.4f}" + ("" if one.has_found else " (not found)")
        minutes, share = f"{one.seconds / 60:.1f}", f"{one.training_share:.0%}"
        until = "-" if one.good_seconds is None else f"{one.good_seconds / 60:.1f}"
        row = (one.seed, code, minutes, until, share, one.trials, one.epochs, best)
        rows.append("| " + " | ".join(map(str, row)) + " |")
    taken = [one.seconds / 60 for one in searches]
    rows += ["", f"Median {median(taken):.1f} min, longest {max(taken):.1f} min."]
    return "\n".join(rows)


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit status: 1 if a search could not be measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search_service", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=5, help="searches, of seeds 1 to so many (5)")
    parser.add_argument(
        "--grid-best", type=float, default=grid.best(), metavar="ACCURACY",
        help="best validation accuracy of the grid on this machine (%(default)s, our own table's)",
    )  # fmt: skip
    parser.add_argument("--code", type=Path, metavar="FOLDER", help="compiled code, kept there")
    parser.add_argument("--results", type=Path, help="write one JSON line a search there")
    options = parser.parse_args(arguments)
    done: list[Search] = []
    target = round(options.grid_best - MARGIN, 6)
    settings = Settings()
    try:
        for seed in range(1, options.seeds + 1):
            with running_service(settings, workers=WORKERS, cache_dir=options.code) as service:
                done.append(search(service, seed, target, has_code=options.code is not None))
            line = json.dumps(asdict(done[-1]))
            print(line, file=sys.stderr, flush=True)
            if options.results:
                with options.results.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
    except (BenchmarkError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    print(summary(done))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
