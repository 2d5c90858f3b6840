"""The places that original files come from: checks, a web mirror of our own, a make-believe apt."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from trainables.datasets.sources import (
    DebianPackage,
    LocalFolder,
    Mirror,
    SourceFile,
    Unobtainable,
    Variant,
    check_file,
)

CONTENT = {"one.gz": b"first file", "two.gz": b"second file"}
FILES = tuple(
    SourceFile(name, (1,), (Variant(len(c), hashlib.md5(c, usedforsecurity=False).hexdigest()),))
    for name, c in CONTENT.items()
)
Answer = Callable[[BaseHTTPRequestHandler], None]


def quiet(_: str) -> None:
    """Take a log line."""


@dataclass
class Web:
    """A web folder on this machine: an answer per path, and the paths that were asked for."""

    url: str
    answers: dict[str, Answer]
    asked: list[str] = field(default_factory=list)


def sends(content: bytes, *, promise: int | None = None) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        length = len(content) if promise is None else promise
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def trickles(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(len(CONTENT["one.gz"])):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def is_silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(0.5)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    served = Web("", {f"/data/{name}": sends(content) for name, content in CONTENT.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            answer = served.answers.get(self.path)
            if answer is None:
                self.send_error(404)
            else:
                answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}/data/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield served
        server.shutdown()
        thread.join()


def write_files(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return folder


def test_local_folder_gives_itself(tmp_path: Path) -> None:
    write_files(tmp_path)
    assert LocalFolder(tmp_path).obtain(FILES, tmp_path / "elsewhere", quiet) == tmp_path
    assert [file.size_in(tmp_path) for file in FILES] == [10, 11]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "two.gz: No such file or directory"),
        (b"", "two.gz has 0 bytes, expected 11"),
        (b"second fil", "two.gz has 10 bytes, expected 11"),
        (b"second filE", "two.gz has md5 [0-9a-f]{32}, expected [0-9a-f]{32}$"),
    ],
)
def test_local_folder_checks_each_file(tmp_path: Path, content: bytes | None, message: str) -> None:
    write_files(tmp_path)
    (tmp_path / "two.gz").unlink()
    if content is not None:
        (tmp_path / "two.gz").write_bytes(content)
    with pytest.raises(Unobtainable, match=message):
        LocalFolder(tmp_path).obtain(FILES, tmp_path, quiet)


def test_size_and_checksum_must_belong_to_the_same_form(tmp_path: Path) -> None:
    path = write_files(tmp_path) / "one.gz"
    (ours,), (other,) = FILES[0].variants, FILES[1].variants
    check_file(path, SourceFile("one.gz", (1,), (other, ours)))
    mixed = (Variant(ours.size, other.md5), Variant(other.size, ours.md5))
    with pytest.raises(Unobtainable, match="md5"):
        check_file(path, SourceFile("one.gz", (1,), mixed))


def test_mirror_downloads_what_is_not_there_yet(tmp_path: Path, web: Web) -> None:
    (tmp_path / "one.gz").write_bytes(CONTENT["one.gz"])
    (tmp_path / "two.gz").write_bytes(b"damaged")
    assert Mirror(web.url).obtain(FILES, tmp_path, quiet) == tmp_path
    assert web.asked == ["/data/two.gz"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == CONTENT


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "one.gz: HTTP Error 404"),
        (sends(b"first filE"), "one.gz has md5"),
        (sends(b"first", promise=10), "one.gz has 5 bytes, expected 10"),
        (sends(bytes(1 << 20)), "one.gz is longer than 10 bytes"),
        (trickles, "one.gz took over 0.1 s"),
        (is_silent, "one.gz: .*timed out"),
    ],
)
def test_mirror_refuses_a_bad_answer(
    tmp_path: Path, web: Web, answer: Answer | None, message: str
) -> None:
    if answer is None:
        del web.answers["/data/one.gz"]
    else:
        web.answers["/data/one.gz"] = answer
    with pytest.raises(Unobtainable, match=message):
        Mirror(web.url, timeout_s=0.2, file_timeout_s=0.1).obtain(FILES, tmp_path, quiet)
    assert list(tmp_path.iterdir()) == []


def test_mirror_that_nobody_serves(tmp_path: Path, web: Web) -> None:
    with pytest.raises(Unobtainable, match=r"one\.gz: .*refused"):
        Mirror("http://127.0.0.1:1/").obtain(FILES, tmp_path, quiet)


PACKAGE = DebianPackage("some-data", "usr/share/some")

#: "Downloads" a package that is a tar archive; says on stderr what it was asked for.
APT = """#!/bin/sh
set -e
[ "$1" = -o ] && shift 2
[ "$*" = "download some-data" ]
tar -cf some-data_1.deb -C {root} usr
"""
DPKG = """#!/bin/sh
set -e
[ "$1" = -x ]
tar -xf "$2" -C "$3"
"""


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return a function that puts a program of that name and text first on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def write(name: str, script: str) -> None:
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)

    return write


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_debian_package_gives_its_files(
    tmp_path: Path, target: Path, commands: Callable[[str, str], None]
) -> None:
    write_files(tmp_path / "root" / PACKAGE.path)
    commands("apt-get", APT.format(root=tmp_path / "root"))
    commands("dpkg-deb", DPKG)
    assert PACKAGE.obtain(FILES, target, quiet) == target
    assert {path.name: path.read_bytes() for path in target.iterdir()} == CONTENT


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("#!/bin/sh\necho 'E: Unable to locate package' >&2; exit 100\n", "Unable to locate"),
        ("#!/bin/sh\nexit 7\n", "apt-get: exit status 7"),
        ("#!/bin/sh\n", "apt-get left no package behind"),
    ],
)
def test_debian_package_says_why_not(
    target: Path, commands: Callable[[str, str], None], script: str, message: str
) -> None:
    commands("apt-get", script)
    with pytest.raises(Unobtainable, match=message):
        PACKAGE.obtain(FILES, target, quiet)
    assert list(target.iterdir()) == []


def test_debian_package_with_other_files_is_refused(
    tmp_path: Path, target: Path, commands: Callable[[str, str], None]
) -> None:
    write_files(tmp_path / "root" / PACKAGE.path)
    (tmp_path / "root" / PACKAGE.path / "one.gz").write_bytes(b"other")
    commands("apt-get", APT.format(root=tmp_path / "root"))
    commands("dpkg-deb", DPKG)
    with pytest.raises(Unobtainable, match=r"one\.gz has 5 bytes"):
        PACKAGE.obtain(FILES, target, quiet)
    assert list(target.iterdir()) == []


def test_machine_without_apt(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unobtainable, match="apt-get is not on this machine"):
        PACKAGE.obtain(FILES, target, quiet)
