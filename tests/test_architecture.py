"""Who may import whom, who may import a foreign library, and no cycles (decision 11)."""

from __future__ import annotations

import ast
import fnmatch
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Our packages: each may import the public modules of those before it.
PACKAGES = ("search_spaces", "trainables", "results", "service", "handin", "argbest")

#: The modules of a package that packages after it may import.
PUBLIC = {
    "search_spaces": ["search_spaces", "search_spaces.text", "search_spaces.errors",
                      "search_spaces.yaml_files", "search_spaces.templates",
                      "search_spaces.patterns"],
    "trainables": ["trainables.contract", "trainables.registry", "trainables.parameters",
                   "trainables.programs", "trainables.program_errors",
                   "trainables.program_limits", "trainables.workplace",
                   "trainables.descendants", "trainables.environment",
                   "trainables.commands", "trainables.functions",
                   "trainables.datasets", "trainables.own_data", "trainables.files",
                   "trainables.state_files"],
    "results": ["results.records", "results.states", "results.errors", "results.spec",
                "results.formatting", "results.ranking", "results.analysis", "results.comparison",
                "results.curve_shape", "results.explain", "results.export", "results.exports",
                "results.wording",
                "results.storage", "results.study", "results.intervals", "results.racing",
                "results.confirmation", "results.verdict", "results.diagnosis", "results.spent",
                "results.conclusion", "results.provenance", "results.lineage",
                "results.replay", "results.shares", "results.store",
                "results.plots", "results.figures", "results.report",
                "results.job_comparison"],
    "service": ["service.client", "service.client.*", "service.schemas", "service.cli.*"],
    "handin": [],
}  # fmt: skip
#: Which public modules of other packages a package may import, where that is fewer.
MAY_IMPORT = {
    "results": {"trainables": ["trainables.contract"]},
    "handin": {"trainables": ["trainables.contract"]},
}

#: The rooms of the service, and which of its other rooms each may import; "" is its top level.
ROOMS: dict[str, set[str]] = {
    "": {"", "http", "engine", "search", "page", "code"},
    "http": {"", "engine", "search", "code"},
    "engine": {"", "search", "code"},
    "search": set(),
    "code": set(),
    "client": {"", "code"},
    "cli": {"", "client", "code"},
    "page": {"", "http"},
}
#: The modules at the top level of the service that a room may import, where these are few.
TOP = {
    "engine": {"settings", "logs", "log_lines", "trial_logs", "disk", "version", "files"},
    "client": {"schemas", "addresses"},
}

#: A foreign library lives in the modules that exist for it.
HOMES = {
    "ray": ["service.engine.*"],
    "optuna": [
        "service.search.samplers",
        "service.search.told",
        "service.search.kinds",
        "service.search.gaussian",
        "results.study",
        "results.exports.optuna_journal",
        "results.plots*",
        "results.figures*",
    ],
    "scipy": ["results.intervals", "results.diagnosis.*"],
    "sqlalchemy": ["results.store*"],
    "alembic": ["results.store*"],
    "psycopg": ["results.store*"],
    "fastapi": ["service.api", "service.http.*", "service.page*"],
    "starlette": ["service.api", "service.http.*", "service.page*"],
    "uvicorn": ["service.serve"],
    "torch": ["trainables.torch_*"],
    "numba": ["trainables.numpy_*"],
    "matplotlib": ["results.plots*"],
    "typst": ["results.report*", "handin*"],
    "jinja2": ["results.report*"],
    "httpx2": ["service.client*", "service.engine.cluster"],
    "click": ["service.cli*", "handin.command"],
    "rich": ["service.cli*"],
    "pathspec": ["service.code.ignored"],
    "re2": ["search_spaces.patterns"],
    "jsonschema": ["search_spaces.validation"],
    "pynvml": ["service.engine.usage"],
    "psutil": ["service.engine.*", "trainables.descendants"],
    "pyarrow": ["results.storage_kinds", "results.exports.parquet", "trainables.own_data.*"],
    "tensorboardX": ["results.exports.tensorboard"],
    "pydantic_settings": ["service.settings"],
    "prometheus_client": ["service.http.metrics"],
}
#: What the client and the command line never load, not even through another module.
NEVER = ("ray", "torch", "fastapi", "sqlalchemy", "optuna", "matplotlib", "numba", "pyarrow",
         "scipy")  # fmt: skip


@cache
def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path, *, top_level: bool = False) -> tuple[str, ...]:
    """Return the dotted names that a file imports; ``top_level`` omits lazy and typing ones."""
    tree = parsed(path)
    found: list[str] = []
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(found)


def our_module(name: str) -> str:
    """Return the module of ours that a dotted name lies in, or ""."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name


def our_imports(name: str, *, top_level: bool = False) -> set[str]:
    found = map(our_module, imports(modules()[name], top_level=top_level))
    return {module for module in found if module}


def pairs() -> Iterator[tuple[str, str]]:
    """Yield each module with each module of ours that it imports."""
    for name in modules():
        yield from ((name, imported) for imported in sorted(our_imports(name)))


def room(name: str) -> str:
    """Return the room of a module of the service."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else ""


def is_one_of(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def test_every_package_is_found() -> None:
    assert {name.partition(".")[0] for name in modules()} == set(PACKAGES)
    assert len(modules()) > 50


# One test for all modules: a test for each costs more than what it does.


def test_packages_import_public_names_of_packages_before_them() -> None:
    wrong = []
    for name, imported in pairs():
        package, other = name.partition(".")[0], imported.partition(".")[0]
        if other == package or package == "argbest":
            continue
        public = MAY_IMPORT.get(package, {}).get(other, PUBLIC[other])
        if PACKAGES.index(other) > PACKAGES.index(package):
            wrong.append(f"{name} imports {imported}")
        elif not is_one_of(imported, public):
            wrong.append(f"{name} imports {imported}, which is not public")
    assert wrong == []


def test_rooms_of_the_service_import_only_what_they_may() -> None:
    wrong = []
    for name, imported in pairs():
        here, there = room(name), room(imported)
        of_the_service = name.startswith("service.") and imported.startswith("service.")
        if not of_the_service or here == there:
            continue
        top = TOP.get(here)
        is_closed = there == "" and top is not None and imported.split(".")[1] not in top
        if there not in ROOMS[here] or is_closed:
            wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_foreign_libraries_stay_in_their_homes() -> None:
    wrong = []
    for name, path in modules().items():
        for imported in imports(path):
            homes = HOMES.get(imported.partition(".")[0])
            if homes is not None and not is_one_of(name, homes):
                wrong.append(f"{name} imports {imported}, not {homes}")
    assert wrong == []


def test_client_and_command_line_never_load_the_server() -> None:
    """Also not through another module: each of their modules is imported for real."""
    names = [n for n in modules() if n.startswith(("service.client", "service.cli", "argbest"))]
    names.remove("service.cli.__main__")
    code = (
        f"import sys, importlib\nfor name in {names!r}: importlib.import_module(name)\n"
        f"print([name for name in {NEVER!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"


def test_there_are_no_import_cycles() -> None:
    graph = {name: our_imports(name, top_level=True) - {name} for name in modules()}
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


def test_functions_stay_short() -> None:
    """Size is judged by functions: none has more than 50 lines, and few more than 40."""
    long = []
    for name in (name for name in modules() if "migrations" not in name):
        for node in ast.walk(parsed(modules()[name])):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                long += [f"{name}.{node.name} has {lines} lines"] if lines > 50 else []
    assert long == []
