"""A job's findings in sentences that quote its numbers.

Where numbers are missing, so is the sentence. Nothing is called best or worst of a metric whose
better direction is unknown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from results.analysis import JobResults, summarize
from results.comparison import Comparison, basis, failure_pattern, name_of, parameter_key
from results.curve_shape import describe_curves
from results.formatting import count, duration, mean_text, number, parameter_value
from results.records import TrialRecord
from results.spent import spent
from results.states import JobState, TrialState
from results.wording import (
    EXTREME,
    apart,
    capitalized,
    in_sentence,
    listing,
    prettify,
    same_as_written,
    words,
)

#: The most trials of a front that a sentence names; the table has all.
_MOST_NAMED = 10


def explain(results: JobResults) -> list[str]:
    """Return the paragraphs, in reading order; plain text, without markup."""
    comparisons = [each for each in results.comparisons.values() if each is not None]
    paragraphs = [_outcome(results), *_failures_and_best(results)]
    if results.ranked:
        paragraphs += [_effect(results, comparison) for comparison in comparisons]
    if len(results.ranked) > 1:
        paragraphs += _cautions(results)
    return [*paragraphs, *_engines(results)]


def explain_selected(results: JobResults) -> list[str]:
    """Return the paragraphs on what failed and on the selected trial.

    For a text that compares the trials itself. How the job ended is left out if all trials
    succeeded.
    """
    succeeded = [trial for trial in results.trials if trial.state is TrialState.SUCCEEDED]
    all_did = len(succeeded) == len(results.trials) >= summarize(results).planned
    return [*([] if all_did else [_outcome(results)]), *_failures_and_best(results)]


def _outcome(results: JobResults) -> str:
    job, summary = results.job, summarize(results)
    if not job.state.is_finished:
        ended = sum(trial.state.is_finished for trial in results.trials)
        text = f"The job is {job.state}: {ended} of {count(summary.planned, 'trial')} have ended."
        if not results.confirming:
            return text
        ended = sum(trial.state.is_finished for trial in results.confirming)
        planned = count(_confirming_planned(results, summary.planned), "trial")
        return f"{text} Of at most {planned} to confirm the winner, {ended} ended."
    trials = _counted(results.trials, summary.planned)
    text = f"The job {'was ' * (job.state is JobState.CANCELLED)}{job.state}. Trials: {trials}."
    if results.confirming:
        trials = _counted(results.confirming, _confirming_planned(results, summary.planned))
        text += f" Trials to confirm the winner: {trials}."
    if job.ended_by:
        text += f" The search ended early: {job.ended_by.rstrip('.')}."
    if summary.wall_seconds is None:
        return text
    # What the table of what was spent has as its total: the confirmation counts, and what was lost.
    amounts = spent((*results.trials, *results.confirming), results.repeated)
    training = duration(amounts.total.seconds)
    return f"{text} It took {duration(summary.wall_seconds)}, with {training} of training."


def _confirming_planned(results: JobResults, searched: int) -> int:
    """Return how many trials confirm the winner at most, beside those that are ``searched``."""
    return max(len(results.confirming), results.job.progress.trials - searched)


def _counted(trials: Sequence[TrialRecord], planned: int) -> str:
    """Return ``3 succeeded, 1 failed, 2 not run``, the largest number first."""
    ran = [t for t in trials if t.attempt > 0 or t.state is TrialState.FAILED]
    counts = Counter(trial.state.value for trial in ran)
    counts["not run"] = max(0, planned - len(ran))
    return ", ".join(f"{n} {state}" for state, n in counts.most_common() if n)


def _failures_and_best(results: JobResults) -> list[str]:
    best = results.best
    paragraphs = [*_failures(results), *_not_ranked(results)]
    if best is not None:
        paragraphs += [*_selection(results, best), *describe_curves(results, best)]
    return paragraphs


def _failures(results: JobResults) -> list[str]:
    failed = [trial for trial in results.trials if trial.state is TrialState.FAILED]
    if not failed:
        return []
    kinds = Counter(words(trial.error.kind) if trial.error else "unknown" for trial in failed)
    text = f"Failed: {listing([f'{n} {kind}' for kind, n in kinds.items()])}."
    pattern = failure_pattern(results)
    if pattern is not None:
        name, value = pattern
        text += f" Exactly the trials with {words(name)} {parameter_value(value)} failed."
    return [text]


def _not_ranked(results: JobResults) -> list[str]:
    """Say which trials are not compared after equally many epochs, and why."""
    texts = []
    early = [trial for trial in results.trials if trial.state is TrialState.STOPPED]
    copies = sum(trial.parent is not None for trial in results.trials)
    if copies:
        texts.append(
            f"{count(copies, 'trial')} went on from the state of a better one, with other values: "
            "the values of a trial are those of its last epochs, and alone do not give its result."
        )
    if early:
        epochs = listing(sorted({str(trial.epochs) for trial in early}, key=int))
        texts.append(
            f"{count(len(early), 'trial')} ended early, after {epochs} of {results.space.epochs} "
            "epochs: only trials that trained to the end are ranked."
        )
    texts += _ended_by_themselves(results)
    texts += _broken(results)
    return [" ".join(texts)] if texts else []


def _broken(results: JobResults) -> list[str]:
    """Say which trials break a constraint, or that none that trained to the end meets them all."""
    broken, nearest = results.ranking.violations, results.ranking.nearest
    if results.breaks_all and nearest is not None:
        trial = nearest.trial.number
        return [
            "No trial that trained to the end meets the constraints, so none is the best one. "
            f"Nearest is trial {trial}: {listing(broken[trial])}."
        ]
    if not broken:
        return []
    first, verb = min(broken), "is" if len(broken) == 1 else "are"
    return [
        f"{count(len(broken), 'trial')} broke a constraint and {verb} not ranked, trial {first} "
        f"for example: {listing(broken[first])}."
    ]


def _ended_by_themselves(results: JobResults) -> list[str]:
    """Say which ranked trials have fewer epochs than others, as their program decided."""
    most = results.space.epochs
    short = [t for t in results.trials if t.state is TrialState.SUCCEEDED and t.epochs < most]
    if not short or not results.space.may_end_early:
        return []
    return [
        f"{count(len(short), 'trial')} ended before epoch {most} by the program's own decision; "
        "each trial is compared by its own last report."
    ]


def _selection(results: JobResults, best: TrialRecord) -> list[str]:
    metric, one = results.metric, results.ranking.by_trial.get(best.number)
    score = results.score(best) if one is None else one.value
    if score is None:
        return []
    text = f"{name_of(results, best)} ended with {in_sentence(metric)} "
    text += number(score) if one is None else mean_text(score, one.standard_deviation, one.n)
    others = [pair for pair in results.ranked if pair[0].number != best.number]
    if others:
        trial, other = others[0]
        text += f", the {EXTREME[metric.mode]} of {len(results.ranked)}."
        text += f" Next is {name_of(results, trial)} with {number(other)}, {apart(other, score)}"
    values = best.metrics if one is None else one.metrics
    infos = [results.info(name) for name in values if name != metric.name]
    tested = [
        f"{in_sentence(info)} {number(values[info.name])}"
        for info in infos
        if info.split == "test" and math.isfinite(values[info.name])
    ]
    if tested:
        means = ", as means over its seeds," if one is not None and one.n > 1 else ""
        text += f". Trial {best.number} has{means} {listing(tested)}"
        if others and metric.split in ("train", "validation"):
            text += "; test data took no part in the selection"
    return [f"{capitalized(text)}.", *_front(results)]


def _front(results: JobResults) -> list[str]:
    """Say which configurations no other one beats in every objective."""
    if not results.space.secondary:
        return []
    names = [in_sentence(results.info(each.metric)) for each in results.space.objectives]
    front = results.ranking.front
    numbers = listing([str(one.trial.number) for one in front[:_MOST_NAMED]])
    more = f" and {len(front) - _MOST_NAMED} more" if len(front) > _MOST_NAMED else ""
    trials = "trial" if len(front) == 1 else "trials"
    return [
        f"By {listing(names)} together, no other configuration beats {trials} {numbers}{more}: "
        "they are the Pareto front, listed by the first objective."
    ]


def _effect(results: JobResults, comparison: Comparison) -> str:
    ranked = comparison.ranked(results.metric.mode)
    reason = basis(results, comparison)
    text = f"{prettify(comparison.parameter)}, {reason}: "
    if len(ranked) < 2:
        return f"{text}not comparable." if "not comparable" not in reason else f"{text[:-2]}."
    (best, top), (worst, bottom) = ranked[0], ranked[-1]
    metric, extreme = in_sentence(results.metric), EXTREME[results.metric.mode]
    if same_as_written(top, bottom):
        return f"{text}{metric} {number(top)} with each value."
    text += f"{extreme} {metric} with {parameter_value(best.value)} ({number(top)}),"
    other = EXTREME["min" if results.metric.mode == "max" else "max"]
    text += f" {other} with {parameter_value(worst.value)} ({number(bottom)},"
    return f"{text} {apart(bottom, top)})."


def _cautions(results: JobResults) -> list[str]:
    trials, texts = results.trials, []
    different = {tuple(parameter_key(trial, n) for n in results.varied) for trial in trials}
    # Each configuration with several seeds is no repetition by chance.
    if len(different) < len(trials) and results.space.repeats == 1:
        known = count(len(different), "different configuration")
        texts.append(f"The {len(trials)} trials have only {known}.")
    if len({trial.seed for trial in trials}) == 1 and not results.confirming:
        texts.append("All trials had the same seed, so a small difference may be chance.")
    return [" ".join(texts)] if texts else []


def _engines(results: JobResults) -> list[str]:
    engines = Counter(trial.engine for trial in results.trials if trial.engine)
    if len(engines) < 2:
        return []
    counted = listing([f"{engine} ({count(n, 'trial')})" for engine, n in engines.items()])
    return [f"Different engines trained the trials: {counted}. They round numbers differently."]
