"""Which package may import which, who may import a foreign library, and no cycles."""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("argbest", "search_spaces", "trainables", "results", "service", "handin")

#: Our packages, and which other of our packages each may import.
MAY_IMPORT = {
    "argbest": {"trainables", "service"},
    "search_spaces": set(),
    "trainables": {"search_spaces"},
    "results": {"search_spaces", "trainables"},
    "service": {"search_spaces", "trainables", "results"},
    "handin": {"search_spaces", "trainables", "results", "service"},
}

#: A foreign library lives in the modules that exist for it.
HOMES = {
    "ray": ["service.engine.*"],
    "optuna": ["service.engine.sampler", "results.plots*"],
    "sqlalchemy": ["results.store*"],
    "alembic": ["results.store*"],
    "psycopg": ["results.store*"],
    "fastapi": ["service.api", "service.http.*", "service.page"],
    "starlette": ["service.api", "service.http.*", "service.page"],
    "uvicorn": ["service.serve"],
    "torch": ["trainables.torch_*"],
    "numba": ["trainables.numpy_*"],
    "matplotlib": ["results.plots*"],
    "typst": ["results.report*", "handin*"],
    "jinja2": ["results.report*"],
    "httpx2": ["service.client*", "service.engine.cluster"],
    "click": ["service.cli*", "handin.command"],
    "rich": ["service.cli*"],
    "jsonschema": ["search_spaces.validation"],
    "psutil": ["service.engine.processes", "service.engine.cluster"],
    "pydantic_settings": ["service.settings"],
    "prometheus_client": ["service.http.metrics"],
}


@cache
def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Yield the dotted names that a file imports; ``top_level`` leaves out lazy and typing ones."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_package_is_found() -> None:
    assert {name.partition(".")[0] for name in modules()} == set(PACKAGES)
    assert len(modules()) > 50


@pytest.mark.parametrize("name", modules())
def test_our_packages_import_only_what_they_may(name: str) -> None:
    package = name.partition(".")[0]
    for imported in imports(modules()[name]):
        other = imported.partition(".")[0]
        if other in PACKAGES and other != package:
            assert other in MAY_IMPORT[package], f"{name} imports {imported}"


@pytest.mark.parametrize("name", modules())
def test_foreign_libraries_stay_in_their_homes(name: str) -> None:
    for imported in imports(modules()[name]):
        homes = HOMES.get(imported.partition(".")[0])
        if homes is not None:
            assert any(fnmatch.fnmatchcase(name, home) for home in homes), (
                f"{name} imports {imported}; its home is {homes}"
            )


@pytest.mark.parametrize("name", [n for n in modules() if n.startswith(("service.cli",))])
def test_the_command_line_imports_no_server(name: str) -> None:
    forbidden = (
        "service.api", "service.engine", "service.http", "service.serve", "service.jobs",
        "results.store", "results.plots", "results.report",
    )  # fmt: skip
    for imported in imports(modules()[name]):
        assert not imported.startswith(forbidden), f"{name} imports {imported}"


def test_there_are_no_import_cycles() -> None:
    graph = {name: _ours(imports(path, top_level=True)) for name, path in modules().items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name in done:
            return
        for imported in sorted(graph[name]):
            visit(imported, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def _ours(names: Iterator[str]) -> set[str]:
    found = set()
    for name in names:
        module = name
        while module and module not in modules():
            module = module.rpartition(".")[0]
        if module:
            found.add(module)
    return found


@pytest.mark.parametrize("name", modules())
def test_modules_stay_small(name: str) -> None:
    lines = modules()[name].read_text(encoding="utf-8").count("\n")
    assert lines <= 300, f"{name} has {lines} lines"
