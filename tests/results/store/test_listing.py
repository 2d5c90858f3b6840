"""Pages of jobs: searched, filtered, sorted; each job comes once over all pages."""

from __future__ import annotations

import pytest

from results.errors import BadCursor
from results.records import EpochReport, JobRecord
from results.states import JobState, TrialState
from results.store import SORTS, Store
from tests.results.store.samples import accept, claim

NASTY = "a\"b'c.%_\\$[0] <b>"


def ids(store: Store, **asked: object) -> list[str]:
    return [job.id for job in store.jobs(**asked).items]  # type: ignore[arg-type]


@pytest.fixture
def jobs(store: Store) -> list[JobRecord]:
    """Four jobs, named so that their order by name is that by age turned round."""
    made = [accept(store, name=name) for name in ("Delta", "charlie", "Bravo", "alpha 100%")]
    store.edit_job(made[0].id, tags={"team": "vision", NASTY: NASTY}, notes="Two\nlines")
    store.edit_job(made[1].id, tags={"team": "text"}, priority=7)
    lease = claim(store)
    for number, value in ((0, 0.5), (1, 0.75)):
        attempt = store.start_trial(lease, number, node="here")
        metrics = {"validation_accuracy": value}
        store.write_reports(lease, [EpochReport(number, attempt, 1, metrics, 1.0)])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    store.request_cancel(made[1].id)
    return made


def test_jobs_are_found_by_state_tag_and_words(store: Store, jobs: list[JobRecord]) -> None:
    first, second, third, fourth = (job.id for job in jobs)
    assert ids(store) == [fourth, third, second, first]
    done = [JobState.SUCCEEDED, JobState.CANCELLED]
    assert ids(store, state=done) == [second, first]
    assert ids(store, state=JobState.QUEUED) == [fourth, third]
    assert ids(store, tags=[("team", None)]) == [second, first]
    assert ids(store, tags=[("team", "vision")]) == [first]
    assert ids(store, tags=[("team", "vision"), (NASTY, NASTY)]) == [first]
    assert ids(store, tags=[("team", "vis")]) == ids(store, tags=[("TEAM", None)]) == []
    assert ids(store, words="BRAVO") == [third]
    assert ids(store, words="100%") == [fourth]  # no wildcard
    assert ids(store, words="two vision") == [first]
    assert ids(store, words="lines text") == []
    assert ids(store, words=NASTY.replace(" ", "")[:9]) == [first]
    assert ids(store, words="dataset trainable") == [fourth, third, second, first]
    assert ids(store, words=second[:6]) == [second]
    assert ids(store, words="team", state=JobState.SUCCEEDED, limit=1) == [first]


@pytest.mark.parametrize("limit", [1, 3])
def test_in_every_order_each_job_comes_once(
    store: Store, jobs: list[JobRecord], limit: int
) -> None:
    for sort in [*SORTS, *(f"-{name}" for name in SORTS)]:
        seen: list[str] = []
        cursor = None
        while not seen or cursor:
            page = store.jobs(sort=sort, cursor=cursor, limit=limit)
            seen += [job.id for job in page.items]
            cursor = page.next_cursor
        assert seen == ids(store, sort=sort), sort
        assert sorted(seen) == sorted(job.id for job in jobs), sort
    first, second, third, fourth = (job.id for job in jobs)
    assert ids(store, sort="name") == [fourth, third, second, first]
    assert ids(store, sort="-name") == ids(store, sort="created") == [first, second, third, fourth]
    assert ids(store, sort="-priority") == [second, fourth, third, first]
    assert ids(store, sort="best")[0] == ids(store, sort="-best")[0] == first


def test_a_cursor_belongs_to_its_order(store: Store, jobs: list[JobRecord]) -> None:
    for sort in SORTS:
        cursor = store.jobs(sort=sort, limit=1).next_cursor
        with pytest.raises(BadCursor):
            store.jobs(sort="name" if sort != "name" else "-name", cursor=cursor)
    with pytest.raises(ValueError, match="sort"):
        store.jobs(sort="age")


def test_the_course_of_the_best_value_is_kept_short(store: Store) -> None:
    made = accept(store, 60)
    lease = claim(store)
    for number in range(60):
        attempt = store.start_trial(lease, number, node="here")
        metrics = {"validation_accuracy": (number - number % 2) / 100}
        store.write_reports(lease, [EpochReport(number, attempt, 1, metrics, 1.0)])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
        if number == 3:
            assert store.job(made.id).history == ((1, 0.0), (3, 0.02))
    store.finish_job(lease, JobState.SUCCEEDED)
    history = store.job(made.id).history
    assert len(history) == 30
    assert (history[0], history[-1]) == ((1, 0.0), (59, 0.58))
