"""The public face: its names, and that importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import argbest


def test_names_are_those_of_their_modules() -> None:
    from service.client.client import Client
    from trainables.contract import Metric
    from trainables.parameters import Parameters
    from trainables.registry import Trainable
    from trainables.torch_states import tensors

    found = (argbest.Client, argbest.Metric, argbest.Parameters, argbest.Trainable, argbest.tensors)
    assert found == (Client, Metric, Parameters, Trainable, tensors)
    names = ["Client", "Metric", "Parameters", "Trainable", "report", "tensors"]
    assert sorted(argbest.__all__) == names


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'argbest' has no attribute 'Server'"):
        _ = argbest.Server


def test_importing_it_loads_no_other_package_of_ours_and_no_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import argbest\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"argbest", *sys.stdlib_module_names}
