"""The public face of argbest: the names that a program or a package of trainables imports.

Each name is imported when it is first used, so that importing this package costs nothing and
``from argbest import report`` works in any Python from 3.8, without a dependency.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argbest.reporting import report
    from service.client.client import Client
    from trainables.contract import Metric
    from trainables.parameters import Parameters
    from trainables.registry import Trainable
    from trainables.torch_states import tensors

__all__ = ["Client", "Metric", "Parameters", "Trainable", "report", "tensors"]

_HOMES = {
    "Client": "service.client.client",
    "Metric": "trainables.contract",
    "Parameters": "trainables.parameters",
    "Trainable": "trainables.registry",
    "report": "argbest.reporting",
    "tensors": "trainables.torch_states",
}


def __getattr__(name: str) -> Any:
    """Import a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
