"""Access tokens: 256 random bits, of which only a SHA-256 is kept.

A slow hash is for passwords, which can be guessed; 256 random bits cannot. Each function works
inside the transaction of the connection that it is given.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import TokenExists, TokenNotFound
from results.records import MAX_TOKEN_DAYS, NewToken, TokenRecord, TokenScope
from results.store import values
from results.store.rows import moment
from results.store.tables import TOKENS, Now, insert_if_new

_MARK = "argb_"
_RANDOM_BYTES = 32
#: The mark and six of the 43 random characters: enough to tell tokens apart, not to guess one.
_PREFIX_LENGTH = len(_MARK) + 6
_SECRET = re.compile(_MARK + r"[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
#: How old the time of last use may be; writing it at each request would cost more than the request.
_USE_SECONDS = 60.0


def create(
    connection: Connection, name: str, scope: TokenScope, lifetime_seconds: float | None
) -> NewToken:
    """Insert a token and return it with its secret, which nobody can read again."""
    if not _NAME.fullmatch(values.text(name, "name")):
        raise ValueError(
            f"name must be 1 to 64 letters, digits and . _ @ -, beginning with a letter or a "
            f"digit, not {name!r}"
        )
    secret = _MARK + secrets.token_urlsafe(_RANDOM_BYTES)
    columns = {
        "name": name,
        "prefix": secret[:_PREFIX_LENGTH],
        "sha256": _digest(secret),
        "scope": TokenScope(scope),
        "created_at": Now(),
        "expires_at": None if lifetime_seconds is None else Now() + _lifetime(lifetime_seconds),
    }
    insertion = insert_if_new(connection, TOKENS).values(columns).returning(TOKENS)
    row = connection.execute(insertion).one_or_none()
    if row is None:
        raise TokenExists(f"there is a token named {name!r}: revoke it, or choose another name")
    return NewToken(_record(row), secret)


def is_secret(text: str) -> bool:
    """Whether ``text`` has the form of a secret that this store makes."""
    return _SECRET.fullmatch(text) is not None


def find(connection: Connection, secret: str) -> tuple[TokenRecord, bool] | None:
    """Return the valid token with this secret, and whether its time of use is out of date."""
    query = sa.select(
        TOKENS,
        (sa.func.coalesce(TOKENS.c.last_used_at, 0.0) < Now() - _USE_SECONDS).label("is_stale"),
    ).where(
        TOKENS.c.prefix == secret[:_PREFIX_LENGTH],
        sa.or_(TOKENS.c.expires_at.is_(None), TOKENS.c.expires_at > Now()),
    )
    digest = _digest(secret)
    for row in connection.execute(query):
        if hmac.compare_digest(row.sha256, digest):
            return _record(row), bool(row.is_stale)
    return None


def note_use(connection: Connection, name: str) -> None:
    """Write that the token was used now."""
    connection.execute(sa.update(TOKENS).where(TOKENS.c.name == name).values(last_used_at=Now()))


def of_all(connection: Connection) -> tuple[TokenRecord, ...]:
    """Return all tokens by name, expired ones too."""
    query = sa.select(TOKENS).order_by(TOKENS.c.name)
    return tuple(_record(row) for row in connection.execute(query))


def revoke(connection: Connection, name: str) -> None:
    """Delete the token."""
    if not connection.execute(sa.delete(TOKENS).where(TOKENS.c.name == name)).rowcount:
        raise TokenNotFound(f"no token is named {name!r}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _lifetime(seconds: float) -> float:
    lifetime = values.duration(seconds, "lifetime_seconds", positive=True)
    if lifetime > MAX_TOKEN_DAYS * 86_400:
        raise ValueError(
            f"lifetime_seconds must be at most {MAX_TOKEN_DAYS} days, not {seconds!r} seconds: "
            "leave it out for a token that does not expire"
        )
    return lifetime


def _record(row: Row[tuple[object, ...]]) -> TokenRecord:
    return TokenRecord(
        name=row.name,
        prefix=row.prefix,
        scope=TokenScope(row.scope),
        created_at=moment(row.created_at),
        expires_at=None if row.expires_at is None else moment(row.expires_at),
        last_used_at=None if row.last_used_at is None else moment(row.last_used_at),
    )
