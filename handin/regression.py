"""What the regression runs show (Q2.2): how train and test error part, which model is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean

from handin import ames_checks
from handin.answers import Answer, at, best_epoch, last
from handin.wording import Block, Table
from results.formatting import number
from results.records import Curve
from results.wording import distance, same_as_written, side

TRAIN, TEST, DISTANCE = "train_rmse", "test_rmse", "distance_to_analytic"

#: Features of the Ames data.
FEATURES = 348

#: Epochs at the end whose ranges are compared, and the shortest run in which they mean anything.
WINDOW, SHORTEST = 10, 20

_MILESTONES = (1, 2, 5, 10, 20, 50, 100, 150)


def gap(curve: Curve, epoch: int) -> float:
    """Return test RMSE minus train RMSE after ``epoch``, in log price."""
    return at(curve, TEST, epoch) - at(curve, TRAIN, epoch)


def linear(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q2.2a: how train and test error part, and the distance to the optimum."""
    curve = answers["Q2.2a"].best_curve()
    if curve is None or len(curve.epochs) < 2:
        return []
    checked = ames_checks.is_checked(curve, ames_checks.LINEAR)
    blocks: list[Block] = [ames_checks.pools() if checked else _parting(curve)]
    if DISTANCE in curve.metrics:
        blocks.append(_approach(curve) + (f" {ames_checks.analytic()}" if checked else ""))
    return blocks


def network(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q2.2b: the network's train and test error beside the linear model's."""
    curve = answers["Q2.2b"].best_curve()
    if curve is None:
        return []
    other = answers["Q2.2a"].best_curve() if "Q2.2a" in answers else None
    if other is None:
        return ["There is no linear run to compare with, so the comparison is left out."]
    hidden = int(answers["Q2.2b"].job["best"]["parameters"]["hidden_size"])
    blocks = [_side_by_side(other, curve), *_compare(other, curve, hidden)]
    if ames_checks.is_checked(other, ames_checks.LINEAR) and ames_checks.is_checked(
        curve, ames_checks.NETWORK
    ):
        blocks.append(ames_checks.both_without_pools())
    return blocks


def _parting(curve: Curve) -> str:
    """Say how test and train error part after the lowest test error."""
    lowest = best_epoch(curve, TEST, "min")
    if lowest is None:
        return "No test error is finite."
    test, train = (at(curve, metric, lowest) for metric in (TEST, TRAIN))
    end_test, end_train = last(curve, TEST), last(curve, TRAIN)
    if same_as_written(test, end_test):
        return "The test error ends at its lowest: nothing was learned at the test houses' expense."
    text = f"From epoch {lowest} to the end the test error rises by {distance(test, end_test)}"
    if side(end_train, train) == "lower":
        return (
            f"{text} while the train error falls by a further {distance(train, end_train)}: these "
            "steps serve the training houses at the expense of the test houses. Stopping at epoch "
            f"{lowest} would have predicted the latter better, but test data may only be observed."
        )
    moved = "is the same" if side(end_train, train) == "the same" else "rises too"
    return f"{text}, and the train error {moved}: the steps disturb the fit; it is no overfitting."


def _approach(curve: Curve) -> str:
    """Relate the distance to the analytic solution to the test error."""
    values, end = curve.metrics[DISTANCE], curve.epochs[-1]
    nearest, lowest = best_epoch(curve, DISTANCE, "min"), best_epoch(curve, TEST, "min")
    if nearest is None:
        return "The weights have no finite distance to the analytic solution."
    if not same_as_written(at(curve, DISTANCE, nearest), values[-1]):
        return (
            f"The weights came nearest to the analytic solution after epoch {nearest} and have "
            "moved away from it since."
        )
    falling = all(later < earlier for earlier, later in pairwise(values))
    text = "The weights come nearer to the analytic solution " + (
        "with every epoch" if falling else "on the whole, if not with every epoch"
    )
    if lowest is None or same_as_written(at(curve, TEST, lowest), last(curve, TEST)):
        return (
            f"{text}; the test error goes from {number(curve.metrics[TEST][0])} after epoch "
            f"{curve.epochs[0]} to {number(last(curve, TEST))} after epoch {end}."
        )
    return (
        f"{text}, also after epoch {lowest}, where the test error is lowest: their distance is "
        f"{number(at(curve, DISTANCE, lowest))} there and {number(values[-1])} at the end. The "
        "analytic solution minimizes the training error alone."
    )


def _side_by_side(line: Curve, net: Curve) -> Table:
    """Put both models' errors and differences into one table."""
    common = sorted(set(line.epochs) & set(net.epochs))
    shown = [epoch for epoch in common if epoch in _MILESTONES or epoch == common[-1]]
    rows = [
        [str(epoch)]
        + [
            number(value)
            for curve in (line, net)
            for value in (at(curve, TRAIN, epoch), at(curve, TEST, epoch), gap(curve, epoch))
        ]
        for epoch in shown
    ]
    header = ["epoch", *(f"{m} {part}" for m in ("linear", "network") for part in _PARTS)]
    return Table("RMSE of log price: linear model and network side by side", header, rows)


_PARTS = ("train", "test", "test − train")  # noqa: RUF001 - a minus sign, as typeset


def _compare(line: Curve, net: Curve, hidden: int) -> list[Block]:
    """Compare the two models over the last epochs that both have run."""
    common = sorted(set(line.epochs) & set(net.epochs))
    if len(common) < SHORTEST:
        return [
            f"Of fewer than {SHORTEST} epochs there is no late range to hold a difference against, "
            "so none is read."
        ]
    window = common[-WINDOW:]
    values = [[[read(curve, epoch) for epoch in window] for curve in (line, net)] for read in _READ]
    train, test, parted = (_decided(net_values, own) for own, net_values in values)
    rows = [
        [part, *map(_spread, pair), _VERDICTS[verdict]]
        for part, pair, verdict in zip(_PARTS, values, (train, test, parted), strict=True)
    ]
    caption = f"RMSE of log price in the last {WINDOW} epochs: range and mean"
    table = Table(caption, ["", "linear", "network", "the network's is"], rows)
    return [table, f"{_reading(train, test)} {_capacity(hidden, train, parted)}"]


_READ = (
    lambda curve, epoch: at(curve, TRAIN, epoch),
    lambda curve, epoch: at(curve, TEST, epoch),
    gap,
)
_VERDICTS = {-1: "lower", 0: "undecided: the ranges overlap", 1: "higher"}


def _spread(values: Sequence[float]) -> str:
    return f"{number(min(values))} to {number(max(values))} (mean {number(fmean(values))})"


def _decided(first: Sequence[float], second: Sequence[float]) -> int:
    """Return -1 or 1 if the first values all lie below or above the second ones, else 0."""
    return -1 if max(first) < min(second) else 1 if min(first) > max(second) else 0


def _reading(train: int, test: int) -> str:
    """Put into words which model fits and which predicts better, as far as it is decided."""
    fit = {
        -1: "fits the training houses more closely than the linear model",
        0: "does not clearly fit the training houses more or less closely than the linear model",
        1: "fits the training houses less closely than the linear model",
    }[train]
    prediction = {
        -1: "predicts the test houses better",
        0: "which of them predicts the test houses better is not decided",
        1: "predicts the test houses worse",
    }[test]
    return f"By these ranges the network {fit}, and {prediction}."


def _capacity(hidden: int, train: int, parted: int) -> str:
    """Hold the numbers of parameters against what the differences show."""
    sizes = (
        f"The network has {hidden * (FEATURES + 2) + 1:,} parameters, the linear model "
        f"{FEATURES + 1}, and there are 1,465 training houses"
    )
    if train < 0 and parted > 0:
        return (
            f"{sizes}: with its greater freedom it fits them more closely, and its test error is "
            "further from its train error."
        )
    return (
        f"{sizes}: how many parameters a model has does not alone decide how far its train and "
        "test error part in a given number of steps."
    )
