"""An answer's JSON as records, and single values of its curves."""

from __future__ import annotations

from math import isnan, nan

import pytest

from handin import Answer
from handin.answers import at, best_epoch, last, late_range
from results.analysis import summarize
from results.records import Curve
from tests.handin.handin_runs import make_answers, replace_curve


def test_curves_read_null_as_nan_which_is_never_best():
    curve = replace_curve(make_answers(), "Q3.1b", test_accuracy=[None, 0.7, 0.7, *[0.1] * 17])
    (read,) = curve["Q3.1b"].results.curves.values()
    assert isnan(at(read, "test_accuracy", 1))
    assert (at(read, "test_accuracy", 3), last(read, "test_accuracy")) == (0.7, 0.1)
    assert best_epoch(read, "test_accuracy", "max") == 2
    assert best_epoch(read, "test_accuracy", "min") == 4
    none = Curve(0, (1, 2), {"a": (nan, nan)})
    assert best_epoch(none, "a", "min") is None


def test_late_range_needs_ten_epochs():
    values = [0.0] * 5 + [0.1, 0.5, 0.2, 0.3, 0.4]
    long = Curve(0, tuple(range(1, 11)), {"a": tuple(values)})
    short = Curve(0, tuple(range(1, 10)), {"a": tuple(values[1:])})
    assert late_range(long, "a") == pytest.approx(0.4)
    assert late_range(short, "a") is None


def test_an_answer_is_read_as_records():
    answer = make_answers()["Q4.1"]
    results = answer.results
    assert summarize(results).wall_seconds == pytest.approx(90.5)
    assert results.varied == ("learning_rate",)
    assert [trial.parameters["learning_rate"] for trial in results.trials] == [0.001, 0.01, 0.1]
    assert results.best is not None
    assert results.best.number == 0
    assert results.info("train_loss").measured == "during"
    assert answer.failure == ""
    error = {"kind": "worker_lost", "message": "no disk"}
    failed = Answer({**answer.job, "error": error}, {}, [], {})
    assert failed.failure == "no disk"
    never = Answer({**answer.job, "started_at": None}, {}, [], {})
    assert summarize(never.results).wall_seconds is None
