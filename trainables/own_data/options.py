"""How a user's file becomes a data set: its target, task, parts and corrections of column types."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from search_spaces import Problem
from search_spaces.errors import did_you_mean
from trainables.datasets.types import KINDS, SPLITS, Kind
from trainables.own_data.problems import BadData, shown

#: What a column may be used as.
ColumnType = Literal["number", "category", "ignore"]
COLUMN_TYPES: tuple[ColumnType, ...] = get_args(ColumnType)

DEFAULT_SPLIT = (0.6, 0.2, 0.2)
DEFAULT_SEED = 42
_SPLIT_HINT = "give three shares that sum to 1, of training, validation and test: 0.6,0.2,0.2"
_CORRECTION = re.compile(r"(?P<name>.+?)=(?P<type>[^=,]*)(?:,|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says about a file.

    ``target`` names the column to predict; for a file of arrays it is the array of targets, "y" if
    left out. ``task`` None means: as the target's values suggest. ``split`` has the shares of the
    training, validation and test rows, which ``seed`` draws; None for 0.6, 0.2, 0.2, or the parts
    that a file of arrays has. ``types`` corrects the types that were found.
    """

    target: str = ""
    task: Kind | None = None
    split: tuple[float, float, float] | None = None
    seed: int = DEFAULT_SEED
    types: Mapping[str, ColumnType] = field(default_factory=dict)

    @classmethod
    def from_text(
        cls,
        target: str = "",
        task: str = "",
        split: str = "",
        seed: str = "",
        types: Iterable[str] = (),
    ) -> Options:
        """Read the options as the command line and the API take them; "" is left out.

        Each of ``types`` is a list of corrections, ``size=number,zip code=category``. Raises
        :class:`BadData` with pointers to the query's parameters.
        """
        problems: list[Problem] = []
        shares = _shares(split, problems)
        corrections = dict(_corrections(types, problems))
        if task and task not in KINDS:
            hint = did_you_mean(task, KINDS)
            problems.append(
                Problem("/query/task", f"no task is called {shown(task)}", "enum", hint)
            )
        if seed and not (seed.isascii() and seed.isdecimal() and int(seed[:20]) < 2**32):
            detail, hint = f"{shown(seed)} is no seed", "give a whole number from 0 to 4294967295"
            problems.append(Problem("/query/seed", detail, "out_of_range", hint))
        if problems:
            raise BadData(problems)
        number = int(seed) if seed else DEFAULT_SEED
        return cls(target, cast(Kind, task) if task else None, shares, number, corrections)


def _shares(text: str, problems: list[Problem]) -> tuple[float, float, float] | None:
    if not text:
        return None
    try:
        train, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        detail = f"{shown(text)} is not three numbers"
        problems.append(Problem("/query/split", detail, "wrong_type", _SPLIT_HINT))
        return None
    shares = (train, validation, test)
    if not all(math.isfinite(s) and 0 <= s <= 1 for s in shares) or abs(sum(shares) - 1) > 1e-6:
        detail = f"the shares {shown(text)} are not from 0 to 1 with the sum 1"
        problems.append(Problem("/query/split", detail, "out_of_range", _SPLIT_HINT))
    elif train == 0 or validation + test == 0:
        detail = "there must be training rows, and validation or test rows"
        problems.append(Problem("/query/split", detail, "out_of_range", _SPLIT_HINT))
    return shares


def _corrections(texts: Iterable[str], problems: list[Problem]) -> Iterator[tuple[str, ColumnType]]:
    for text in filter(None, texts):
        rest = text
        while rest:
            match = _CORRECTION.match(rest)
            if match is None or match["type"] not in COLUMN_TYPES:
                detail = f"{shown(rest)} does not begin with a column and its type"
                hint = f"write COLUMN=TYPE; the types are {', '.join(COLUMN_TYPES)}"
                problems.append(Problem("/query/types", detail, "invalid_value", hint))
                break
            yield match["name"], cast(ColumnType, match["type"])
            rest = rest[match.end() :]


def names_of_parts(shares: tuple[float, float, float]) -> tuple[str, ...]:
    """Return the names of the parts that have rows."""
    return tuple(name for name, share in zip(SPLITS, shares, strict=True) if share > 0)
