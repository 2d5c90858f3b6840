"""Private APIs of torch, numba and pydantic work and are still needed (docs/private-apis.md).

Where a test below fails since a library mended something, delete our way round it. That the APIs
work is held by test_torch_compiled.py, test_numpy_compiler.py and test_parameters.py too.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import pytest
import torch
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from pydantic import TypeAdapter, ValidationError

from trainables.parameters import Parameters


class Color(Enum):
    RED = "red"


# --- torch ---------------------------------------------------------------------------------------


def test_scan_works_and_is_private() -> None:
    from torch._higher_order_ops.scan import scan

    carry, sums = scan(lambda c, x: (c + x, c + x), torch.zeros(()), torch.arange(4.0))
    assert (carry.item(), sums.tolist()) == (6.0, [0.0, 1.0, 3.0, 6.0])
    assert not hasattr(torch, "scan")
    assert not hasattr(torch.func, "scan")


def test_code_compiled_ahead_of_time_can_be_kept_as_bytes_only_by_private_means() -> None:
    compiled: Any = torch.compile(lambda x: x + 1, fullgraph=True)
    assert hasattr(compiled, "aot_compile")
    assert not hasattr(torch.compiler, "save_compiled_function")
    assert not hasattr(torch.compiler, "mark_dynamic")
    assert callable(torch._dynamo.mark_dynamic)


def test_inductor_has_our_options() -> None:
    options = set(torch._inductor.list_options())
    assert options >= {"cpp_wrapper", "cpp.threads", "compile_threads"}


def test_importing_torchs_compiler_makes_its_folder(tmp_path: Path) -> None:
    """So the folder is made before: an error on the way leaves half of it imported."""
    occupied = tmp_path / "file"
    occupied.touch()
    code = """
import torch
for _ in range(2):
    try:
        import torch._dynamo
    except Exception as error:
        print(type(error).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(occupied / "inductor")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["NotADirectoryError", "AssertionError"]


# --- numba ---------------------------------------------------------------------------------------


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with ``inner.py`` and ``outer.py``, which uses it; both have numba's own cache."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    # numba reads all its variables again where any of them has changed since.
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    head = "from numba import njit\n"
    body = "@njit(cache=True)\ndef inner(x):\n    return 2.0 * x\n"
    (tmp_path / "inner.py").write_text(head + body)
    body = "from inner import inner\n@njit(cache=True)\ndef outer(x):\n    return inner(x)\n"
    (tmp_path / "outer.py").write_text(head + body)
    yield tmp_path
    sys.modules.pop("inner", None)


def load(folder: Path) -> ModuleType:
    """Import both modules anew, as another process would."""
    sys.modules.pop("inner", None)
    importlib.invalidate_caches()
    spec = importlib.util.spec_from_file_location("outer", folder / "outer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_numbas_cache_makes_its_folder_at_import(modules: Path) -> None:
    load(modules)
    assert (modules / "cache").is_dir()


def test_numbas_cache_runs_old_code_of_an_imported_function(modules: Path) -> None:
    """numba issue 1833."""
    assert load(modules).outer(1.0) == 2.0
    inner = modules / "inner.py"
    inner.write_text(inner.read_text().replace("2.0", "3.0"))
    assert load(modules).outer(1.0) == 2.0


def test_numbas_cache_fails_where_its_files_are_damaged(modules: Path) -> None:
    """numba issue 10434."""
    assert load(modules).outer(1.0) == 2.0
    for file in (modules / "cache").rglob("*.nbc"):
        file.write_bytes(b"")
    with pytest.raises(EOFError):
        load(modules).outer(1.0)


def test_a_dispatcher_takes_another_cache() -> None:
    @numba.njit
    def double(x: float) -> float:
        return 2.0 * x

    assert type(double._cache) is NullCache
    assert not NullCache.__abstractmethods__
    assert callable(CompileResult._rebuild)
    assert double(2.0) == 4.0
    (result,) = double.overloads.values()
    assert result.library.has_dynamic_globals is False
    assert isinstance(result._reduce(), tuple)
    assert all(isinstance(part, str) for part in result.codegen.magic_tuple())


# --- pydantic ------------------------------------------------------------------------------------


def test_a_strict_model_refuses_the_value_of_an_enum_unless_it_is_read_as_json() -> None:
    strict = TypeAdapter(Color)
    with pytest.raises(ValidationError):
        strict.validate_python("red", strict=True)
    assert strict.validate_json('"red"', strict=True) is Color.RED


def test_a_models_validator_fills_an_instance() -> None:
    model = Parameters()
    model.__pydantic_validator__.validate_json(b"{}", self_instance=model)
