"""The device of a trial, its images there, and denormal numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.trainables.synthetic import image_data
from trainables.contract import DeviceUnavailable, TrainableError
from trainables.torch_devices import Images, choose_device, denormals_flushed

CPU = torch.device("cpu")
WITHOUT_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@WITHOUT_GPU
def test_without_a_gpu_auto_is_the_cpu() -> None:
    assert choose_device("auto") == choose_device("cpu") == CPU


@WITHOUT_GPU
def test_without_a_gpu_cuda_is_refused_with_what_to_do() -> None:
    with pytest.raises(
        DeviceUnavailable, match=r"device is cuda.*resources_per_trial\.gpu"
    ) as info:
        choose_device("cuda")
    assert isinstance(info.value, TrainableError)


def test_on_the_cpu_images_are_the_shared_memory_itself(tmp_path: Path) -> None:
    data = image_data(folder=tmp_path)
    images = Images.of(data, CPU)
    assert images.x_train.data_ptr() == data.x_train.ctypes.data
    assert images.x_train.tolist() == data.x_train.tolist()
    assert images.y_test.tolist() == data.y_test.tolist()


@pytest.mark.parametrize("flushed", [False, True])
def test_denormal_numbers_are_flushed_inside_and_as_before_outside(flushed: bool) -> None:
    torch.set_flush_denormal(flushed)
    try:
        with denormals_flushed():
            assert (torch.tensor([1e-40]) * 1.0).item() == 0
        assert ((torch.tensor([1e-40]) * 1.0).item() == 0) == flushed
    finally:
        torch.set_flush_denormal(False)
