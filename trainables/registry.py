"""The trainables by name: the built-in ones and those of installed packages.

A trainable's code is imported when it is first resolved, so listing trainables or checking a search
space imports neither torch nor numba. Packages add trainables through the entry-point group
``argbest.trainables``; each entry point names a :class:`Trainable`. Asking for one trainable
imports no other one's package, whose import may change the process.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from traceback import format_exception_only

from trainables import parameters as p
from trainables.contract import TARGET_UNIT, Metric, UnknownTrainable
from trainables.datasets import Kind
from trainables.declaration import Trainable

__all__ = ["ENTRY_POINT_GROUP", "Broken", "Trainable", "broken", "get", "trainables"]

ENTRY_POINT_GROUP = "argbest.trainables"

_LONGEST_REASON = 500
_log = logging.getLogger("argbest.trainables")

_CLASSIFICATION = (
    Metric("train_loss", "Training loss (cross-entropy)", "min", "train", "nats", "during"),
    Metric("validation_accuracy", "Validation accuracy", "max", "validation"),
    Metric("test_accuracy", "Test accuracy", "max", "test"),
)
_PERCEPTRON = (
    Metric("train_error_rate", "Training error rate (online)", "min", "train", "", "during"),
    *_CLASSIFICATION[1:],
)
_REGRESSION = (
    Metric("train_rmse", "Training RMSE", "min", "train", TARGET_UNIT),
    Metric("validation_rmse", "Validation RMSE", "min", "validation", TARGET_UNIT),
    Metric("test_rmse", "Test RMSE", "min", "test", TARGET_UNIT),
)
_DISTANCE = Metric(
    "distance_to_analytic", "Distance to the analytic solution (Euclidean)", "min", "none"
)


#: Parameters that no state depends on: the weights and an optimizer's moments fit any of them.
_CHANGEABLE = frozenset({"learning_rate", "l2_decay", "dropout", "batch_size"})


def _declared(
    name: str, title: str, kind: Kind, metrics: tuple[Metric, ...], model: type[p.Parameters]
) -> Trainable:
    """Return the trainable; the code of ``numpy_x`` is ``trainables.numpy_trainables:train_x``."""
    library, _, function = name.partition("_")
    entry = f"trainables.{library}_trainables:train_{function}"
    changeable = tuple(field for field in model.model_fields if field in _CHANGEABLE)
    return Trainable(
        name, title, entry, (), metrics, model, resumes=True, kinds=(kind,), changeable=changeable
    )


_BUILT_IN_TRAINABLES = (
    _declared(
        "numpy_linear_regression", "Linear regression, gradients by hand",
        "regression", (*_REGRESSION, _DISTANCE), p.LinearRegressionParameters,
    ),
    _declared(
        "numpy_neural_regression", "One-hidden-layer regression, gradients by hand",
        "regression", _REGRESSION, p.NeuralRegressionParameters,
    ),
    _declared(
        "numpy_perceptron", "Multi-class perceptron",
        "classification", _PERCEPTRON, p.PerceptronParameters,
    ),
    _declared(
        "numpy_logistic_regression", "Multinomial logistic regression, gradients by hand",
        "classification", _CLASSIFICATION, p.LogisticRegressionParameters,
    ),
    _declared(
        "numpy_mlp", "Multi-layer perceptron, gradients by hand",
        "classification", _CLASSIFICATION, p.MlpParameters,
    ),
    _declared(
        "torch_logistic_regression", "Logistic regression, automatic differentiation",
        "classification", _CLASSIFICATION, p.TorchLogisticRegressionParameters,
    ),
    _declared(
        "torch_feedforward", "Feed-forward network, automatic differentiation",
        "classification", _CLASSIFICATION, p.TorchFeedforwardParameters,
    ),
)  # fmt: skip
_BUILT_IN = {trainable.name: trainable for trainable in _BUILT_IN_TRAINABLES}


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry point that is left out because it gives no usable trainable.

    ``package`` is the distribution and its version, ``entry_point`` the line that names the
    trainable ("name = module:attribute"), ``reason`` the fault and ``hint`` the remedy.
    """

    package: str
    entry_point: str
    reason: str
    hint: str

    def __str__(self) -> str:
        return f"{self.entry_point} of package {self.package}: {self.reason}; {self.hint}"


def trainables() -> Mapping[str, Trainable]:
    """Return all trainables by name: the built-in ones, then those of installed entry points."""
    return _load()[0]


def broken() -> tuple[Broken, ...]:
    """Return the entry points of installed packages that are left out."""
    return _load()[1]


def prepare() -> None:
    """Import ahead what the numpy trainables need, a second of work; nothing if it is missing.

    torch is left out: it takes 120 MB more in a process, and trials that use it take minutes.
    """
    try:
        from trainables import numpy_compiler, numpy_trainables  # noqa: F401 - imported ahead
    except ImportError as error:  # a trial that needs it says so
        _log.warning("the numpy trainables cannot be imported: %s", error)
    else:
        numpy_compiler.prepare()


def is_built_in(name: str) -> bool:
    """Whether one of our own trainables is called ``name``; imports no package."""
    return name in _BUILT_IN


def get(name: str) -> Trainable:
    """Return the trainable called ``name``; raise :class:`UnknownTrainable` if there is none."""
    found = _BUILT_IN.get(name) or _of_entry_point(name) or trainables().get(name)
    if found is not None:
        return found
    for one in broken():
        if one.entry_point.partition(" = ")[0] == name:
            raise UnknownTrainable(f"trainable {name!r} is left out: {one}")
    known = ", ".join(sorted(trainables()))
    raise UnknownTrainable(f"no trainable is called {name!r}; there are: {known}")


@cache
def _of_entry_point(name: str) -> Trainable | None:
    """Return the trainable called ``name`` if the first entry point of that name gives it."""
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=name):
        found = _load_entry(entry)
        return found if isinstance(found, Trainable) and found.name == name else None
    return None


@cache
def _load() -> tuple[Mapping[str, Trainable], tuple[Broken, ...]]:
    """Load all entry points, once in a process; log the broken ones."""
    found = dict(_BUILT_IN)
    left_out = []
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        trainable = _load_entry(entry)
        if isinstance(trainable, Trainable) and trainable.name in found:
            reason = f"another trainable is called {trainable.name!r} already"
            trainable = _broken(entry, reason, "give it another name")
        if isinstance(trainable, Trainable):
            found[trainable.name] = trainable
        else:
            _log.warning("a trainable is left out: %s", trainable)
            left_out.append(trainable)
    return found, tuple(left_out)


def _load_entry(entry: EntryPoint) -> Trainable | Broken:
    """Import a package's trainable; whatever its import raises makes it :class:`Broken`."""
    try:
        found = entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a package may raise anything, SystemExit too
        reason = "".join(format_exception_only(error)).strip()[:_LONGEST_REASON]
        return _broken(entry, reason, _import_hint(entry, error))
    if isinstance(found, Trainable):
        return found
    reason = f"it names an object of type {type(found).__name__}, not a Trainable"
    return _broken(entry, reason, "let the entry point name an argbest.Trainable")


def _import_hint(entry: EntryPoint, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"install {error.name} into the environment that argbest runs in, then restart it"
    if isinstance(error, SystemExit):
        return "the module must not call sys.exit() when it is imported"
    module = entry.value.partition(":")[0].strip()
    return f"correct the package, then restart argbest; `python -c 'import {module}'` shows more"


def _broken(entry: EntryPoint, reason: str, hint: str) -> Broken:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
    return Broken(package, f"{entry.name} = {entry.value}", reason, hint)
