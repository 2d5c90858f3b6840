"""Checks of this machine and of the server, each with what to do about it."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import click

from service.addresses import is_loopback
from service.cli.options import folder_option, machine_settings
from service.cli.output import emit_json, json_option, table
from service.cli.target import with_client
from service.cli.text import size
from service.client.errors import ClientError, ServerBusy, ServerUnreachable

if TYPE_CHECKING:
    from search_spaces import Problem
    from service.client.client import Client
    from service.schemas import ReadinessView

OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``hint`` says what to do where it is not ok."""

    name: str
    state: Literal["ok", "warning", "broken"]
    detail: str
    hint: str = ""


@click.command()
@folder_option
@json_option
@with_client
def doctor(client: Client, *, data_dir: Path | None, as_json: bool) -> None:
    """Check that everything argbest needs is here.

    Looks at Python, a C++ compiler, the disk and the data sets of this machine, and at the server:
    its version, its parts, the token, the workers, and trainables and search spaces that cannot be
    used. Exits with 1 if something is broken; a warning is something that can wait.
    """
    checks = [*_machine(data_dir), *_server(client)]
    if as_json:
        emit_json({"items": [asdict(check) for check in checks]})
    else:
        rows = [[check.state, check.name, check.detail, check.hint] for check in checks]
        table(["state", "check", "found", "what to do"], rows)
    if any(check.state == "broken" for check in checks):
        click.get_current_context().exit(1)


def _machine(data_dir: Path | None) -> Iterator[Check]:
    from trainables import datasets

    settings = machine_settings(data_dir)
    yield python_check(sys.version_info[:3])
    yield compiler_check()
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    yield disk_check(folder, shutil.disk_usage(existing).free, settings.min_free_bytes)
    for name in datasets.names():
        status = datasets.status(name, settings.datasets_dir, source=settings.fashion_mnist_dir)
        if status.available:
            yield Check(f"data set {name}", "ok", f"{status.rows} rows in {status.where}")
        else:
            hint = f"`argbest data fetch {name}`; else the first job that needs it fetches it"
            yield Check(f"data set {name}", "warning", "not here yet", hint)


def python_check(version: tuple[int, int, int]) -> Check:
    """Check the version of Python."""
    text = ".".join(map(str, version))
    if version[:2] >= OLDEST_PYTHON:
        return Check("python", "ok", text)
    return Check("python", "broken", text, "install Python 3.11 or newer")


def compiler_check() -> Check:
    """Check for a C++ compiler, with which torch compiles its trainables."""
    wanted = filter(None, (os.environ.get("CXX"), "c++", "g++", "clang++"))
    if found := next(filter(None, map(shutil.which, wanted)), None):
        return Check("c++ compiler", "ok", found)
    hint = "install g++ to train the torch models faster"
    return Check("c++ compiler", "warning", "none found", hint)


def disk_check(folder: Path, free: int, needed: int) -> Check:
    """Check the ``free`` bytes of the disk that holds ``folder``.

    With less than ``needed`` bytes the service takes no job: broken. Below ten times as much the
    check warns.
    """
    detail = f"{size(free)} free for {folder}"
    if free < needed:
        hint = "free some space, choose another --data-dir, or lower ARGBEST_MIN_FREE_BYTES"
        return Check("disk", "broken", detail, hint)
    if free < 10 * needed:
        return Check("disk", "warning", detail, "free some space soon")
    return Check("disk", "ok", detail)


def _server(client: Client) -> Iterator[Check]:
    url = client.base_url
    try:
        client.healthy()
        ready, version = client.readiness(), client.version().argbest
    except ServerUnreachable as error:
        yield Check("server", "broken", str(error), "start it with `argbest serve`")
        yield from _port_check(url)
        return
    except ClientError as error:
        hint = "another program listens there: choose another --port, and --url"
        yield Check("server", "broken", f"{url} is not argbest: {error}", hint)
        return
    yield Check("server", "ok", url)
    yield _version_check(version)
    for name, state in (ready.parts or {"parts": ready.status}).items():
        hint = "" if state == "ok" else "see the log of `argbest serve`"
        yield Check(f"server's {name}", "ok" if state == "ok" else "broken", state, hint)
    if "allows_commands" in ready.model_fields_set:
        allowed = (
            "run for tokens of the scope code or admin" if ready.allows_commands else "not run"
        )
        yield Check("programs", "ok", allowed)
    token = _token_check(ready)
    yield token
    if token.state == "ok":
        yield from _catalog_checks(client)
    # Without Ray nobody knows the workers; without a valid token the server does not tell.
    if ready.parts.get("ray") == "ok":
        yield _workers_check(client)


def _version_check(version: str) -> Check:
    if version == (own := installed_version("argbest")):
        return Check("server's version", "ok", version)
    hint = "install the same version here: an option of one may be unknown to the other"
    return Check("server's version", "warning", f"{version}; this program is {own}", hint)


def _token_check(ready: ReadinessView) -> Check:
    """Check the token by the server's readiness, which has parts only for a valid one."""
    if ready.token:
        return Check("token", "ok", f"{ready.token.name}, with the scope {ready.token.scope}")
    if "token" in ready.model_fields_set:
        detail = "could not be checked: the server's database does not answer"
        return Check("token", "warning", detail, "look again when it does")
    if "parts" in ready.model_fields_set:
        return Check("token", "ok", "none is asked for")
    hint = (
        "set ARGBEST_TOKEN; `argbest token create NAME`, on the server's machine, makes one; there "
        "--data-dir (ARGBEST_DATA_DIR) is the folder where the command line finds its own"
    )
    return Check("token", "broken", "the server asks for a valid one, and tells nobody more", hint)


def _catalog_checks(client: Client) -> Iterator[Check]:
    """Check that the server can use its search spaces and its installed trainables."""
    try:
        spaces, trainables = client.search_spaces(), client.trainables()
    except ClientError as error:
        yield Check("server's catalog", "broken", str(error), "see the log of `argbest serve`")
        return
    yield Check("search spaces", "ok", f"{len(spaces.items)} usable")
    yield Check("trainables", "ok", f"{len(trainables.items)} usable")
    for file in spaces.broken:
        yield _broken(f"search space {file.file}", "", file.problems)
    for one in trainables.broken:
        yield _broken(f"trainable {one.entry_point}", f"package {one.package}: ", one.problems)


def _broken(name: str, source: str, problems: list[Problem]) -> Check:
    details = "; ".join(problem.detail for problem in problems)
    hints = dict.fromkeys(problem.hint for problem in problems if problem.hint)
    return Check(name, "broken", f"{source}{details}", "; ".join(hints))


def _workers_check(client: Client) -> Check:
    """Check that some node of the cluster has slots for trials."""
    try:
        found = client.cluster().nodes
    except ServerBusy as error:
        return Check("server's workers", "warning", str(error), error.hint)
    nodes = [node for node in found if node.state == "alive"]
    if not nodes and all(node.state != "dead" for node in found):
        # Ray's head is a node itself: there is none until Ray has started.
        hint = "look again in a minute; if it stays so, see the log of `argbest serve`"
        return Check("server's workers", "warning", "none yet: Ray is still starting", hint)
    workers = [node.resources for node in nodes if node.resources.get("CPU")]
    slots = {kind: sum(held.get(kind, 0) for held in workers) for kind in ("CPU", "GPU")}
    text = " and ".join(f"{number:g} {kind}" for kind, number in slots.items() if number)
    if not text:
        hint = "start a Ray worker: without one no trial runs"
        return Check("server's workers", "broken", f"none among {len(nodes)} nodes", hint)
    return Check("server's workers", "ok", f"{len(workers)} of {len(nodes)} nodes, slots: {text}")


def _port_check(url: str) -> Iterator[Check]:
    """Check that the port of a server that does not answer is free for `argbest serve`."""
    target = urlsplit(url)
    host, port = target.hostname or "", target.port or {"http": 80, "https": 443}[target.scheme]
    if not is_loopback(host):
        return
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        yield Check("port", "ok", f"{port} is free")
        return
    hint = "end the program that holds it, or choose another --port"
    yield Check("port", "broken", f"{port} is in use by a program that does not answer", hint)
