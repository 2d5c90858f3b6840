"""What the searches show (Q4): the best learning rate, each hyperparameter's effect, the depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handin.answers import Answer, last
from handin.classification import VALIDATION
from handin.effects import (
    Run,
    best_run,
    changed_parameters,
    describe,
    effects_table,
    run_of,
    succeeded,
)
from handin.wording import Block, comparison, is_clear
from results.formatting import number, parameter_value
from results.records import TrialRecord
from results.states import TrialState
from results.wording import listing, words


def learning_rate(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q4.1: which learning rate is best on validation data, and why."""
    best, runs = best_run(answers["Q4.1"]), succeeded(answers["Q4.1"])
    if best is None:
        return []
    others = [run for run in runs if set(run.changes(best)) == {"learning_rate"}]
    blocks: list[Block] = []
    if others:
        blocks.append(effects_table("Effect of the learning rate", "selected", best, others))
    blocks += _edges(answers["Q4.1"].results.trials, best)
    by_hand = best_run(answers["Q3.1b"]) if "Q3.1b" in answers else None
    rate = by_hand.parameters.get("learning_rate") if by_hand else None
    for run in runs:
        if by_hand is not None and run.parameters["learning_rate"] == rate:
            name = f"the framework's model at rate {parameter_value(rate)}"
            own = {"the hand-written one of Q3.1b": by_hand.curve}
            blocks.append(comparison(name, run.curve, own, VALIDATION))
    return blocks


def _edges(trials: Sequence[TrialRecord], best: Run) -> list[str]:
    """Say whether a rate beyond the chosen one is unknown, or did not succeed."""
    chosen = best.parameters["learning_rate"]
    rates = {
        trial.parameters["learning_rate"]: trial
        for trial in trials
        if trial.state.is_finished
        and set(changed_parameters(trial.parameters, best.parameters)) <= {"learning_rate"}
    }
    texts = []
    for beyond, edge, sign in (("smaller", "smallest", -1), ("larger", "largest", 1)):
        further = [rate for rate in rates if sign * (rate - chosen) > 0]
        nearest = rates[min(further, key=lambda rate: sign * rate)] if further else None
        if nearest is None and len(rates) > 1:
            texts.append(
                f"The chosen rate is the {edge} of those that ran: a {beyond} one may be better."
            )
        elif nearest is not None and nearest.state is not TrialState.SUCCEEDED:
            rate = parameter_value(nearest.parameters["learning_rate"])
            why = f" ({words(nearest.error.kind)})" if nearest.error else ""
            texts.append(f"The next {beyond} rate, {rate}, {nearest.state}{why}.")
    return texts


def hyperparameters(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q4.2: what each hyperparameter does when it alone leaves its default."""
    answer = answers["Q4.2"]
    base = run_of(answer.results, 0)
    if answer.results.best is None:
        return []
    if base is None:
        return ["The default configuration did not succeed: there are no single effects to read."]
    others = [run for run in succeeded(answer) if len(run.changes(base)) == 1]
    better = [
        describe(run.changes(base))
        for run in others
        if last(run.curve, VALIDATION) > last(base.curve, VALIDATION)
        and is_clear(run.curve, base.curve, VALIDATION)
    ]
    caption = "Effect of each hyperparameter, the others at their defaults"
    dropout = any("dropout" in run.changes(base) for run in others)
    return [
        effects_table(caption, "default", base, others),
        f"Clear gains over the default configuration: {listing(better) or 'none'}. Each value was "
        "changed alone: combinations were not tried."
        + " The training loss is taken with dropout active, so another dropout probability shifts "
        "it by itself." * dropout,
    ]


def depth(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q4.3: two and three hidden layers, beside the single one of Q4.2's default."""
    runs = succeeded(answers["Q4.3"])
    if not runs:
        return []
    one = run_of(answers["Q4.2"].results, 0) if "Q4.2" in answers else None
    blocks: list[Block] = []
    if one is None or not all(_differ_in_depth(run, one) for run in runs):
        blocks.append("There is no run of Q4.2's default configuration to compare with.")
        one = None
    base, *deeper = ladder = sorted([one, *runs] if one else runs, key=_layers)
    if not deeper or not all(_differ_in_depth(run, base) for run in deeper):
        return blocks
    table = effects_table("Effect of depth", "Q4.2's default" if one else "base", base, deeper)
    return [*blocks, table, _trend(ladder)]


def _layers(run: Run) -> int:
    return int(run.parameters["layers"])


def _differ_in_depth(run: Run, base: Run) -> bool:
    return set(run.changes(base)) == {"layers"} and run.curve.epochs == base.curve.epochs


def _trend(ladder: Sequence[Run]) -> str:
    """Say whether accuracy grows, falls or does neither with depth."""
    accuracies = [last(run.curve, VALIDATION) for run in ladder]
    depths = listing([str(_layers(run)) for run in ladder])
    text = f"With {depths} hidden layers the validation accuracies are "
    text += listing([number(value) for value in accuracies])
    if accuracies not in (sorted(accuracies), sorted(accuracies, reverse=True)):
        return f"{text}: no steady trend."
    if not is_clear(ladder[0].curve, ladder[-1].curve, VALIDATION):
        return f"{text}: too close together to speak of an effect."
    better = "better" if accuracies[-1] > accuracies[0] else "worse"
    return f"{text}: more layers do {better}, at hyperparameters chosen for one layer."
