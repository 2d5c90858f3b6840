"""The device that a trial trains on, and a data set's images on it."""

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
from trainables.datasets.types import ImageData
from trainables.parameters import DeviceName


def choose_device(name: DeviceName) -> torch.device:
    """Return the device of that name; "auto" is the GPU that this process may use, else the CPU.

    Raises :class:`trainables.contract.DeviceUnavailable` for "cuda" where there is no GPU.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise DeviceUnavailable(
            "device is cuda, and the trial has no NVIDIA GPU: ask for one (resources_per_trial.gpu "
            "above 0) on a node that has one and a CUDA build of torch, or set device to auto"
        )
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Treat denormal numbers as 0 in this thread: moments of dead pixels are full of them.

    Afterwards they are treated as before, which torch does not tell and a product shows.
    """
    were_kept = bool((torch.tensor([1e-40]) * 1.0).item())
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(not were_kept)


@dataclass(frozen=True, slots=True)
class Images:
    """A data set's images as tensors.

    ``x_...`` (images, features) uint8, ``y_...`` (images,) int64; a feature is ``scale`` times its
    grey value. On the CPU they are the data set's own memory, which trials share: do not write
    there.
    """

    x_train: Tensor
    y_train: Tensor
    x_validation: Tensor
    y_validation: Tensor
    x_test: Tensor
    y_test: Tensor
    scale: float

    @classmethod
    def of(cls, data: ImageData, device: torch.device) -> Images:
        """Return the images of ``data`` on the device, to which they travel once."""
        names = ("x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test")
        tensors = {name: _tensor(getattr(data, name), device) for name in names}
        return cls(**tensors, scale=data.scale)


def _tensor(array: NDArray[Any], device: torch.device) -> Tensor:
    with warnings.catch_warnings():
        # A tensor cannot be read-only, as a memory map is: that nothing writes there is up to us.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(array).to(device)
