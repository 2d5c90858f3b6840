"""The token of the command line on the service's own machine: a file in the data folder.

`argbest serve` writes it at each start where clients need tokens (:mod:`service.tokens`), readable
by its user alone, and deletes it as it ends. The command line reads it. Nothing heavy is imported.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from service.addresses import is_loopback
from trainables.files import replace

#: How the names of these tokens begin in the list of all.
LOCAL_PREFIX = "local-"


@dataclass(frozen=True, slots=True)
class LocalToken:
    """The token's name and secret, and the port of the service that asks for it."""

    name: str
    port: int
    secret: str


def token_file(folder: Path) -> Path:
    """Return the place of the file in a data folder."""
    return folder / "local-token.json"


def write_local_token(folder: Path, token: LocalToken) -> None:
    """Write the file whole, in place of what is there; only its owner may read it."""

    def write(path: Path) -> None:
        path.unlink(missing_ok=True)  # whatever it is, and whoever may read it
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(token), file)

    replace(token_file(folder), write)


def read_local_token(folder: Path) -> LocalToken | None:
    """Return the token of a data folder; None where there is none, or none for this user."""
    try:
        values = json.loads(token_file(folder).read_text(encoding="utf-8"))
        token = LocalToken(**values)
    except (OSError, ValueError, TypeError):
        return None
    kinds = (
        isinstance(token.name, str),
        isinstance(token.port, int),
        isinstance(token.secret, str),
    )
    return token if all(kinds) else None


def secret_for(url: str, folder: Path) -> str | None:
    """Return the secret for the server at ``url``; None for any other than the folder's service.

    It goes to this machine's loopback and to that service's port alone. Whoever listens there while
    the service is down gets a token that is revoked at the next start.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    token = read_local_token(folder) if is_loopback(host) else None
    return token.secret if token is not None and token.port == port else None
