"""The measured searches as Markdown: tables for docs/search-measured.md, from docs/search.json."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.records import BenchmarkError
from benchmarks.searches.decisions import EPOCHS, Decisions
from benchmarks.searches.figures import RESAMPLES, Row
from benchmarks.tables import markdown_table

BEGIN = "<!-- measured: begin; written by python -m benchmarks.search --update-docs -->"
END = "<!-- measured: end -->"


@dataclass(frozen=True, slots=True)
class Family:
    """A collection of data sets as the page shows it; ``unit`` is what a budget counts."""

    title: str
    unit: str
    explanation: str


FAMILIES = {
    "lcbench": Family(
        "LCBench",
        "full trainings",
        "A surrogate of networks that train 52 epochs, 7 parameters; an epoch takes one unit of "
        "time. Regret 0 is the best of 2,000 random configurations at the last epoch, so that it "
        "can be negative, and 1 their median.",
    ),
    "grid": Family(
        "Our own grid",
        "full trainings",
        "The 144 configurations of `q4_grid`, a network that was really trained on Fashion-MNIST "
        "for 20 epochs; an epoch takes one unit of time. Regret compares the validation accuracy "
        "at the last epoch, its mean where there are several seeds: 0 is the best of the grid, 1 "
        "its median. A trial that is better before its last epoch can have a negative one.",
    ),
    "hpolib": Family(
        "HPOLib",
        "trials",
        "62,208 configurations of a network, 9 parameters; each trial reports the loss of one of 4 "
        "seeds. Regret compares logarithms of the mean loss over the seeds: 0 is the best of the "
        "table, 1 its median.",
    ),
    "hpobench": Family(
        "HPOBench-NN",
        "trials",
        "30,000 configurations of a network, 5 parameters; each trial reports the accuracy of one "
        "of 5 seeds. Regret compares the mean accuracy over the seeds: 0 is the best of the table, "
        "1 its median.",
    ),
}


@dataclass(frozen=True, slots=True)
class Published:
    """The rows of all collections, and the titles of their methods.

    ``decisions`` says what deciding costs, None where that was not measured. ``provenance`` maps
    each collection, and the decisions, to what was run, when and with which versions, and
    ``before`` that, for lines that were not measured anew.
    """

    rows: tuple[Row, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    decisions: Decisions | None = None
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def families(self) -> Iterable[tuple[str, list[Row]]]:
        """Yield each collection with its rows, the best at the largest budget first."""
        for family in FAMILIES:
            rows = [row for row in self.rows if row.family == family]
            if rows:
                yield family, sorted(rows, key=lambda row: row.at.mean[-1])

    def over(self, former: Published) -> Published:
        """Return this over what was published before.

        Its methods replace those of the same name, and all of a collection that was measured with
        other data sets, seeds, budgets or workers: such rows cannot be compared.
        """
        kept = [old for old in former.rows if not any(_replaces(new, old) for new in self.rows)]
        provenance = dict(former.provenance)
        for part, stamp in self.provenance.items():
            methods = {row.method for row in self.rows if row.family == part}
            others = {row.method for row in kept if row.family == part}
            before = _without(provenance.get(part), methods) if others else None
            provenance[part] = {**stamp, "methods": sorted(methods), "before": before}
        return Published(
            (*kept, *self.rows),
            {**former.titles, **self.titles},
            self.decisions or former.decisions,
            provenance,
        )

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "provenance": dict(self.provenance),
            "titles": dict(self.titles),
            "decisions": self.decisions and self.decisions.to_json(),
            "rows": [row.to_json() for row in self.rows],
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read the JSON of :meth:`to_json`."""
        return cls(
            tuple(map(Row.from_json, raw["rows"])),
            raw["titles"],
            Decisions(**raw["decisions"]) if raw["decisions"] else None,
            raw["provenance"],
        )


def _without(stamp: Mapping[str, Any] | None, methods: Collection[str]) -> Mapping[str, Any] | None:
    """Return a stamp and those before it, where they stand for other methods than these."""
    if stamp is None:
        return None
    before = _without(stamp.get("before"), methods)
    # The first one of all does not say its methods.
    left = sorted(set(stamp.get("methods", ("",))).difference(methods))
    if not left:
        return before
    return {**stamp, "before": before} | ({"methods": left} if "methods" in stamp else {})


def _replaces(new: Row, old: Row) -> bool:
    is_like = (new.workers, new.seeds, new.at.budgets, new.by_problem.keys()) == (
        old.workers, old.seeds, old.at.budgets, old.by_problem.keys(),
    )  # fmt: skip
    return new.family == old.family and (new.method == old.method or not is_like)


def read(file: Path) -> Published:
    """Return what was published in a file; nothing if there is none."""
    if not file.exists():
        return Published()
    return Published.from_json(json.loads(file.read_text(encoding="utf-8")))


def write(file: Path, published: Published) -> Published:
    """Write what was measured over what a file has; return all that it has then."""
    together = published.over(read(file))
    text = json.dumps(together.to_json(), ensure_ascii=False, separators=(",", ":"))
    file.write_text(text.replace('{"family"', '\n{"family"') + "\n", encoding="utf-8")
    return together


def update(page: str, published: Published, images: str) -> str:
    """Return ``page`` with the text between its two markers replaced.

    ``images`` is what precedes the name of a collection's picture in its link. Raises
    :class:`BenchmarkError` unless the page has both markers.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchmarkError(f"the page lacks the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{markdown(published, images)}\n\n{END}{after}"


def markdown(published: Published, images: str = "") -> str:
    """Return a section for each collection; with ``images``, its picture too."""
    sections = []
    for family, rows in published.families():
        blocks = [f"### {FAMILIES[family].title}", _explanation(family, rows)]
        if images:
            title = FAMILIES[family].title
            blocks.append(f"![Mean regret over the budget, {title}]({images}{family}.svg)")
        blocks += [_table(rows, published.titles), _by_problem(rows, published.titles)]
        sections.append([*blocks, _provenance(published, family)])
    if published.decisions:
        blocks = ["### What deciding costs", _of_decisions(published.decisions)]
        sections.append([*blocks, _provenance(published, "decisions")])
    return "\n\n".join(block for blocks in sections for block in blocks if block)


def _explanation(family: str, rows: Sequence[Row]) -> str:
    workers = rows[0].workers
    return (
        f"{FAMILIES[family].explanation} {len(rows[0].by_problem)} data sets, "
        f"{workers} worker{'s' if workers > 1 else ''}. Mean regret of the best trial so far, "
        f"lower is better; in parentheses the 95 % interval over seeds (percentile bootstrap, "
        f"{RESAMPLES:,} resamples, data sets fixed)."
    )


def _table(rows: Sequence[Row], titles: Mapping[str, str]) -> str:
    unit = FAMILIES[rows[0].family].unit
    budgets = [f"{budget:g}" for budget in rows[0].at.budgets]
    budgets[0] = f"after {budgets[0]}"
    budgets[-1] += f" {unit}"
    return markdown_table(
        ("method", *budgets, "configurations", "seeds"),
        (
            (
                titles.get(row.method, row.method),
                *_cells(row),
                f"{row.configurations:.0f}",
                f"{row.seeds}",
            )
            for row in rows
        ),
    )


def _by_problem(rows: Sequence[Row], titles: Mapping[str, str]) -> str:
    """Return a folded table: each data set's mean regret after the largest budget."""
    names = list(rows[0].by_problem)
    table = markdown_table(
        ("method", *(name.partition("/")[2] for name in names)),
        (
            (titles.get(row.method, row.method), *(f"{row.by_problem[n][-1]:.3f}" for n in names))
            for row in rows
        ),
    )
    budget = f"{rows[0].at.budgets[-1]:g} {FAMILIES[rows[0].family].unit}"
    summary = f"<summary>Each data set after {budget}</summary>"
    return f"<details>{summary}\n\n{table}\n\n</details>"


def _cells(row: Row) -> list[str]:
    """Return mean and interval after each budget; one seed has no interval."""
    at = row.at
    if row.seeds == 1:
        return [f"{mean:.3f}" for mean in at.mean]
    return [
        f"{mean:.3f} ({low:.3f} to {high:.3f})"
        for mean, low, high in zip(at.mean, at.low, at.high, strict=True)
    ]


def _of_decisions(found: Decisions) -> str:
    return (
        f"A search of {found.configurations:,} random configurations with ASHA, {EPOCHS} epochs, "
        f"without training: {found.decisions:,} steps and reports took {found.mean_us:.0f} µs "
        f"each, the slowest {found.slowest_ms:.0f} ms; the process grew by "
        f"{found.memory_bytes / 1e6:.0f} MB."
    )


def _provenance(published: Published, part: str) -> str:
    """Return what was run, when and with which versions; "" if that is not known."""
    stamp, said = published.provenance.get(part), []
    while stamp is not None:
        versions = ", ".join(f"{name} {version}" for name, version in stamp["versions"].items())
        said.append(f"`{stamp['command']}`, {stamp['date']}; {versions}.")
        stamp = stamp.get("before")
    return " Other lines: ".join(said)
