"""Names of plots: those of ordinary names are these, all are safe and unique."""

from __future__ import annotations

import re

import hypothesis
import pytest
from hypothesis import strategies as st

from results.plots.names import plot_name, plot_names


@pytest.mark.parametrize(
    "name", ["train_loss", "R2", "top-5", "_", "parameter_learning_rate", "parallel_coordinates"]
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert plot_name(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("val/loss", "val_loss--9bf6b042"),
        ("a.b", "a_b--27f94754"),
        ("höhe", "h_he--497cea04"),
        ("日本", "plot--ae451b1e"),
        ("../x", "x--"),
        ("--help", "help--"),
        ("", "plot--"),
    ],
)
def test_other_names_are_made_safe(name: str, expected: str) -> None:
    assert plot_name(name).startswith(expected)


def test_names_that_are_taken_or_equal_but_for_case_differ() -> None:
    assert plot_names(["loss", "Loss", "history"], ["history"]) == [
        "loss",
        "Loss--bbf97c49",
        plot_name("history", {"history"}),
    ]


@hypothesis.given(st.lists(st.text(max_size=100) | st.sampled_from(["a", "A", "a--b", "a/b"])))
def test_any_names_become_safe_and_unique(names: list[str]) -> None:
    found = plot_names(names, ["a"])
    assert len({name.lower() for name in found} | {"a"}) == len(names) + 1
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", name) for name in found)
