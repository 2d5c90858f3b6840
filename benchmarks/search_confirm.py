"""Measure how often a search's winner is its true best: by one seed, with more seeds, in rounds.

    python -m benchmarks.search_confirm --searches 1000

On the tables of HPOBench-NN (:mod:`benchmarks.searches.tables`): each search is 100 random
configurations of one data set. What decides who runs again is the service's own
:class:`service.search.confirming.Confirmation`. See docs/search-measured.md.

The tables have five seeds, too few for one search, five further seeds and the truth. Hence the
truth of a configuration is its mean over the five, and further seeds are drawn: the truth, an
effect that all configurations share with that seed (its spread is the table's), and a normal noise
with the configuration's own standard deviation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import BenchmarkError
from benchmarks.searches import tables
from service.search.confirming import Confirmation

PAGE = Path(__file__).parents[1] / "docs" / "search-measured.md"
BEGIN, END = "<!-- confirmation:begin -->", "<!-- confirmation:end -->"
#: Configurations of one search.
TRIALS = 100
#: The most further seeds that a method below uses.
MOST_SEEDS = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Noise:
    """A table as a source of seeds: the truth and the own deviation of each configuration.

    ``common`` is the standard deviation of what all configurations share with a seed.
    """

    true: Floats
    own: Floats
    common: float

    @classmethod
    def of(cls, losses: Floats) -> Noise:
        """Return the noise of a table: a row per configuration, a column per seed."""
        true = losses.mean(axis=1)
        shared = (losses - true[:, None]).mean(axis=0)
        rest = losses - true[:, None] - shared
        seeds = losses.shape[1]
        own = np.sqrt((rest**2).sum(axis=1) / (seeds - 1))
        return cls(true, own, float(np.std(shared, ddof=1)))

    def draw(self, rng: np.random.Generator, chosen: NDArray[np.int64], seeds: int) -> Floats:
        """Return losses of the chosen configurations (rows) with so many seeds (columns)."""
        shared = self.common * rng.standard_normal(seeds)
        own = self.own[chosen, None] * rng.standard_normal((len(chosen), seeds))
        return self.true[chosen, None] + shared + own


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one search ended: the winner and the candidates, by their places in the search.

    ``trainings`` are those that followed the search; ``claimed`` says that the winner was called
    better than all other candidates.
    """

    winner: int
    candidates: Sequence[int]
    trainings: int
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """One search: losses by the search's seed, and with further seeds; ``order`` is best first."""

    first: Floats
    further: Floats

    @property
    def order(self) -> list[int]:
        """The configurations, best first by the search's seed."""
        return [int(place) for place in np.argsort(self.first, kind="stable")]


Method = Callable[[Search], Outcome]


def one_seed(search: Search) -> Outcome:
    """Take the best by the search's seed."""
    return Outcome(search.order[0], search.order[:1], 0)


def all_seeds(search: Search, *, top: int, seeds: int) -> Outcome:
    """Run the top configurations with all further seeds and take the best mean."""
    best = search.order[:top]
    means = search.further[best, :seeds].mean(axis=1)
    return Outcome(best[int(np.argmin(means))], best, top * seeds)


def in_rounds(search: Search, *, top: int, seeds: int) -> Outcome:
    """Confirm the top configurations as the service does."""
    best = search.order[:top]
    confirmation = Confirmation(range(seeds), best)
    losses: dict[int, list[float]] = {}
    while (pair := confirmation.next()) is not None:
        configuration, seed = pair
        loss = float(search.further[configuration, seed])
        losses.setdefault(configuration, []).append(loss)
        confirmation.report(configuration, seed, loss)
    left = confirmation.left
    winner = min(left, key=lambda one: float(np.mean(losses[one])))
    return Outcome(winner, best, sum(map(len, losses.values())), claimed=len(left) == 1)


METHODS: dict[str, Method] = {
    "one seed": one_seed,
    "top 5, all of 5 seeds": partial(all_seeds, top=5, seeds=5),
    "top 5, 5 seeds in rounds": partial(in_rounds, top=5, seeds=5),
    "top 10, all of 10 seeds": partial(all_seeds, top=10, seeds=10),
    "top 10, 10 seeds in rounds": partial(in_rounds, top=10, seeds=10),
    "top 3, 5 seeds in rounds": partial(in_rounds, top=3, seeds=5),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A method over all searches of one data set or of all.

    ``best`` is the share of searches whose winner is truly the best of its configurations, ``loss``
    how much worse than that it truly is on average, ``trainings`` how many the confirmation took
    on average. ``claims`` is the share in which one candidate was called better than all others,
    and ``wrong`` the share in which it was called so and another candidate truly was better.
    """

    method: str
    dataset: str
    best: float
    loss: float
    trainings: float
    claims: float
    wrong: float


def measure(
    noise: Noise, *, dataset: str, searches: int, seed: int = 0, methods: Sequence[str] = ()
) -> list[Row]:
    """Return a row per method (all of them by default), each over the same searches."""
    rng = np.random.default_rng([seed, *dataset.encode()])
    names = methods or tuple(METHODS)
    found: dict[str, list[tuple[Outcome, Floats]]] = {name: [] for name in names}
    for _ in range(searches):
        chosen = rng.choice(len(noise.true), TRIALS, replace=False)
        losses = noise.draw(rng, chosen, 1 + MOST_SEEDS)
        search = Search(losses[:, 0], losses[:, 1:])
        for name in names:
            found[name].append((METHODS[name](search), noise.true[chosen]))
    return [row_of(name, dataset, each) for name, each in found.items()]


def row_of(method: str, dataset: str, found: Sequence[tuple[Outcome, Floats]]) -> Row:
    """Summarize searches: how each ended, and the true losses of its configurations."""
    extra = [float(true[outcome.winner] - true.min()) for outcome, true in found]
    claims = [(outcome, true) for outcome, true in found if outcome.claimed]
    wrong = [bool(true[[*o.candidates]].min() < true[o.winner]) for o, true in claims]
    return Row(
        method=method,
        dataset=dataset,
        best=float(np.mean([loss <= 0 for loss in extra])),
        loss=float(np.mean(extra)),
        trainings=float(np.mean([outcome.trainings for outcome, _ in found])),
        claims=len(claims) / len(found),
        wrong=sum(wrong) / len(found),
    )


def together(rows: Sequence[Row]) -> list[Row]:
    """Return the mean of each method's rows over the data sets."""
    means = []
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        means.append(
            Row(
                method=method,
                dataset="all",
                best=float(np.mean([row.best for row in own])),
                loss=float(np.mean([row.loss for row in own])),
                trainings=float(np.mean([row.trainings for row in own])),
                claims=float(np.mean([row.claims for row in own])),
                wrong=float(np.mean([row.wrong for row in own])),
            )
        )
    return means


def section(rows: Sequence[Row], searches: int) -> str:
    """Return the tables in Markdown: all data sets together, and the true best by data set."""
    lines = [
        f"Means over {len({row.dataset for row in rows})} data sets x {searches} searches of"
        f" {TRIALS} configurations, each of which is a full training.",
        "",
        "| | winner is the true best | its accuracy is below the best by | further trainings |"
        " one called better than all other candidates | and wrongly so |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in together(rows):
        claims = (f"{row.claims:.0%}", f"{row.wrong:.1%}") if row.claims else ("", "")
        cells = (row.method, f"{row.best:.0%}", f"{row.loss:.4f}", f"{row.trainings:.1f}", *claims)
        lines.append(f"| {' | '.join(cells)} |")
    datasets = list(dict.fromkeys(row.dataset for row in rows))
    lines += ["", f"| true best | {' | '.join(datasets)} |", "| --- |" + " ---: |" * len(datasets)]
    for method in dict.fromkeys(row.method for row in rows):
        shares = [f"{row.best:.0%}" for row in rows if row.method == method]
        lines.append(f"| {method} | {' | '.join(shares)} |")
    return "\n".join(lines)


def update_page(page: str, text: str) -> str:
    """Return the page with the text between its markers; raise :class:`BenchmarkError`."""
    if BEGIN not in page or END not in page:
        raise BenchmarkError(f"docs/search-measured.md has no {BEGIN} ... {END}")
    before, rest = page.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}"


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_confirm")
    parser.add_argument("--searches", type=int, default=1000, help="searches of each data set")
    parser.add_argument(
        "--update-docs", action="store_true", help="put it into docs/search-measured.md"
    )
    options = parser.parse_args(arguments)
    rows: list[Row] = []
    try:
        for dataset in tables.DATASETS["hpobench"]:
            _, losses = tables.read("hpobench", dataset)
            noise = Noise.of(losses.reshape(-1, losses.shape[-1]))
            rows += measure(noise, dataset=dataset, searches=options.searches)
            print(f"{dataset} done", file=sys.stderr, flush=True)
        text = section(rows, options.searches)
        print(text)
        if options.update_docs:
            page = update_page(PAGE.read_text(encoding="utf-8"), text)
            PAGE.write_text(page, encoding="utf-8")
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
