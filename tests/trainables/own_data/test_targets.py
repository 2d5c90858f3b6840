"""The task is as the target suggests, or as the user says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainables.own_data.files import made, npz, problems


def csv(cells: list[Any]) -> str:
    return "x,t\n" + "".join(f"{i * i},{cell}\n" for i, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([0, 1] * 10, "classification"),
        (["yes", "no"] * 10, "classification"),
        ([0.5, 1] * 10, "regression"),
        (list(range(40)), "regression"),
        (list(range(8)) * 5, "classification"),
        (list(range(9)) * 4, "regression"),
        ([1, 2] * 4, "classification"),
    ],
)
def test_what_the_values_suggest(tmp_path: Path, cells: list[Any], kind: str) -> None:
    assert made(tmp_path, csv(cells), target="t").prepared.kind == kind


def test_the_user_decides(tmp_path: Path) -> None:
    assert made(tmp_path, csv([0, 1] * 10), target="t", task="regression").prepared.kind == (
        "regression"
    )
    result = made(tmp_path, csv([10, 9, 2.5] * 8), target="t", task="classification").prepared
    assert result.target.classes == ("2.5", "9", "10")


@pytest.mark.parametrize(
    ("cells", "options", "code"),
    [
        ([7] * 9, {"task": "regression"}, "constant_target"),
        (["a"] * 9, {}, "one_class"),
        ([1, "", 2, "NaN"] * 5, {}, "missing_target"),
        (["a", "b", "c"] * 5, {"task": "regression"}, "wrong_type"),
        ([f"c{i}" for i in range(20)], {}, "too_many_classes"),
        (list(range(3_000)), {"task": "classification"}, "too_many_classes"),
        (["1e400", 2, 3] * 5, {"task": "regression"}, "number_range"),
    ],
)
def test_targets_that_cannot_be_predicted(
    tmp_path: Path, cells: list[Any], options: dict[str, Any], code: str
) -> None:
    (problem,) = problems(tmp_path, csv(cells), target="t", **options)
    assert (problem.pointer, problem.code) == ("/columns/t", code)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({}, "name the column to predict: --target t, say"),
        ({"target": "tt"}, "did you mean t?"),
        ({"target": "t", "types": {"t": "number"}}, "leave it out of --types and give --task"),
    ],
)
def test_a_target_must_be_named(tmp_path: Path, options: dict[str, Any], hint: str) -> None:
    (problem,) = problems(tmp_path, csv([1, 2, 3] * 3), **options)
    assert problem.hint == hint


def test_targets_of_arrays(tmp_path: Path) -> None:
    x = np.random.RandomState(0).randn(40, 2)
    names = np.array(["b", "a"] * 20)
    assert made(tmp_path, npz(x=x, y=names)).prepared.target.classes == ("a", "b")
    assert made(tmp_path, npz(x=x, t=x[:, 0]), target="t").prepared.kind == "regression"
    amounts = np.arange(40) % 20
    assert made(tmp_path, npz(x=x, y=amounts)).prepared.kind == "regression"
    whole = np.arange(40) % 4
    assert made(tmp_path, npz(x=x, y=whole)).prepared.kind == "classification"
    assert made(tmp_path, npz(x=x, y=whole), task="regression").prepared.kind == "regression"
    for y, options, code in (
        (np.full(40, np.nan), {}, "missing_target"),
        (np.zeros(40), {"task": "regression"}, "constant_target"),
        (np.zeros(40, int), {}, "one_class"),
        (names, {"task": "regression"}, "wrong_type"),
    ):
        assert problems(tmp_path, npz(x=x, y=y), **options)[0].code == code


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"], ids=["NUL", "surrogate"])
def test_classes_that_cannot_be_stored_are_refused(tmp_path: Path, name: str) -> None:
    y = np.array([name, "c"] * 10)
    (problem,) = problems(tmp_path, npz(x=np.arange(40.0).reshape(20, 2), y=y))
    assert (problem.pointer, problem.code) == ("/arrays/y", "bad_character")
