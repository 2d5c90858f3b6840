"""What a single change of a hyperparameter did (Q4): runs side by side, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from handin.answers import Answer, last
from handin.classification import TRAIN_LOSS, VALIDATION
from handin.wording import Table, is_clear, points
from results.analysis import JobResults
from results.comparison import value_key
from results.formatting import number, parameter_value
from results.records import Curve
from results.states import TrialState
from results.wording import listing, prettify, same_as_written, side, words

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
        return changed_parameters(self.parameters, base.parameters)


def changed_parameters(parameters: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of ``parameters`` whose values differ from ``base``'s."""
    return {
        name: value
        for name, value in parameters.items()
        if name not in base or value_key(base[name]) != value_key(value)
    }


def run_of(results: JobResults, number: int) -> Run | None:
    """Return the trial of that number; None if it did not succeed or left no curve."""
    trial, curve = results.trial(number), results.curves.get(number)
    if trial is None or curve is None or trial.state is not TrialState.SUCCEEDED:
        return None
    return Run(trial.parameters, curve)


def succeeded(answer: Answer) -> list[Run]:
    """Return the succeeded trials by number."""
    results = answer.results
    runs = (run_of(results, trial.number) for trial in results.trials)
    return [run for run in runs if run is not None]


def best_run(answer: Answer) -> Run | None:
    """Return the selected trial; None if the job selected none."""
    best = answer.job["best"]
    return None if best is None else run_of(answer.results, best["trial"])


def describe(changes: Mapping[str, Any]) -> str:
    """Print changed parameters as "learning rate 0.1 and dropout 0.5"."""
    return listing([f"{words(name)} {parameter_value(value)}" for name, value in changes.items()])


def effects_table(caption: str, base_name: str, base: Run, others: Sequence[Run]) -> Table:
    """Tabulate the final metrics of ``others`` beside those of ``base``; no test metrics."""
    rows = [_effects_row(f"{base_name}: {describe(_explained(base, others))}", base, base)]
    rows += [_effects_row(describe(run.changes(base)), run, base) for run in others]
    header = ["configuration", "training loss", "validation accuracy", "change"]
    return Table(caption, header, rows)


def _explained(base: Run, others: Sequence[Run]) -> dict[str, Any]:
    """Return the base's values of the parameters that the others change."""
    return {name: base.parameters[name] for run in others for name in run.changes(base)}


def _effects_row(name: str, run: Run, base: Run) -> list[str]:
    change = (last(run.curve, VALIDATION) - last(base.curve, VALIDATION)) * 100
    return [
        name,
        number(last(run.curve, TRAIN_LOSS)),
        number(last(run.curve, VALIDATION)),
        "" if run is base else f"{change:+.1f} points",
    ]


def effect(run: Run, base: Run) -> str:
    """Say what one change did, and read it where it is more than noise."""
    (name,) = run.changes(base)
    new, old = parameter_value(run.parameters[name]), parameter_value(base.parameters[name])
    loss, base_loss = last(run.curve, TRAIN_LOSS), last(base.curve, TRAIN_LOSS)
    reading = _reading(run.curve, base.curve, tells_fit=name != "dropout")
    return (
        f"{prettify(name)} {new} instead of {old}: validation accuracy {_difference(run, base)}, "
        f"training loss {side(loss, base_loss)} ({number(loss)} against {number(base_loss)}). "
        f"{reading}{_DROPOUT_NOTE if name == 'dropout' else ''}"
    )


def _difference(run: Run, base: Run) -> str:
    first, second = last(run.curve, VALIDATION), last(base.curve, VALIDATION)
    alike = points(first - second) == points(0)
    return "the same to 0.1 points" if alike else f"{points(first - second)} {side(first, second)}"


_DROPOUT_NOTE = (
    " The training loss is taken with dropout active, so the dropout probability shifts it by "
    "itself."
)


def _reading(curve: Curve, base: Curve, *, tells_fit: bool) -> str:
    """Interpret a change of validation accuracy and training loss.

    ``tells_fit``: the two training losses measure the same, so they tell which fits better.
    """
    accuracy, loss = (last(curve, m) - last(base, m) for m in (VALIDATION, TRAIN_LOSS))
    if last(curve, VALIDATION) < CHANCE_ACCURACY:
        return (
            "Guessing would be right on 0.1 of the images: this configuration learned nothing, or "
            "lost what it had learned."
        )
    if last(curve, TRAIN_LOSS) > UNIFORM_GUESS - 0.05:
        return (
            "Its loss is no better than that of a uniform guess (ln 10 = 2.3026 nats), although "
            f"{last(curve, VALIDATION):.0%} of the validation images are classified rightly: the "
            "scores have grown so large that each mistake costs many nats."
        )
    if not is_clear(curve, base, VALIDATION):
        return (
            "That is within sampling error or the movement of the curves in their last five "
            "epochs: too little to call an effect."
        )
    if not tells_fit or same_as_written(last(curve, TRAIN_LOSS), last(base, TRAIN_LOSS)):
        return "The difference in accuracy is clear."
    return _READINGS[accuracy > 0, loss > 0]


#: By whether the accuracy and the training loss are higher than the base's.
_READINGS = {
    (True, False): "It fits the training images better, and that carries over to the others.",
    (True, True): "It fits the training images less and the others better, as a regularizer does.",
    (False, True): "It fits the training images worse, and with them those not trained on.",
    (False, False): "It fits the training images better but the others worse, which points to "
    "overfitting.",
}
