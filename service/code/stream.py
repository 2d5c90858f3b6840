"""Reads a gzip stream for tarfile: forward only, one stream, and never much at once."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

from service.code.archive import BadArchive, Fault

#: Beside a file's content, tarfile reads at most so many bytes for it. A name has 4096 at most.
MOST_HEADER_BYTES = 128 * 1024
#: Zeros after the last file; tar fills its records with 10 kB.
_MOST_PADDING_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_ANY_GZIP = 31
_MAGIC = b"\x1f\x8b"
_AGAIN = "pack the folder again: argbest submit does it, or `tar -czf code.tar.gz -C FOLDER .`"


class GzipStream(io.BufferedIOBase):
    """The bytes in one gzip stream. Every method raises :class:`BadArchive`.

    :meth:`allow` says how many bytes may be read until its next call, so that no header, and no
    chain of them, makes the reader keep or repeat more.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._inflate = zlib.decompressobj(wbits=_ANY_GZIP)
        self._position = self._allowed = 0
        self._is_gzip = False
        #: What the last :meth:`read` returned.
        self.last = b""

    def allow(self, size: int) -> None:
        """Let the next reads take up to ``size`` bytes."""
        self._allowed = size

    def tell(self) -> int:
        """Return how many bytes have been read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Skip the bytes up to ``offset``."""
        if whence != io.SEEK_SET or offset < self._position:
            raise BadArchive(Fault.DAMAGED, "a file in the archive has no possible size", _AGAIN)
        while offset > self._position and self.read(min(offset - self._position, _CHUNK_BYTES)):
            pass
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end of the stream."""
        if size is None or not 0 <= size <= self._allowed:
            detail = f"a header in the archive has more than {MOST_HEADER_BYTES:,} bytes"
            raise BadArchive(Fault.LARGE_HEADER, detail, _AGAIN)
        parts = []
        while size and (part := self._some(size)):
            parts.append(part)
            size -= len(part)
        self.last = b"".join(parts)
        self._position += len(self.last)
        self._allowed -= len(self.last)
        return self.last

    def finish(self) -> None:
        """Check that the tar archive has its end, and that nothing follows it."""
        if not self.last or any(self.last):
            where = f"the tar archive breaks off or is damaged at byte {self._position:,}"
            raise BadArchive(Fault.DAMAGED, where, _AGAIN)
        self.allow(_MOST_PADDING_BYTES)
        padding = 0
        while self.read(_CHUNK_BYTES):
            padding += len(self.last)
            if any(self.last) or padding + _CHUNK_BYTES > _MOST_PADDING_BYTES:
                detail = "more data follows after the end of the tar archive"
                raise BadArchive(Fault.TRAILING_DATA, detail, _AGAIN)
        if self._inflate.unused_data or self._source.read(1):
            detail = "more data follows after the end of the gzip stream"
            raise BadArchive(Fault.TRAILING_DATA, detail, _AGAIN)

    def _some(self, most: int) -> bytes:
        """Return 1 to ``most`` bytes, none at the end of the stream."""
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._source.read(_CHUNK_BYTES)
            if not packed:
                raise BadArchive(Fault.CUT_OFF, "the gzip stream breaks off", _AGAIN)
            if not (self._is_gzip or packed.startswith(_MAGIC)):
                raise BadArchive(Fault.NOT_GZIP, "the archive is not a gzip file", _AGAIN)
            self._is_gzip = True
            try:
                found = self._inflate.decompress(packed, most)
            except zlib.error as error:
                detail = f"the gzip stream is damaged ({error})"
                raise BadArchive(Fault.DAMAGED, detail, _AGAIN) from error
            if found:
                return found
        return b""
