"""A trial's device, and a data set's images on it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.contract import DeviceUnavailable
from trainables.datasets.types import ClassificationData
from trainables.parameters import DeviceName


def choose_device(name: DeviceName) -> torch.device:
    """Return the device of that name; "auto" is a GPU if this process may use one, else the CPU.

    Raises :class:`trainables.contract.DeviceUnavailable` for "cuda" where there is no GPU.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise DeviceUnavailable(
            "device is cuda, but the trial has no NVIDIA GPU: ask for one (resources_per_trial.gpu "
            "above 0) on a node that has one and a CUDA build of torch, or set device to auto"
        )
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Treat denormal numbers as 0 in this thread, then as before.

    Adam's moments of dead pixels are denormal, and many processors are slow on these.
    """
    # Torch has a setter only; a product shows the setting.
    were_kept = bool((torch.tensor([1e-40]) * 1.0).item())
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(not were_kept)


@dataclass(frozen=True, slots=True)
class Images:
    """A data set's images as tensors.

    ``x_...`` (images, features) uint8 or float64, ``y_...`` (images,) int64; a model sees ``x``
    times ``scale``. On the CPU they are the data set's own memory, which trials share: do not
    write to them.
    """

    x_train: Tensor
    y_train: Tensor
    x_validation: Tensor
    y_validation: Tensor
    x_test: Tensor
    y_test: Tensor
    scale: float

    @classmethod
    def of(cls, data: ClassificationData, device: torch.device) -> Images:
        """Copy the images of ``data`` to the device; on the CPU, share their memory."""
        names = ("x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test")
        tensors = {name: _tensor(getattr(data, name), device) for name in names}
        return cls(**tensors, scale=data.scale)


def _tensor(array: NDArray[Any], device: torch.device) -> Tensor:
    with warnings.catch_warnings():
        # Memory maps are read-only, but a tensor cannot be.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(array).to(device)
