"""Good archives are unpacked as they are; of bad ones nothing is written outside their folder."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from service.code.archive import BadArchive, Contents, Fault, Limits
from service.code.unpack import check, unpack
from tests.service.code.archives import BAD, file, packed, special, tar

LIMITS = Limits(packed=2**20, unpacked=2**20, entries=50)


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_refused_with_its_fault_and_what_to_do(name: str, tmp_path: Path) -> None:
    make, fault = BAD[name]
    content, target = make(), tmp_path / "inner" / "target"
    target.mkdir(parents=True)
    for act in (lambda c: check(c, LIMITS), lambda c: unpack(c, target, LIMITS)):
        with pytest.raises(BadArchive) as caught:
            act(io.BytesIO(content))
        assert caught.value.fault == fault, caught.value
        assert caught.value.detail.isprintable()
        assert caught.value.hint
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(target.parent)]
    assert outside == []


def test_every_fault_has_a_bad_archive() -> None:
    assert {fault for _, fault in BAD.values()} == set(Fault)


def test_a_good_archive_is_unpacked_with_its_run_bits_and_nothing_else(tmp_path: Path) -> None:
    content = packed(
        special(".", tarfile.DIRTYPE),
        special("./package/", tarfile.DIRTYPE, mode=0o2775),
        file("./train.py", b"import package\n", mode=0o600, uid=0, mtime=5),
        file("./package/run.sh", b"#!/bin/sh\n", mode=0o775),
        file("./package/données 1.csv", b"", mode=0o444),
        file("./" + "long" * 20 + "/" + "name" * 40, b"x"),
    )
    found = unpack(io.BytesIO(content), tmp_path, LIMITS)
    assert found == check(io.BytesIO(content), LIMITS) == Contents(4, 26)
    assert files_in(tmp_path) == {
        "train.py": b"import package\n",
        "package/run.sh": b"#!/bin/sh\n",
        "package/données 1.csv": b"",
        "long" * 20 + "/" + "name" * 40: b"x",
    }
    assert (tmp_path / "package/run.sh").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "train.py").stat().st_mode & 0o7777 == 0o644


@pytest.mark.parametrize("style", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar_and_any_content_passes(style: int, tmp_path: Path) -> None:
    contents = {
        f"{n}/{n}.bin": random.Random(n).randbytes(n) for n in (0, 1, 511, 512, 513, 70_000)
    }
    unpack(
        io.BytesIO(packed(*(file(name, data) for name, data in contents.items()), format=style)),
        tmp_path,
        LIMITS,
    )
    assert files_in(tmp_path) == contents


def test_no_file_that_is_there_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        unpack(io.BytesIO(packed(file("train.py"))), tmp_path, LIMITS)
    assert (tmp_path / "train.py").read_text(encoding="utf-8") == "mine"


def test_200_000_files_are_refused_early() -> None:
    header = bytearray(tar([file("000000", b"")])[:512])
    header[148:156] = b" " * 8
    zero = sum(header)
    headers = bytearray()
    for number in range(200_000):
        name = b"%06d" % number
        header[:6], header[148:155] = name, b"%06o\0" % (zero + sum(name) - 6 * 48)
        headers += header
    source = io.BytesIO(gzip.compress(bytes(headers) + bytes(1024), 1))
    with pytest.raises(BadArchive, match="more than 2,000 files") as caught:
        check(source, Limits(entries=2_000))
    assert caught.value.fault == Fault.TOO_MANY
    assert source.tell() < len(source.getvalue()) / 5


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """One member has 50 MB of zeros, which pack into 50 kB."""
    content = packed(file("zeros.bin", bytes(50 * 2**20)))
    tracemalloc.start()
    with pytest.raises(BadArchive, match="have more than"):
        check(io.BytesIO(content), LIMITS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("seed", range(20))
def test_any_damage_is_a_fault_and_no_other_error(seed: int) -> None:
    """Bytes of the tar archive are changed; what is still in order passes."""
    generator = random.Random(seed)
    whole = tar([file("a.py", b"x" * 700), file("b/" + "c" * 150, b"y"), file("d", b"")])
    for _ in range(50):
        damaged = bytearray(whole)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        cut = damaged[: generator.choice([len(damaged), generator.randrange(len(damaged))])]
        try:
            found = check(io.BytesIO(gzip.compress(bytes(cut), 1)), LIMITS)
        except BadArchive:
            continue
        assert found.files >= 1


@pytest.mark.parametrize("seed", range(10))
def test_any_damage_of_the_gzip_is_a_fault(seed: int) -> None:
    generator, whole = random.Random(seed), packed(file("a.py", random.Random(0).randbytes(2000)))
    for _ in range(50):
        damaged = bytearray(whole)
        damaged[generator.randrange(len(damaged))] ^= 1 << generator.randrange(8)
        try:
            found = check(io.BytesIO(bytes(damaged)), LIMITS)
        except BadArchive:
            continue
        assert found == Contents(1, 2000)
