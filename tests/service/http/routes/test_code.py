"""Code is sent, checked, kept once, and answered for; a bad archive is a named problem."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import TokenScope
from results.store import Store
from service.api import FILES_AT_ONCE, create_app
from service.code.keep import keep
from service.http.routes import code as routes
from service.settings import Settings
from tests.service.code.archives import BAD, file, packed, special

GOOD = packed(file("train.py"), file("lib/model.py", b"x = 1\n"))
DIGEST = f"sha256:{hashlib.sha256(GOOD).hexdigest()}"
#: Those whose faults depend on smaller limits than the service's.
LIMITED = {"a bomb of zeros", "a bomb of many files", "many files", "many folders",
           "one folder many times"}  # fmt: skip


@pytest.fixture
def allowing(settings: Settings) -> Settings:
    return settings.model_copy(update={"allow_commands": True})


@contextmanager
def opened(settings: Settings, store: Store) -> Iterator[TestClient]:
    """Yield a client whose token may send code."""
    made = store.create_token(f"t{len(store.tokens())}", TokenScope.CODE)
    headers = {"Authorization": f"Bearer {made.secret}"}
    app = create_app(settings, store)
    with TestClient(app, headers=headers, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(allowing: Settings, store: Store) -> Iterator[TestClient]:
    with opened(allowing, store) as client:
        yield client


def send(client: TestClient, content: bytes, kind: str = "application/gzip") -> Any:
    return client.post("/api/v1/code", content=content, headers={"Content-Type": kind})


def stored(settings: Settings) -> list[Path]:
    return sorted((settings.data_dir / "storage" / "code").glob("*"))


def uploads(settings: Settings) -> list[Path]:
    folder = settings.data_dir / "uploads"
    return list(folder.iterdir()) if folder.exists() else []


def test_code_is_kept_once_and_shown(client: TestClient, settings: Settings) -> None:
    assert client.get(f"/api/v1/code/{DIGEST}").status_code == 404
    first, again = send(client, GOOD), send(client, GOOD, "application/octet-stream; x=y")
    shown = {"digest": DIGEST, "bytes": len(GOOD), "files": 2, "unpacked": 15}
    assert (first.status_code, first.json()) == (201, {**shown, "is_new": True})
    assert (again.status_code, again.json()) == (200, {**shown, "is_new": False})
    assert client.get(f"/api/v1/code/{DIGEST}").json() == shown
    (kept,) = stored(settings)
    assert kept.read_bytes() == GOOD
    assert uploads(settings) == []


def test_a_service_that_runs_no_programs_takes_no_code(settings: Settings, store: Store) -> None:
    with opened(settings, store) as client:
        answer = send(client, GOOD)
    assert answer.status_code == 403
    assert "--allow-commands" in answer.json()["hint"]
    assert uploads(settings) == stored(settings) == []


def test_a_job_names_code_that_was_sent_and_no_other(client: TestClient, store: Store) -> None:
    space = {
        "name": "mine", "command": ["python", "train.py", "{args}"], "code": DIGEST,
        "metric": "loss", "mode": "min", "parameters": {"lr": {"values": [0.1, 0.2]}},
    }  # fmt: skip
    for query in ("", "?dry_run=true"):
        answer = client.post(f"/api/v1/jobs{query}", json={"search_space": space})
        assert answer.status_code == 422
        (problem,) = answer.json()["errors"]
        assert problem["pointer"] == "/search_space/code"
        assert "POST /api/v1/code" in problem["hint"]
    send(client, GOOD)
    job = client.post("/api/v1/jobs", json={"search_space": space, "source": {"commit": "c0ffee"}})
    assert job.status_code == 202
    assert (job.json()["spec"]["code"], job.json()["spec"]["source"]["commit"]) == (
        DIGEST,
        "c0ffee",
    )
    assert store.job(job.json()["id"]).spec.code == DIGEST


def test_an_unknown_digest_is_a_404_that_says_how_to_send_it(client: TestClient) -> None:
    answer = client.get("/api/v1/code/sha256:00")
    assert answer.status_code == 404
    assert "POST /api/v1/code" in answer.json()["hint"]


def test_each_bad_archive_is_a_named_problem(client: TestClient, settings: Settings) -> None:
    for name, (make, fault) in BAD.items():
        if name in LIMITED:
            continue
        answer = send(client, make())
        assert answer.status_code == 422, name
        (problem,) = answer.json()["errors"]
        assert problem["code"] == fault
        assert problem["hint"]
    assert uploads(settings) == stored(settings) == []


def test_an_archive_that_is_too_large_names_the_setting(
    store: Store, settings: Settings, allowing: Settings
) -> None:
    small = allowing.model_copy(update={"max_code_bytes": 2048})
    with opened(small, store) as client:
        answer = send(client, packed(file("a.bin", random.Random(0).randbytes(3000))))
        assert answer.status_code == 413
        assert "ARGBEST_MAX_CODE_BYTES" in answer.json()["hint"]
        bomb = send(client, packed(file("a.bin", bytes(8 * 2048 + 1))))
        assert (bomb.status_code, bomb.json()["errors"][0]["code"]) == (422, "too_large")
    assert uploads(settings) == stored(settings) == []


def test_another_media_type_is_refused(client: TestClient) -> None:
    answer = send(client, GOOD, "application/x-www-form-urlencoded")
    assert answer.status_code == 415
    assert "application/gzip" in answer.json()["hint"]


def test_the_same_code_sent_eight_times_at_once_is_kept_once(
    client: TestClient, settings: Settings
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(client, GOOD), range(8)))
    assert {answer.json()["digest"] for answer in answers} == {DIGEST}
    assert [answer.json()["is_new"] for answer in answers].count(True) == 1
    assert len(stored(settings)) == 1
    assert uploads(settings) == []


def test_few_files_are_read_at_the_same_time(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, most = threading.Semaphore(0), threading.Event(), list[int]()
    lock, now = threading.Lock(), 0

    def read(*arguments: Any) -> Any:
        nonlocal now
        with lock:
            now += 1
            most.append(now)
        begun.release()
        assert go_on.wait(60)
        with lock:
            now -= 1
        return keep(*arguments)

    monkeypatch.setattr(routes, "keep", read)
    with ThreadPoolExecutor(5) as pool:
        sent = [pool.submit(send, client, packed(file(f"{n}.py"))) for n in range(5)]
        for _ in range(FILES_AT_ONCE):
            assert begun.acquire(timeout=60)
        assert client.get("/healthz").status_code == 200
        go_on.set()
        assert {each.result().status_code for each in sent} == {201}
    assert max(most) <= FILES_AT_ONCE
    assert len(most) == len(sent)


def test_a_lost_file_is_stored_again(client: TestClient, settings: Settings) -> None:
    send(client, GOOD)
    stored(settings)[0].unlink()
    assert send(client, GOOD).status_code == 201
    (kept,) = stored(settings)
    assert kept.read_bytes() == GOOD


def test_a_full_disk_is_told_and_nothing_is_left(
    store: Store, settings: Settings, allowing: Settings
) -> None:
    full = allowing.model_copy(update={"min_free_bytes": 2**62})
    with opened(full, store) as client:
        answer = send(client, GOOD)
    assert answer.status_code == 503
    assert "are free in" in answer.json()["detail"]
    assert answer.headers["Retry-After"] == "60"
    assert uploads(settings) == stored(settings) == []


def test_a_storage_that_is_away_is_told(
    store: Store, settings: Settings, allowing: Settings
) -> None:
    (settings.data_dir / "blocked").write_text("a file where the storage's folder should be")
    away = allowing.model_copy(update={"storage": str(settings.data_dir / "blocked")})
    with opened(away, store) as client:
        answer = send(client, GOOD)
        assert answer.status_code == 503
        assert "in the storage" in answer.json()["detail"]
        assert client.get(f"/api/v1/code/{DIGEST}").status_code == 404
    assert uploads(settings) == []


def test_a_folder_that_cannot_be_made_is_told(client: TestClient, settings: Settings) -> None:
    (settings.data_dir / "uploads").write_text("a file in its place")
    answer = send(client, GOOD)
    assert answer.status_code == 503
    assert "data folder" in answer.json()["detail"]


def test_old_leftovers_of_a_killed_process_go_with_the_next_upload(
    client: TestClient, settings: Settings
) -> None:
    for name in ("old", "new"):
        (settings.data_dir / "uploads" / name).mkdir(parents=True)
    os.utime(settings.data_dir / "uploads" / "old", (1.0, 1.0))
    send(client, GOOD)
    assert [path.name for path in uploads(settings)] == ["new"]


def test_a_link_in_an_archive_says_how_to_pack_it(client: TestClient) -> None:
    answer = send(client, packed(special("a", b"2", linkname="/etc/passwd")))
    assert "--dereference" in answer.json()["hint"]
