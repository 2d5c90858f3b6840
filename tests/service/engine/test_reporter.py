"""What a trainable may report, and what is sent of it."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from service.engine.messages import Epoch, Message, Wish
from service.engine.reporter import DivergedError, Reporter, SegmentStop, learning_rate_name
from trainables.contract import State


class Clock:
    """A clock that stands still unless it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Driver:
    """A driver that wishes what it is set to, and keeps states if it can."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.wishes: dict[int, Wish] = {}
        self.asked: list[tuple[int, bool]] = []
        self.kept: list[tuple[State, int, float]] = []
        self.can_keep = True

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def wish(self, epoch: int, *, can_resume: bool) -> Wish:
        self.asked.append((epoch, can_resume))
        return self.wishes.get(epoch, Wish())

    def keep(self, state: State, epoch: int, seconds: float) -> bool:
        self.kept.append((state, epoch, seconds))
        return self.can_keep


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def sent(driver: Driver) -> list[Any]:
    return driver.sent


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def report(driver: Driver, clock: Clock) -> Reporter:
    return Reporter(["accuracy"], 3, driver, clock)


LOSS = {"loss": 0.5, "accuracy": 0.75}


def test_an_epoch_is_one_message_with_its_time(
    report: Reporter, sent: list[Epoch], clock: Clock
) -> None:
    clock.now += 2.5
    report(1, LOSS)
    clock.now += 1.5
    report(2, {"loss": 0.25, "accuracy": 1.0}, engine="numba")
    assert sent == [
        Epoch(1, LOSS, 2.5),
        Epoch(2, {"loss": 0.25, "accuracy": 1.0}, 4.0, "numba"),
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_has_diverged(
    report: Reporter, sent: list[Epoch], value: float
) -> None:
    report(1, LOSS)
    with pytest.raises(DivergedError, match=f"loss was {value} in epoch 2: the training diverged"):
        report(2, {"loss": value, "accuracy": 0.5})
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("parameters", "advice"),
    [
        (["hidden_size"], ""),
        (["hidden_size", "learning_rate", "lr"], "; try a lower learning_rate"),
        (["model.optimizer.lr"], "; try a lower model.optimizer.lr"),
        (["Learning-Rate"], "; try a lower Learning-Rate"),
        (["lr_decay", "color", "learning"], ""),
    ],
)
def test_a_lower_learning_rate_is_advised_where_there_is_one(
    parameters: list[str], advice: str
) -> None:
    rate = learning_rate_name(parameters)
    report = Reporter(["loss"], 3, Driver(), learning_rate=rate)
    with pytest.raises(DivergedError) as raised:
        report(1, {"loss": math.nan})
    assert str(raised.value) == f"loss was nan in epoch 1: the training diverged{advice}"


def test_metrics_may_come_at_some_epochs_and_others_be_added(
    report: Reporter, sent: list[Epoch]
) -> None:
    """Validation every few epochs, say, and the learning rate of a schedule."""
    report(1, {"loss": 1.0, "lr": 0.1})
    report(2, {})
    report(3, {"accuracy": 0.5})
    assert [m.metrics for m in sent] == [{"loss": 1.0, "lr": 0.1}, {}, {"accuracy": 0.5}]


def test_the_last_epoch_must_have_the_jobs_metric(report: Reporter, sent: list[Epoch]) -> None:
    report(1, LOSS)
    report(2, LOSS)
    with pytest.raises(ValueError, match=r"\['loss'\] in its last epoch, 3, .* accuracy: report"):
        report(3, {"loss": 1.0})
    assert len(sent) == 2


@pytest.mark.parametrize("epoch", [0, 1, 3, 1.0, "2", None])
def test_another_epoch_than_the_next_is_refused(
    report: Reporter, sent: list[Epoch], epoch: Any
) -> None:
    report(1, LOSS)
    with pytest.raises(ValueError, match=re.escape(f"epoch {epoch!r} after 1 of 3 epochs")):
        report(epoch, LOSS)
    assert len(sent) == 1


def test_an_epoch_may_be_a_whole_number_of_numpys(report: Reporter, sent: list[Epoch]) -> None:
    for epoch in range(1, 4):
        report(np.int64(epoch), LOSS)
    report.check_complete()
    assert {type(message.epoch) for message in sent} == {int}
    with pytest.raises(ValueError, match="epoch 4 after 3 of 3 epochs"):
        report(4, LOSS)


def test_metrics_may_be_numbers_of_numpys(report: Reporter, sent: list[Epoch]) -> None:
    report(1, {"loss": np.float32(0.5), "accuracy": np.int64(1)})
    assert [type(value) for value in sent[0].metrics.values()] == [float, float]


def test_a_trainable_that_may_end_early_has_reported_what_is_compared(driver: Driver) -> None:
    report = Reporter(["accuracy"], 3, driver, early_end=True)
    with pytest.raises(ValueError, match="returned after it had reported 0 of 3 epochs"):
        report.check_complete()
    report(1, LOSS)
    report.check_complete()
    report(2, {"loss": 0.5})
    with pytest.raises(ValueError, match="in its last epoch, 2, where the job compares accuracy"):
        report.check_complete()
    Reporter(["accuracy"], 3, driver, early_end=True, reported=2).check_complete()


def test_an_epoch_left_out_is_missed_at_the_end(report: Reporter) -> None:
    report(1, LOSS)
    with pytest.raises(ValueError, match="returned after it had reported 1 of 3 epochs"):
        report.check_complete()


@pytest.mark.parametrize("name", ["", "two\nlines", "x" * 201, "\ud800"])
def test_a_name_that_no_metric_can_have_is_refused(
    report: Reporter, sent: list[Epoch], name: str
) -> None:
    """Reports and plots would fail on it, long after the trial."""
    with pytest.raises(ValueError, match="name"):
        report(1, {**LOSS, name: 1.0})
    assert sent == []


# --- states ------------------------------------------------------------------------------------


def test_a_state_is_made_only_where_one_is_wanted(
    report: Reporter, driver: Driver, clock: Clock
) -> None:
    driver.wishes = {2: Wish(checkpoint=True)}
    made = []

    def state() -> State:
        made.append(report.reported)
        return {"epoch": report.reported}

    for epoch in (1, 2, 3):
        clock.now += 1.0
        report(epoch, LOSS, state=state)
    assert driver.asked == [(1, True), (2, True), (3, True)]
    assert made == [2]
    assert driver.kept == [({"epoch": 2}, 2, 2.0)]


def test_nothing_is_asked_without_a_state(report: Reporter, driver: Driver) -> None:
    report(1, LOSS)
    assert driver.asked == []


@pytest.mark.parametrize("can_keep", [True, False])
def test_a_segment_stops_only_after_a_checkpoint(
    report: Reporter, driver: Driver, can_keep: bool
) -> None:
    driver.wishes, driver.can_keep = {1: Wish(checkpoint=True, stop=True)}, can_keep
    if can_keep:
        with pytest.raises(SegmentStop):
            report(1, LOSS, state=lambda: {"epoch": 1})
        assert not issubclass(SegmentStop, Exception), "a trainable's own except would catch it"
    else:
        report(1, LOSS, state=lambda: {"epoch": 1})
        report(2, LOSS)


def test_a_segment_ends_whether_a_checkpoint_is_stored_or_not(driver: Driver) -> None:
    driver.wishes, driver.can_keep = {2: Wish(checkpoint=True, end=True)}, False
    report = Reporter(["accuracy"], 3, driver, until=2)
    report(1, LOSS)
    with pytest.raises(SegmentStop):
        report(2, LOSS)
    assert driver.asked == [(2, False)], "without a state only at the end"
    report = Reporter(["accuracy"], 3, driver, until=2)
    report(1, LOSS)
    with pytest.raises(SegmentStop):
        report(2, LOSS, state=lambda: {"epoch": 2})
    assert driver.kept


def test_a_trial_that_may_be_stopped_asks_after_each_epoch(driver: Driver) -> None:
    driver.wishes = {2: Wish(end=True)}
    report = Reporter(["accuracy"], 3, driver, may_stop=True)
    report(1, LOSS)
    with pytest.raises(SegmentStop):
        report(2, LOSS)
    assert driver.asked == [(1, False), (2, False)]


def test_a_resumed_segment_goes_on_with_its_epochs_and_its_time(
    driver: Driver, clock: Clock
) -> None:
    report = Reporter(["accuracy"], 3, driver, clock, reported=2, seconds=10.0, can_resume=False)
    clock.now += 1.5
    report(3, LOSS, state=lambda: {"epoch": 3})
    report.check_complete()
    assert driver.sent == [Epoch(3, LOSS, 11.5)]
    assert driver.asked == [(3, False)]


def test_a_resumed_trainable_that_begins_again_is_told_what_to_do(driver: Driver) -> None:
    report = Reporter(["accuracy"], 3, driver, reported=2)
    with pytest.raises(ValueError, match=r"resumed after epoch 2 and reported epoch 1: .*resume"):
        report(1, LOSS)
