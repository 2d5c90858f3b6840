"""A declaration that cannot work is refused when it is built, with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

from trainables.contract import Metric
from trainables.declaration import Trainable
from trainables.parameters import Parameters

SCORE = Metric("score", "Score", "max", "validation")


class Plain(Parameters):
    x: float = 1.0


def declare(**changes: Any) -> Trainable:
    fields = {
        "name": "probe", "title": "Probe", "entry": "probe:train", "datasets": ("ames",),
        "metrics": (SCORE,), "parameters": Plain,
    }  # fmt: skip
    return Trainable(**{**fields, **changes})


@pytest.mark.parametrize("name", ["probe", "my-model_2.1", "модель"])
def test_good_names(name: str) -> None:
    assert declare(name=name).name == name


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a\n", "-a", "x" * 201, None, 3])
def test_names_that_no_address_can_hold(name: Any) -> None:
    with pytest.raises(ValueError, match=r"name must be 1 to 200 letters, digits, _, \. or -"):
        declare(name=name)


@pytest.mark.parametrize("entry", ["probe", "probe:", ":train", "", None])
def test_an_entry_names_module_and_function(entry: Any) -> None:
    with pytest.raises(ValueError, match="must be 'module:function'"):
        declare(entry=entry)


def test_whether_it_resumes_is_said_and_absent_is_no() -> None:
    assert declare().resumes is False
    assert declare(resumes=True).resumes is True
    with pytest.raises(ValueError, match="resumes is 'yes', but must be True or False"):
        declare(resumes="yes")


def test_an_unknown_data_set() -> None:
    expected = "^trainable 'probe': no data set is called 'mnist'; there are: ames, fashion_mnist$"
    with pytest.raises(ValueError, match=expected):
        declare(datasets=("ames", "mnist"))


def test_kinds_stand_for_all_data_sets_of_them() -> None:
    assert declare(datasets=(), kinds=("regression",)).datasets == ("ames",)
    assert declare(kinds=("classification", "regression")).datasets == ("ames", "fashion_mnist")
    assert declare().kinds == ()
    with pytest.raises(ValueError, match="no kind of data is called 'text'; there are: regress"):
        declare(kinds=("text",))


@pytest.mark.parametrize("names", ["ames", (), ["ames"], None])
def test_data_sets_are_a_tuple(names: Any) -> None:
    with pytest.raises(ValueError, match="must be a tuple of at least one name"):
        declare(datasets=names)


def test_two_metrics_of_one_name() -> None:
    with pytest.raises(ValueError, match="2 metrics are called 'score'"):
        declare(metrics=(SCORE, Metric("loss", "Loss", "min", "train"), SCORE))


@pytest.mark.parametrize("metrics", [(), SCORE, [SCORE], ("score",), None])
def test_metrics_are_a_tuple_of_metrics(metrics: Any) -> None:
    with pytest.raises(ValueError, match="must be a tuple of at least one Metric"):
        declare(metrics=metrics)


@pytest.mark.parametrize("model", [None, dict, Plain(), "Plain"])
def test_parameters_are_a_class(model: Any) -> None:
    with pytest.raises(ValueError, match="must be a subclass of Parameters"):
        declare(parameters=model)


def test_parameters_need_a_json_schema() -> None:
    class Opaque(Parameters):
        x: object = Field(json_schema_extra={"example": object()})  # type: ignore[dict-item]

    with pytest.raises(ValueError, match="Opaque has no JSON Schema: Unable to serialize"):
        declare(parameters=Opaque)


def test_a_default_outside_its_own_limits() -> None:
    class Wrong(Parameters):
        rate: float = Field(0.0, gt=0)

    with pytest.raises(ValueError, match=r"the default of rate is refused: .* greater than 0"):
        declare(parameters=Wrong)


def test_a_parameter_without_default_is_allowed() -> None:
    class Required(Parameters):
        rate: float

    assert declare(parameters=Required).schema()["required"] == ["rate"]


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"trainable 'a b': name .*; no data set .*; 2 metrics"):
        declare(name="a b", datasets=("mnist",), metrics=(SCORE, SCORE))


def test_what_may_change_are_parameters_of_a_function_that_resumes() -> None:
    assert declare().changeable == ()
    assert declare(resumes=True, changeable=("x",)).changeable == ("x",)
    for changes, reason in (
        ({"changeable": ["x"]}, "must be a tuple of the names"),
        ({"changeable": ("y",), "resumes": True}, "names 'y', which is no parameter: x"),
        ({"changeable": ("x",)}, "the function does not resume"),
    ):
        with pytest.raises(ValueError, match=reason):
            declare(**changes)
