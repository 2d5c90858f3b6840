"""A job's results in plain English, quoting its own numbers.

Every sentence is made from :mod:`results.analysis` and :mod:`results.comparison`; where the numbers
are missing, so is the sentence. Nothing is claimed of a metric whose better direction is unknown.
"""

from __future__ import annotations

from results.analysis import JobResults, summarize
from results.comparison import (
    Comparison,
    ValueResult,
    compare,
    describe_trial,
    failure_pattern,
    varied_parameters,
)
from results.course import course
from results.records import TrialRecord
from results.states import TrialState
from results.wording import (
    EQUAL,
    EXTREME,
    apart,
    count,
    duration,
    in_sentence,
    listing,
    number,
    parameter_value,
)


def explain(results: JobResults) -> list[str]:
    """Return the paragraphs, in reading order; plain text, without markup."""
    paragraphs = [_outcome(results), _failures(results)]
    best = results.best
    if best is not None:
        paragraphs += [_selection(results, best), *course(results, best)]
    paragraphs += _effects(results)
    return [paragraph for paragraph in paragraphs if paragraph]


# --- what happened --------------------------------------------------------------------------


def _outcome(results: JobResults) -> str:
    summary, state = summarize(results), results.job.state
    each = " each" if summary.planned > 1 else ""
    epochs = count(int(results.job.spec["epochs"]), "epoch")
    planned = f"{count(summary.planned, 'trial')} of at most {epochs}{each}"
    if not state.is_finished:
        ended = sum(trial.state.is_finished for trial in results.trials)
        return f"The job is {state.value}: of {planned}, {ended} ended so far."
    text = f"The job {state.value} with {planned}. {_counted(results)}"
    if summary.wall_seconds is not None:
        text += (
            f" Training took {duration(summary.trial_seconds)}, added up over the trials,"
            f" and the job {duration(summary.wall_seconds)} from start to end."
        )
    return text.replace("The job cancelled", "The job was cancelled")


def _counted(results: JobResults) -> str:
    states = summarize(results).states
    if not results.trials:
        return "No trial was run."
    if len(states) == 1:
        whom = "The trial" if len(results.trials) == 1 else "All trials"
        return f"{whom} {_became(*states)}."
    parts = [f"{amount} {state}" for state, amount in sorted(states.items())]
    return f"Of the trials: {listing(parts)}."


def _became(state: str) -> str:
    past = (TrialState.SUCCEEDED, TrialState.FAILED)
    return state if state in past else f"were {state}"


def _failures(results: JobResults) -> str:
    kinds: dict[str, list[int]] = {}
    for trial in results.trials:
        if trial.state is TrialState.FAILED:
            kind = "unknown cause" if trial.error is None else trial.error.kind.value
            kinds.setdefault(kind.replace("_", " "), []).append(trial.number)
    if not kinds:
        return ""
    parts = [f"{_numbered(numbers)} ({kind})" for kind, numbers in kinds.items()]
    text = f"Failed: {listing(parts)}. A failed trial is never ranked."
    pattern = failure_pattern(results)
    if pattern is not None:
        name, value = pattern
        text += f" Exactly the trials with {name} {parameter_value(value)} failed."
    return text


def _numbered(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"trial {numbers[0]}"
    if len(numbers) <= 10:
        return f"trials {listing([str(n) for n in numbers])}"
    return f"{len(numbers)} trials, the first of them trial {numbers[0]}"


# --- the selected configuration -------------------------------------------------------------


def _selection(results: JobResults, best: TrialRecord) -> str:
    metric, ranking = results.metric, results.ranking()
    name, score = in_sentence(metric), results.score(best)
    if score is None:
        return ""
    text = f"{_titled(results, best)} ended with {_an(name)} of {number(score)}"
    others = [pair for pair in ranking if pair[0].number != best.number]
    if others:
        text += f", the {EXTREME[metric.mode]} of the {len(ranking)} that succeeded"
        text += f"; {_runner_up(results, score, *others[0])}"
    tested = _test_figures(results, best)
    if tested:
        text += f". Its {tested}"
        if others and metric.split in ("train", "validation"):
            text += "; test data took no part in the selection"
    return text + "."


def _titled(results: JobResults, trial: TrialRecord) -> str:
    if len(results.trials) == 1:
        return "The configuration"
    return f"The selected configuration, {_identified(results, trial)},"


def _identified(results: JobResults, trial: TrialRecord) -> str:
    described = describe_trial(results, trial)
    if results.strategy == "one_at_a_time" and described != "defaults":
        described += ", else the defaults"
    return f"trial {trial.number} ({described})"


def _an(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _runner_up(results: JobResults, score: float, trial: TrialRecord, other: float) -> str:
    if abs(score - other) < EQUAL:
        return f"trial {trial.number} is equal to four decimals"
    identified = _identified(results, trial)
    return f"next came {identified} with {number(other)}, {apart(other, score)}"


def _test_figures(results: JobResults, trial: TrialRecord) -> str:
    tested = [
        f"{in_sentence(results.info(name))} was {number(value)}"
        for name, value in trial.metrics.items()
        if results.info(name).split == "test" and name != results.metric.name
    ]
    return listing(tested)


# --- the parameters -------------------------------------------------------------------------


def _effects(results: JobResults) -> list[str]:
    if not results.ranking():
        return []
    compared = [compare(results, name) for name in varied_parameters(results)]
    texts = [_effect(results, comparison) for comparison in compared if comparison is not None]
    if texts and len({trial.seed for trial in results.trials}) == 1:
        texts.append(
            "Each configuration ran once, with one seed, so a small difference may be chance."
        )
    return texts


def _effect(results: JobResults, comparison: Comparison) -> str:
    ranked = comparison.ranked(results.metric.mode)
    name = comparison.parameter
    if len(ranked) < 2:
        return f"{name}: fewer than two of its values have a result, so they cannot be compared."
    (best, top), (worst, bottom) = ranked[0], ranked[-1]
    head = f"{name}, {_basis(results, comparison)}: {in_sentence(results.metric)}"
    if abs(top - bottom) < EQUAL:
        values = listing([parameter_value(row.value) for row in comparison.rows if row.scored])
        text = f"{head} was {number(top)} with each of {values}, equal to four decimals"
        return f"{text}.{_without_result(comparison)}"
    default = next((pair for pair in ranked if pair[0].is_default), None)
    text = f"{head} was {EXTREME[results.metric.mode]} with {_named(best)} ({number(top)})"
    if default is not None and default[0] is not best:
        text += (
            f", against {number(default[1])} with {_named(default[0])}, {apart(default[1], top)}"
        )
    if worst is not (default or ranked[0])[0]:
        text += f", and {_opposite(results)} with {_named(worst)}"
        text += f" ({number(bottom)}, {apart(bottom, top)})"
    return f"{text}.{_without_result(comparison)}"


def _opposite(results: JobResults) -> str:
    return EXTREME["min" if results.metric.mode == "max" else "max"]


def _named(row: ValueResult) -> str:
    value = parameter_value(row.value)
    return f"the default, {value}" if row.is_default else value


def _basis(results: JobResults, comparison: Comparison) -> str:
    if results.strategy == "one_at_a_time":
        return "the other parameters at their defaults"
    if comparison.controlled:
        return "mean over the other parameters' values"
    return "mean over the trials sampled (not a controlled comparison)"


def _without_result(comparison: Comparison) -> str:
    missing = [row for row in comparison.rows if row.scored < row.trials]
    if not missing:
        return ""
    parts = [
        f"{parameter_value(row.value)} ({row.trials - row.scored} of {count(row.trials, 'trial')})"
        for row in missing
    ]
    return f" Without a result: {listing(parts)}."
