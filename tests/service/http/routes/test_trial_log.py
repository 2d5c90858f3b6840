"""What a trial has printed, over the real application: any content, any offset."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from service.trial_logs import TrialLog
from tests.service.http.samples import submit

MOST = 1024 * 1024


@pytest.fixture
def job(client: TestClient) -> str:
    job_id: str = submit(client)["id"]
    return job_id


def printed(settings: Settings, job: str, trial: int, *pieces: bytes) -> None:
    for piece in pieces:
        TrialLog(settings.trial_logs_dir(job) / str(trial)).append(piece, MOST)


def part(client: TestClient, job: str, trial: int = 1, **query: int) -> dict[str, Any]:
    url = f"/api/v1/jobs/{job}/trials/{trial}/log"
    answer = client.get(url, params={"format": "json", **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_each_trial_has_a_log_of_its_own(client: TestClient, settings: Settings, job: str) -> None:
    printed(settings, job, 0, b"zero\n")
    printed(settings, job, 1, b"one\n", b"two\n")
    answer = client.get(f"/api/v1/jobs/{job}/trials/1/log")
    assert answer.text == "one\ntwo\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert part(client, job) == {"text": "one\ntwo\n", "offset": 0, "next_offset": 8}
    assert part(client, job, 2) == {"text": "", "offset": 0, "next_offset": 0}


@pytest.mark.parametrize(
    ("query", "text", "offset"),
    [
        ({"offset": 0}, "one\ntwo\n", 0),
        ({"offset": 3}, "\ntwo\n", 3),
        ({"offset": 8}, "", 8),
        ({"offset": 9}, "", 8),
        ({"offset": 2**53}, "", 8),
        ({"tail": 1}, "two\n", 4),
        ({"tail": 10_000}, "one\ntwo\n", 0),
    ],
)
def test_any_part_of_it(
    client: TestClient, settings: Settings, job: str, query: dict[str, int], text: str, offset: int
) -> None:
    printed(settings, job, 1, b"one\n", b"two\n")
    assert part(client, job, **query) == {"text": text, "offset": offset, "next_offset": 8}


@pytest.mark.parametrize(
    "query",
    ["offset=-1", "offset=x", "offset=1.5", "offset=nan", f"offset={2**53 + 1}",
     "offset=" + "9" * 400, "tail=0", "tail=-1", "tail=10001", "tail=x", "format=html",
     "offset=0&tail=1"],
)  # fmt: skip
def test_a_part_that_cannot_be_is_named(client: TestClient, job: str, query: str) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/trials/1/log?{query}")
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["pointer"].startswith("/query/")


@pytest.mark.parametrize("trial", ["3", "-1", "x", "1e3", str(2**31), "..%2F0"])
def test_only_of_a_trial_that_there_is(client: TestClient, job: str, trial: str) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/trials/{trial}/log")
    assert answer.status_code in (404, 422)
    assert client.get(f"/api/v1/jobs/nothing/trials/{trial}/log").status_code in (404, 422)


#: Escapes, control characters, a script, and bytes that are no UTF-8.
HOSTILE = (
    b"\x1b]0;title\x07\x1b[2J\r\x00\x7f<script>alert(1)</script>"
    b"\xff\xfe\xc3(\xed\xa0\x80\xe2\x80\xae\n"
)


def test_hostile_content_comes_as_text_and_as_whole_characters(
    client: TestClient, settings: Settings, job: str
) -> None:
    """Terminals and browsers are protected where it is shown."""
    printed(settings, job, 1, HOSTILE)
    answer = client.get(f"/api/v1/jobs/{job}/trials/1/log")
    assert answer.content.decode("utf-8") == HOSTILE.decode("utf-8", "replace")
    assert answer.headers["content-type"].startswith("text/plain")
    for offset in range(len(HOSTILE) + 1):
        found = part(client, job, offset=offset)
        assert offset <= found["offset"] <= found["next_offset"] <= len(HOSTILE)


def test_what_is_larger_than_an_answer_comes_in_parts(
    client: TestClient, settings: Settings, job: str
) -> None:
    text = "".join(f"line {n} €\n" for n in range(40_000))
    printed(settings, job, 1, text.encode())
    kept, offset = "", 0
    while (found := part(client, job, offset=offset))["text"]:
        kept, offset = kept + found["text"], found["next_offset"]
    assert text.endswith(kept)
    assert len(kept.encode()) > MOST // 2 - 10
    assert part(client, job, tail=2)["text"] == "line 39998 €\nline 39999 €\n"


def test_deleting_the_job_deletes_the_logs(
    client: TestClient, settings: Settings, job: str
) -> None:
    printed(settings, job, 1, b"one\n")
    assert client.delete(f"/api/v1/jobs/{job}").status_code == 409
    assert client.post(f"/api/v1/jobs/{job}/cancel").status_code == 202
    assert client.delete(f"/api/v1/jobs/{job}").status_code == 204
    assert not settings.trial_logs_dir(job).exists()
    assert client.get(f"/api/v1/jobs/{job}/trials/1/log").status_code == 404


def test_a_log_that_cannot_be_read_is_named(
    client: TestClient, settings: Settings, job: str
) -> None:
    printed(settings, job, 1, b"one\n")
    (file,) = settings.trial_logs_dir(job).rglob("*.log")
    file.unlink()
    file.mkdir()
    answer = client.get(f"/api/v1/jobs/{job}/trials/1/log?offset=0")
    assert answer.status_code == 503
    assert "cannot be read" in answer.json()["detail"]
