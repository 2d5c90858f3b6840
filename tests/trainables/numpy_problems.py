"""Random images, regression data and networks, for the tests of the numpy engines."""

from __future__ import annotations

import math

import numpy as np

from trainables.numpy_models import FloatArray, IntArray, Network, Pixels
from trainables.numpy_network_engine import DelayedNetwork

SCALE = 1 / 256
STEPS = 500
TOLERANCE = 1e-12


def random_images(
    *, samples: int = STEPS, pixels: int = 90, classes: int = 10, seed: int = 3
) -> tuple[Pixels, IntArray]:
    """Random images, half of whose pixels are 0."""
    random = np.random.RandomState(seed)
    x = random.randint(0, 256, (samples, pixels)) * random.randint(0, 2, (samples, pixels))
    return x.astype(np.uint8), random.randint(0, classes, samples)


def random_regression(*, samples: int = STEPS, features: int = 45) -> tuple[FloatArray, FloatArray]:
    """Standard normal features, three quarters of them 0, and a target near 12 (a log price)."""
    random = np.random.RandomState(4)
    x = random.standard_normal((samples, features)) * (random.rand(samples, features) < 0.25)
    return x, 12.0 + x @ random.standard_normal(features)


def centred_network(features: int, hidden: int, outputs: int) -> Network:
    """Weights around zero, scaled as LeCun et al. (1998, section 4.6), so that SGD is stable.

    From the homework's N(0.1, 0.1^2) the first steps are chaotic: there the plain loop differs by
    1e-3 after 500 steps from itself with the pixels in reverse order, so no comparison of weights
    after many steps means anything.
    """
    draw = np.random.RandomState(5).standard_normal
    return Network(
        w1=draw((hidden, features)) / math.sqrt(features),
        b1=np.zeros(hidden),
        w2=draw((outputs, hidden)) / math.sqrt(hidden),
        b2=np.zeros(outputs),
    )


def assert_close(ours: FloatArray, theirs: FloatArray, tolerance: float = TOLERANCE) -> None:
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


def assert_networks_close(fast: DelayedNetwork, network: Network) -> None:
    view = fast.view()
    for name in ("w1", "b1", "w2", "b2"):
        assert_close(getattr(view, name), getattr(network, name))
