"""An invalid metric is refused when it is declared; a trainable that can resume is recognised."""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest

from trainables.contract import Metric, accepts_resume


@pytest.mark.parametrize("name", ["loss", "val/loss", "top-5 accuracy", "Güte", "model.loss"])
def test_names_of_metrics(name: str) -> None:
    assert Metric(name, "Loss", "min", "train").name == name


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "mode",
            "maximize",
            "metric 'loss': mode is 'maximize', but must be one of 'min', 'max'",
        ),
        ("mode", None, "mode is None"),
        (
            "split",
            "valid",
            "split is 'valid', but must be one of 'train', 'validation', 'test'",
        ),
        ("measured", "before", "measured is 'before', but must be one of 'during', 'after'"),
        ("name", "", "name is '', but must be one printable line of at most 200 characters"),
        ("name", "a\nb", r"name is 'a\nb'"),
        ("name", "\ud800", r"name is '\ud800'"),
        ("name", 3, "name is 3"),
        ("name", "epoch", "metric 'epoch': curves have a column of this name: choose another name"),
        ("name", "trial", "metric 'trial': curves have a column of this name"),
        ("label", " ", "label is ' '"),
        ("unit", "\t", r"unit is '\t'"),
        ("unit", None, "unit is None"),
    ],
)
def test_what_a_metric_cannot_be(field: str, value: Any, message: str) -> None:
    fields = {"name": "loss", "label": "Loss", "mode": "min", "split": "train"}
    with pytest.raises(ValueError, match=re.escape(message)):
        Metric(**{**fields, field: value})


def by_keyword(config: Any, *, resume: Any = None) -> None: ...
def by_position(config: Any, resume: Any = None) -> None: ...
def without(config: Any, *, epochs: int) -> None: ...
def with_options(config: Any, **options: Any) -> None: ...
def only_by_position(config: Any, resume: Any = None, /) -> None: ...


@functools.wraps(by_keyword)
def wrapped(*arguments: Any, **keywords: Any) -> None:
    by_keyword(*arguments, **keywords)


class Callable:
    def __call__(self, config: Any, *, resume: Any = None) -> None: ...


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        (by_keyword, True),
        (by_position, True),
        (wrapped, True),
        (Callable(), True),
        (functools.partial(by_keyword, {}), True),
        (without, False),
        (with_options, False),
        (only_by_position, False),
        (print, False),
        (dict, False),
    ],
)
def test_a_parameter_called_resume_is_recognised(train: Any, expected: bool) -> None:
    assert accepts_resume(train) is expected
