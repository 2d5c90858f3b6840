"""Guesses what to vary: a domain for each argument, from its name, type and default."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from service.cli.init.arguments import Argument

Role = Literal["varied", "epochs", "seed", "checkpoints", "left", "needed"]

_EPOCHS = ("epochs", "num_epochs", "n_epochs", "max_epochs", "n_epoch")
_SEEDS = ("seed", "random_seed", "random_state")
_CHECKPOINTS = ("checkpoint_dir", "ckpt_dir", "checkpoints_dir", "checkpoint_folder")
#: A word of a name that says where, how fast or how loudly a program runs, not how well.
_SETTINGS = re.compile(
    r"(?:^|_)(dir|dirs|path|paths|file|folder|root|data|dataset|datasets|input|output|out|log|logs|"
    r"device|gpu|gpus|cuda|cpu|workers|threads|jobs|processes|port|host|url|name|verbose|quiet|"
    r"debug|resume|save|load|config|project|entity|wandb|tensorboard|print|interval|every|freq|"
    r"download|cache|tag|version|profile|world|rank|backend|dry|run|evaluate|eval|test)(?:_|$)"
)
_LOGARITHMIC = re.compile(
    r"(?:^|_)(lr|rate|decay|eps|epsilon|alpha|lambda|reg|penalty|temperature|l1|l2|gamma|c)(?:_|$)"
)
_SHRINKING = re.compile(r"(?:^|_)(decay|reg|penalty|l1|l2|lambda)(?:_|$)")


@dataclass(frozen=True)
class Guess:
    """What becomes of one argument: its role, its domain in JSON where it is varied, and why."""

    argument: Argument
    role: Role
    domain: Any = None
    why: str = ""
    flags: dict[str, str] = field(default_factory=dict)


def guess(argument: Argument, *, once: bool = False) -> Guess:
    """Return what becomes of an argument; ranges are guesses from its default.

    A program that reports ``once`` keeps its own number of epochs.
    """
    name = argument.name.replace("-", "_").lower()
    if name in _EPOCHS and once:
        return Guess(argument, "left", why="the metric is printed once, after them")
    if name in _EPOCHS:
        return Guess(argument, "epochs")
    if name in _SEEDS:
        return Guess(argument, "seed")
    if name in _CHECKPOINTS:
        return Guess(argument, "checkpoints")
    if argument.required and argument.default is None and not argument.choices:
        return Guess(argument, "needed", why="it has no default")
    if _SETTINGS.search(name):
        return Guess(argument, "left", why="it says where or how the program runs")
    if argument.many:
        return Guess(argument, "left", why="it takes several values")
    return _by_kind(argument, name)


def _by_kind(argument: Argument, name: str) -> Guess:
    flag, default = argument.flag, argument.default
    if argument.choices:
        first = default if default in argument.choices else argument.choices[0]
        domain = {"values": list(argument.choices), "default": first}
        return Guess(argument, "varied", domain, "its choices")
    match argument.kind:
        case "on" | "off":
            flags = {"true": flag, "false": ""}
            return Guess(argument, "varied", {"values": [False, True]}, "a switch", flags)
        case "both":
            first = default is True
            flags = {"true": flag, "false": f"--no-{argument.name}"}
            values = {"values": [first, not first]}
            return Guess(argument, "varied", values, "a switch", flags)
        case "bool":
            why = "type=bool takes any text but the empty one for true; use action=store_true"
            return Guess(argument, "left", why=why)
    if isinstance(default, bool) or not isinstance(default, int | float):
        why = "it is a text" if argument.kind == "str" else "it has no default to guess from"
        return Guess(argument, "left", why=why)
    is_float = argument.kind == "float" or isinstance(default, float)
    domain = _floats(float(default), name) if is_float else _whole(default)
    if domain is None:
        return Guess(argument, "left", why=f"no range can be guessed from {default}")
    return Guess(argument, "varied", domain, f"a guess around its default, {default}")


def _floats(default: float, name: str) -> Any:
    if default == 0:
        if _SHRINKING.search(name):
            return {"values": [0.0, 1e-5, 1e-4, 1e-3], "default": 0.0}
        return {"low": 0.0, "high": 0.5, "default": 0.0}
    if default < 0:
        return {"low": _short(2 * default), "high": 0.0, "default": default}
    is_share = name == "gamma" and 0.5 <= default < 1  # of a learning rate that decays
    if (_LOGARITHMIC.search(name) and not is_share) or default < 0.01:
        ends = {"low": _short(default / 10), "high": _short(default * 10)}
        return {**ends, "log": True, "default": default}
    if default < 1:
        low, high = _short(default / 2), _short((1 + default) / 2)
        return {"low": low, "high": high, "default": default}
    return {"low": _short(default / 4), "high": _short(default * 4), "default": default}


def _whole(default: Any) -> Any:
    if not isinstance(default, int) or not 0 <= default <= 2**40:
        return None
    if default == 0:
        return {"low": 0, "high": 4, "default": 0}
    domain = {"low": max(1, default // 4), "high": max(4, default * 4), "default": default}
    return domain | ({"log": True} if default >= 8 else {})


def _short(number: float) -> float:
    return float(f"{number:.3g}")
