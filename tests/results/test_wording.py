"""Names, lists and differences as text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results import wording
from results.formatting import number
from results.wording import apart
from trainables.contract import Metric


@pytest.mark.parametrize(
    ("value", "reference", "text"),
    [
        # The difference of the figures as written, not the rounded difference (0.0026).
        (0.88924, 0.89186, "0.0027 lower"),
        (0.238, 0.195, "0.0430 higher"),
        (120.0, 100.0, "20 higher"),
        (0.5, 0.50001, "equal as written"),
        # Less than 0.00005 apart, and yet not the same to a reader.
        (0.12344, 0.12346, "0.0001 lower"),
        (0.0100004, 0.009996, "4e-06 higher"),
        (10.07, 9.9999, "0.0701 higher"),
    ],
)
def test_apart(value: float, reference: float, text: str) -> None:
    assert wording.apart(value, reference) == text


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("Training loss (cross-entropy)", "training loss"),
        ("RMSE of the rest", "RMSE of the rest"),
        ("F1 score", "F1 score"),
        ("R squared", "R squared"),
        ("Top-5 accuracy", "top-5 accuracy"),
        ("Distance to the analytic solution", "distance to the analytic solution"),
    ],
)
def test_in_sentence(label: str, text: str) -> None:
    assert wording.in_sentence(Metric("m", label, "min", "train")) == text


def test_lists_labels_and_configurations() -> None:
    assert [wording.listing(list("abc")[:n]) for n in range(4)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert wording.axis_label(Metric("m", "Loss", "min", "train", "nats")) == "Loss [nats]"
    assert wording.configuration({"a": 1, "b": 0.5}, ["b", "c", "a"]) == "b 0.5, a 1"


NEAR = st.floats(0.0999, 0.1001) | st.floats(0, 20) | st.sampled_from([0.1, 0.10004, 0.10006])


APART = re.compile(r"(\S+) (higher|lower)")


@given(value=NEAR, reference=NEAR)
def test_differences_are_those_of_the_figures(value: float, reference: float) -> None:
    text, written = apart(value, reference), [float(number(v)) for v in (value, reference)]
    found = APART.fullmatch(text)
    assert (found is None) == (written[0] == written[1]) == (text == "equal as written")
    if found is not None:
        assert found[2] == ("higher" if written[0] > written[1] else "lower")
        assert float(found[1]) == pytest.approx(abs(written[0] - written[1]), rel=1e-3)
        assert float(found[1]) > 0
