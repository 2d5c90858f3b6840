"""What the searches show (Q4): the best learning rate, each hyperparameter's effect, the depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from results.handin.answers import Answer, Curve
from results.handin.classification import TEST, TRAIN_LOSS, VALIDATION
from results.handin.wording import (
    Block,
    Contender,
    Table,
    compare,
    is_clear,
    points,
    than,
    words,
)
from results.wording import listing, number, parameter_value

#: The cross-entropy of a uniform guess among ten classes, in nats.
UNIFORM_GUESS = log(10)
#: Guessing gives 0.1; below twice that, a model tells next to nothing of the ten classes apart.
CHANCE_ACCURACY = 0.2


@dataclass(frozen=True, slots=True)
class Run:
    """A succeeded trial: its parameters and its curve."""

    parameters: Mapping[str, Any]
    curve: Curve

    def changes(self, base: Run) -> dict[str, Any]:
        """Return the parameters whose values differ from ``base``'s."""
        return {
            name: value
            for name, value in self.parameters.items()
            if base.parameters.get(name) != value
        }


def learning_rate(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q4.1: which learning rate is best on validation data, and why."""
    answer = answers["Q4.1"]
    best, runs = best_run(answer), succeeded(answer)
    if best is None:
        return []
    rates = sorted(run.parameters["learning_rate"] for run in runs)
    chosen = best.parameters["learning_rate"]
    others = [run for run in runs if set(run.changes(best)) == {"learning_rate"}]
    blocks: list[Block] = [_rate_effect(run, best) for run in others]
    if len(rates) > 1 and chosen in (rates[0], rates[-1]):
        side = "smallest" if chosen == rates[0] else "largest"
        beyond = "smaller" if chosen == rates[0] else "larger"
        blocks.append(
            f"The chosen rate is the {side} of those that ran, so a {beyond} one may be better "
            "still."
        )
    return [*blocks, *_same_model_by_hand(answers, runs)]


def hyperparameters(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q4.2: what each hyperparameter does when it alone leaves its default."""
    answer = answers["Q4.2"]
    base = run_of(answer, 0)
    if answer.best is None:
        return []
    if base is None:
        return ["The default configuration did not succeed, so single effects cannot be told."]
    others = [run for run in succeeded(answer) if len(run.changes(base)) == 1]
    return [
        effects_table("Effect of each hyperparameter, the others at their defaults", base, others),
        *(effect(run, base) for run in others),
        _interactions(base, others),
    ]


def depth(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q4.3: two and three hidden layers, beside the single one of Q4.2's default."""
    answer = answers["Q4.3"]
    runs = succeeded(answer)
    if not runs:
        return []
    one = run_of(answers["Q4.2"], 0) if "Q4.2" in answers else None
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
    table = effects_table("Effect of depth", base, deeper)
    return [*blocks, table, *(effect(run, base) for run in deeper), *_trend(ladder)]


def _alike_but_for_depth(run: Run, base: Run) -> bool:
    return set(run.changes(base)) == {"layers"} and run.curve.epochs == base.curve.epochs


def run_of(answer: Answer, number: int) -> Run | None:
    """Return the trial of that number; None if it did not succeed or left no curve."""
    for trial in answer.trials:
        curve = answer.curve(number)
        if trial["number"] == number and trial["state"] == "succeeded" and curve:
            return Run(trial["parameters"], curve)
    return None


def succeeded(answer: Answer) -> list[Run]:
    """Return the succeeded trials by number."""
    runs = (run_of(answer, trial["number"]) for trial in answer.trials)
    return [run for run in runs if run is not None]


def best_run(answer: Answer) -> Run | None:
    """Return the selected trial; None if the job selected none."""
    return run_of(answer, answer.best["trial"]) if answer.best else None


def describe(changes: Mapping[str, Any]) -> str:
    """Print changed parameters as "learning rate 0.1 and dropout 0.5"."""
    return listing([f"{words(name)} {parameter_value(value)}" for name, value in changes.items()])


def effects_table(caption: str, base: Run, others: Sequence[Run]) -> Table:
    """Tabulate the final metrics of ``others`` beside those of ``base``."""
    rows = [_effects_row("default: " + describe(_explained(base, others)), base, base)]
    rows += [_effects_row(describe(run.changes(base)), run, base) for run in others]
    header = ["configuration", "training loss", "validation accuracy", "change", "test accuracy"]
    return Table(caption, header, rows)


def _explained(base: Run, others: Sequence[Run]) -> dict[str, Any]:
    """Return the base's values of the parameters that the others change."""
    return {name: base.parameters[name] for run in others for name in run.changes(base)}


def _effects_row(name: str, run: Run, base: Run) -> list[str]:
    change = (run.curve.last(VALIDATION) - base.curve.last(VALIDATION)) * 100
    return [
        name,
        number(run.curve.last(TRAIN_LOSS)),
        number(run.curve.last(VALIDATION)),
        "" if run is base else f"{change:+.1f} points",
        number(run.curve.last(TEST)),
    ]


def effect(run: Run, base: Run) -> str:
    """Say what one change did, and read it where it is more than noise."""
    (name,) = run.changes(base)
    new, old = parameter_value(run.parameters[name]), parameter_value(base.parameters[name])
    accuracy = run.curve.last(VALIDATION) - base.curve.last(VALIDATION)
    loss = run.curve.last(TRAIN_LOSS) - base.curve.last(TRAIN_LOSS)
    note = _DROPOUT_NOTE if name == "dropout" else ""
    return (
        f"{words(name).capitalize()} {new} instead of {old}: validation accuracy "
        f"{_difference(accuracy)}, training loss {than(loss)} "
        f"({number(run.curve.last(TRAIN_LOSS))} against {number(base.curve.last(TRAIN_LOSS))}). "
        f"{_reading(run.curve, base.curve, accuracy, loss)}{note}"
    )


def _difference(accuracy: float) -> str:
    alike = points(accuracy) == points(0)
    return "the same to 0.1 points" if alike else f"{points(accuracy)} {than(accuracy)}"


_DROPOUT_NOTE = (
    " The training loss is taken with dropout active, so the dropout probability shifts it by "
    "itself."
)


def _reading_of_high_loss(curve: Curve) -> str:
    """Interpret a training loss that a uniform guess would reach; the accuracy tells which kind."""
    guess = "Its loss is no better than that of a uniform guess (ln 10 = 2.3026 nats)"
    if curve.last(VALIDATION) < CHANCE_ACCURACY:
        return f"{guess}: this configuration learned nothing, or lost what it had learned."
    return (
        f"{guess}, although {curve.last(VALIDATION):.0%} of the validation images are classified "
        "rightly: the scores have grown so large that each mistake costs many nats."
    )


def _reading(curve: Curve, base: Curve, accuracy: float, loss: float) -> str:
    """Interpret a change of validation accuracy and training loss."""
    if curve.last(TRAIN_LOSS) > UNIFORM_GUESS - 0.05:
        return _reading_of_high_loss(curve)
    if not is_clear(curve, base, VALIDATION):
        return (
            "That is within sampling error or the movement of the curves in their last five "
            "epochs: too little to call an effect."
        )
    if accuracy > 0:
        if loss < 0:
            return "It optimizes better, and that carries over to images not trained on."
        return "It fits the training images less and the others better, as a regularizer does."
    if loss > 0:
        return "It fits the training images worse, and with them those not trained on."
    return "It fits the training images better but the others worse, which points to overfitting."


def _rate_effect(run: Run, best: Run) -> str:
    """Say why another learning rate did worse than the best, as far as the curves tell."""
    rate, chosen = run.parameters["learning_rate"], best.parameters["learning_rate"]
    text = effect(run, best)
    losses = run.curve.metrics[TRAIN_LOSS]
    if losses[-1] <= best.curve.last(TRAIN_LOSS):
        return text
    if rate < chosen and len(losses) > 1 and losses[-1] < losses[-2]:
        return (
            f"{text} Its training loss still falls in the last epoch (by "
            f"{losses[-2] - losses[-1]:.2g}): the steps are too short for so few epochs."
        )
    ranges = run.curve.late_range(VALIDATION), best.curve.late_range(VALIDATION)
    if rate > chosen and ranges[0] is not None and ranges[1] is not None and ranges[0] > ranges[1]:
        return (
            f"{text} In its last five epochs the validation accuracy moves by {points(ranges[0])}, "
            f"that of the best rate by {points(ranges[1])}: the steps, each taken on a single "
            "example, are too long to settle near the minimum of this convex loss."
        )
    return text


def _same_model_by_hand(answers: Mapping[str, Answer], runs: Sequence[Run]) -> list[Block]:
    """Hold the framework's logistic regression against the hand-written one of Q3.1b."""
    by_hand = answers["Q3.1b"].best if "Q3.1b" in answers else None
    curve = answers["Q3.1b"].best_curve() if by_hand else None
    for run in runs:
        rate = run.parameters["learning_rate"]
        if by_hand and curve and by_hand["parameters"].get("learning_rate") == rate:
            framework = Contender(
                f"the framework's model at rate {parameter_value(rate)}", run.curve
            )
            own = Contender("the hand-written one of Q3.1b", curve)
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
        if run.curve.last(VALIDATION) > base.curve.last(VALIDATION)
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
    accuracies = [run.curve.last(VALIDATION) for run in ladder]
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
