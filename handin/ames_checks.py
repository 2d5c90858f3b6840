"""Facts about the Ames data that no job records, quoted by the text on Question 2.

``tests/handin/test_ames_checks.py`` computes each of them again from the data, with the homework's
settings and seed 42. They are quoted only beside the figures of those runs (:func:`is_checked`).
"""

from __future__ import annotations

from handin.answers import at
from results.formatting import number
from results.records import Curve

#: Train and test RMSE of the least-squares solution itself.
ANALYTIC = (0.0964, 0.3310)

#: Test houses that have a pool (feature ``Pool.Area``), and the standardized areas of the one pool
#: of a training house and of the smallest and largest of the test houses.
POOL_HOUSES = 12
POOL_AREAS = (3.98, 6.34, 22.41)

#: Test RMSE at epochs 71 and 150: of the linear run, of the same run without the test houses that
#: have a pool, and of a run with the feature set to zero for all houses.
LINEAR = (0.1946, 0.2382)
WITHOUT_POOLS = (0.1734, 0.1615)
WITHOUT_POOLS_LOWEST = 149
WITHOUT_FEATURE = (0.1938, 0.1828)

#: The network's test RMSE at epochs 71 and 150; without the houses that have a pool, at epoch 150
#: and as the mean of the last ten epochs, and that mean of the linear model.
NETWORK = (0.1750, 0.1655)
NETWORK_WITHOUT_POOLS = (0.1539, 0.1688)
LINEAR_WITHOUT_POOLS_MEAN = 0.1622

#: Years of sale of the training and of the test houses: the split is by the file's order.
TRAINING_YEARS, TEST_YEARS = (2008, 2010), (2006, 2008)


def is_checked(curve: Curve, figures: tuple[float, float]) -> bool:
    """Whether a run has the test RMSE of a checked one at epoch 71 and at its end, epoch 150."""
    if curve.epochs[-1] != 150 or "test_rmse" not in curve.metrics:
        return False
    found = [number(at(curve, "test_rmse", epoch)) for epoch in (71, 150)]
    return found == [number(figure) for figure in figures]


def pools() -> str:
    """Return what makes the test error of the linear run rise after epoch 71."""
    return (
        "The rise comes from one rare feature, the area of the pool, and not from a fit to the "
        f"training houses at large. One training house has a pool, of standardized area "
        f"{POOL_AREAS[0]:.1f}; {POOL_HOUSES} test houses have one, of {POOL_AREAS[1]:.1f} to "
        f"{POOL_AREAS[2]:.1f}, so a weight learned from one house moves their predictions far. "
        f"Without these {POOL_HOUSES} houses the same run has a test RMSE of "
        f"{WITHOUT_POOLS[0]:.4f} at epoch 71 and {WITHOUT_POOLS[1]:.4f} at epoch 150, lowest at "
        f"epoch {WITHOUT_POOLS_LOWEST}; trained and measured with the area set to zero for all "
        f"houses it has {WITHOUT_FEATURE[0]:.4f} and {WITHOUT_FEATURE[1]:.4f}. The split is by the "
        f"file's order: the training sales are of {TRAINING_YEARS[0]} to {TRAINING_YEARS[1]}, the "
        f"test sales of {TEST_YEARS[0]} to {TEST_YEARS[1]}."
    )


def analytic() -> str:
    """Return the errors of the solution that the weights approach."""
    return (
        f"It has a train RMSE of {ANALYTIC[0]:.4f} and a test RMSE of {ANALYTIC[1]:.4f}: coming "
        "nearer to it is no gain for the test houses."
    )


def both_without_pools() -> str:
    """Compare the two models on the test houses without a pool."""
    end, mean = NETWORK_WITHOUT_POOLS
    return (
        f"On the test houses without a pool (see Q2.2a) the network has a test RMSE of {end:.4f} "
        f"at epoch 150 and the linear model {WITHOUT_POOLS[1]:.4f}; as means over the last ten "
        f"epochs they have {mean:.4f} and {LINEAR_WITHOUT_POOLS_MEAN:.4f}. Which one is ahead "
        "depends on the epochs."
    )
