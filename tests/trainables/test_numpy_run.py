"""What a numpy run draws, keeps in its states and refuses to resume from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from trainables.contract import State
from trainables.numpy_models import FloatArray, IntArray
from trainables.numpy_run import Run
from trainables.state_files import StateError

SAMPLES = 9


def run(
    epochs: int, resumed: State | None = None, samples: int = SAMPLES
) -> tuple[list[list[int]], list[dict[str, Any]]]:
    """Train a model whose weights count the samples seen; return the orders and the states."""
    orders: list[list[int]] = []
    states: list[dict[str, Any]] = []
    one = Run("counter", 5, resumed)
    weights: FloatArray = np.array(one.weights({"weights": np.zeros(1)})["weights"])

    def one_epoch(order: IntArray) -> dict[str, float]:
        assert order.dtype == np.int64
        orders.append(order.tolist())
        weights[0] += len(order)
        return {"seen": float(weights[0])}

    def report(
        epoch: int,
        metrics: Mapping[str, float],
        *,
        engine: str = "",
        state: Callable[[], State] | None = None,
    ) -> None:
        assert state is not None
        made = dict(state())
        assert metrics["seen"] == made["epoch"] * samples == epoch * samples
        states.append(made | {"weights": made["weights"].copy()})

    one.train(one_epoch, lambda: {"weights": weights}, report, samples, epochs)
    return orders, states


def test_orders_accumulate_permutations_also_over_a_resumption() -> None:
    stream, order, expected = np.random.RandomState(5), np.arange(SAMPLES), []
    for _ in range(5):
        order = order[stream.permutation(SAMPLES)]
        expected.append(order.tolist())
    orders, states = run(5)
    assert orders == expected
    assert run(5, states[2])[0] == expected[3:]
    assert run(5, states[4]) == ([], [])


def test_a_cached_normal_number_is_kept() -> None:
    """The legacy generator draws normal numbers in pairs."""
    _, states = run(1)
    state = states[0]
    assert state["random"]["has_gauss"] == 0
    one = np.random.RandomState(5)
    one.normal()
    state["random"] = one.get_state(legacy=False)
    resumed = Run("counter", 0, state)
    resumed.weights({"weights": np.zeros(1)})
    resumed.train(lambda _: {}, dict, lambda *_, **__: None, SAMPLES, 1)
    assert resumed.stream.normal() == one.normal()


@pytest.mark.parametrize(("samples", "dtype"), [(256, "u1"), (257, "u2"), (65_536, "u2")])
def test_the_order_takes_as_few_bytes_as_possible(samples: int, dtype: str) -> None:
    order = run(1, samples=samples)[1][0]["order"]
    assert order.dtype == dtype
    assert np.array_equal(np.sort(order), np.arange(samples))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"order": np.arange(9)}, r"'order' .* int64 .* has uint8 of shape \(9,\)"),
        ({"order": np.arange(8, dtype="u1")}, r"'order' .* shape \(8,\)"),
        ({"order": np.array([0] * 9, "u1")}, "'order' .* is no permutation of 9 samples"),
        ({"order": np.arange(1, 10, dtype="u1")}, "'order' .* is no permutation of 9 samples"),
        ({"random": None}, "'random' of the state to resume is of type NoneType"),
        ({"random": {}}, "'random' of the state to resume lacks 'bit_generator'"),
    ],
)
def test_an_order_or_generator_that_cannot_be_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    _, states = run(1)
    with pytest.raises(StateError, match=message):
        run(2, states[0] | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bit_generator": "PCG64"}, "'random' of the state to resume: "),
        ({"has_gauss": "x"}, "'random' of the state to resume: "),
        ({"state": {"key": np.zeros(623, "u4"), "pos": 1}}, r"'key' .* shape \(624,\)"),
        ({"state": {"key": np.zeros(624, "i8"), "pos": 1}}, "'key' .* is int64"),
        ({"state": {"key": np.zeros(624, "u4"), "pos": 625}}, "'pos' .* must be 0 to 624"),
        ({"state": {"key": np.zeros(624, "u4"), "pos": -1}}, "'pos' .* must be 0 to 624"),
        ({"state": {"key": np.zeros(624, "u4")}}, "lacks 'pos'"),
        ({"state": 3}, "is of type int"),
    ],
)
def test_a_position_outside_of_the_generator_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    """Numpy would read beyond its memory."""
    _, states = run(1)
    state = states[0]
    with pytest.raises(StateError, match=message):
        run(2, state | {"random": state["random"] | changes})
