"""What the regression runs show (Q2.2): how train and test error part, which model is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from handin import ames_checks
from handin.answers import Answer, at, best_epoch, last
from handin.wording import Block, Table
from results.formatting import number
from results.records import Curve
from results.wording import distance, same_as_written, side

TRAIN, TEST, DISTANCE = "train_rmse", "test_rmse", "distance_to_analytic"

#: Features of the Ames data, and houses to train on.
FEATURES, HOUSES = 348, 1465

#: Epochs at the end whose ranges are compared, and the shortest run in which they mean anything.
WINDOW, SHORTEST = 10, 20

_MILESTONES = (1, 2, 5, 10, 20, 50, 100, 150)
_PARTS = ("train", "test", "test − train")  # noqa: RUF001 - a minus sign, as typeset
_VERDICTS = {-1: "lower", 0: "undecided: the ranges overlap", 1: "higher"}


def errors(curve: Curve, epoch: int) -> tuple[float, float, float]:
    """Return train RMSE, test RMSE and test minus train after ``epoch``, in log price."""
    train, test = at(curve, TRAIN, epoch), at(curve, TEST, epoch)
    return train, test, test - train


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
        return ["There is no linear run to compare with."]
    hidden = int(answers["Q2.2b"].job["best"]["parameters"]["hidden_size"])
    blocks = [_side_by_side(other, curve), *_late(other, curve, hidden)]
    if ames_checks.is_checked(other, ames_checks.LINEAR) and ames_checks.is_checked(
        curve, ames_checks.NETWORK
    ):
        blocks.append(ames_checks.both_without_pools())
    return blocks


def _parting(curve: Curve) -> str:
    """Say how test and train error move after the lowest test error."""
    lowest = best_epoch(curve, TEST, "min")
    if lowest is None:
        return "No test error is finite."
    (train, test, _), (end_train, end_test, _) = (
        errors(curve, epoch) for epoch in (lowest, curve.epochs[-1])
    )
    if same_as_written(test, end_test):
        return "The test error ends at its lowest: no overfitting is seen."
    text = f"From epoch {lowest} to the end the test error rises by {distance(test, end_test)}"
    if side(end_train, train) != "lower":
        return f"{text} and the train error does not fall: the steps disturb the fit."
    return (
        f"{text} while the train error falls by {distance(train, end_train)}: these steps serve "
        "the training houses at the expense of the test houses. Test data may only be observed, "
        f"so the run does not stop at epoch {lowest}."
    )


def _approach(curve: Curve) -> str:
    """Say how the distance to the analytic solution moves, and what that solution minimizes."""
    first, end = curve.reported(DISTANCE)[0], last(curve, DISTANCE)
    nearest = best_epoch(curve, DISTANCE, "min")
    if nearest is None:
        return "The weights have no finite distance to the analytic solution."
    text = (
        f"The distance of the weights to the analytic solution goes from {number(first)} after "
        f"epoch {curve.epochs[0]} to {number(end)} after epoch {curve.epochs[-1]}"
    )
    if not same_as_written(at(curve, DISTANCE, nearest), end):
        return f"{text}; it was smallest after epoch {nearest}, and the weights have moved away."
    return f"{text}, its smallest. The analytic solution minimizes the training error alone."


def _side_by_side(line: Curve, net: Curve) -> Table:
    """Tabulate both models' errors and differences at some epochs."""
    common = sorted(set(line.epochs) & set(net.epochs))
    shown = [epoch for epoch in common if epoch in _MILESTONES or epoch == common[-1]]
    rows = [
        [str(epoch), *(number(value) for curve in (line, net) for value in errors(curve, epoch))]
        for epoch in shown
    ]
    header = ["epoch", *(f"{model} {part}" for model in ("linear", "network") for part in _PARTS)]
    return Table("RMSE of log price: linear model and network side by side", header, rows)


def _late(line: Curve, net: Curve, hidden: int) -> list[Block]:
    """Compare the two models over the last epochs that both have run."""
    common = sorted(set(line.epochs) & set(net.epochs))
    if len(common) < SHORTEST:
        return [f"Fewer than {SHORTEST} epochs have no late range to compare the models by."]
    late = [
        list(zip(*(errors(curve, epoch) for epoch in common[-WINDOW:]), strict=True))
        for curve in (line, net)
    ]
    verdicts = [_decided(own, other) for other, own in zip(*late, strict=True)]
    rows = [
        [part, *map(_spread, pair), _VERDICTS[verdict]]
        for part, pair, verdict in zip(_PARTS, zip(*late, strict=True), verdicts, strict=True)
    ]
    caption = f"RMSE of log price in the last {WINDOW} epochs: range and mean"
    table = Table(caption, ["", "linear", "network", "the network's is"], rows)
    return [table, _capacity(hidden, fits_closer=verdicts[0] < 0 < verdicts[2])]


def _spread(values: Sequence[float]) -> str:
    return f"{number(min(values))} to {number(max(values))} (mean {number(fmean(values))})"


def _decided(first: Sequence[float], second: Sequence[float]) -> int:
    """Return -1 or 1 if the first values all lie below or above the second ones, else 0."""
    return -1 if max(first) < min(second) else 1 if min(first) > max(second) else 0


def _capacity(hidden: int, *, fits_closer: bool) -> str:
    """Relate the numbers of parameters to the differences between train and test error."""
    sizes = (
        f"The network has {hidden * (FEATURES + 2) + 1:,} parameters, the linear model "
        f"{FEATURES + 1}, and there are {HOUSES:,} training houses"
    )
    if fits_closer:
        return f"{sizes}: its greater freedom fits them more closely, at a greater difference."
    return f"{sizes}: the number of parameters alone does not decide the difference."
