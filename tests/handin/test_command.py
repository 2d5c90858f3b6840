"""What the command does with a server's answers, one job at a time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from handin import command
from service.client.client import Client
from service.client.errors import Conflict
from service.schemas import JobView, TrialView
from tests.handin.handin_runs import SVG, make_answers
from tests.service.fake_api import serving

JOB = JobView.model_validate(
    {**make_answers()["Q3.1b"].job, "fingerprint": "f", "dashboard_url": None, "links": {}}
)


class FakeClient:
    """A client that knows one job in one state, if any, and notes what it is asked."""

    def __init__(self, state: str = "", *, has_report: bool = True) -> None:
        self.state, self.has_report = state, has_report
        self.submitted: list[Any] = []

    def plan(self, body: Any) -> Any:
        return SimpleNamespace(fingerprint="f")

    def jobs(self, *, fingerprint: str, state: str, limit: int) -> Any:
        assert (fingerprint, limit) == ("f", 1)
        return SimpleNamespace(items=[JOB] if state == self.state else [])

    def submit(self, body: Any) -> JobView:
        self.submitted.append(body)
        return JOB

    def report_json(self, job_id: str) -> Any:
        if not self.has_report:
            raise Conflict(409, "no report")
        return {"plots": []}

    def plots(self, job_id: str) -> Any:
        return [SimpleNamespace(name="train_loss")]

    def plot(self, job_id: str, name: str, style: str) -> bytes:
        return SVG

    def curves(self, job_id: str) -> Any:
        return []


@pytest.mark.parametrize("state", ["succeeded", "running", "queued"])
def test_a_job_of_the_same_specification_is_used_again(state: str) -> None:
    client: Any = FakeClient(state)
    assert command._job(client, "Q3.1b", {"a": 1}) is JOB
    assert client.submitted == []


@pytest.mark.parametrize("state", ["failed", "cancelled", ""])
def test_otherwise_a_job_is_submitted(state: str) -> None:
    client: Any = FakeClient(state)
    assert command._job(client, "Q3.1b", {"a": 1}) is JOB
    assert client.submitted == [{"a": 1}]


def test_a_search_is_looked_for_as_it_is_wanted_first_and_then_the_other_way() -> None:
    body = {"search_space": "q4_depth"}
    confirmed = {**body, "confirm": {"top": 3, "seeds": 5}}
    assert command._bodies(body, is_search=True, confirm=True) == [confirmed, body]
    assert command._bodies(body, is_search=True, confirm=False) == [body, confirmed]
    assert command._bodies(body, is_search=False, confirm=True) == [body]
    client: Any = FakeClient()
    command._job(client, "Q4.3", confirmed, body)
    assert client.submitted == [confirmed]


def test_searches_that_have_succeeded_without_a_confirmation_are_confirmed() -> None:
    asked: list[Any] = []

    class Confirming:
        def confirm(self, job_id: str, *, top: int, seeds: int) -> JobView:
            asked.append((job_id, top, seeds))
            return after

    def job(**changes: Any) -> JobView:
        return JOB.model_copy(update=changes)

    after = job(state="queued")
    has_one = job(spec={**JOB.spec, "confirm": {"top": 3, "seeds": 5}})
    jobs = {"Q3.1b": JOB, "Q4.1": JOB, "Q4.2": has_one, "Q4.3": job(state="failed")}
    client: Any = Confirming()
    assert command._confirm(client, jobs, ["Q4.1", "Q4.2", "Q4.3"])
    assert asked == [(JOB.id, 3, 5)]
    assert jobs["Q4.1"] is after
    assert not command._confirm(client, jobs, ["Q4.1", "Q4.2", "Q4.3"])


def test_an_answer_holds_report_and_plots() -> None:
    client: Any = FakeClient()
    answer = command._answer(client, JOB)
    assert (answer.report, answer.plots) == ({"plots": []}, {"train_loss": SVG})
    assert answer.results.job.id == JOB.id


def test_an_answer_has_the_trials_that_confirm_the_winner() -> None:
    search, *_ = make_answers()["Q3.1b"].report["trials"]
    again = {**search, "number": 1, "seed": 43, "purpose": "confirm", "configuration": 0}
    shown = {"started_at": None, "finished_at": None, "error": None}

    class Confirmed(FakeClient):
        def report_json(self, job_id: str) -> Any:
            return {"plots": [], "trials": [search]}

        def trials(self, job_id: str) -> list[TrialView]:
            return [TrialView.model_validate({**one, **shown}) for one in (search, again)]

    client: Any = Confirmed()
    job = JOB.model_copy(update={"spec": {**JOB.spec, "confirm": {"top": 3, "seeds": 5}}})
    results = command._answer(client, job).results
    assert [trial.number for trial in results.trials] == [0]
    assert [(trial.number, trial.seed) for trial in results.confirming] == [(1, 43)]


def test_a_job_without_a_report_has_an_empty_answer() -> None:
    client: Any = FakeClient(has_report=False)
    answer = command._answer(client, JOB)
    assert (answer.report, answer.curves, answer.plots) == ({}, [], {})
    assert answer.results.trials == ()


def test_a_plot_that_cannot_be_drawn_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as api, Client(api.url) as client:
        api.broken_plots = {"parameter_dropout"}
        job = client.job(api.finish(api.add_job())["id"])
        answer = command._answer(client, job)
    assert list(answer.plots) == ["train_loss"]
    assert answer.curves == [{"trial": 0, "epoch": [1], "train_loss": [0.5]}]
    assert "plot parameter_dropout is left out: no data on a log axis" in capsys.readouterr().err
