"""What the searches show (Q4): the best learning rate, each hyperparameter's effect, the depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handin.answers import Answer, last, late_range
from handin.classification import TRAIN_LOSS, VALIDATION
from handin.effects import (
    Run,
    best_run,
    changed_parameters,
    describe,
    effect,
    effects_table,
    run_of,
    succeeded,
)
from handin.wording import Block, Contender, compare, is_clear, points
from results.formatting import number, parameter_value
from results.records import TrialRecord
from results.states import TrialState
from results.wording import distance, listing, side, words


def learning_rate(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q4.1: which learning rate is best on validation data, and why."""
    answer = answers["Q4.1"]
    best, runs = best_run(answer), succeeded(answer)
    if best is None:
        return []
    others = [run for run in runs if set(run.changes(best)) == {"learning_rate"}]
    return [
        *(_rate_effect(run, best) for run in others),
        *_edge(answer.results.trials, best),
        *_same_model_by_hand(answers, runs),
    ]


def _edge(trials: Sequence[TrialRecord], best: Run) -> list[str]:
    """Say whether a rate beyond the chosen one is unknown, or was tried and failed."""
    chosen = best.parameters["learning_rate"]
    finished = [trial for trial in trials if trial.state.is_finished]
    alike = [
        trial
        for trial in finished
        if set(changed_parameters(trial.parameters, best.parameters)) <= {"learning_rate"}
    ]
    texts = []
    for beyond, edge, sign in (("smaller", "smallest", -1), ("larger", "largest", 1)):
        rates = {trial.parameters["learning_rate"]: trial for trial in alike}
        further = [rate for rate in rates if sign * (rate - chosen) > 0]
        nearest = rates[min(further, key=lambda rate: sign * rate)] if further else None
        if nearest is None and len(alike) > 1:
            texts.append(
                f"The chosen rate is the {edge} of those that ran, so a {beyond} one may be better "
                "still."
            )
        elif nearest is not None and nearest.state is not TrialState.SUCCEEDED:
            rate = parameter_value(nearest.parameters["learning_rate"])
            why = f" ({words(nearest.error.kind)})" if nearest.error else ""
            texts.append(f"The next {beyond} rate, {rate}, {_ENDED[nearest.state]}{why}.")
    return texts


_ENDED = {TrialState.FAILED: "was tried and failed", TrialState.CANCELLED: "was cancelled"}


def hyperparameters(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q4.2: what each hyperparameter does when it alone leaves its default."""
    answer = answers["Q4.2"]
    base = run_of(answer.results, 0)
    if answer.job["best"] is None:
        return []
    if base is None:
        return ["The default configuration did not succeed, so single effects cannot be told."]
    others = [run for run in succeeded(answer) if len(run.changes(base)) == 1]
    return [
        effects_table(
            "Effect of each hyperparameter, the others at their defaults", "default", base, others
        ),
        *(effect(run, base) for run in others),
        _interactions(base, others),
    ]


def depth(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q4.3: two and three hidden layers, beside the single one of Q4.2's default."""
    answer = answers["Q4.3"]
    runs = succeeded(answer)
    if not runs:
        return []
    one = run_of(answers["Q4.2"].results, 0) if "Q4.2" in answers else None
    blocks: list[Block] = []
    if one is None or not all(_alike_but_for_depth(run, one) for run in runs):
        blocks.append(
            "There is no run of Q4.2's default configuration, alike but for its depth, to compare "
            "with."
        )
        one = None
    ladder = sorted([one, *runs] if one else runs, key=lambda run: int(run.parameters["layers"]))
    base, *deeper = ladder
    if not all(_alike_but_for_depth(run, base) for run in deeper):
        return blocks
    table = effects_table("Effect of depth", "Q4.2's default" if one else "base", base, deeper)
    return [*blocks, table, *(effect(run, base) for run in deeper), *_trend(ladder)]


def _alike_but_for_depth(run: Run, base: Run) -> bool:
    return set(run.changes(base)) == {"layers"} and run.curve.epochs == base.curve.epochs


def _rate_effect(run: Run, best: Run) -> str:
    """Say why another learning rate did worse than the best, as far as the curves tell."""
    rate, chosen = run.parameters["learning_rate"], best.parameters["learning_rate"]
    text = effect(run, best)
    losses = run.curve.metrics[TRAIN_LOSS]
    if not is_clear(run.curve, best.curve, VALIDATION) or losses[-1] <= last(
        best.curve, TRAIN_LOSS
    ):
        return text
    if rate < chosen and len(losses) > 1 and side(losses[-1], losses[-2]) == "lower":
        return (
            f"{text} Its training loss still falls in the last epoch (by "
            f"{distance(losses[-2], losses[-1])}): the steps are too short for so few epochs."
        )
    ranges = [late_range(each.curve, VALIDATION) for each in (run, best)]
    if rate > chosen and ranges[0] is not None and ranges[1] is not None and ranges[0] > ranges[1]:
        return (
            f"{text} In its last five epochs the validation accuracy moves by {points(ranges[0])}, "
            f"that of the best rate by {points(ranges[1])}: the steps, each taken on a single "
            "example, are too long to settle near the minimum of this convex loss."
        )
    return text


def _same_model_by_hand(answers: Mapping[str, Answer], runs: Sequence[Run]) -> list[Block]:
    """Hold the framework's logistic regression against the hand-written one of Q3.1b."""
    by_hand = best_run(answers["Q3.1b"]) if "Q3.1b" in answers else None
    for run in runs:
        rate = run.parameters["learning_rate"]
        if by_hand is not None and by_hand.parameters.get("learning_rate") == rate:
            framework = Contender(
                f"the framework's model at rate {parameter_value(rate)}", run.curve
            )
            own = Contender("the hand-written one of Q3.1b", by_hand.curve)
            sentence = compare(framework, own, VALIDATION)
            return [
                "The same model with the same learning rate was written by hand in Q3.1b. "
                f"{sentence}"
            ]
    return []


def _interactions(base: Run, others: Sequence[Run]) -> str:
    """Name the values that did better alone, and warn that they were never tried together."""
    better = [
        describe(run.changes(base))
        for run in others
        if last(run.curve, VALIDATION) > last(base.curve, VALIDATION)
        and is_clear(run.curve, base.curve, VALIDATION)
    ]
    if not better:
        return (
            "No single change gives a clear gain over the default configuration. Combinations were "
            "not tried."
        )
    count = "One change gives" if len(better) == 1 else f"{len(better)} changes give"
    return (
        f"{count} a clear gain over the default configuration: {listing(better)}. Each value was "
        "changed alone, so nothing is known about combinations; the grid over all values would "
        "tell."
    )


def _trend(ladder: Sequence[Run]) -> list[str]:
    """Say whether accuracy grows, falls or does neither with depth."""
    if len(ladder) == 1:
        return []
    accuracies = [last(run.curve, VALIDATION) for run in ladder]
    depths = listing([str(run.parameters["layers"]) for run in ladder])
    figures = listing([number(value) for value in accuracies])
    text = f"With {depths} hidden layers the validation accuracies are {figures}"
    if accuracies not in (sorted(accuracies), sorted(accuracies, reverse=True)):
        return [f"{text}: no steady trend with depth."]
    if not is_clear(ladder[0].curve, ladder[-1].curve, VALIDATION):
        return [f"{text}: too close together to speak of an effect of depth."]
    better = accuracies[-1] > accuracies[0]
    return [
        f"{text}: in these runs more layers do {'better' if better else 'worse'}, with the other "
        "hyperparameters at the defaults chosen for one layer."
    ]
