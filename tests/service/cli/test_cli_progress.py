"""Progress: the time left, what the displays show, and the view of one job."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.cli.display import PlainDisplay, left_text
from service.cli.estimate import Pace, epochs_left, time_left
from service.cli.watch import JobView
from service.client.types import JobEvent, TrialEvent
from tests.service.fake_api import serving


def job(done: int, total: int = 100, *, state: str = "running", trainable: str = "a") -> Any:
    finished = state in ("succeeded", "failed")
    return {
        "id": "j",
        "state": state,
        "spec": {"trainable": trainable, "epochs": 20},
        "progress": {
            "trials": 5,
            "finished": 0,
            "failed": 0,
            "running": 1,
            "epochs_done": done,
            "epochs_total": total,
        },
        "started_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-01T00:01:40Z" if finished else None,
    }


def pace(*seen: tuple[Any, float]) -> Pace:
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


def test_no_time_left_is_told_before_the_first_epoch() -> None:
    assert time_left({"x": job(0)}, {"x": Pace()}) is None


def test_time_left_of_one_job() -> None:
    one = job(40)
    assert time_left({"x": one}, {"x": pace((job(30), 0), (one, 20))}) == 120


def test_nothing_is_left_of_finished_jobs_whatever_they_skipped() -> None:
    failed = job(10, state="failed")
    assert epochs_left(failed) == 0
    assert time_left({"x": failed}, {"x": pace((failed, 0))}) == 0


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


def test_plain_display_tells_the_total_seldom_and_only_when_it_changed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    shown = PlainDisplay(lambda: now[0])
    for moment, done in ((0, 0), (1, 1), (11, 2), (30, 2), (31, 3)):
        now[0] = moment
        shown.total("0/5 trials", done, 100, 90.0)
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in told] == ["0/100", "2/100", "3/100"]
    assert told[0] == "0/5 trials: 0/100 epochs, about 1 min 30 s left"
    assert (left_text(None), left_text(0.0)) == ("", "")


class Recorder:
    """A display that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def say(self, line: str) -> None:
        self.told.append(("say", line))

    def bar(self, key: str, label: str, done: int, total: int, text: str = "") -> None:
        self.told.append(("bar", key, done, total, text))

    def drop(self, key: str) -> None:
        self.told.append(("drop", key))

    def total(self, label: str, done: int, total: int, left: float | None) -> None:
        self.told.append(("total", label, done, total, left))


def trial(state: str, epochs: int) -> Any:
    return {
        "number": 3,
        "state": state,
        "parameters": {"dropout": 0.3},
        "metrics": {"train_loss": 0.5},
        "epochs": epochs,
        "seconds": 2.0,
        "error": None,
    }


def test_view_shows_running_trials_and_says_each_end_once() -> None:
    shown = Recorder()
    view = JobView(shown)
    view.see(JobEvent(job(0)), 0.0)
    view.see(TrialEvent(trial("running", 4)), 1.0)
    view.see(TrialEvent(trial("succeeded", 20)), 2.0)
    view.see(TrialEvent(trial("succeeded", 20)), 3.0)
    view.see(JobEvent(job(20)), 10.0)
    text = "trial 3 succeeded after 20 epochs, 2.0 s; train_loss=0.5; dropout=0.3"
    assert shown.told == [
        ("say", "job j: running"),
        ("total", "0/5 trials", 0, 100, None),
        ("bar", "trial 3", 4, 20, "train_loss=0.5  dropout=0.3"),
        ("drop", "trial 3"),
        ("say", text),
        ("drop", "trial 3"),
        ("total", "0/5 trials", 20, 100, 40.0),
    ]


def test_trial_that_goes_back_to_the_queue_loses_its_bar_and_ends_again() -> None:
    shown = Recorder()
    view = JobView(shown)
    view.see(JobEvent(job(0)), 0.0)
    for state in ("running", "queued", "running", "failed"):
        view.see(TrialEvent(trial(state, 1)), 1.0)
    assert [told[0] for told in shown.told[2:]] == ["bar", "drop", "bar", "drop", "say"]


def on_a_terminal(*args: str) -> str:
    """Run a command with both outputs on a terminal; return what it drew."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    program = [sys.executable, "-m", "service.cli", *args]
    with subprocess.Popen(
        program, stdout=terminal, stderr=terminal, env=environment, cwd=Path(__file__).parents[3]
    ) as process:
        os.close(terminal)
        drawn = b""
        while True:
            try:
                part = os.read(controller, 65536)
            except OSError:  # Linux says EIO once the other end is closed
                break
            if not part:
                break
            drawn += part
    os.close(controller)
    assert process.returncode == 0
    return drawn.decode()


def test_bars_and_tables_are_drawn_on_a_terminal() -> None:
    with serving() as api:
        api.add_job("a [bold]name")
        watched = on_a_terminal("watch", "j1", "--url", api.url)
        listed = on_a_terminal("ls", "--url", api.url)
    assert "━" in watched
    assert "4/4 epochs" in watched
    assert "trial 1 succeeded after 2 epochs" in watched
    assert "a [bold]name" in listed
    assert "─" in listed
