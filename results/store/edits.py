"""What people change on a job by hand: its priority, its tags and its notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from results.errors import IllegalMove
from results.records import MOST_TAGS, JobRecord
from results.store import values
from results.store.jobs import read_job
from results.store.transactions import Transactions, update_job


class EditMethods(Transactions):
    """The methods of the store that change what people say about a job."""

    def set_priority(self, job_id: str, priority: int) -> JobRecord:
        """Give an unfinished job another weight in the shares of the cluster, 1 to 100.

        Idempotent. Raises :class:`results.errors.IllegalMove` for a job that has finished.
        """
        return self.edit_job(job_id, priority=priority)

    def edit_job(
        self,
        job_id: str,
        *,
        priority: int | None = None,
        tags: Mapping[str, str | None] | None = None,
        notes: str | None = None,
    ) -> JobRecord:
        """Change what is given; of ``tags``, the named ones alone, and None takes one away.

        Idempotent. Raises :class:`results.errors.IllegalMove` for the priority of a job that has
        finished and for more than 50 tags.
        """
        wanted = None if priority is None else values.priority(priority)
        with self._locked(job_id) as (changes, state):
            before = read_job(changes.connection, job_id)
            columns: dict[str, Any] = {}
            if wanted is not None:
                if state.is_finished:
                    raise IllegalMove(
                        f"job {job_id} has {state}: it has no share of the cluster any more",
                        hint="only the priority of an unfinished job can be changed",
                    )
                columns["priority"] = wanted
            if tags is not None:
                columns["tags"] = _merged(before, tags)
            if notes is not None:
                columns["notes"] = values.text(notes, "notes")
            changed = {k: v for k, v in columns.items() if getattr(before, k) != v}
            if not changed:
                return before
            update_job(changes.connection, job_id, **changed)
            said = f"priority {wanted}" if "priority" in changed else "edited"
            changes.note(job_id, state, detail=said)
            return read_job(changes.connection, job_id)


def _merged(job: JobRecord, changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {
        values.text(name, "a tag's name"): values.text(value, f"tags.{name}")
        for name, value in {**job.tags, **changes}.items()
        if value is not None
    }
    if len(merged) > MOST_TAGS:
        raise IllegalMove(
            f"job {job.id} would have {len(merged)} tags", hint=f"keep at most {MOST_TAGS}"
        )
    return merged
