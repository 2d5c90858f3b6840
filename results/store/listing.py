"""Pages of jobs: searched, filtered, in an order of one's choice."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row

from results.errors import BadCursor, UnreadableJob
from results.records import JobRecord, Page
from results.states import JobState
from results.store import values
from results.store.rows import JOB, job_record
from results.store.tables import JOBS, PLACE
from results.store.transactions import Transactions
from search_spaces import unstorable

logger = logging.getLogger(__name__)

#: What a page may be sorted by. A minus in front turns the order round; jobs that lack the value
#: come last either way, and those that share it newest first.
SORTS: Mapping[str, sa.ColumnElement[Any]] = {
    "created": JOBS.c.sequence,
    "name": sa.func.lower(JOBS.c.name),
    "state": JOBS.c.state,
    "priority": JOBS.c.priority,
    "finished": JOBS.c.finished_at,
    "best": JOBS.c.best[("values", 0)].as_float(),
    "queue": PLACE,
}
NEWEST_FIRST = "-created"
#: The texts in which words are looked for.
_SEARCHED = (JOBS.c.name, JOBS.c.notes, *(JOBS.c.spec[key].as_string() for key in (
    "search_space", "title", "trainable", "dataset")))  # fmt: skip
#: Cursors of pages in the first order, as former versions write them too.
_AFTER = "after:"

#: A tag's name, and its value or None for any.
Tag = tuple[str, str | None]


class ListingMethods(Transactions):
    """The method of the store that lists jobs."""

    def jobs(
        self,
        *,
        state: JobState | Collection[JobState] = (),
        fingerprint: str | None = None,
        words: str = "",
        tags: Sequence[Tag] = (),
        sort: str = NEWEST_FIRST,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return a page of jobs, newest first; a job made meanwhile never shifts later pages.

        Only jobs in one of the states (none: any) that have all the ``tags`` and every one of the
        ``words``: in the name, notes, title, search space, trainable, data set or a tag, or at the
        beginning of the id. Case counts outside ASCII alone. ``sort`` is a key of :data:`SORTS`,
        with a minus in front for the largest first.

        A job that this version cannot read is left out, with a warning in the log. Raises
        :class:`results.errors.BadCursor` unless ``cursor`` is the ``next_cursor`` of an earlier
        page in the same order, and ``ValueError`` for a ``limit`` below 1 or an unknown ``sort``.
        """
        values.integer(limit, "limit", low=1)
        name = sort.removeprefix("-")
        if name not in SORTS:
            raise ValueError(f"sort must be one of {', '.join(SORTS)}, not {sort!r}")
        key, is_down = SORTS[name], sort.startswith("-")
        query = sa.select(*JOB, key.label("sort_key")).limit(limit + 1)
        states = [state] if isinstance(state, str) else list(state)
        if states:
            query = query.where(JOBS.c.state.in_([JobState(one) for one in states]))
        if fingerprint is not None:
            query = query.where(JOBS.c.fingerprint == values.text(fingerprint, "fingerprint"))
        if cursor is not None:
            query = query.where(_after(key, cursor, sort))
        order = key.desc() if is_down else key.asc()
        query = query.order_by(key.is_(None), order, JOBS.c.sequence.desc())
        with self._database.read() as connection:
            pairs = _PAIRS[connection.dialect.name]
            matches = [_has_tag(pairs, tag) for tag in tags]
            matches += [_has_word(pairs, word) for word in values.text(words, "words").split()]
            rows: Sequence[Any] = connection.execute(query.where(*matches)).all()
        items = tuple(_readable(rows[:limit]))
        return Page(items, _cursor(rows[limit - 1], sort) if len(rows) > limit else None)


_PAIRS = {"sqlite": sa.func.json_each, "postgresql": sa.func.json_each_text}


def _tags(pairs: Any) -> Any:
    """Return the tags of the job in hand as a table of key and value."""
    return pairs(JOBS.c.tags).table_valued("key", "value")


def _has_tag(pairs: Any, tag: Tag) -> sa.ColumnElement[bool]:
    table, (name, value) = _tags(pairs), tag
    found = sa.select(sa.literal(1)).select_from(table)
    found = found.where(table.c.key == values.text(name, "tag"))
    if value is not None:
        found = found.where(table.c.value == values.text(value, "tag"))
    return found.exists()


def _has_word(pairs: Any, word: str) -> sa.ColumnElement[bool]:
    table = _tags(pairs)
    in_tag = sa.or_(*(c.icontains(word, autoescape=True) for c in (table.c.key, table.c.value)))
    return sa.or_(
        JOBS.c.id.startswith(word, autoescape=True),
        *(column.icontains(word, autoescape=True) for column in _SEARCHED),
        sa.select(sa.literal(1)).select_from(table).where(in_tag).exists(),
    )


def _readable(rows: Sequence[Row[Any]]) -> Iterator[JobRecord]:
    for row in rows:
        try:
            yield job_record(row)
        except UnreadableJob as error:
            _warn_once(f"left out of pages: {error}")


@lru_cache(maxsize=1024)
def _warn_once(message: str) -> None:
    logger.warning(message)


def _cursor(last: Row[Any], sort: str) -> str:
    if sort == NEWEST_FIRST:
        text = f"{_AFTER}{last.sequence}"
    else:
        text = json.dumps([sort, last.sort_key, last.sequence])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(key: sa.ColumnElement[Any], cursor: str, sort: str) -> sa.ColumnElement[bool]:
    """Return whether a job comes after the one that the cursor points at."""
    value, sequence = _place(cursor, sort)
    older = JOBS.c.sequence < sequence
    if value is None:
        return sa.and_(key.is_(None), older)
    further = key < value if sort.startswith("-") else key > value
    return sa.or_(further, sa.and_(key == value, older), key.is_(None))


def _place(cursor: str, sort: str) -> tuple[Any, int]:
    """Return the value that the page is sorted by and the sequence, of the last job of a page."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        if text.startswith(_AFTER):
            sequence = int(text.removeprefix(_AFTER))
            parts = [NEWEST_FIRST, sequence, sequence]
        else:
            parts = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        parts = None
    match parts:
        case [str(name), int() | float() | str() | None as value, int(sequence)] if (
            name == sort and abs(sequence) < 10**18 and _is_like(value, sort)
        ):
            return value, sequence
    raise BadCursor(
        f"{cursor!r} is no cursor of a page sorted by {sort}: use next_cursor as it was returned"
    )


def _is_like(value: Any, sort: str) -> bool:
    """Whether a value is one that jobs can be sorted by so."""
    if value is None:
        return True
    if sort.removeprefix("-") in ("name", "state"):
        return isinstance(value, str) and not unstorable(value)
    return isinstance(value, int | float) and abs(value) < 10**300
