"""The parts of a block-delayed epoch against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from trainables import numpy_network_kernels as kernels
from trainables.numpy_compiler import aligned


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7, 8, 12, 13])
def test_rows_are_added_in_groups_of_eight_and_four(count: int) -> None:
    random = np.random.RandomState(1)
    source, target = (
        aligned(random.standard_normal((16, 5))),
        aligned(random.standard_normal((2, 5))),
    )
    rows = random.randint(0, 16, 16)
    coefficients = random.standard_normal(16)
    expected = target[1] + coefficients[:count] @ source[rows[:count]]
    untouched = target[0].copy()
    kernels._add_rows(target, 1, coefficients, rows, count, source)
    np.testing.assert_allclose(target[1], expected, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(target[0], untouched)


def test_projection_and_products_of_a_block() -> None:
    random = np.random.RandomState(2)
    x = random.standard_normal((kernels.BLOCK, 70)) * (random.rand(kernels.BLOCK, 70) < 0.5)
    w1 = aligned(random.standard_normal((70, 5)))
    block = kernels.new_block(70, w1.shape[1], 3)
    kernels._load(block.inputs, x, 0.5, np.arange(kernels.BLOCK))
    kernels._multiply(block.inputs, 9, block.gram)
    kernels._project(w1, block.inputs, 9, block.preactivations, block.coefficients, block.rows)
    scaled = x * 0.5
    np.testing.assert_array_equal(block.inputs[:, :70], scaled)
    np.testing.assert_allclose(block.preactivations[:9], scaled[:9] @ w1, rtol=1e-12, atol=1e-12)
    below = np.tril(scaled[:9] @ scaled[:9].T, -1)
    np.testing.assert_allclose(block.gram[:9, :9], below, rtol=1e-12, atol=1e-12)
