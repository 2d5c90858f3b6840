"""Trials as they are told: bounded, and with the constraints of now."""

from __future__ import annotations

import math

from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from service.search.levels import Values
from service.search.told import complete, is_failure


def test_values_are_bounded_and_constraints_replace_former_ones() -> None:
    drawn = create_trial(
        value=0.0, params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)},
        system_attrs={"kept": 1},
    )  # fmt: skip
    first = complete(drawn, Values((1e300, -1e300), (math.inf, 1.0)))
    assert first.values == [1e100, -1e100]
    assert first.constraints == {"0": 1e100, "1": 1.0}
    second = complete(first, Values((1.0, 2.0), (-1.0, -2.0)))
    assert second.constraints == {"0": -1.0, "1": -2.0}
    assert (first.constraints["1"], drawn.constraints) == (1.0, {})
    assert (second.params, second.system_attrs["kept"]) == ({"x": 0.5}, 1)


def test_a_failure_is_known_as_one_also_where_its_values_are_replaced() -> None:
    drawn = create_trial(value=0.0, params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)})
    failed = complete(drawn, Values((3.0,)), has_failed=True)
    assert is_failure(complete(failed, Values((2.0,))))
    assert not is_failure(complete(drawn, Values((3.0,))))
