"""A sampled search's history, and the importance of a search's parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from itertools import accumulate
from typing import NamedTuple

from matplotlib.figure import Figure

from results.analysis import JobResults
from results.plots import style
from results.plots.early import Early, ended_early, said
from results.plots.plot import Plot, PlotInfo
from results.plots.scales import Scale
from results.study import make_study, numbers_of
from results.wording import axis_label, in_sentence, prettify
from search_spaces import Choice, Range

#: Fewer scored trials than this say nothing of what mattered.
FEWEST_TRIALS = 10


def search_plots(results: JobResults) -> Iterator[Plot]:
    """Yield the history of several sampled trials, and the importances of enough of them."""
    scored, early = len(results.ranked), ended_early(results)
    shown = 0 if results.breaks_all else scored + len(early.trials)
    if results.space.is_sampled and shown > 1:
        whole = " that trained to the end" if early.trials else ""
        caption = f"Last {in_sentence(results.metric)} of each trial{whole} in the order sampled"
        these = " of these" if whole else ""
        caption += f", and the best{these} so far." if _staircase(results, early) else "."
        caption += said(early)
        info = PlotInfo("history", "History of the search", caption)
        yield Plot(info, partial(draw_history, results=results))
    if has_importances(results):
        caption = (
            "How much each parameter decided whether a trial was among the best ones"
            f" (PED-ANOVA over {scored} trials)."
        )
        info = PlotInfo("importance", "Importance of the parameters", caption)
        yield Plot(info, partial(draw_importance, results=results))


class HistoryPoint(NamedTuple):
    """A trial's score and the best score up to it."""

    trial: int
    score: float
    best: float


def history(results: JobResults) -> list[HistoryPoint]:
    """Return the ranked configurations by their first trials, with the best score so far."""
    scores = dict(sorted((trial.number, score) for trial, score in results.ranked))
    best = accumulate(scores.values(), max if results.metric.mode == "max" else min)
    return [HistoryPoint(*pair, so_far) for pair, so_far in zip(scores.items(), best, strict=True)]


def _staircase(results: JobResults, early: Early) -> list[tuple[int, float]]:
    """Return the best so far by trial, up to the last one drawn; empty where that is one place."""
    steps = [(point.trial, point.best) for point in history(results)]
    last = max((trial.number for trial, _ in early.trials), default=-1)
    if steps and last > steps[-1][0]:
        steps.append((last, steps[-1][1]))
    return steps if len(steps) > 1 else []


def draw_history(figure: Figure, results: JobResults) -> None:
    """Draw each trial's score by its number, and the best so far as a staircase.

    Trials that ended early have marks of their own, and no part in the staircase.
    """
    axes = figure.add_subplot()
    points, early = history(results), ended_early(results)
    others = [(trial.number, value) for trial, value in early.trials]
    style.draw_trials(axes, [p.trial for p in points], [p.score for p in points], others)
    if steps := _staircase(results, early):
        axes.step(
            *zip(*steps, strict=True), color=style.ACCENT_COLOR, where="post", lw=2,
            label="best so far",
        )  # fmt: skip
    scores = [*(point.score for point in points), *early.values]
    Scale.of(scores, results.metric.mode).set_on(axes, "y")
    style.whole_ticks(axes)
    style.finish(axes, "Trial", axis_label(results.metric))


@lru_cache(maxsize=1)  # figures of parameters ask for it too, and 10,000 trials take seconds
def importances(results: JobResults) -> Mapping[str, float]:
    """Return how much each varied parameter decided whether a trial was among the best; sums to 1.

    PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023) compares how the best tenth of the trials
    (at least five) are spread over a parameter with how all are. A parameter that fewer than two
    trials had, or lacked, is left out. Empty where :func:`has_importances` is false.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    if not has_importances(results):
        return {}
    study = make_study(results.space, results.ranking.configurations)
    if len(numbers_of(study)) < FEWEST_TRIALS:
        return {}
    evaluator = PedAnovaImportanceEvaluator(target_quantile=_quantile(len(results.ranked)))
    shares: dict[str, float] = get_param_importances(
        study, evaluator=evaluator, params=_compared(results)
    )
    return shares


def has_importances(results: JobResults) -> bool:
    """Whether there are enough trials and parameters, and the best trials are not simply all.

    In a population parameters change during training: the last values did not decide alone.
    """
    if results.space.scheduler.is_population:
        return False
    scores = sorted((s for _, s in results.ranked), reverse=results.metric.mode == "max")
    if len(scores) < FEWEST_TRIALS or len(_compared(results)) < 2:
        return False
    cutoff = scores[math.ceil(_quantile(len(scores)) * len(scores)) - 1]
    return cutoff != scores[-1]


def _quantile(trials: int) -> float:
    return max(0.1, 5 / trials)


def _compared(results: JobResults) -> list[str]:
    """Return the parameters that were chosen from several values, by two trials or more each."""
    ranked = [trial.parameters for trial, _ in results.ranked]
    domains = results.space.parameters
    # A constant with a condition comes and goes with another parameter.
    chosen = [n for n in results.varied if isinstance(domains.get(n), Choice | Range)]
    counts = {name: sum(name in p for p in ranked) for name in chosen}
    return [name for name, n in counts.items() if n >= 2 and len(ranked) - n != 1]


def draw_importance(figure: Figure, results: JobResults) -> None:
    """Draw the parameters' importances as bars, the most important one on top."""
    axes = figure.add_subplot()
    ranked = sorted(importances(results).items(), key=lambda item: -item[1])[: style.MOST_ROWS]
    style.fit_rows(figure, len(ranked), 0.4)
    names = [style.plain(prettify(name), 30) for name, _ in ranked]
    shares = [share for _, share in ranked]
    bars = axes.barh(range(len(ranked)), shares, 0.6, color=style.BEST_COLOR)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set_yticks(range(len(ranked)), names)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    style.finish(axes, "Importance, as a share of all (PED-ANOVA)", "")
