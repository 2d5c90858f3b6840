"""The description and the answers still hold all that version 0.1 had, but ``stack``.

``fixtures/openapi_0.1.json`` is its /openapi.json without the words; ``fixtures/answers_0.1.json``
has the keys and types of real answers, also where that description named none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import EpochReport, Failure
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from service.api import create_app
from service.settings import Settings
from tests.service.http.serving import dashboard

FIXTURES = Path(__file__).with_name("fixtures")
#: The only key that went.
REMOVED = "stack"
JOB = {"search_space": "q4_logistic_regression", "epochs": 1}
NODE = {
    "hostname": "here", "ip": "10.0.0.1", "cpu": 1.5, "mem": [5, 3, 2, 1],
    "raylet": {"state": "ALIVE", "isHeadNode": True, "resourcesTotal": {"CPU": 2.0}},
}  # fmt: skip


#: Members of the query of `GET /jobs` that take what they took, and more: several states, longer
#: cursors.
WIDENED = {"state", "cursor"}


def former(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}_0.1.json").read_text(encoding="utf-8"))


class Descriptions:
    """Compares two OpenAPI descriptions, following references."""

    def __init__(self, before: Any, now: Any) -> None:
        self.before, self.now = before, now

    def missing(self) -> list[str]:
        """Return the places of the former description that the present one lacks or changes."""
        found = list(self._missing(self.before["paths"], self.now["paths"], "", frozenset()))
        names = set(self.before["components"]["schemas"]) - set(self.now["components"]["schemas"])
        return found + sorted(names)

    def _missing(self, before: Any, now: Any, place: str, seen: frozenset[str]) -> Iterator[str]:
        if isinstance(before, dict) and "$ref" in before:
            name = before["$ref"].rpartition("/")[2]
            if name in seen:
                return
            before, seen = self.before["components"]["schemas"][name], seen | {name}
        while isinstance(now, dict) and "$ref" in now:
            now = self.now["components"]["schemas"][now["$ref"].rpartition("/")[2]]
        if isinstance(before, dict) and isinstance(now, dict):
            for key, value in before.items():
                if key in now:
                    yield from self._missing(value, now[key], f"{place}/{key}", seen)
                elif key != REMOVED:
                    yield f"{place}/{key}"
        elif isinstance(before, list) and isinstance(now, list):
            for value in before:
                if all(any(self._missing(value, other, place, seen)) for other in now):
                    yield f"{place}: {value}"
        elif before != now:
            yield f"{place}: {before} became {now}"


def test_nothing_is_missing_from_the_description(client: TestClient) -> None:
    before, now = former("openapi"), client.get("/openapi.json").json()
    listed = before["paths"]["/api/v1/jobs"]["get"]
    listed["parameters"] = [p for p in listed["parameters"] if p["name"] not in WIDENED]
    assert Descriptions(before, now).missing() == []
    names = {p["name"] for p in now["paths"]["/api/v1/jobs"]["get"]["parameters"]}
    assert names >= WIDENED


def test_no_request_needs_more_than_before(client: TestClient) -> None:
    before, now = former("openapi"), client.get("/openapi.json").json()
    for name in ("JobRequest", "Resources"):
        schemas = (description["components"]["schemas"][name] for description in (before, now))
        needed_before, needed_now = (set(schema.get("required", [])) for schema in schemas)
        assert needed_now <= needed_before
    for path, operations in before["paths"].items():
        for method, operation in operations.items():
            known = {p["name"] for p in operation.get("parameters", ())}
            for parameter in now["paths"][path][method].get("parameters", ()):
                assert parameter["name"] in known or not parameter["required"]


def test_what_a_submission_takes_beside_its_body_is_described(client: TestClient) -> None:
    taken = client.get("/openapi.json").json()["paths"]["/api/v1/jobs"]["post"]["parameters"]
    assert [one["name"] for one in taken if one.get("description")] == [
        "dry_run", "Idempotency-Key",
    ]  # fmt: skip


@pytest.fixture
def answers(settings: Settings, store: Store) -> Iterator[dict[str, Any]]:
    """The status and body of each answer that the fixture names, of a job that has failed."""
    assert settings.search_spaces_dir is not None
    settings.search_spaces_dir.mkdir()
    (settings.search_spaces_dir / "mine.yaml").write_text("name: [", encoding="utf-8")
    with dashboard([NODE]) as url:
        app = create_app(settings.model_copy(update={"dashboard_url": url}), store)
        with TestClient(app) as client:
            yield dict(ask(client, store))


def ask(client: TestClient, store: Store) -> Iterator[tuple[str, Any]]:
    job_id = ""
    bodies: dict[str, Any] = {" (invalid)": {"search_space": "nothing"},
                              " (sampled)": {**JOB, "strategy": "random", "trials": 2}}  # fmt: skip
    for name in former("answers"):
        method, path = name.split(" ")[:2]
        body = next((body for word, body in bodies.items() if word in name), JOB)
        sent = {"json": body} if method == "POST" else {}
        answer = client.request(method, path.replace("{job_id}", job_id), **sent)  # type: ignore[arg-type]
        yield name, (answer.status_code, answer.json())
        if name == "POST /api/v1/jobs":
            job_id = answer.json()["id"]
            fail(store)


def fail(store: Store) -> None:
    """Do what a driver does with three trials of one epoch, of which the first fails."""
    lease = store.claim_job("test", 60)
    assert lease is not None
    error = Failure(FailureKind.USER_ERROR, "it broke", "Traceback")
    for number, accuracy in enumerate((0.7, 0.9, 0.8)):
        attempt = store.start_trial(lease, number, node="here")
        metrics = {"train_loss": 0.5, "validation_accuracy": accuracy, "test_accuracy": 0.5}
        store.write_reports(lease, [EpochReport(number, attempt, 1, metrics, 1.0)])
        state = TrialState.FAILED if number == 0 else TrialState.SUCCEEDED
        store.finish_trial(lease, number, state, error if number == 0 else None)
    store.finish_job(lease, JobState.FAILED, error)


def lost(shape: Any, value: Any, place: str) -> Iterator[str]:
    """Yield the places where ``value`` lacks a key, or has another type, than ``shape`` says."""
    match shape, value:
        case dict(), dict():
            for key, inner in shape.items():
                if key in value:
                    yield from lost(inner, value[key], f"{place}/{key}")
                elif key != REMOVED:
                    yield f"{place}/{key}"
        case [first], [_, *_]:
            yield from lost(first, value[0], f"{place}/0")
        case [], list():
            pass
        case _:
            types = {"str": str, "bool": bool, "number": int | float, "null": type(None)}
            if not isinstance(shape, str) or not isinstance(value, types[shape]):
                yield f"{place}: {shape} became {value!r}"


def test_nothing_is_missing_from_the_answers(answers: dict[str, Any]) -> None:
    for name, expected in former("answers").items():
        status, body = answers[name]
        assert status == expected["status"], name
        assert list(lost(expected["shape"], body, "")) == [], name


def test_the_description_names_every_schema_it_refers_to(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    text = json.dumps(description)
    referred = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred <= set(description["components"]["schemas"])


def test_the_examples_of_the_description_are_jobs(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    body = description["paths"]["/api/v1/jobs"]["post"]["requestBody"]
    for example in body["content"]["application/json"]["examples"].values():
        planned = client.post("/api/v1/jobs?dry_run=true", json=example["value"])
        assert planned.status_code == 200, planned.text
