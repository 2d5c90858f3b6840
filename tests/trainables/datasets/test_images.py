"""Image data sets: the split, the preparation once per node, and its repair."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.trainables.image_files import NAMES, arrays, small_dataset, write_files
from trainables.contract import DatasetUnavailable
from trainables.datasets.images import ImageDataset
from trainables.datasets.sources import SourceFile, Unobtainable
from trainables.datasets.types import ClassificationData, Log

SPLITS = [f"{axis}_{split}" for split in ("train", "validation", "test") for axis in "xy"]


@dataclass
class FakePlace:
    """A remote place that copies the files from ``origin``, or that fails; counts its calls."""

    origin: Path | None
    calls: list[Path] = field(default_factory=list)
    label: str = "somewhere"

    def obtain(self, files: Sequence[SourceFile], target: Path, log: Log) -> Path:
        self.calls.append(target)
        if self.origin is None:
            raise Unobtainable("closed today")
        for file in files:
            (target / file.name).write_bytes((self.origin / file.name).read_bytes())
        return target


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_files(tmp_path / "source")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def ensured(dataset: ImageDataset, folder: Path, source: Path | None) -> list[str]:
    """Ensure the data set and return the lines logged."""
    lines: list[str] = []
    dataset.ensure(folder, source, lines.append)
    return lines


def quiet(_: str) -> None:
    """Take a log line."""


def copied(data: ClassificationData) -> dict[str, list[object]]:
    """Return the arrays as lists, which hold when the mapped files are damaged."""
    return {name: getattr(data, name).tolist() for name in SPLITS}


def test_split_follows_the_protocol(source: Path, folder: Path) -> None:
    data = small_dataset(source).load(folder, source)
    images, labels, test_images, test_labels = arrays()
    order = np.random.RandomState(42).permutation(60)
    for row, index in enumerate(order[:10]):
        assert data.x_validation[row].tolist() == images[index].ravel().tolist()
        assert data.y_validation[row] == labels[index]
    for row, index in enumerate(order[10:]):
        assert data.x_train[row].tolist() == images[index].ravel().tolist()
        assert data.y_train[row] == labels[index]
    assert data.x_test.tolist() == test_images.reshape(20, 6).tolist()
    assert data.y_test.tolist() == test_labels.tolist()
    assert (data.scale, data.classes) == (1 / 256, ("a", "b", "c", "d"))


def test_arrays_are_read_only_maps_of_the_promised_types(source: Path, folder: Path) -> None:
    data = small_dataset(source).load(folder, source)
    for name in SPLITS:
        array = getattr(data, name)
        assert isinstance(array, np.memmap)
        assert array.dtype == (np.uint8 if name.startswith("x") else np.int64)
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


#: Run in another process: prints the log of ensuring a data set, and how its pixels are mapped.
CHILD = """
import json, pickle, sys
dataset, folder, source = pickle.load(sys.stdin.buffer)
log = []
dataset.ensure(folder, source, log.append)
data = dataset.load(folder, None)
maps = [line.split() for line in open("/proc/self/maps") if line.rstrip().endswith("x_train.npy")]
print(json.dumps([log, maps[0][1], maps[0][3:5], int(data.x_train.sum())]))
"""


def start_child(dataset: ImageDataset, folder: Path, source: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    pickle.dump((dataset, folder, source), child.stdin)
    child.stdin.close()
    return child


def answer_of(child: subprocess.Popen[bytes]) -> tuple[list[str], str, list[str], int]:
    with child:
        assert child.stdout is not None
        log, access, inode, total = json.load(child.stdout)
    assert child.returncode == 0
    return log, access, inode, total


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_processes_at_once_prepare_once_and_share_memory(source: Path, folder: Path) -> None:
    dataset = small_dataset(source)
    children = [start_child(dataset, folder, source) for _ in range(2)]
    logs, accesses, inodes, totals = zip(*map(answer_of, children), strict=True)
    assert len([line for log in logs for line in log if "preparing arrays" in line]) == 1
    assert accesses == ("r--s", "r--s")  # s: shared pages, not private copies
    assert inodes[0] == inodes[1]
    assert totals[0] == totals[1] == dataset.load(folder, None).x_train.sum()


def test_prepared_arrays_need_no_files(source: Path, folder: Path) -> None:
    dataset = small_dataset(source)
    before = copied(dataset.load(folder, source))
    for name in NAMES:
        (source / name).unlink()
    assert copied(dataset.load(folder, None)) == before
    assert ensured(dataset, folder, None) == []


def test_load_never_asks_a_remote_place(source: Path, folder: Path) -> None:
    place = FakePlace(source)
    with pytest.raises(DatasetUnavailable, match="small: its files were not found here"):
        small_dataset(source, remote=(place,)).load(folder, None)
    assert place.calls == []


def test_ensure_asks_remote_places_once(source: Path, folder: Path) -> None:
    place = FakePlace(source)
    dataset = small_dataset(source, remote=(FakePlace(None), place))
    lines = ensured(dataset, folder, None)
    assert any("not from somewhere: closed today" in line for line in lines)
    assert ensured(dataset, folder, None) == []
    assert place.calls == [folder / "small"]


def test_downloaded_files_are_kept_for_a_repair(source: Path, folder: Path) -> None:
    place = FakePlace(source)
    dataset = small_dataset(source, remote=(place,))
    ensured(dataset, folder, None)
    (folder / "small" / "x_test.npy").unlink()
    ensured(dataset, folder, None)
    assert len(place.calls) == 1


def test_places_are_tried_in_order(tmp_path: Path, source: Path, folder: Path) -> None:
    place = FakePlace(source)
    system = tmp_path / "system"
    dataset = small_dataset(source, remote=(place,), system=(system,))
    assert dataset.status(folder, None).where == ""
    write_files(system)
    assert dataset.status(folder, None).where == str(system)
    assert dataset.status(folder, source).where == str(source)
    ensured(dataset, folder, None)
    assert dataset.status(folder, source).where == str(folder / "small")
    assert place.calls == []


def test_error_lists_every_place_and_the_remedy(source: Path, folder: Path) -> None:
    dataset = small_dataset(source, remote=(FakePlace(None),), system=(Path("/no/such/folder"),))
    (source / NAMES[1]).write_bytes(b"damaged")
    with pytest.raises(DatasetUnavailable) as caught:
        dataset.ensure(folder, source, quiet)
    _, *tried, remedy = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in tried] == [
        f"- folder {source}",
        f"- folder {folder / 'small'}",
        "- folder /no/such/folder",
        "- somewhere",
    ]
    assert "train-labels.gz has 7 bytes" in tried[0]
    assert str(folder / "small") in remedy
    assert "ARGBEST_SMALL_DIR" in remedy


def damage_truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def damage_empty(path: Path) -> None:
    path.write_bytes(b"")


def damage_header(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[:6] = b"PICKLE"
    path.write_bytes(content)


def damage_dtype(path: Path) -> None:
    array = np.load(path)
    np.save(path, array.view(np.int8 if array.dtype == np.uint8 else np.uint64))


@pytest.mark.parametrize("name", ["x_train", "y_validation"])
@pytest.mark.parametrize(
    "damage", [damage_truncate, damage_header, damage_dtype, damage_empty, Path.unlink]
)
def test_damaged_arrays_are_made_anew(
    source: Path, folder: Path, name: str, damage: Callable[[Path], None]
) -> None:
    dataset = small_dataset(source)
    before = copied(dataset.load(folder, source))
    damage(folder / "small" / f"{name}.npy")
    assert copied(dataset.load(folder, source)) == before
    assert ensured(dataset, folder, None) == []


class MakesAFolder:
    """Code that runs when its pickle is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.mkdir, (self.path,)


def test_a_pickle_in_place_of_an_array_is_not_loaded(source: Path, folder: Path) -> None:
    """Also where the manifest names its size and checksum."""
    dataset = small_dataset(source)
    before = copied(dataset.load(folder, source))
    trap, path = folder / "trap", folder / "small" / "x_train.npy"
    content = pickle.dumps(MakesAFolder(trap))
    path.write_bytes(content)
    manifest = folder / "small" / "manifest.json"
    told = json.loads(manifest.read_text(encoding="utf-8"))
    entry = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    told["files"]["x_train.npy"] = entry
    manifest.write_text(json.dumps(told), encoding="utf-8")
    assert copied(dataset.load(folder, source)) == before
    assert not trap.exists()
    pickle.loads(content)
    assert trap.is_dir()


def test_array_of_another_shape_is_made_anew(source: Path, folder: Path) -> None:
    dataset = small_dataset(source)
    before = copied(dataset.load(folder, source))
    np.save(folder / "small" / "x_train.npy", np.array(before["x_train"], np.uint8).T.copy())
    assert copied(dataset.load(folder, source)) == before


def test_ensure_sees_a_changed_pixel(source: Path, folder: Path) -> None:
    dataset = small_dataset(source)
    before = np.array(dataset.load(folder, source).x_train)
    path = folder / "small" / "x_train.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    (reason, *_) = ensured(dataset, folder, source)
    assert "x_train.npy: its sha256 is not the one" in reason
    np.testing.assert_array_equal(dataset.load(folder, None).x_train, before)


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": 0, "files": {}}',
        '{"format": 1}',
        '{"format": 1, "files": {}}',
        '{"format": 1, "files": {"x_train.npy": 7}}',
        '{"format": 1, "files": {"x_train.npy": {"size": 7}}}',
        '{"format": 1, "files": []}',
        "\x00",
    ],
)
def test_damaged_manifest_is_made_anew(source: Path, folder: Path, manifest: str) -> None:
    dataset = small_dataset(source)
    before = copied(dataset.load(folder, source))
    path = folder / "small" / "manifest.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(manifest, encoding="utf-8")
    assert copied(dataset.load(folder, source)) == before
    assert json.loads(path.read_text(encoding="utf-8")) == whole


def test_maps_in_use_survive_a_new_preparation(source: Path, folder: Path) -> None:
    dataset = small_dataset(source)
    data = dataset.load(folder, source)
    before = np.array(data.x_train)
    dataset.ensure(folder, source, quiet, anew=True)
    np.testing.assert_array_equal(data.x_train, before)


def test_fetch_prepares_anew(source: Path, folder: Path) -> None:
    dataset = small_dataset(source)
    kept = dataset.load(folder, source)  # its maps keep the inode from being given out again
    inode = (folder / "small" / "x_train.npy").stat().st_ino
    dataset.ensure(folder, source, quiet, anew=True)
    assert (folder / "small" / "x_train.npy").stat().st_ino != inode
    assert copied(dataset.load(folder, None)) == copied(kept)


def test_no_half_written_files_stay(source: Path, folder: Path) -> None:
    ensured(small_dataset(source), folder, source)
    names = sorted(path.name for path in (folder / "small").iterdir())
    assert names == sorted([".lock", "manifest.json", *(f"{name}.npy" for name in SPLITS)])


@pytest.mark.parametrize("obstacle", ["file", "lock"])
def test_folder_that_cannot_be_written(source: Path, folder: Path, obstacle: str) -> None:
    home = folder / "small"
    if obstacle == "file":
        folder.write_text("in the way", encoding="utf-8")
    else:
        (home / ".lock").mkdir(parents=True)
    with pytest.raises(DatasetUnavailable, match="give another data folder"):
        ensured(small_dataset(source), folder, source)


def test_right_checksum_on_wrong_content_is_refused(source: Path, folder: Path) -> None:
    (source / NAMES[0]).write_bytes((source / NAMES[2]).read_bytes())
    with pytest.raises(
        DatasetUnavailable, match=r"header 0000080300000014.* for shape \(60, 2, 3\)"
    ):
        ensured(small_dataset(source), folder, source)


def test_status_before_and_after(source: Path, folder: Path) -> None:
    dataset = small_dataset(source)
    absent = dataset.status(folder, None)
    assert (absent.available, absent.where, absent.size) == (False, "", 0)
    assert not folder.exists()
    at_hand = dataset.status(folder, source)
    assert at_hand.available
    assert at_hand.size == sum((source / name).stat().st_size for name in NAMES)
    ensured(dataset, folder, source)
    status = dataset.status(folder, None)
    assert (status.rows, status.splits) == (80, {"train": 50, "validation": 10, "test": 20})
    assert status.size == 80 * 6 + 80 * 8
    digest = hashlib.md5((source / NAMES[0]).read_bytes()).hexdigest()
    assert status.checksums[NAMES[0]] == (f"md5:{digest}",)


def test_status_where_the_source_is_no_folder(source: Path, folder: Path) -> None:
    assert not small_dataset(source).status(folder, source / NAMES[0]).available


def test_files_of_other_sizes_are_not_at_hand(source: Path, folder: Path) -> None:
    dataset = small_dataset(source)
    with (source / NAMES[3]).open("ab") as file:
        file.write(b"x")
    assert not dataset.status(folder, source).available


def test_loading_prepared_arrays_writes_nothing(source: Path, folder: Path) -> None:
    dataset = small_dataset(source)
    dataset.load(folder, source)
    (folder / "small" / ".lock").unlink()
    before = {path: path.stat().st_mtime_ns for path in (folder / "small").iterdir()}
    dataset.load(folder, source)
    assert {path: path.stat().st_mtime_ns for path in (folder / "small").iterdir()} == before
