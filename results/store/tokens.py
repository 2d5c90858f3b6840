"""Access tokens: made, found by their secret, listed, revoked. The table holds a SHA-256 of each.

A link to one job is a token too, which reads that job alone.

A slow hash is for passwords, which can be guessed; 256 random bits cannot.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import StoreUnavailable, TokenExists, TokenNotFound
from results.records import (
    MAX_SHARE_DAYS,
    MAX_TOKEN_DAYS,
    SCOPES,
    TOKEN_NAME,
    NewToken,
    TokenRecord,
    TokenScope,
)
from results.store import values
from results.store.rows import moment
from results.store.tables import TOKENS, Now, insert_if_new
from results.store.transactions import Transactions

logger = logging.getLogger(__name__)

_MARK = "argb_"
_RANDOM_BYTES = 32
#: The mark and six of the 43 random characters: enough to tell tokens apart, not to guess one.
_PREFIX_LENGTH = len(_MARK) + 6
_SECRET = re.compile(_MARK + r"[A-Za-z0-9_-]{43}")
_NAME = re.compile(TOKEN_NAME)
#: How old the time of last use may be; writing it at each request would cost more than the request.
_USE_SECONDS = 60.0
_USE_LOCK_SECONDS = 0.1


class TokenMethods(Transactions):
    """The methods of the store about access tokens."""

    def create_token(
        self,
        name: str,
        scope: TokenScope,
        *,
        lifetime_seconds: float | None = None,
        made_by: str = "",
    ) -> NewToken:
        """Make a token; its secret is returned once, only a hash is kept.

        Raises :class:`results.errors.TokenExists` if the name is taken, and ``ValueError`` for a
        name or a lifetime that cannot be one, and for the scope of :meth:`share_job`. ``made_by``
        is the name of the token with which a client made it.
        """
        if not _NAME.fullmatch(values.text(name, "name")):
            raise ValueError(
                f"name must be 1 to 64 letters, digits and . _ @ -, beginning with a letter or a "
                f"digit, not {name!r}"
            )
        if scope not in SCOPES:
            raise ValueError(f"scope must be {', '.join(SCOPES)}, not {scope!r}")
        end = None if lifetime_seconds is None else Now() + _lifetime(lifetime_seconds)
        with self._database.write(durable=True) as connection:
            made = _insert(
                connection, name=name, scope=scope, expires_at=end,
                made_by=values.text(made_by, "made_by"),
            )  # fmt: skip
        if made is None:
            raise TokenExists(f"there is a token named {name!r}: revoke it, or choose another name")
        return made

    def share_job(self, job_id: str, *, lifetime_seconds: float, made_by: str = "") -> NewToken:
        """Make a token that reads this job alone, until ``lifetime_seconds`` from now.

        It gets a name of its own, which begins with ``share-``. Links that have expired are
        deleted. Raises :class:`results.errors.JobNotFound`, and ``ValueError`` for a lifetime that
        cannot be one.
        """
        lifetime = _lifetime(lifetime_seconds, most_days=MAX_SHARE_DAYS)
        maker = values.text(made_by, "made_by")
        with self._locked(job_id) as (changes, _):
            connection = changes.connection
            old = (TOKENS.c.scope == TokenScope.SHARE, TOKENS.c.expires_at <= Now())
            connection.execute(sa.delete(TOKENS).where(*old))
            made = _insert(
                connection, name=f"share-{secrets.token_hex(6)}", scope=TokenScope.SHARE,
                expires_at=Now() + lifetime, job_id=job_id, made_by=maker,
            )  # fmt: skip
        if made is None:  # one of 2**48 names
            raise TokenExists("the link's name is taken: make another one")
        return made

    def token(self, secret: str) -> TokenRecord | None:
        """Return the token with this secret; None for one unknown or expired.

        Its use is noted where the database can be written at the moment, or else at a later use.
        """
        if not _SECRET.fullmatch(secret):
            return None
        is_stale = sa.func.coalesce(TOKENS.c.last_used_at, 0.0) < Now() - _USE_SECONDS
        query = sa.select(TOKENS, is_stale.label("is_stale")).where(
            TOKENS.c.prefix == secret[:_PREFIX_LENGTH],
            sa.or_(TOKENS.c.expires_at.is_(None), TOKENS.c.expires_at > Now()),
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        digest = _digest(secret)
        row = next((row for row in rows if hmac.compare_digest(row.sha256, digest)), None)
        if row is None:
            return None
        if row.is_stale:
            self._note_use(row.name)
        return _record(row)

    def _note_use(self, name: str) -> None:
        used = sa.update(TOKENS).where(TOKENS.c.name == name).values(last_used_at=Now())
        try:
            with self._database.write(lock_seconds=_USE_LOCK_SECONDS) as connection:
                connection.execute(used)
        except StoreUnavailable as error:
            # A full disk or a locked file: the next use tries again, and this one may read.
            logger.debug("the use of token %s was not noted: %s", name, error)

    def tokens(self) -> tuple[TokenRecord, ...]:
        """Return all tokens by name, expired ones too."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(TOKENS).order_by(TOKENS.c.name)).all()
        return tuple(map(_record, rows))

    def revoke_token(self, name: str) -> None:
        """Delete a token; raise :class:`results.errors.TokenNotFound` if there is none."""
        found = 0
        if _NAME.fullmatch(name):
            with self._database.write(durable=True) as connection:
                found = connection.execute(sa.delete(TOKENS).where(TOKENS.c.name == name)).rowcount
        if not found:
            raise TokenNotFound(f"no token is named {name!r}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _insert(connection: Connection, **columns: Any) -> NewToken | None:
    """Insert a token with a new secret; return None if its name is taken."""
    secret = _MARK + secrets.token_urlsafe(_RANDOM_BYTES)
    row = {
        "prefix": secret[:_PREFIX_LENGTH],
        "sha256": _digest(secret),
        "created_at": Now(),
        **columns,
    }
    insertion = insert_if_new(connection, TOKENS).values(row).returning(TOKENS)
    found = connection.execute(insertion).one_or_none()
    return None if found is None else NewToken(_record(found), secret)


def _lifetime(seconds: float, *, most_days: int = MAX_TOKEN_DAYS) -> float:
    lifetime = values.duration(seconds, "lifetime_seconds", positive=True)
    if lifetime > most_days * 86_400:
        endless = ": leave it out for a token that does not expire"
        raise ValueError(
            f"lifetime_seconds must be at most {most_days} days, not {seconds!r} seconds"
            f"{endless if most_days == MAX_TOKEN_DAYS else ''}"
        )
    return lifetime


def _record(row: Row[Any]) -> TokenRecord:
    return TokenRecord(
        name=row.name,
        prefix=row.prefix,
        scope=TokenScope(row.scope),
        created_at=moment(row.created_at),
        expires_at=None if row.expires_at is None else moment(row.expires_at),
        last_used_at=None if row.last_used_at is None else moment(row.last_used_at),
        job=row.job_id,
        made_by=row.made_by,
    )
