"""The time left, from the pace of the epochs."""

from __future__ import annotations

from service.cli.estimate import Pace, epochs_left, time_left, total_of, total_text
from service.schemas import JobView
from tests.service.client import fakes


def job(done: int, total: int = 100, *, state: str = "running", trainable: str = "a") -> JobView:
    """A job of 100 seconds that has run ``done`` epochs."""
    progress = {"trials": 5, "running": 1, "epochs_done": done, "epochs_total": total}
    return JobView.model_validate(
        {
            **fakes.job(state),
            "spec": {"trainable": trainable, "epochs": 20},
            "progress": {**fakes.job()["progress"], **progress},
            "started_at": "2026-01-01T00:00:00Z",
            "finished_at": "2026-01-01T00:01:40Z" if state in ("succeeded", "failed") else None,
        }
    )


def pace(*seen: tuple[JobView, float]) -> Pace:
    result = Pace()
    for one, now in seen:
        result.see(one, now)
    return result


def test_pace_of_a_running_job_counts_from_when_it_was_first_seen() -> None:
    assert pace((job(50), 1000)).seconds_per_epoch is None
    assert pace((job(50), 1000), (job(50), 1005), (job(54), 1008)).seconds_per_epoch == 2


def test_pace_begins_anew_when_epochs_were_lost() -> None:
    found = pace((job(50), 0), (job(60), 10), (job(40), 20), (job(44), 40))
    assert found.seconds_per_epoch == 5


def test_pace_of_a_finished_job_is_its_own() -> None:
    assert pace((job(50, state="succeeded"), 7)).seconds_per_epoch == 2


def test_pace_does_not_count_the_time_in_the_queue() -> None:
    found = pace((job(0, state="queued"), 0), (job(0), 100), (job(2), 106))
    assert found.seconds_per_epoch == 3


def test_pace_does_not_count_the_time_in_which_a_job_was_paused_or_had_ended() -> None:
    paused = (job(4, state="paused"), 8)
    found = pace((job(0), 0), (job(4), 8), paused, (job(4), 1000), (job(6), 1006))
    assert found.seconds_per_epoch == 3
    extended = job(50, state="succeeded").model_copy(update={"rested": 75.0})
    assert pace((extended, 7)).seconds_per_epoch == 0.5
    again = (job(50, state="queued"), 900)
    found = pace((job(40), 0), (job(50), 20), (extended, 21), again, (job(50), 1000))
    found.see(job(52), 1008)
    assert found.seconds_per_epoch == 4


def test_no_time_left_is_known_before_the_first_epoch() -> None:
    assert time_left({"x": job(0)}, {"x": Pace()}) is None


def test_time_left_of_one_job() -> None:
    one = job(40)
    assert time_left({"x": one}, {"x": pace((job(30), 0), (one, 20))}) == 120


def test_nothing_is_left_of_finished_jobs_whatever_they_skipped() -> None:
    failed = job(10, state="failed")
    assert epochs_left(failed) == 0
    assert time_left({"x": failed}, {"x": pace((failed, 0))}) == 0


def test_a_total_is_the_most_where_trials_may_end_early() -> None:
    plain, ended = job(40), job(40, state="succeeded")
    assert total_text(plain) == "40/100 epochs"
    for member in ({"scheduler": {"name": "asha"}}, {"budget": {"seconds": 60}}):
        early = plain.model_copy(update={"spec": {**plain.spec, **member}})
        assert total_text(early) == "40 of at most 100 epochs"
        assert total_of(ended.model_copy(update={"spec": early.spec})).word == ""


def test_a_total_and_the_time_left_are_what_is_expected_where_the_server_says_so() -> None:
    one = job(20)
    one.progress.epochs_expected = 40
    assert total_text(one) == "20 of about 40 epochs"
    assert time_left({"x": one}, {"x": pace((job(10), 0), (one, 20))}) == 40


def test_job_that_has_not_begun_is_taken_to_be_like_those_of_its_trainable() -> None:
    done = job(100, state="succeeded", trainable="a")  # 1 s an epoch
    slow = job(10, state="succeeded", trainable="b")  # 10 s an epoch
    paces = {"done": pace((done, 0)), "slow": pace((slow, 0)), "new": Pace()}
    alike = {"done": done, "slow": slow, "new": job(0, state="queued", trainable="a")}
    other = {"done": done, "slow": slow, "new": job(0, state="queued", trainable="c")}
    assert time_left(alike, paces) == 100
    assert time_left(other, paces) == 550


def test_jobs_that_run_at_once_share_the_time_but_the_longest_is_the_least() -> None:
    quick, slow = job(50), job(50)
    paces = {
        "quick": pace((job(40), 0), (quick, 10)),
        "slow": pace((job(40), 0), (slow, 90)),
    }
    assert time_left({"quick": quick, "slow": slow}, paces) == 450
    paces["quick"] = pace((job(40), 0), (quick, 90))
    queued = {"quick": quick, "slow": slow, "new": job(0, state="queued")}
    assert time_left(queued, {**paces, "new": Pace()}) == (450 + 450 + 900) / 2
