"""kill -9 of the API at random points while clients submit: no accepted job lost, none twice.

Each client submits one job after the other under an ``Idempotency-Key`` and repeats a request
until it is answered 202, as our own client does. The API runs without Ray: what is tried is the
way from the request to the disk.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter

from results.errors import JobNotFound
from results.store import Store, open_store
from service.settings import Settings
from tests.chaos.nursery import Nursery, nursery
from tests.chaos.outcome import Outcome, nothing_done

CLIENTS = 4
#: Kills come this long after the last one, drawn uniformly: sometimes before the API is up again.
PAUSE_SECONDS = (0.0, 0.5)
PATIENCE_SECONDS = 60.0
SEED = 20


class Submitter(threading.Thread):
    """One client; ``accepted`` maps each key to the job that it was promised."""

    def __init__(self, number: int, port: int) -> None:
        super().__init__(name=f"client {number}")
        self._number, self._port = number, port
        self._random = random.Random(SEED + number)
        self._stopped = threading.Event()
        self.accepted: dict[str, str] = {}
        self.repeated = 0
        self.violations: list[str] = []

    def run(self) -> None:
        """Submit until stopped; the last job is submitted to its end."""
        while not self._stopped.is_set() and not self.violations:
            key = f"client-{self._number}-{len(self.accepted)}"
            job_id = self._submit(key)
            if job_id is None:
                continue
            self.accepted[key] = job_id
            if self._random.random() < 0.25 and self._submit(key) not in (job_id, None):
                self.violations.append(f"{key}: two jobs for one key")

    def stop(self) -> None:
        """End after the job that is being submitted."""
        self._stopped.set()

    def _submit(self, key: str) -> str | None:
        """Return the id of the job that was accepted for the key; None after a violation."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up:
            try:
                status, body = _post(self._port, key)
            except (OSError, http.client.HTTPException):
                self.repeated += 1
                time.sleep(0.01)
                continue
            if status == http.HTTPStatus.ACCEPTED:
                job_id: str = json.loads(body)["id"]
                return job_id
            if status != http.HTTPStatus.SERVICE_UNAVAILABLE:
                self.violations.append(f"{key}: answered {status}: {body[:200]!r}")
                return None
            time.sleep(0.05)
        self.violations.append(f"{key}: not accepted within {PATIENCE_SECONDS:g} s")
        return None


def _post(port: int, key: str) -> tuple[int, bytes]:
    body = json.dumps({"search_space": "q2_linear_regression", "epochs": 1, "name": key})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=35)
    try:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        connection.request("POST", "/api/v1/jobs", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def kill_api(settings: Settings, kills: int, *, limit_s: float) -> Outcome:
    """Kill the API ``kills`` times, or until ``limit_s`` seconds are over, and count."""
    store = open_store(settings.store_url)
    store.migrate()
    began = time.monotonic()
    with nursery(settings) as running:
        clients = [Submitter(number, running.port) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        done = _kill(running, kills, limit_s)
        for client in clients:
            client.stop()
        for client in clients:
            client.join()
    accepted = {key: job for client in clients for key, job in client.accepted.items()}
    names = Counter(_names(store))
    lost = sum(_is_lost(store, key, job) for key, job in accepted.items())
    twice = sum(count > 1 for count in names.values())
    store.close()
    violations = [text for client in clients for text in client.violations]
    violations += nothing_done("kill -9 of the API", done, kills)
    violations += [f"{lost} accepted jobs lost"] if lost else []
    violations += [f"{twice} jobs there twice"] if twice else []
    figures: dict[str, str | int | float] = {
        "kill -9 of the API": f"{done} of {kills}",
        "jobs accepted": len(accepted),
        "requests repeated": sum(client.repeated for client in clients),
        "accepted jobs lost": lost,
        "jobs there twice": twice,
        "seconds": time.monotonic() - began,
    }
    database = "PostgreSQL" if settings.database_url else "SQLite"
    return Outcome(f"API killed, {database}", figures, violations)


def _kill(running: Nursery, kills: int, limit_s: float) -> int:
    drawn, give_up = random.Random(SEED), time.monotonic() + limit_s
    for done in range(kills):
        if time.monotonic() > give_up:
            return done
        # Every other time at a random moment of the start.
        if done % 2 == 0:
            running.wait_until_it_answers()
        time.sleep(drawn.uniform(*PAUSE_SECONDS))
        running.kill()
    running.wait_until_it_answers()
    return kills


def _names(store: Store) -> list[str]:
    names: list[str] = []
    page = store.jobs(limit=200)
    names += [job.name for job in page.items]
    while page.next_cursor:
        page = store.jobs(limit=200, cursor=page.next_cursor)
        names += [job.name for job in page.items]
    return names


def _is_lost(store: Store, key: str, job_id: str) -> bool:
    try:
        return store.job(job_id).name != key or len(store.trials(job_id)) != 1
    except JobNotFound:
        return True
