"""``python -m tests.chaos``: all experiments in their long or short form; exit 1 if one fails."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.settings import Settings
from tests.chaos.api_kills import kill_api
from tests.chaos.driver_kills import kill_drivers_and_controllers
from tests.chaos.fleet import run_each_once
from tests.chaos.nodes import kill_nodes
from tests.chaos.outcome import Outcome
from tests.chaos.rungs import kill_amid_rungs
from tests.chaos.segments import disturb_segments
from tests.chaos.shares import run_sampled, share_by_weight, submit_beside_a_grid
from tests.chaos.stops import stop_drivers
from tests.real_data import DATASETS
from tools import postgres
from trainables import datasets

PARTS = ("api", "drivers", "segments", "rungs", "shares", "stopped", "nodes", "fleet")
DATABASES = ("sqlite", "postgresql")
#: Seconds between two checkpoints of a long trial, whose epochs take about one.
CHECKPOINT_SECONDS = 2.0
SHARE_SECONDS = 60.0


@contextmanager
def sqlite() -> Iterator[Settings]:
    """Yield the settings of a service with an empty folder and the tests' data sets."""
    with tempfile.TemporaryDirectory(prefix="argbest-chaos-") as name:
        DATASETS.mkdir(parents=True, exist_ok=True)
        (Path(name) / "datasets").symlink_to(DATASETS)
        yield Settings(data_dir=Path(name), database_url="", ray_address="")


@contextmanager
def postgresql() -> Iterator[Settings]:
    """Yield the settings of a service with an empty folder and database."""
    with sqlite() as settings, postgres.server() as server:
        yield settings.model_copy(update={"database_url": server.create_database()})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)}; all if none")
    parser.add_argument("--database", choices=DATABASES, help="only on this one")
    parser.add_argument("--api-kills", type=int, default=200, help="kills of the API, per database")
    parser.add_argument("--driver-kills", type=int, default=15)
    parser.add_argument("--controller-kills", type=int, default=15)
    parser.add_argument("--kills", type=int, default=30, help="of long trials, per database")
    parser.add_argument("--rung-kills", type=int, default=10, help="of the driver of a search")
    parser.add_argument("--stops", type=int, default=5, help="of a driver with its controller")
    parser.add_argument("--node-kills", type=int, default=3, help="of a worker and of the head")
    parser.add_argument("--plot", type=Path, help="draw the shares of 8 slots into this file")
    parser.add_argument("--code", type=Path, help="compiled code for the shares, kept there")
    parser.add_argument("--jobs", type=int, default=500, help="small jobs of the fleet")
    parser.add_argument(
        "--limit", type=float, default=math.inf,
        help="seconds after which an experiment is cut off; without it, each does all of its work",
    )  # fmt: skip
    arguments = parser.parse_args()
    if not set(arguments.parts) <= set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}")
    return arguments


def experiments(arguments: argparse.Namespace) -> Iterator[Outcome]:
    """Run what was asked for, one after the other."""
    parts = set(arguments.parts or PARTS)
    limit_s = arguments.limit
    missing = postgres.why_not()
    if missing and parts & {"api", "drivers", "segments", "fleet"}:
        yield Outcome("PostgreSQL", {}, [f"nothing was tried on it: {missing}"])
    both = [sqlite] if missing else [sqlite, postgresql]
    both = [place for place in both if arguments.database in {None, place.__name__}]
    if "api" in parts:
        for place in both:
            with place() as settings:
                yield kill_api(settings, arguments.api_kills, limit_s=limit_s)
    if "drivers" in parts:
        for place in both:
            with place() as settings:
                kills = arguments.driver_kills, arguments.controller_kills
                yield kill_drivers_and_controllers(settings, *kills, limit_s=limit_s)
    if "segments" in parts:
        datasets.ensure("fashion_mnist", DATASETS)
        for place in both:
            with place() as settings:
                own = settings.model_copy(update={"checkpoint_seconds": CHECKPOINT_SECONDS})
                yield disturb_segments(own, arguments.kills, limit_s=limit_s)
    if "rungs" in parts:
        datasets.ensure("fashion_mnist", DATASETS)
        with sqlite() as settings:
            yield kill_amid_rungs(settings, arguments.rung_kills, limit_s=limit_s)
    if "shares" in parts:
        yield from _shares(arguments.plot, arguments.code)
    if "stopped" in parts:
        with sqlite() as settings:
            yield stop_drivers(settings, arguments.stops, limit_s=limit_s)
    if "nodes" in parts:
        with sqlite() as settings:
            yield kill_nodes(settings, arguments.node_kills, limit_s=limit_s)
    if "fleet" in parts and not missing:
        with postgresql() as settings:
            yield run_each_once(settings, arguments.jobs, limit_s=limit_s)


def _shares(plot: Path | None, code: Path | None) -> Iterator[Outcome]:
    datasets.ensure("fashion_mnist", DATASETS)
    with sqlite() as settings:
        yield run_sampled(settings)
        yield share_by_weight(settings, slots=8, seconds=SHARE_SECONDS, plot=plot)
        yield share_by_weight(settings, slots=2, seconds=2 * SHARE_SECONDS)
        yield submit_beside_a_grid(settings, code=code)


def main() -> int:
    """Print each outcome; return the exit status."""
    for name in [name for name in os.environ if name.startswith(("ARGBEST_", "RAY_"))]:
        del os.environ[name]  # the experiments have folders, databases and a Ray of their own
    broken = 0
    for outcome in experiments(_arguments()):
        print(outcome, flush=True)
        broken += bool(outcome.violations)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
