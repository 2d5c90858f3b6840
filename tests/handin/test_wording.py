"""When two accuracies differ by more than noise, and their table."""

from __future__ import annotations

import pytest

from handin.wording import comparison, is_clear, noise, two_standard_errors
from results.records import Curve


def flat(accuracy, late=0.0, epochs=20):
    """Return a curve at ``accuracy``, but for one dip by ``late`` in its last five epochs."""
    values = [accuracy] * epochs
    values[-min(3, epochs)] -= late
    return Curve(0, tuple(range(1, epochs + 1)), {"test_accuracy": tuple(values)})


def test_two_standard_errors_by_hand():
    # Two accuracies of 0.5: each has variance 0.25 / 10,000, so 2 sqrt(0.5 / 10,000) = 0.014142.
    assert two_standard_errors(0.5, 0.5) == pytest.approx(0.0141421, abs=1e-7)


@pytest.mark.parametrize(
    ("first", "second", "late", "clear"),
    [
        (0.80, 0.85, 0.0, True),
        (0.85, 0.80, 0.0, True),
        (0.80, 0.805, 0.0, False),
        (0.80, 0.85, 0.06, False),
    ],
)
def test_is_clear_weighs_sampling_error_and_late_movement(first, second, late, clear):
    assert is_clear(flat(first, late), flat(second), "test_accuracy") is clear
    assert is_clear(flat(first), flat(second, late), "test_accuracy") is clear


def test_a_comparison_quotes_its_numbers() -> None:
    table = comparison("A", flat(0.85), {"B": flat(0.8, 0.012), "C": flat(0.84)}, "test_accuracy")
    assert table.caption.startswith("Test accuracy at the last epoch: A and its difference")
    assert table.header[-1] == "A is"
    assert table.rows == [
        ["A", "20", "0.8500", "", "", ""],
        ["B", "20", "0.8000", "+5.0 points", "1.2 points", "above"],
        ["C", "20", "0.8400", "+1.0 points", "1.0 points", "not ranked by one run"],
    ]


def test_noise_is_the_largest_of_sampling_error_and_late_movement() -> None:
    assert noise(flat(0.8), flat(0.801), "test_accuracy") == pytest.approx(0.0113, abs=1e-4)
    assert noise(flat(0.8, 0.06), flat(0.801), "test_accuracy") == pytest.approx(0.06)
    # Two epochs show the learning rather than the noise.
    assert noise(flat(0.8, 0.06, 2), flat(0.8), "test_accuracy") == pytest.approx(0.0113, abs=1e-4)


def test_runs_of_other_lengths_and_worse_models_are_seen_in_the_table() -> None:
    table = comparison("A", flat(0.8, epochs=2), {"B": flat(0.85)}, "test_accuracy")
    assert [row[1] for row in table.rows] == ["2", "20"]
    assert table.rows[1][3:] == ["-5.0 points", "1.1 points", "below"]
