"""A local S3 server, a process of its own, so that a test can stop or end it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_PROGRAM = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class S3Server:
    """A server with the bucket ``bucket``, at ``http://127.0.0.1:{port}``."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def uri(self, folder: str = "folder") -> str:
        """Return the URI of a folder in the bucket, with server and credentials."""
        return f"s3://key:secret@bucket/{folder}?endpoint_override={self.url}"


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server; it ends with this process, however that ends."""
    command = [sys.executable, "-W", "ignore", "-c", _PROGRAM]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            server = S3Server(process, int(process.stdout.readline()))
            _make_bucket(server)
            yield server
        finally:
            process.kill()


def _make_bucket(server: S3Server) -> None:
    from pyarrow import fs

    fs.S3FileSystem(
        access_key="key",
        secret_key="secret",
        region="us-east-1",
        endpoint_override=server.url,
        allow_bucket_creation=True,
    ).create_dir("bucket")
