"""Fast epochs of the networks, in the layout that :mod:`trainables.numpy_network_kernels` needs.

They run on one thread and call no BLAS, so the result depends on no thread setting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainables import numpy_network_kernels as kernels
from trainables.numpy_compiler import aligned
from trainables.numpy_models import FloatArray, IntArray, Network, Pixels


@dataclass(frozen=True, slots=True)
class DelayedNetwork:
    """A network laid out for the fast epochs.

    ``w1`` (features, width), ``b1`` (width,), ``w2`` (outputs, width), ``b2`` (outputs,); ``width``
    is ``hidden`` rounded up to whole cache lines. The surplus units have only zero weights.
    """

    hidden: int
    w1: FloatArray
    b1: FloatArray
    w2: FloatArray
    b2: FloatArray

    @classmethod
    def of(cls, network: Network) -> DelayedNetwork:
        """Copy a network into this layout."""
        return cls(
            hidden=len(network.b1),
            w1=aligned(network.w1.T),
            b1=aligned(network.b1[np.newaxis])[0],
            w2=aligned(network.w2),
            b2=network.b2.copy(),
        )

    def view(self) -> Network:
        """Return the network in its usual shapes, sharing this one's memory."""
        units = slice(self.hidden)
        return Network(self.w1[:, units].T, self.b1[units], self.w2[:, units], self.b2)

    def _arrays(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, kernels.Block]:
        block = kernels.new_block(len(self.w1), len(self.b1), len(self.b2))
        return self.w1, self.b1, self.w2, self.b2, block

    def mlp_epoch(
        self,
        pixels: Pixels,
        scale: float,
        labels: IntArray,
        order: IntArray,
        learning_rate: float,
    ) -> float:
        """As :func:`trainables.numpy_reference.mlp_epoch`, on ``pixels * scale`` (n, features)."""
        return kernels.mlp_epoch(*self._arrays(), pixels, scale, labels, order, learning_rate)

    def neural_regression_epoch(
        self, x: FloatArray, y: FloatArray, order: IntArray, learning_rate: float
    ) -> None:
        """As :func:`trainables.numpy_reference.neural_regression_epoch`."""
        kernels.neural_regression_epoch(*self._arrays(), x, y, order, learning_rate)
