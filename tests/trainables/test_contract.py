"""A metric that cannot be is refused when it is declared."""

from __future__ import annotations

import re
from typing import Any

import pytest

from trainables.contract import Metric


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
        ("label", " ", "label is ' '"),
        ("unit", "\t", r"unit is '\t'"),
        ("unit", None, "unit is None"),
    ],
)
def test_what_a_metric_cannot_be(field: str, value: Any, message: str) -> None:
    fields = {"name": "loss", "label": "Loss", "mode": "min", "split": "train"}
    with pytest.raises(ValueError, match=re.escape(message)):
        Metric(**{**fields, field: value})
