"""Measure argbest on this machine: ``python -m benchmarks`` from the repository's root.

Seven parts: the engines of the numpy trainables and of the torch trainables against the plain loops
that specify them, the trainables' states, what running users' code costs, the decisions of a large
search, the service around them, and the page on very many trials. Each part is shown and written
as soon as it is measured. See docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks import engines, page, programs, schedulers, service_figures, states
from benchmarks.machine import stamp
from benchmarks.records import BenchmarkError, Part
from benchmarks.tables import TITLES, markdown, section, targets_sections, update_page
from service.client.errors import ClientError
from service.settings import Settings
from trainables import datasets
from trainables.contract import DatasetUnavailable

PAGE = engines.ROOT / "docs" / "performance.md"
#: The measurements that the page shows.
PUBLISHED = engines.ROOT / "docs" / "performance.json"


def measure(name: str, settings: Settings, *, quick: bool, command: str) -> Part:
    """Measure one part; raise :class:`BenchmarkError` where that fails."""
    provenance = stamp(command)
    if name == "service":
        figures = service_figures.run(settings, quick=quick)
        return Part(name, provenance, (), tuple(figures))
    if name == "states":
        return Part(name, provenance, (), tuple(states.measure(settings, quick=quick)))
    if name == "programs":
        return Part(name, provenance, (), tuple(programs.measure(quick=quick)))
    if name == "page":
        return Part(name, provenance, (), tuple(page.measure(quick=quick)))
    if name == "schedulers":
        return Part(name, provenance, (), tuple(schedulers.measure(quick=quick)))
    rows, memory = engines.measure(f"benchmarks.{name}_engines", settings, quick=quick)
    return Part(name, provenance, tuple(rows), (memory,))


def read(file: Path) -> dict[str, Part]:
    """Return the parts in a file by name; none if there is no such file."""
    if not file.exists():
        return {}
    content = json.loads(file.read_text(encoding="utf-8"))
    return {part["name"]: Part.from_json(part) for part in content["parts"]}


def write(file: Path, parts: dict[str, Part]) -> list[Part]:
    """Write the parts into ``file``, over those of the same names; return all its parts."""
    together = read(file) | parts
    ordered = [together[name] for name in TITLES if name in together]
    content = {"parts": [part.to_json() for part in ordered]}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    return ordered


def keep(parts: dict[str, Part], *, output: Path | None, publish: bool) -> None:
    """Write the parts into the folder ``output`` and, to ``publish`` them, into docs/."""
    if output:
        output.mkdir(parents=True, exist_ok=True)
        together = write(output / "benchmarks.json", parts)
        (output / "benchmarks.md").write_text(markdown(together) + "\n", encoding="utf-8")
    if publish:
        together = write(PUBLISHED, parts)
        page = update_page(PAGE.read_text(encoding="utf-8"), together)
        PAGE.write_text(page, encoding="utf-8")


def measure_each(
    names: Iterable[str], measure_one: Callable[[str], Part], done: Callable[[Part], None]
) -> int:
    """Measure one part after another; return the exit status: 1 if one of them failed.

    ``done`` gets each measured part at once; the reason for a failure goes to stderr.
    """
    status = 0
    for name in names:
        try:
            done(measure_one(name))
        except (BenchmarkError, ClientError) as error:
            _note(f"{name}: {error}")
            status = 1
    return status


def _prepare(settings: Settings, note: Callable[[str], None]) -> None:
    datasets.ensure("ames", settings.datasets_dir, log=note)
    source = settings.fashion_mnist_dir
    datasets.ensure("fashion_mnist", settings.datasets_dir, source=source, log=note)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure argbest.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter repeats")
    parser.add_argument("--only", choices=TITLES, help="measure this part alone")
    parser.add_argument("--data-dir", type=Path, help="data folder (ARGBEST_DATA_DIR)")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="write benchmarks.json and benchmarks.md there",
    )
    parser.add_argument(
        "--update-docs", action="store_true", help="put the figures into docs/performance.md"
    )
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="take FILE's figures, measure none"
    )
    return parser.parse_args(arguments)


def _show(options: argparse.Namespace) -> int:
    parts = read(options.source)
    print(markdown(parts.values()))
    keep(parts, output=options.output, publish=options.update_docs)
    return 0


def _measure(options: argparse.Namespace, command: str) -> int:
    chosen = {"data_dir": options.data_dir} if options.data_dir else {}
    settings = Settings(**chosen)
    _prepare(settings, _note)
    parts: list[Part] = []

    def done(part: Part) -> None:
        print(section(part), flush=True, end="\n\n")
        parts.append(part)
        keep({part.name: part}, output=options.output, publish=options.update_docs)

    status = measure_each(
        [options.only] if options.only else TITLES,
        lambda name: measure(name, settings, quick=options.quick, command=command),
        done,
    )
    print(*targets_sections(parts), sep="\n")
    return status


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status: 1 where something could not be measured."""
    options = _options(arguments)
    try:
        if options.source:
            return _show(options)
        if sys.platform != "linux":
            raise BenchmarkError("the benchmarks read /proc, which only Linux has")
        return _measure(options, shlex.join(["python", "-m", "benchmarks", *arguments]))
    except (BenchmarkError, DatasetUnavailable) as error:
        _note(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
