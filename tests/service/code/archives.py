"""Archives for tests: good ones, and each kind of bad one by the name of its fault."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Iterable
from typing import Any

from service.code.archive import Fault

Member = tuple[tarfile.TarInfo, bytes]


def file(name: str, content: bytes = b"print(1)\n", **changes: Any) -> Member:
    """Return a plain file; ``changes`` are members of its header."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, content


def special(name: str, kind: bytes, **changes: Any) -> Member:
    """Return something that is no plain file."""
    return file(name, b"", type=kind, **changes)


def tar(members: Iterable[Member], **options: Any) -> bytes:
    """Return a tar archive."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", **options) as opened:
        for info, content in members:
            opened.addfile(info, io.BytesIO(content))
    return target.getvalue()


def packed(*members: Member, **options: Any) -> bytes:
    """Return a gzipped tar archive."""
    return gzip.compress(tar(members, **options), mtime=0)


def raw_header(name: str, size: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return a header whose size field holds these bytes, which tarfile would not write."""
    header = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = size.ljust(12, b"\0")
    header[156:157] = kind
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header)


def _truncated() -> bytes:
    return packed(file("a.py", bytes(range(256)) * 40))[:-20]


def _without_end() -> bytes:
    return gzip.compress(tar([file("a.py")])[:1024])


def _chain_of_headers() -> bytes:
    record = b"30 comment=" + b"x" * 18 + b"\n"
    header = raw_header("pax", b"%011o\0" % len(record), tarfile.XHDTYPE) + record.ljust(512, b"\0")
    return gzip.compress(header * 1000 + tar([file("a.py")]))


def _huge_header() -> bytes:
    return gzip.compress(raw_header("pax", b"00077777777\0", tarfile.XHDTYPE) + bytes(10**6))


def _sparse() -> bytes:
    record = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
    header = raw_header("pax", b"%011o\0" % len(record), tarfile.XHDTYPE)
    content = b"1\n0\n3\n".ljust(512, b"\0") + b"abc".ljust(512, b"\0")
    body = header + record.ljust(512, b"\0") + raw_header("a.bin", b"00000002000\0") + content
    return gzip.compress(body + bytes(1024))


#: By a name, what makes the archive and its fault. The limits are those of :data:`LIMITS`.
BAD: dict[str, tuple[Callable[[], bytes], Fault]] = {
    "nothing": (lambda: b"", Fault.CUT_OFF),
    "text": (lambda: b"print('hello')\n" * 10, Fault.NOT_GZIP),
    "a zip file": (lambda: b"PK\x03\x04" + bytes(100), Fault.NOT_GZIP),
    "a tar without gzip": (lambda: tar([file("a.py")]), Fault.NOT_GZIP),
    "gzip without tar": (lambda: gzip.compress(b"print(1)\n" * 100), Fault.DAMAGED),
    "gzip of nothing": (lambda: gzip.compress(b""), Fault.DAMAGED),
    "truncated": (_truncated, Fault.CUT_OFF),
    "truncated in the tar": (
        lambda: gzip.compress(tar([file("a.py", bytes(2000))])[:1500]), Fault.CUT_OFF),
    "without its end": (_without_end, Fault.DAMAGED),
    "a damaged header": (
        lambda: gzip.compress(tar([file("a.py"), file("b.py")]).replace(b"b.py", b"c.py")),
        Fault.DAMAGED),
    "a wrong checksum": (
        lambda: packed(file("a.py"))[:-8] + bytes(8), Fault.DAMAGED),
    "concatenated gzips": (lambda: packed(file("a.py")) + packed(file("b.py")),
                           Fault.TRAILING_DATA),
    "two tars in one gzip": (
        lambda: gzip.compress(tar([file("a.py")]) + tar([file("b.py")])), Fault.TRAILING_DATA),
    "rubbish at the end": (lambda: packed(file("a.py")) + b"x", Fault.TRAILING_DATA),
    "endless zeros": (
        lambda: gzip.compress(tar([file("a.py")]) + bytes(3 * 2**20)), Fault.TRAILING_DATA),
    "zip slip": (lambda: packed(file("../evil.py")), Fault.UNSAFE_NAME),
    "dots in the middle": (lambda: packed(file("a/../../evil.py")), Fault.UNSAFE_NAME),
    "absolute": (lambda: packed(file("/tmp/evil.py")), Fault.UNSAFE_NAME),
    "an absolute folder": (lambda: packed(special("/tmp/x", tarfile.DIRTYPE)), Fault.UNSAFE_NAME),
    "a symbolic link out": (
        lambda: packed(special("a", tarfile.SYMTYPE, linkname="/etc/passwd")), Fault.LINK),
    "a symbolic link in": (
        lambda: packed(file("a.py"), special("b.py", tarfile.SYMTYPE, linkname="a.py")),
        Fault.LINK),
    "a file through a link": (
        lambda: packed(special("a", tarfile.SYMTYPE, linkname="/tmp"), file("a/evil.py")),
        Fault.LINK),
    "a hard link out": (
        lambda: packed(special("a", tarfile.LNKTYPE, linkname="../../x")), Fault.LINK),
    "a character device": (lambda: packed(special("null", tarfile.CHRTYPE)), Fault.SPECIAL_FILE),
    "a block device": (lambda: packed(special("disk", tarfile.BLKTYPE)), Fault.SPECIAL_FILE),
    "a fifo": (lambda: packed(special("pipe", tarfile.FIFOTYPE)), Fault.SPECIAL_FILE),
    "an unknown kind": (lambda: packed(special("odd", b"Z")), Fault.SPECIAL_FILE),
    "setuid": (lambda: packed(file("a.sh", mode=0o4755)), Fault.SPECIAL_BITS),
    "setgid": (lambda: packed(file("a.sh", mode=0o2755)), Fault.SPECIAL_BITS),
    "a file twice": (lambda: packed(file("a.py"), file("a.py")), Fault.DUPLICATE),
    "a file twice, written otherwise": (
        lambda: packed(file("a.py"), file("./a.py")), Fault.DUPLICATE),
    "a file and a folder": (lambda: packed(file("a"), file("a/b.py")), Fault.DUPLICATE),
    "a folder and a file": (lambda: packed(file("a/b.py"), file("a")), Fault.DUPLICATE),
    "case": (lambda: packed(file("Train.py"), file("train.py")), Fault.CASE_CLASH),
    "case of folders": (lambda: packed(file("Data/a"), file("data/b")), Fault.CASE_CLASH),
    "forms of one letter": (lambda: packed(file("\u00e9.py"), file("e\u0301.py")),
                            Fault.CASE_CLASH),
    "a bomb of zeros": (lambda: packed(file("a.bin", bytes(3 * 2**20))), Fault.TOO_LARGE),
    "a bomb of many files": (
        lambda: packed(*(file(f"{n}.bin", bytes(2**18)) for n in range(5))), Fault.TOO_LARGE),
    "a size that is not there": (
        lambda: gzip.compress(raw_header("a.bin", b"77777777777\0") + bytes(1024)),
        Fault.TOO_LARGE),
    "a negative size": (
        lambda: gzip.compress(raw_header("a.bin", b"\xff" * 12) + bytes(1024)), Fault.DAMAGED),
    "a negative size of a header": (
        lambda: gzip.compress(raw_header("a", b"\xff" * 12, tarfile.XHDTYPE) + bytes(1024)),
        Fault.DAMAGED),
    "many files": (lambda: packed(*(file(f"{n}", b"") for n in range(60))), Fault.TOO_MANY),
    "many folders": (lambda: packed(file("/".join("abcdefghij" * 4), b""),
                                    file("/".join("jihgfedcba" * 4), b"")), Fault.TOO_MANY),
    "one folder many times": (
        lambda: packed(*(special("a", tarfile.DIRTYPE) for _ in range(60))), Fault.TOO_MANY),
    "deep folders": (lambda: packed(file("/".join("a" * 60), b"")), Fault.BAD_NAME),
    "sparse": (_sparse, Fault.SPARSE),
    "old sparse": (lambda: packed(special("a", tarfile.GNUTYPE_SPARSE)), Fault.SPARSE),
    "one huge header": (_huge_header, Fault.LARGE_HEADER),
    "a huge name": (lambda: packed(file("a" * 200_000)), Fault.LARGE_HEADER),
    "a long name": (lambda: packed(file("a" * 300)), Fault.BAD_NAME),
    "a long path": (lambda: packed(file("/".join(["a" * 100] * 12))), Fault.BAD_NAME),
    "a chain of headers": (_chain_of_headers, Fault.LARGE_HEADER),
    "a control character": (lambda: packed(file("a\x1b[2J.py")), Fault.BAD_NAME),
    "a newline": (lambda: packed(file("a\nb.py")), Fault.BAD_NAME),
    "not UTF-8": (
        lambda: packed(file("\udcff.py"), format=tarfile.GNU_FORMAT, errors="surrogateescape"),
        Fault.BAD_NAME),
    "a file without a name": (lambda: packed(file("./.")), Fault.BAD_NAME),
    "empty": (packed, Fault.EMPTY),
    "folders alone": (lambda: packed(special("a", tarfile.DIRTYPE)), Fault.EMPTY),
}  # fmt: skip
