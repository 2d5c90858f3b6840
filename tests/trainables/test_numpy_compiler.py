"""Arrays that start a cache line; machine code that is kept, changed, damaged, not writable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import trainables
from trainables.code_cache import UNUSED_SECONDS
from trainables.numpy_compiler import LINE, aligned, compiled, kernel_folder

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("columns", [1, 8, 9])
def test_aligned_rows_start_a_cache_line(columns: int) -> None:
    matrix = np.random.RandomState(7).standard_normal((3, columns))
    copy = aligned(matrix)
    assert copy.shape == (3, -(-columns // LINE) * LINE)
    assert [copy[row].ctypes.data % 64 for row in range(3)] == [0, 0, 0]
    np.testing.assert_array_equal(copy[:, :columns], matrix)
    assert not copy[:, columns:].any()


def _run_elsewhere(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` on the packages in ``folder``; no folder for code is set but those given."""
    inherited = {k: v for k, v in os.environ.items() if not k.endswith("CACHE_DIR")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "PYTHONPATH": str(folder), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.fixture
def copied_package(tmp_path: Path) -> Path:
    """A folder with a package ``trainables`` of which only the compiler and a kernel are left."""
    package = tmp_path / "trainables"
    package.mkdir()
    modules = ("__init__", "code_cache", "files", "numpy_compiler", "numpy_models")
    for name in (f"{module}.py" for module in modules):
        shutil.copy(Path(trainables.__file__).parent / name, package)
    head = "from trainables.numpy_compiler import compiled\n"
    (package / "numpy_a.py").write_text(f"{head}@compiled\ndef inner(x):\n    return 2.0 * x\n")
    call = "@compiled\ndef outer(x):\n    return 10.0 * inner(x)\n"
    (package / "numpy_b.py").write_text(f"{head}from trainables.numpy_a import inner\n{call}")
    return tmp_path


_OUTER = """
from trainables.numpy_b import outer
print(outer(1.0), sum(outer.stats.cache_hits.values()))
"""


def test_a_changed_function_is_not_run_from_the_cache_of_one_that_imports_it(
    copied_package: Path,
) -> None:
    def outer() -> str:
        return _run_elsewhere(
            copied_package, _OUTER, ARGBEST_CACHE_DIR=str(copied_package / "cache")
        ).stdout.strip()

    assert [outer(), outer()] == ["20.0 0", "20.0 1"]
    source = copied_package / "trainables" / "numpy_a.py"
    source.write_text(source.read_text().replace("2.0", "3.0"))
    assert outer() == "30.0 0"
    assert len(list((copied_package / "cache" / "numba").glob("argbest-*"))) == 2
    assert not list((copied_package / "trainables").rglob("*.bin"))


def test_without_a_folder_for_code_it_is_compiled_and_the_log_says_so(
    copied_package: Path,
) -> None:
    occupied = copied_package / "file"
    occupied.touch()
    done = _run_elsewhere(copied_package, _OUTER, NUMBA_CACHE_DIR=str(occupied))
    assert done.stdout.strip() == "20.0 0"
    assert done.stderr.count("compiled in every process; set ARGBEST_CACHE_DIR") == 1


def test_importing_the_engines_makes_no_folder(tmp_path: Path) -> None:
    """Neither where the folder for code could be made nor, on a reload, where it could not."""
    code = """
import importlib, os
import trainables.numpy_trainables, trainables.torch_trainables
from trainables import numpy_linear_engine
os.environ["ARGBEST_CACHE_DIR"] = os.environ["OCCUPIED"]
importlib.reload(numpy_linear_engine)
"""
    occupied = tmp_path / "file"
    occupied.touch()
    folders = {"ARGBEST_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    done = _run_elsewhere(ROOT, code, OCCUPIED=str(occupied), **folders)
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == [occupied]


@pytest.mark.parametrize("damaged", [False, True])
def test_a_full_disk_fails_no_trial_and_the_log_says_so(
    copied_package: Path, damaged: bool
) -> None:
    folder = {"ARGBEST_CACHE_DIR": str(copied_package / "cache")}
    if damaged:
        _run_elsewhere(copied_package, _OUTER, **folder)
        for file in (copied_package / "cache").rglob("*.bin"):
            file.write_bytes(b"")
    # As on a full disk: files can be made, but not a byte can be written into them.
    full = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    done = _run_elsewhere(copied_package, full + _OUTER, **folder)
    assert done.stdout.strip() == "20.0 0"
    assert ("compiling again" in done.stderr) == damaged
    assert "compiled code is not kept for later trials" in done.stderr
    assert not list((copied_package / "cache").rglob("*.part"))


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the kernels, for this test a new one."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    kernel_folder.cache_clear()
    folder = kernel_folder()
    assert folder is not None
    yield folder
    kernel_folder.cache_clear()


def _double(x: float) -> float:
    return 2.0 * x


def _hits() -> int:
    """Return how often a new process would find the code of ``_double`` on disk: 0 or 1."""
    double: Any = compiled(_double)
    assert double(4.0) == 8.0
    return sum(double.stats.cache_hits.values())


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flip_in_the_machine_code(content: bytes) -> bytes:
    middle = content.index(b"\x7fELF") + 100
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _no_code(content: bytes) -> bytes:
    """Return what has the right digest but cannot be loaded."""
    return sha256(b"garbage").digest() + b"garbage"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",  # renamed, never written: what a loss of power leaves
        lambda content: bytes(len(content)),
        _cut,
        _flip_in_the_machine_code,
        _no_code,
    ],
    ids=["empty", "zeros", "cut", "flipped", "no code"],
)
def test_damaged_code_is_compiled_again_and_kept_anew(
    kernels: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
) -> None:
    assert [_hits(), _hits()] == [0, 1]
    assert not caplog.records
    (file,) = kernels.glob("*.bin")
    file.write_bytes(damage(file.read_bytes()))
    assert [_hits(), _hits()] == [0, 1]
    (record,) = caplog.records
    assert str(file) in record.getMessage()
    assert "compiling again" in record.getMessage()


def test_each_signature_has_code_of_its_own(kernels: Path) -> None:
    double: Any = compiled(_double)
    assert (double(4), double(4.5)) == (8.0, 9.0)
    again: Any = compiled(_double)
    assert (again(4), again(4.5)) == (8.0, 9.0)
    assert sum(again.stats.cache_hits.values()) == len(list(kernels.glob("*.bin"))) == 2


def test_kernels_run_as_python_code_where_numba_is_switched_off(tmp_path: Path) -> None:
    code = """
import numpy as np
from trainables.numpy_compiler import ENGINE
from trainables.numpy_linear_engine import cross_entropy
print(ENGINE, round(cross_entropy(np.zeros(2), 0), 6))
"""
    done = _run_elsewhere(ROOT, code, NUMBA_DISABLE_JIT="1", ARGBEST_CACHE_DIR=str(tmp_path))
    assert done.stdout.strip() == "plain loop 0.693147"


def test_kernels_of_other_sources_go_when_they_have_not_been_used_for_a_week(
    kernels: Path,
) -> None:
    unused, young, foreign = (kernels.parent / n for n in ("argbest-1", "argbest-2", "numba-1"))
    for folder in (unused, young, foreign):
        folder.mkdir()
    for folder in (kernels, unused, foreign):
        long_ago = folder.stat().st_mtime - UNUSED_SECONDS - 60
        os.utime(folder, (long_ago, long_ago))
    kernel_folder.cache_clear()
    assert kernel_folder() == kernels
    assert {path.name for path in kernels.parent.iterdir()} == {
        kernels.name,
        "argbest-2",
        "numba-1",
    }
