"""What single changes of hyperparameters did (Q4), in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from handin.answers import Answer, last, late_range
from handin.classification import TRAIN_LOSS, VALIDATION
from handin.wording import Table, is_clear
from results.analysis import JobResults
from results.comparison import value_key
from results.formatting import number, parameter_value
from results.records import Curve
from results.states import TrialState
from results.wording import listing, same_as_written, side, words

#: The cross-entropy of a uniform guess among ten classes, in nats.
UNIFORM_GUESS = log(10)
#: Guessing gives 0.1; below twice that, a model hardly tells the ten classes apart.
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
    runs = (run_of(answer.results, trial.number) for trial in answer.results.trials)
    return [run for run in runs if run is not None]


def best_run(answer: Answer) -> Run | None:
    """Return the selected trial; None if the job selected none."""
    best = answer.results.best
    return None if best is None else run_of(answer.results, best.number)


def describe(changes: Mapping[str, Any]) -> str:
    """Return changed parameters as "learning rate 0.1 and dropout 0.5"."""
    return listing([f"{words(name)} {parameter_value(value)}" for name, value in changes.items()])


def effects_table(caption: str, base_name: str, base: Run, others: Sequence[Run]) -> Table:
    """Tabulate the final metrics of ``others`` beside those of ``base``; no test metrics."""
    explained = {name: base.parameters[name] for run in others for name in run.changes(base)}
    rows = [[f"{base_name}: {describe(explained)}", *_figures(base), "", ""]]
    for run in others:
        change = (last(run.curve, VALIDATION) - last(base.curve, VALIDATION)) * 100
        figures = [*_figures(run), f"{change:+.1f} points", reading(run, base)]
        rows.append([describe(run.changes(base)), *figures])
    header = ["configuration", "training loss", "validation accuracy", "change", "reading"]
    return Table(caption, header, rows)


def _figures(run: Run) -> list[str]:
    return [number(last(run.curve, TRAIN_LOSS)), number(last(run.curve, VALIDATION))]


def reading(run: Run, base: Run) -> str:
    """Return what one change did to fit and accuracy, as far as the curves tell."""
    (name,) = run.changes(base)
    accuracy, loss = last(run.curve, VALIDATION), last(run.curve, TRAIN_LOSS)
    base_loss = last(base.curve, TRAIN_LOSS)
    if accuracy < CHANCE_ACCURACY:
        return "learned nothing, or lost what it had learned: guessing gives 0.1"
    if loss > UNIFORM_GUESS - 0.05:
        return "the loss of a guess or more: scores so large that each mistake costs many nats"
    if not is_clear(run.curve, base.curve, VALIDATION):
        return "within noise"
    # With another dropout probability the training loss measures something else.
    if name == "dropout" or same_as_written(loss, base_loss):
        return "a clear difference"
    text = _READINGS[accuracy > last(base.curve, VALIDATION), loss > base_loss]
    return f"{text}{_step(run, base)}" if name == "learning_rate" else text


#: By whether the accuracy and the training loss are higher than the base's.
_READINGS = {
    (True, False): "better on the training and on the other images",
    (True, True): "worse on the training images, better on the others, as a regularizer does",
    (False, True): "worse on the training and on the other images",
    (False, False): "better on the training images, worse on the others: overfitting",
}


def _step(run: Run, base: Run) -> str:
    """Return why another learning rate fits worse, where the curves show it."""
    losses = run.curve.reported(TRAIN_LOSS)
    if losses[-1] <= last(base.curve, TRAIN_LOSS):
        return ""
    is_smaller = run.parameters["learning_rate"] < base.parameters["learning_rate"]
    if is_smaller and len(losses) > 1 and side(losses[-1], losses[-2]) == "lower":
        return "; its loss still falls: steps too short for so few epochs"
    moved, base_moved = (late_range(each.curve, VALIDATION) for each in (run, base))
    if not is_smaller and moved is not None and moved > (base_moved or 0.0):
        return "; its accuracy moves more in the last five epochs: steps too long to settle"
    return ""
