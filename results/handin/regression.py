"""What the regression runs show (Q2.2): how train and test error part, which model is better."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from statistics import fmean

from results.handin.answers import Answer, Curve
from results.handin.wording import Block, Table, change, than
from results.wording import EQUAL, number

TRAIN, TEST, DISTANCE = "train_rmse", "test_rmse", "distance_to_analytic"

#: Features of the Ames data, and how many of them are one-hot indicators (130 of these are set
#: for at most 15 of the 1,465 training houses).
FEATURES, INDICATORS = 348, 311

_MILESTONES = (1, 2, 5, 10, 20, 50, 100, 150)


def gap(curve: Curve, epoch: int) -> float:
    """Return test RMSE minus train RMSE after ``epoch``, in log price."""
    return curve.at(TEST, epoch) - curve.at(TRAIN, epoch)


def linear(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q2.2a: how train and test error part, and the distance to the optimum."""
    curve = answers["Q2.2a"].best_curve()
    if curve is None:
        return []
    blocks: list[Block] = [_why(curve)]
    if DISTANCE in curve.metrics:
        blocks.append(_distance(curve))
    return blocks


def network(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q2.2b: the network's train and test error beside the linear model's."""
    curve = answers["Q2.2b"].best_curve()
    if curve is None:
        return []
    other = answers["Q2.2a"].best_curve() if "Q2.2a" in answers else None
    if other is None:
        return ["There is no linear run to compare with, so the comparison is left out."]
    best = answers["Q2.2b"].best or {}
    hidden = int(best["parameters"]["hidden_size"])
    return [_side_by_side(other, curve), *_compare(other, curve, hidden)]


def _why(curve: Curve) -> str:
    """Explain how test and train error part by what they did after the lowest test error."""
    lowest, end = curve.best_epoch(TEST, "min"), curve.epochs[-1]
    if lowest == end:
        return (
            "Up to the last epoch the steps lower the error on the test houses too, so within "
            f"{end} epochs what the model learns from the training houses still holds for others."
        )
    rise = change(curve.at(TEST, lowest), curve.last(TEST))
    train, moved = curve.last(TRAIN), change(curve.at(TRAIN, lowest), curve.last(TRAIN))
    text = (
        f"Up to epoch {lowest} the model learns what training and test houses have in common. From "
        f"there to the end the test error rises by {rise}"
    )
    if train < curve.at(TRAIN, lowest):
        return (
            f"{text} while the train error falls by a further {moved}: {INDICATORS} of the "
            f"{FEATURES} features are indicators, many of them set for a few houses only, which "
            "leaves room to fit what is particular to those few training houses. Stopping after "
            f"epoch {lowest} would have predicted better, but on test data that may only be "
            "observed, not decided."
        )
    return (
        f"{text} and the train error does not fall (it changes by {moved}): the steps disturb the "
        "fit, which is no overfitting."
    )


def _distance(curve: Curve) -> str:
    """Relate the distance to the analytic solution to the test error."""
    values = curve.metrics[DISTANCE]
    nearest, lowest, end = (
        curve.best_epoch(DISTANCE, "min"),
        curve.best_epoch(TEST, "min"),
        curve.epochs[-1],
    )
    if nearest != end:
        return (
            f"The weights came nearest to the analytic solution after epoch {nearest} and have "
            "moved away from it since."
        )
    falling = all(later < earlier for earlier, later in pairwise(values))
    text = "The weights come nearer to the analytic solution " + (
        "with every epoch" if falling else "on the whole, if not with every epoch"
    )
    if lowest == end:
        return f"{text}, and the test error falls with the distance."
    return (
        f"{text}, also after epoch {lowest}, where the test error is lowest: their distance is "
        f"{number(curve.at(DISTANCE, lowest))} there and {number(values[-1])} at the end. The "
        "analytic solution minimizes the training error alone, so coming nearer to it is no gain "
        "for other houses from some point on."
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
            for value in (curve.at(TRAIN, epoch), curve.at(TEST, epoch), gap(curve, epoch))
        ]
        for epoch in shown
    ]
    header = ["epoch", *(f"{m} {part}" for m in ("linear", "network") for part in _PARTS)]
    return Table("RMSE of log price: linear model and network side by side", header, rows)


_PARTS = ("train", "test", "test − train")  # noqa: RUF001 - a minus sign, as typeset


def _compare(line: Curve, net: Curve, hidden: int) -> list[Block]:
    """Compare the two models at the end of the epochs that both have run."""
    common = sorted(set(line.epochs) & set(net.epochs))
    last, window = common[-1], common[-10:] if len(common) >= 20 else common[-1:]
    gaps = [fmean(gap(curve, epoch) for epoch in window) for curve in (net, line)]
    wider = gaps[0] - gaps[1]
    facts = (
        f"After epoch {last} the network's difference between test and train RMSE is "
        f"{number(gap(net, last))} and the linear model's {number(gap(line, last))}."
    )
    if len(window) > 1:
        tests = [net.at(TEST, epoch) for epoch in window]
        facts += (
            f" In the last {len(window)} epochs the network's test error lies between "
            f"{number(min(tests))} and {number(max(tests))}, so the means over these epochs say "
            f"more: a difference of {number(gaps[0])} is {_width(wider)} one of {number(gaps[1])}."
        )
    means = {
        metric: tuple(fmean(curve.at(metric, epoch) for epoch in window) for curve in (net, line))
        for metric in (TRAIN, TEST)
    }
    train, test = (a - b for a, b in means.values())
    errors = (
        f"There the network's train error is {than(train)} ({_against(*means[TRAIN])}) and its "
        f"test "
        f"error {than(test)} ({_against(*means[TEST])})."
    )
    parameters = hidden * (FEATURES + 2) + 1
    reading = _reading(_side(*means[TRAIN]), _side(*means[TEST]), wider=wider > 0)
    return [f"{facts} {errors}", f"{reading} {_capacity(parameters, wider=wider > 0)}"]


def _against(first: float, second: float) -> str:
    return f"{number(first)} against {number(second)}"


def _side(first: float, second: float) -> int:
    """Return -1 or 1 if the first error is lower or higher, 0 if within 2 % of the second."""
    return 0 if abs(first - second) <= 0.02 * second else 1 if first > second else -1


def _width(difference: float) -> str:
    if abs(difference) < EQUAL:
        return "as wide as"
    return "wider than" if difference > 0 else "narrower than"


def _capacity(parameters: int, *, wider: bool) -> str:
    """Hold the numbers of parameters against what the differences show."""
    sizes = (
        f"The network has {parameters:,} parameters, the linear model {FEATURES + 1}, and there "
        "are 1,465 training houses"
    )
    if wider:
        return f"{sizes}: the more a model can express, the more of single houses it can fit."
    return (
        f"{sizes}: how many parameters a model has does not alone decide how far it overfits in a "
        "given number of steps."
    )


def _reading(train: int, test: int, *, wider: bool) -> str:
    """Interpret on which :func:`_side` of the linear model's the network's two errors lie."""
    fit = {-1: "more closely than", 0: "about as closely as", 1: "less closely than"}[train]
    prediction = {-1: "better", 0: "about as well", 1: "worse"}[test]
    text = (
        f"The network fits the training houses {fit} the linear model and predicts new ones "
        f"{prediction}"
    )
    if train < 0 and test < 0:
        return f"{text}, but only a part of the closer fit carries over." if wider else f"{text}."
    if train < 0:
        return f"{text}: its additional freedom went into overfitting."
    if test < 0:
        return f"{text}: what it has learned is less particular to the training houses."
    return f"{text}: it has not (yet) made use of its additional freedom."
