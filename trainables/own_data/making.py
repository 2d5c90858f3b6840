"""Makes a data set of a user's file: reads, types, splits and encodes it, and writes its card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.datasets.types import SPLITS
from trainables.files import sha256_of
from trainables.own_data.arrays import Parts, read_npz
from trainables.own_data.card import Card, make_card
from trainables.own_data.columns import Column, typed
from trainables.own_data.leaks import (
    Caution,
    assumed_task,
    cautions,
    small_class_warnings,
)
from trainables.own_data.options import DEFAULT_SPLIT, Options
from trainables.own_data.prepared import (
    Prepared,
    Target,
    prepare_arrays,
    prepare_table,
    split_rows,
)
from trainables.own_data.problems import bad
from trainables.own_data.tables import RawTable, read_csv, read_parquet
from trainables.own_data.targets import (
    make_target,
    scaled_by_training,
    target_column,
    target_of_array,
)

_FEWEST_ROWS = 3
#: What files of other kinds begin with, and what to do with them.
_OTHER_FORMATS = {
    b"\x1f\x8b": ("gzip", "unpack it first"),
    b"BZh": ("bzip2", "unpack it first"),
    b"\xfd7zXZ": ("xz", "unpack it first"),
    b"(\xb5/\xfd": ("zstd", "unpack it first"),
    b"\xd0\xcf\x11\xe0": ("an old spreadsheet", "export CSV"),
    b"%PDF": ("PDF", "export CSV"),
    b"\x93NUMPY": ("a single array", "save x and y in one NPZ file"),
    b"\x89HDF": ("HDF5", "write Parquet or CSV"),
    b"\x80\x04\x95": ("a pickle", "pickles are never loaded: write Parquet, CSV or NPZ"),
}


@dataclass(frozen=True, slots=True)
class Made:
    """A data set that was made of a file: its arrays, and its card."""

    prepared: Prepared
    card: Card


def make(path: Path, options: Options) -> Made:
    """Return the data set in the file; raise :class:`BadData` for one that is none.

    What the file is (CSV, TSV, Parquet, NPZ), its first bytes say.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK"):
        return _of_arrays(read_npz(path, options.target), path, options)
    for magic, (what, hint) in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise bad("", f"the file is {what}, not CSV, TSV, Parquet or NPZ", "bad_file", hint)
    table = read_parquet(path) if start.startswith(b"PAR1") else read_csv(path)
    return _of_table(table, path, options)


def _of_table(table: RawTable, path: Path, options: Options) -> Made:
    raw, kind = target_column(table, options)
    _check_rows(table.rows)
    target = make_target(table, raw, kind)
    others = tuple(column for column in table.columns if column.name != raw.name)
    inputs = RawTable(others, table.rows, table.format, table.decimal)
    columns = typed(inputs, options.types)
    shares = options.split or DEFAULT_SPLIT
    order, counts = _split(target, shares, options.seed)
    target = scaled_by_training(target, order[: counts["train"]])
    prepared = prepare_table(columns, target, order, counts)
    found = _cautions(columns, target, prepared, options)
    source = {**_source(path, table.format), "split": list(shares), "seed": options.seed}
    return Made(prepared, make_card(columns, target, prepared, found, **source))


def _of_arrays(parts: Parts, path: Path, options: Options) -> Made:
    name = options.target or "y"
    if options.types:
        hint = "leave --types out for a file of arrays"
        raise bad("/query/types", "arrays have no columns", "not_applicable", hint)
    x, y, given = _joined(parts)
    if given is not None and options.split is not None:
        hint = "leave --split out, or send x and y in one array each"
        raise bad("/query/split", "the file has its parts already", "not_applicable", hint)
    _check_rows(len(x))
    target = target_of_array(name, y, options.task)
    shares = options.split or DEFAULT_SPLIT
    order, counts = given or _split(target, shares, options.seed)
    target = scaled_by_training(target, order[: counts["train"]])
    prepared = prepare_arrays(x, target, order, counts)
    found = _cautions((), target, prepared, options)
    source = _source(path, "NPZ")
    if given is None:
        source |= {"split": list(shares), "seed": options.seed}
    return Made(prepared, make_card((), target, prepared, found, **source))


def _cautions(
    columns: Sequence[Column], target: Target, prepared: Prepared, options: Options
) -> Iterator[Caution]:
    if options.task is None:
        yield from assumed_task(target)
    yield from cautions(columns, target, prepared)
    yield from small_class_warnings(target, prepared)


def _joined(
    parts: Parts,
) -> tuple[NDArray[Any], NDArray[Any], tuple[NDArray[np.int64], dict[str, int]] | None]:
    """Return all features and targets, and their order and counts where the file has parts."""
    for split, (x, y) in parts.items():
        if len(x) != len(y):
            detail = f"x{split and '_' + split} has {len(x):,} rows, its targets {len(y):,}"
            raise bad("", detail, "wrong_shape", "give each row one target")
    if "" in parts:
        return *parts[""], None
    present = [parts[split] for split in SPLITS if split in parts]
    counts = {split: len(parts[split][0]) if split in parts else 0 for split in SPLITS}
    kinds = {x.dtype for x, _ in present}
    if len(kinds) > 1 or len({y.dtype.kind for _, y in present}) > 1:
        raise bad("", "the parts are of different dtypes", "wrong_type", "give all parts the same")
    x = np.concatenate([x for x, _ in present])
    return x, np.concatenate([y for _, y in present]), (np.arange(len(x)), counts)


def _split(
    target: Target, shares: tuple[float, float, float], seed: int
) -> tuple[NDArray[np.int64], dict[str, int]]:
    strata = target.y if target.kind == "classification" else None
    order, counts = split_rows(len(target.y), shares, seed, strata)
    wanted = dict(zip(SPLITS, shares, strict=True))
    empty = [split for split in SPLITS if wanted[split] and not counts[split]]
    if empty:
        detail = f"{len(target.y):,} rows leave none for {' and '.join(empty)}"
        raise bad("/query/split", detail, "too_few_rows", "send more rows, or other shares")
    return order, counts


def _check_rows(rows: int) -> None:
    if rows < _FEWEST_ROWS:
        detail = f"there {'is 1 row' if rows == 1 else f'are {rows} rows'}"
        raise bad("", detail, "too_few_rows", "send 3 rows or more, a few hundred to learn from")


def _source(path: Path, what: str) -> dict[str, Any]:
    return {"format": what, "bytes": path.stat().st_size, "sha256": sha256_of(path)}


def tree_of(prepared: Prepared) -> Mapping[str, Any]:
    """Return a data set's content by name; equal contents are written as equal bytes."""
    arrays = {
        f"{name}_{split}": values[prepared.part(split)]
        for name, values in (("x", prepared.x), ("y", prepared.y))
        for split in SPLITS
    }
    target = prepared.target
    return {
        "kind": prepared.kind,
        "target": target.name,
        "classes": list(target.classes),
        "features": list(prepared.features),
        "scale": prepared.scale,
        "y_mean": target.mean,
        "y_scale": target.scale,
        **arrays,
    }
