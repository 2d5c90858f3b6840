"""Tags, notes and priorities are changed by hand, at any time."""

from __future__ import annotations

import pytest

from results.errors import IllegalMove, JobNotFound
from results.store import Store
from tests.results.store.samples import UNKNOWN_IDS, accept


def test_tags_and_notes_of_any_job(store: Store) -> None:
    made = accept(store)
    assert (made.tags, made.notes) == ({}, "")
    assert store.edit_job(made.id, tags={"a": "1", "b": ""}).tags == {"a": "1", "b": ""}
    store.request_cancel(made.id)
    changed = store.edit_job(made.id, tags={"a": None, "c": "✓"}, notes="two\nlines")
    assert (changed.tags, changed.notes) == ({"b": "", "c": "✓"}, "two\nlines")
    assert changed.spec.tags == {}  # what was asked for stays
    last = store.last_event()
    assert store.edit_job(made.id, tags={"b": ""}, notes="two\nlines") == changed
    assert store.last_event() == last
    with pytest.raises(IllegalMove, match="52 tags"):
        store.edit_job(made.id, tags={str(number): "" for number in range(50)})
    with pytest.raises(IllegalMove, match="no share"):
        store.edit_job(made.id, priority=2, notes="gone")
    with pytest.raises(ValueError, match="NUL"):
        store.edit_job(made.id, notes="a\x00")
    assert store.job(made.id) == changed
    for unknown in UNKNOWN_IDS:
        with pytest.raises(JobNotFound):
            store.edit_job(unknown, notes="")
