"""Measure how quickly searches find good configurations, on tables that need no training.

    python -m benchmarks.search --lcbench FOLDER --problems lcbench hpolib --seeds 20

Runs are simulated and appended to a file of results. Those that it has already are not measured
again, so that seeds, data sets and methods can be added later. See docs/search-measured.md.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.engines import ONE_THREAD, ROOT
from benchmarks.records import BenchmarkError
from benchmarks.searches import decisions, drawing, figures, page
from benchmarks.searches.figures import Row
from benchmarks.searches.methods import chosen
from benchmarks.searches.page import Published
from benchmarks.searches.plan import ENTRIES, Plan, available, problem_names, run_one
from benchmarks.searches.runs import Result, ResultFile, in_processes

PAGE = ROOT / "docs" / "search-measured.md"
#: The figures that the page shows.
PUBLISHED = ROOT / "docs" / "search.json"
_RESULTS = Path("search-results.jsonl")
#: So many configurations has the search of which the cost of deciding is measured.
_CONFIGURATIONS = 10_000
_LIBRARIES = ("argbest", "optuna", "ray")
_TITLES = {entry.name: entry.title for entry in ENTRIES}


def summarize(results: Iterable[Result], plan: Plan, command: str) -> Published:
    """Return the rows of a plan's collections, from those of its runs that are in ``results``."""
    by_run = {result.run: result for result in results}
    rows: list[Row] = []
    for family in plan.families():
        found = [by_run[run] for run in plan.runs(family) if run in by_run]
        rows += figures.rows(found, plan.entries, plan.budgets_of(family))
    stamp = _stamp(command)
    return Published(tuple(rows), _TITLES, provenance={row.family: stamp for row in rows})


def measure_decisions(command: str) -> Published:
    """Return what deciding costs, measured in a process of its own."""
    (cost,) = in_processes(decisions.measure, [_CONFIGURATIONS], processes=1)
    return Published(decisions=cost, provenance={"decisions": _stamp(command)})


def _stamp(command: str) -> dict[str, Any]:
    return {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def publish(published: Published, *, into: Path, file: Path) -> None:
    """Write the rows into ``file``, a table of all into the page ``into``, and the pictures."""
    together = page.write(file, published)
    images = into.parent / "img"
    images.mkdir(exist_ok=True)
    for family, rows in together.families():
        drawing.draw(rows, together.titles, images / f"search-{family}.svg")
    text = page.update(into.read_text(encoding="utf-8"), together, "img/search-")
    into.write_text(text, encoding="utf-8")


def measure_plan(
    plan: Plan,
    file: ResultFile,
    *,
    folder: Path | None,
    processes: int,
    note: Callable[[str], None],
) -> None:
    """Measure the runs of a plan that the file lacks, and append their results to it."""
    runs = sorted(
        (run for family in plan.families() for run in file.missing(plan.runs(family))),
        key=lambda run: run.seed,
    )
    one = partial(run_one, folder=folder)
    for number, result in enumerate(in_processes(one, runs, processes=processes), start=1):
        file.add(result)
        run = result.run
        note(f"{number}/{len(runs)} {run.problem} {run.method} seed {run.seed}: "
             f"{result.regret(run.trainings):.3f} in {result.seconds:.1f} s")  # fmt: skip


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    add = parser.add_argument
    add(
        "--problems",
        nargs="+",
        metavar="NAME",
        help="collections (hpolib, hpobench, lcbench, grid) or "
        "data sets as hpolib/protein_structure; default: all whose data is here",
    )
    add("--datasets", type=int, metavar="N", help="of each collection only the first N data sets")
    add("--methods", nargs="+", metavar="NAME", help=f"of {', '.join(_TITLES)}")
    add("--seeds", type=int, default=20, help="seeds 0 to N - 1 (default 20)")
    add("--budgets", nargs="+", type=float, metavar="N", help="in full trainings")
    add("--workers", type=int, help="workers that train in simulated time")
    add("--lcbench", type=Path, metavar="FOLDER", help="where LCBench's surrogate is")
    add(
        "--results",
        type=Path,
        default=_RESULTS,
        metavar="FILE",
        help=f"results are read from it and appended (default {_RESULTS})",
    )
    add("--processes", type=int, default=os.cpu_count() or 1, help="processes that simulate")
    add("--decisions", action="store_true", help="also measure what deciding costs")
    add("--no-measuring", action="store_true", help="only show what the file of results has")
    add(
        "--quick",
        action="store_true",
        help="2 seeds of one data set of each collection",
    )
    add("--update-docs", action="store_true", help="put the figures into docs/search-measured.md")
    return parser.parse_args(arguments)  # fmt: skip


def _plan(options: argparse.Namespace) -> Plan:
    most = 1 if options.quick else options.datasets
    return Plan(
        problem_names(options.problems or available(options.lcbench), options.lcbench, most),
        tuple(chosen(ENTRIES, options.methods or _TITLES)),
        2 if options.quick else options.seeds,
        tuple(options.budgets) if options.budgets else None,
        options.workers,
    )


def _measured(options: argparse.Namespace, command: str) -> Published:
    plan = _plan(options)
    file = ResultFile(options.results)
    if options.no_measuring:
        return summarize(file.results, plan, command)
    measure_plan(plan, file, folder=options.lcbench, processes=options.processes, note=_note)
    published = summarize(file.results, plan, command)
    return published.over(measure_decisions(command)) if options.decisions else published


def _command(arguments: list[str], options: argparse.Namespace) -> str:
    """Return the command line without the paths of this machine."""
    paths = {str(options.lcbench): "FOLDER", str(options.results): "FILE"}
    shown = (paths.get(argument, argument) for argument in arguments)
    return shlex.join(["python", "-m", "benchmarks.search", *shown])


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status: 1 where something could not be measured."""
    options = _options(arguments)
    # The processes that simulate read these when they import their libraries.
    os.environ.update(ONE_THREAD)
    try:
        published = _measured(options, _command(arguments, options))
        print(page.markdown(published))
        if options.update_docs:
            publish(published, into=PAGE, file=PUBLISHED)
    except BenchmarkError as error:
        _note(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
