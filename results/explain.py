"""A job's results in plain English, quoting its own numbers.

Every sentence is made from :mod:`results.analysis` and :mod:`results.comparison`; where the numbers
are missing, so is the sentence. Nothing is claimed of a metric whose better direction is unknown.
"""

from __future__ import annotations

from collections import Counter

from results.analysis import JobResults, summarize
from results.comparison import (
    Comparison,
    ValueResult,
    basis,
    compare,
    describe_trial,
    failure_pattern,
    varied_parameters,
)
from results.course import course
from results.formatting import count, duration, number, parameter_value
from results.records import TrialRecord
from results.states import JobState, TrialState
from results.wording import (
    EXTREME,
    apart,
    capitalized,
    in_sentence,
    listing,
    same_as_written,
    words,
)


def explain(results: JobResults) -> list[str]:
    """Return the paragraphs, in reading order; plain text, without markup."""
    best = results.best
    paragraphs = [_outcome(results), _failures(results)]
    if best is not None:
        paragraphs += [_selection(results, best, with_runner_up=True), *course(results, best)]
    paragraphs += _effects(results)
    return [paragraph for paragraph in paragraphs if paragraph]


def explain_selected(results: JobResults) -> list[str]:
    """Return the paragraphs on what failed, the selected trial and its course.

    For a text that compares the trials in its own words and need not say that all went well.
    """
    best, well = results.best, {trial.state for trial in results.trials} == {TrialState.SUCCEEDED}
    paragraphs = ["" if well and _is_complete(results) else _outcome(results), _failures(results)]
    if best is not None:
        paragraphs += [_selection(results, best, with_runner_up=False), *course(results, best)]
    return [paragraph for paragraph in paragraphs if paragraph]


# --- what happened --------------------------------------------------------------------------


def _outcome(results: JobResults) -> str:
    summary, state = summarize(results), results.job.state
    each = " each" if summary.planned > 1 else ""
    epochs = count(results.space.epochs, "epoch")
    planned = f"{count(summary.planned, 'trial')} of at most {epochs}{each}"
    if not state.is_finished:
        ended = sum(trial.state.is_finished for trial in results.trials)
        return f"The job is {state.value}: of {planned}, {ended} ended so far."
    text = f"The job {_became(state)}"
    if _is_complete(results):
        text += f" with {planned}. {_counted(results)}."
    else:
        text += f": of {planned}, {_counted(results)}."
    if summary.wall_seconds is not None:
        added = ", added up over the trials," if len(results.trials) > 1 else ""
        text += (
            f" Training took {duration(summary.trial_seconds)}{added} and the job"
            f" {duration(summary.wall_seconds)} from start to end."
        )
    return text


def _is_complete(results: JobResults) -> bool:
    return len(_ran(results)) >= results.job.progress.trials


def _ran(results: JobResults) -> list[TrialRecord]:
    return [trial for trial in results.trials if trial.attempt > 0]


def _counted(results: JobResults) -> str:
    ran = _ran(results)
    states = Counter(trial.state for trial in ran)
    if not ran:
        return "none was run"
    head = "" if _is_complete(results) else f"{len(ran)} {'was' if len(ran) == 1 else 'were'} run; "
    if len(states) == 1:
        whom = "the trial" if len(ran) == 1 else f"all {len(ran)} trials"
        text = f"{head}{whom} {_became(ran[0].state, len(ran))}"
    else:
        parts = [f"{n} {_became(state, n)}" for state, n in sorted(states.items())]
        text = f"{head}{listing(parts)}"
    return text if head else capitalized(text)


def _became(state: JobState | TrialState, amount: int = 1) -> str:
    done = state.value in ("succeeded", "failed")
    return state.value if done else f"{'was' if amount == 1 else 'were'} {state.value}"


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
        text += f" Exactly the trials with {words(name)} {parameter_value(value)} failed."
    return text


def _numbered(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"trial {numbers[0]}"
    if len(numbers) <= 10:
        return f"trials {listing([str(n) for n in numbers])}"
    return f"{len(numbers)} trials, the first of them trial {numbers[0]}"


# --- the selected configuration -------------------------------------------------------------


def _selection(results: JobResults, best: TrialRecord, *, with_runner_up: bool) -> str:
    metric, ranking = results.metric, results.ranking()
    name, score = in_sentence(metric), results.score(best)
    if score is None:
        return ""
    text = f"{_titled(results, best)} ended with {_an(name)} of {number(score)}"
    others = [pair for pair in ranking if pair[0].number != best.number]
    if others:
        text += f", the {EXTREME[metric.mode]} of the {len(ranking)} that succeeded"
    if others and with_runner_up:
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
    if results.space.is_one_at_a_time and described != "defaults":
        described += ", else the defaults"
    return f"trial {trial.number} ({described})"


def _an(name: str) -> str:
    # Capitals are spelled out: an RMSE, but a BLEU score.
    first = name.partition(" ")[0]
    vowels = "AEFHILMNORSX" if first.isupper() else "aeiouAEIOU"
    return f"{'an' if name[:1] in vowels else 'a'} {name}"


def _runner_up(results: JobResults, score: float, trial: TrialRecord, other: float) -> str:
    if same_as_written(score, other):
        return f"trial {trial.number} is equal as written"
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
    head = f"Effect of the {words(comparison.parameter)}"
    if len(ranked) < 2:
        return f"{head}: not comparable, {_why_not(comparison)}."
    (best, top), (worst, bottom) = ranked[0], ranked[-1]
    head += f" ({basis(results, comparison)}): {in_sentence(results.metric)}"
    if same_as_written(top, bottom):
        values = listing([parameter_value(row.value) for row, _ in ranked])
        text = f"{head} was {number(top)} with each of {values}, equal as written"
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


def _why_not(comparison: Comparison) -> str:
    if sum(row.scored > 0 for row in comparison.rows) < 2:
        return "fewer than two of its values have a result"
    return "no combination of the other parameters has a result with each of its values"


def _opposite(results: JobResults) -> str:
    return EXTREME["min" if results.metric.mode == "max" else "max"]


def _named(row: ValueResult) -> str:
    value = parameter_value(row.value)
    return f"the default, {value}" if row.is_default else value


def _without_result(comparison: Comparison) -> str:
    missing = [row for row in comparison.rows if row.scored < row.trials]
    if not missing:
        return ""
    parts = [
        f"{parameter_value(row.value)} ({row.trials - row.scored} of {count(row.trials, 'trial')})"
        for row in missing
    ]
    return f" Without a result: {listing(parts)}."
