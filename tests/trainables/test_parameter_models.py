"""A function that is annotated by a parameter model gets one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import Field, ValidationError

from trainables.contract import accepts_resume
from trainables.parameter_models import given_its_model, model_of
from trainables.parameters import Parameters


class Settings(Parameters):
    lr: float = Field(gt=0)
    layers: int = 2


def modelled(config: Settings, data: Any, report: Any, *, seed: int, resume: Any = None) -> None:
    report(config.lr, config.layers, seed)


def of_dictionaries(config: dict[str, Any], data: Any, report: Any) -> None: ...


def of_mappings(config: Mapping[str, Any], data: NotImported, report: Any) -> None: ...  # type: ignore[name-defined]  # noqa: F821


def of_models(config: Settings, data: NotImported, report: Any) -> None: ...  # type: ignore[name-defined]  # noqa: F821


def of_unknown(config: NotImported, data: Any, report: Any) -> None: ...  # type: ignore[name-defined]  # noqa: F821


def without_annotation(config, data, report): ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("train", "model"),
    [
        (modelled, Settings), (of_models, Settings), (of_dictionaries, None), (of_mappings, None),
        (of_unknown, None), (without_annotation, None), (lambda: None, None), (min, None),
    ],
)  # fmt: skip
def test_the_annotation_of_the_first_parameter_names_the_model(
    train: Callable[..., Any], model: type[Settings] | None
) -> None:
    assert model_of(train) is model
    if model is None:
        assert given_its_model(train) is train


def test_the_function_gets_a_checked_model_with_its_defaults() -> None:
    got: list[Any] = []
    train = given_its_model(modelled)
    train({"lr": 1}, None, lambda *values: got.extend(values), seed=3)  # type: ignore[call-arg]
    assert got == [1.0, 2, 3]
    assert accepts_resume(train)
    assert model_of(train) is Settings
    assert inspect.unwrap(train) is modelled
    for wrong in ({"lr": 0}, {"lr": 1, "depth": 3}, {"lr": "1"}, {}):
        with pytest.raises(ValidationError):
            train(wrong, None, None, seed=3)  # type: ignore[arg-type, call-arg]
