"""A folder and an S3 server keep files the same way, and say what is wrong in time."""

from __future__ import annotations

import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from results.storage import NotInStorage, Storage, StorageError, hide_credentials
from tests.s3_server import S3Server, s3_server

NAME = "jobs/6756bd8412213451/0/5.npz"
#: How long a call may take whose server does not answer, on a machine with much else to do.
BOUND_S = 60.0


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "share", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return Storage(str(tmp_path / "made when needed"))
    if request.param == "share":  # a URI, and another file system than the sources are on
        return Storage((tmp_path / "a share").as_uri())
    server: S3Server = request.getfixturevalue("s3")
    return Storage(server.uri(f"{tmp_path.parent.name}/{tmp_path.name}"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return file_with(tmp_path / "source", b"weights")


def file_with(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def content_of(storage: Storage, name: str = NAME) -> bytes:
    with storage.open(name) as file:
        return file.read()


def test_a_storage_that_was_signed_is_told_from_one_that_was_not(storage: Storage) -> None:
    with pytest.raises(StorageError, match=r"lacks the file argbest-storage.*ARGBEST_STORAGE"):
        storage.check()
    storage.sign()
    storage.check()
    assert storage.names() == []


def test_a_saved_file_can_be_fetched_found_and_listed(
    storage: Storage, source: Path, tmp_path: Path
) -> None:
    assert not storage.has(NAME)
    storage.save(NAME, source)
    storage.fetch(NAME, tmp_path / "new folder" / "target")
    assert (tmp_path / "new folder" / "target").read_bytes() == b"weights"
    assert storage.has(NAME)
    assert storage.names("jobs") == storage.names() == [NAME]


def test_a_file_tells_its_size_and_age(storage: Storage, source: Path) -> None:
    storage.save(NAME, source)
    (file,) = storage.files()
    assert (file.name, file.size) == (NAME, 7)
    assert abs(datetime.now(UTC) - file.modified) < timedelta(minutes=5)


def test_a_second_save_replaces_the_first(storage: Storage, source: Path, tmp_path: Path) -> None:
    storage.save(NAME, source)
    storage.save(NAME, file_with(tmp_path / "later", b"later"))
    assert content_of(storage) == b"later"
    assert storage.names() == [NAME]


def test_large_files_arrive_as_they_were(storage: Storage, tmp_path: Path) -> None:
    """Larger than the parts in which S3 takes them, and no multiple of any chunk."""
    content = os.urandom(23_456_789)
    storage.save(NAME, file_with(tmp_path / "source", content))
    storage.fetch(NAME, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == content


def test_a_mark_is_an_empty_file(storage: Storage) -> None:
    storage.mark("jobs/a/stop/3")
    assert storage.has("jobs/a/stop/3")
    assert content_of(storage, "jobs/a/stop/3") == b""
    assert not storage.has("jobs/a/stop")  # a folder is no file


def test_names_are_those_in_one_folder(storage: Storage) -> None:
    for name in ("jobs/a/1/x", "jobs/a/0/x", "jobs/ab/0/x", "other/a"):
        storage.mark(name)
    assert storage.names("jobs/a") == ["jobs/a/0/x", "jobs/a/1/x"]
    assert storage.names("jobs/a/1") == ["jobs/a/1/x"]
    assert storage.names("jobs/b") == []
    assert storage.names() == ["jobs/a/0/x", "jobs/a/1/x", "jobs/ab/0/x", "other/a"]


def test_deleted_files_are_gone_and_missing_ones_no_error(storage: Storage) -> None:
    for name in ("jobs/a/0/x", "jobs/a/0/y", "jobs/a/1/x"):
        storage.mark(name)
    storage.delete("jobs/a/0/x", "jobs/a/1/x", "jobs/a/7/never", "jobs/a/0/x")
    assert storage.names() == ["jobs/a/0/y"]


def test_a_folder_is_deleted_with_all_in_it(storage: Storage) -> None:
    for name in ("jobs/a/0/x", "jobs/a/stop/y", "jobs/b/0/x"):
        storage.mark(name)
    storage.delete_folder("jobs/a")
    storage.delete_folder("jobs/a")
    storage.delete_folder("jobs/never")
    assert storage.names() == ["jobs/b/0/x"]


def test_a_missing_file_is_not_in_storage(storage: Storage, tmp_path: Path) -> None:
    for call in (lambda: storage.open(NAME), lambda: storage.fetch(NAME, tmp_path / "target")):
        with pytest.raises(NotInStorage, match=NAME):
            call()
    assert list(tmp_path.glob("target*")) == []


def test_a_missing_source_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"cannot save {NAME}") as raised:
        storage.save(NAME, tmp_path / "never made")
    assert not isinstance(raised.value, NotInStorage)
    assert storage.names() == []


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "jobs/../../x", "jobs//x", "jobs/./x"])
def test_names_stay_in_the_storage(storage: Storage, source: Path, name: str) -> None:
    with pytest.raises(StorageError, match="no name of a file"):
        storage.save(name, source)


def test_of_many_writers_of_one_name_one_wins(storage: Storage, tmp_path: Path) -> None:
    sources = [file_with(tmp_path / f"{n}", bytes([n]) * 300_000) for n in range(6)]
    storage.save(NAME, sources[0])

    def write(source: Path) -> None:
        for _ in range(5):
            storage.save(NAME, source)

    with ThreadPoolExecutor() as pool:
        writing = [pool.submit(write, source) for source in sources]
        while not all(future.done() for future in writing):
            content = content_of(storage)
            # An object store is read in ranges, between which the object may be replaced.
            assert storage.uri.startswith("s3:") or content == content[:1] * 300_000
    for future in writing:
        future.result()
    assert content_of(storage) in [source.read_bytes() for source in sources]
    assert storage.names() == [NAME]


def test_a_folder_that_empties_meanwhile_is_made_again(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))

    def come_and_go(name: str) -> None:
        for _ in range(200):
            storage.mark(name)
            storage.delete(name)

    with ThreadPoolExecutor() as pool:
        list(pool.map(come_and_go, ["jobs/a/0/x", "jobs/a/0/y", "jobs/a/1/x", "jobs/b/0/x"]))
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_was_broken_off_is_listed_and_is_no_file_of_the_name(tmp_path: Path) -> None:
    """As after a kill: the part is there, the file is not."""
    storage = Storage(str(tmp_path))
    storage.mark("jobs/a/0/5.npz.0badf00d.part")
    assert storage.names("jobs/a") == ["jobs/a/0/5.npz.0badf00d.part"]
    assert not storage.has("jobs/a/0/5.npz")


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let this process write no file larger than ``size``, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_former_file(tmp_path: Path, source: Path) -> None:
    storage = Storage(str(tmp_path / "storage"))
    storage.save(NAME, source)
    large = file_with(tmp_path / "large", bytes(200_000))
    with room_for(100_000), pytest.raises(StorageError, match="free some space"):
        storage.save(NAME, large)
    assert content_of(storage) == b"weights"
    assert storage.names() == [NAME]


def test_a_full_disk_leaves_no_half_of_a_fetched_file(storage: Storage, tmp_path: Path) -> None:
    storage.save(NAME, file_with(tmp_path / "large", bytes(200_000)))
    with room_for(100_000), pytest.raises(StorageError, match="free some space"):
        storage.fetch(NAME, tmp_path / "target")
    assert list(tmp_path.glob("target*")) == []


@contextmanager
def as_a_user() -> Iterator[None]:
    """Be nobody where this process is root, for whom no file is closed."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_folder_of_another_user_is_named(tmp_path: Path, source: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    storage = Storage(str(folder))
    with source.open("rb"), as_a_user(), pytest.raises(StorageError) as raised:
        storage.mark(NAME)
    assert "Permission denied; let the user that runs argbest write there" in str(raised.value)
    assert str(folder) in str(raised.value)


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path: Path, source: Path) -> None:
    storage = Storage(str(source))
    for call in (lambda: storage.mark(NAME), lambda: storage.delete_folder("jobs")):
        with pytest.raises(StorageError, match="Not a directory"):
            call()


def test_a_bucket_that_is_not_there_is_no_empty_storage(s3: S3Server) -> None:
    with pytest.raises(StorageError, match="argbest-storage"):
        Storage(s3.uri().replace("bucket", "never-made")).check()


def test_credentials_stand_in_no_message(s3: S3Server, source: Path) -> None:
    storage = Storage(s3.uri().replace("bucket", "never-made"))
    with pytest.raises(StorageError, match="make the bucket") as raised:
        storage.save(NAME, source)
    assert "s3://never-made/folder" in str(raised.value)
    assert "secret" not in f"{raised.value}{storage!r}"


def test_a_plain_path_is_shown_as_it_is() -> None:
    assert hide_credentials("/srv/a?b@c") == "/srv/a?b@c"
    assert hide_credentials("s3://a:b@bucket/f?secret_key=c&scheme=http") == "s3://bucket/f"


def test_refused_credentials_are_named(source: Path) -> None:
    with s3_server() as server:
        storage = Storage(server.uri())
        httpx2.post(f"{server.url}/moto-api/reset-auth", content="0")
        with pytest.raises(StorageError) as saving:
            storage.save(NAME, source)
        with pytest.raises(StorageError) as reading:
            storage.open(NAME)
    for raised in (saving, reading):
        assert "check ARGBEST_STORAGE and the credentials" in str(raised.value)
        assert not isinstance(raised.value, NotInStorage)


def test_a_server_that_hangs_and_then_ends_is_an_error_in_time(
    source: Path, tmp_path: Path
) -> None:
    with s3_server() as server:
        storage = Storage(f"{server.uri()}&request_timeout=0.5")
        storage.save(NAME, file_with(tmp_path / "large", os.urandom(20_000_000)))
        began = time.monotonic()
        with storage.open(NAME) as reading:
            reading.read(10)
            server.process.send_signal(signal.SIGSTOP)
            with pytest.raises(OSError, match=r"curlCode"):
                reading.read()
        server.process.kill()
        server.process.wait()
        for call in (
            lambda: storage.save(NAME, source),
            lambda: storage.fetch(NAME, tmp_path / "target"),
            lambda: storage.has(NAME),
            storage.names,
            lambda: storage.delete(NAME),
        ):
            with pytest.raises(StorageError, match="check that the server runs"):
                call()
        assert time.monotonic() - began < BOUND_S
    assert list(tmp_path.glob("target*")) == []


def test_a_silent_server_is_an_error_in_time(source: Path) -> None:
    """It takes connections and answers none, as a machine that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        nobody = f"s3://key:secret@bucket?endpoint_override=http://127.0.0.1:{port}"
        storage = Storage(f"{nobody}&request_timeout=0.5")
        began = time.monotonic()
        with pytest.raises(StorageError, match="check that the server runs"):
            storage.save(NAME, source)
        assert 0.5 < time.monotonic() - began < BOUND_S
