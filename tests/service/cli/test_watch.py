"""Following one job live."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.cli.display import Display
from service.cli.watch import Follower
from service.client.events import GoneEvent, JobEvent, TrialEvent
from service.schemas import GoneView, JobView, TrialView
from tests.service.cli.commands import run
from tests.service.client import fakes
from tests.service.fake_api import FakeApi


def test_watch_of_a_finished_job_says_how_it_ended(api: FakeApi) -> None:
    api.finish(api.add_job())
    result = run(api, "watch", "j1", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == api.jobs["j1"]


@pytest.mark.parametrize(("name", "code"), [("fine", 0), ("fails", 1)])
def test_watch_ends_as_the_job_does(api: FakeApi, name: str, code: int) -> None:
    api.add_job(name)
    result = run(api, "watch", "j1")
    assert (result.exit_code, result.stdout) == (code, "")


def test_watch_of_an_unknown_job_is_four(api: FakeApi) -> None:
    result = run(api, "watch", "j9")
    assert result.exit_code == 4
    assert "no job has the id j9" in result.stderr


class Recorder(Display):
    """A display that keeps the calls."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.calls: list[tuple[Any, ...]] = []

    def say(self, line: str) -> None:
        self.calls.append(("say", line))

    def bar(self, key: str, label: str, done: int, total: int, text: str = "") -> None:
        self.calls.append(("bar", key, done, total, text))

    def drop(self, key: str) -> None:
        self.calls.append(("drop", key))

    def total(
        self, label: str, done: int, total: int, left: float | None, *, word: str = ""
    ) -> None:
        self.calls.append(("total", label, done, total, left, *filter(None, [word])))


def job(done: int) -> JobEvent:
    progress = {**fakes.job()["progress"], "trials": 5, "epochs_done": done, "epochs_total": 100}
    made = {**fakes.job("running"), "spec": {"epochs": 20}, "progress": progress}
    return JobEvent(JobView.model_validate(made))


def trial(state: str, epochs: int) -> TrialEvent:
    made = {
        **fakes.trial(3),
        "state": state,
        "parameters": {"dropout": 0.3},
        "metrics": {"train_loss": 0.5},
        "epochs": epochs,
        "seconds": 2.0,
    }
    return TrialEvent(TrialView.model_validate(made))


def test_follower_shows_running_trials_and_says_each_end_once() -> None:
    shown = Recorder()
    follower = Follower(shown)
    follower.see(job(0), 0.0)
    follower.see(trial("running", 4), 1.0)
    follower.see(trial("succeeded", 20), 2.0)
    follower.see(trial("succeeded", 20), 3.0)
    follower.see(job(20), 10.0)
    text = "trial 3 succeeded after 20 epochs, 2.0 s; train_loss=0.5000; dropout=0.3"
    assert shown.calls == [
        ("say", "job j: running"),
        ("total", "0/5 trials", 0, 100, None),
        ("bar", "trial 3", 4, 20, "train_loss=0.5000  dropout=0.3"),
        ("drop", "trial 3"),
        ("say", text),
        ("drop", "trial 3"),
        ("total", "0/5 trials", 20, 100, 40.0),
    ]


def test_follower_counts_paused_trials_and_shows_the_epochs_that_are_expected() -> None:
    shown, event = Recorder(), job(20)
    counted = {"running": 2, "paused": 3, "stopped": 1, "finished": 1, "epochs_expected": 40}
    event.data.progress = event.data.progress.model_copy(update=counted)
    Follower(shown).see(event, 0.0)
    label = "1/5 trials (1 stopped, 2 running, 3 paused)"
    assert shown.calls[-1] == ("total", label, 20, 40, None, "about")


def test_follower_says_each_reason_to_wait_once() -> None:
    shown = Recorder()
    follower = Follower(shown)
    turn, node = "for its turn: 3 jobs share 2 slots", "for a node with room"
    for waiting in (turn, None, turn, node):
        data = job(0).data.model_copy(update={"waiting": waiting})
        follower.see(JobEvent(data), 0.0)
    follower.see(GoneEvent(GoneView(after=3, oldest=9)), 0.0)
    assert [line for kind, line, *_ in shown.calls if kind == "say"] == [
        "job j: running", f"job j waits {turn}", f"job j waits {node}",
    ]  # fmt: skip


def test_trial_that_goes_back_to_the_queue_loses_its_bar_and_ends_again() -> None:
    shown = Recorder()
    follower = Follower(shown)
    follower.see(job(0), 0.0)
    for state in ("running", "queued", "running", "failed"):
        follower.see(trial(state, 1), 1.0)
    assert [call[0] for call in shown.calls[2:]] == ["bar", "drop", "bar", "drop", "say"]
