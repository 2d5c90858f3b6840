"""Runs the epochs of a numpy trainable: its random numbers, its reports and its states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from functools import partial
from typing import Any

import numpy as np

from trainables import resume
from trainables.contract import Report, State
from trainables.numpy_compiler import ENGINE
from trainables.numpy_models import FloatArray, IntArray
from trainables.state_files import StateError

Model = Mapping[str, FloatArray]
_KEY_WORDS = 624  # of the Mersenne Twister


@dataclass(slots=True)
class Run:
    """One training of ``trainable`` from ``seed``, or from the state ``resumed``.

    ``stream`` gives the first weights, then one permutation per epoch, applied to the order that
    the epoch before left. A state has the weights by name, that order and the stream's position, so
    a resumed run continues bit for bit.
    """

    trainable: str
    seed: InitVar[int]
    resumed: State | None
    stream: np.random.RandomState = field(init=False)

    def __post_init__(self, seed: int) -> None:
        self.stream = np.random.RandomState(seed)

    def weights(self, first: Model) -> Model:
        """Return the weights to begin with: ``first``, or those of the state to resume.

        Raises ``StateError`` if the state has other names or shapes, or is of another trainable.
        """
        if self.resumed is None:
            return first
        resume.check_state(self.resumed, self.trainable, (*first, "order", "random"))
        return {
            name: resume.array(self.resumed, name, array.shape, np.float64)
            for name, array in first.items()
        }

    def train(
        self,
        one_epoch: Callable[[IntArray], dict[str, float]],
        model: Callable[[], Model],
        report: Report,
        samples: int,
        epochs: int,
    ) -> None:
        """Call ``one_epoch`` with each epoch's order of the samples, and report its metrics.

        ``model`` returns the current weights by name, for states. Non-finite weights raise no
        warnings: the metrics show them.
        """
        done, order = 0, np.arange(samples)
        if self.resumed is not None:
            done = resume.whole(self.resumed, "epoch", epochs)
            order = _order(self.resumed, samples)
            _restore(self.stream, self.resumed["random"])
        for epoch in range(done + 1, epochs + 1):
            order = order[self.stream.permutation(samples)]
            with np.errstate(over="ignore", invalid="ignore"):
                metrics = one_epoch(order)
            state = partial(self._state, epoch, model, order)
            report(epoch, metrics, engine=ENGINE, state=state)

    def _state(self, epoch: int, model: Callable[[], Model], order: IntArray) -> State:
        return {
            "trainable": self.trainable,
            "epoch": epoch,
            **model(),
            "order": order.astype(_order_type(len(order))),
            "random": self.stream.get_state(legacy=False),
        }


def _order_type(samples: int) -> type[np.generic]:
    """Return the smallest type of the samples' numbers: two bytes for 65,536 samples."""
    return np.min_scalar_type(samples - 1).type


def _order(state: State, samples: int) -> IntArray:
    """Return the order of the samples; compiled code checks no bounds, so it is checked here."""
    stored = resume.array(state, "order", (samples,), _order_type(samples))
    order: IntArray = stored.astype(np.int64)
    if not np.array_equal(np.sort(order), np.arange(samples)):
        raise StateError(f"'order' of the state to resume is no permutation of {samples} samples")
    return order


def _restore(stream: np.random.RandomState, stored: Any) -> None:
    """Continue ``stream`` at a stored position, which numpy itself does not check."""
    resume.check_names(
        stored, ("bit_generator", "state", "has_gauss", "gauss"), "'random' of the state to resume"
    )
    twister = stored["state"]
    resume.check_names(twister, ("key", "pos"), "'random' of the state to resume")
    resume.array(twister, "key", (_KEY_WORDS,), np.uint32)
    resume.whole(twister, "pos", _KEY_WORDS)
    try:
        stream.set_state(stored)
    except (TypeError, ValueError) as error:
        raise StateError(f"'random' of the state to resume: {error}") from error
