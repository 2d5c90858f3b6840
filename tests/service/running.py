"""Runs the real service (`python -m service.serve`) in a folder of its own, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psutil

from results.records import DriverProcess
from results.store import open_store
from service.engine import processes
from service.settings import Settings
from tests.real_data import DATASETS
from tools.ports import free_port

PLUGIN = Path(__file__).parent / "plugin"
#: Largest log file of the shared service: a trial that prints a lot fills it.
LOG_BYTES = 256 * 1024
T = TypeVar("T")


def until(question: Callable[[], T | None], *, within_s: float, what: str) -> T:
    """Ask again and again until there is an answer; fail after ``within_s`` seconds."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {within_s:g} s: {what}")


def has_ended(process: psutil.Process) -> bool:
    """Whether nothing of it runs; its parent may not yet have collected its exit status."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def steps(
    strategy: str = "grid", epochs: int = 3, trials: int | None = None, **parameters: Any
) -> dict[str, Any]:
    """A search of the plugin's trainable, which does what its parameters say."""
    space = {
        "name": "steps", "trainable": "test_steps", "dataset": "ames", "epochs": epochs,
        "metric": "score", "mode": "max", "strategy": strategy, "parameters": parameters,
    }  # fmt: skip
    return space if trials is None else {**space, "trials": trials}


class Service:
    """One service that can be started, stopped, killed and started again over the same data."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self._variables = folder, variables
        self.url = f"http://127.0.0.1:{free_port()}"
        # One for all requests: making one costs 40 ms of processor time, and tests ask often.
        self.http = httpx2.Client(base_url=self.url, timeout=60)
        self.log = folder / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        # Prepared data are shared by all test services; a service makes its own where missing.
        DATASETS.mkdir(parents=True, exist_ok=True)
        (folder / "datasets").symlink_to(DATASETS)

    @property
    def settings(self) -> Settings:
        """The settings that say where its data are."""
        url = self._variables.get("ARGBEST_DATABASE_URL", "")
        return Settings(data_dir=self.folder, database_url=url)

    def start(self) -> None:
        path = os.pathsep.join([str(PLUGIN), os.environ.get("PYTHONPATH", "")])
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service.serve", "--data-dir", str(self.folder),
                 "--port", self.url.rpartition(":")[2]],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                env={**os.environ, **self._variables, "PYTHONPATH": path.rstrip(os.pathsep)},
            )  # fmt: skip
        until(self._is_ready, within_s=90, what=f"ready; see {self.log}")

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal_number)
        self._process.wait(timeout=60)
        self._process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def processes(self) -> list[str]:
        """Return what still runs with this service's folder in its environment or arguments."""
        return [_describe(p) for p in psutil.process_iter() if self._owns(p)]

    def find(self, module: str) -> list[psutil.Process]:
        """Return this service's processes that run ``python -m <module>``."""
        return [p for p in psutil.process_iter() if self._owns(p) and module in p.cmdline()]

    def driver_of(self, job_id: str) -> psutil.Process:
        """Return the process that drives the job, which runs."""
        found = processes.find(self.recorded_driver(job_id))
        assert found is not None
        return found

    def recorded_driver(self, job_id: str) -> DriverProcess:
        """Return what the database says of the process that drives the job."""
        with closing(open_store(self.settings.store_url)) as store:
            driver = store.leased_jobs()[job_id].driver
        assert driver is not None
        return driver

    def _owns(self, process: psutil.Process) -> bool:
        try:
            inside = process.environ().get("ARGBEST_DATA_DIR") == str(self.folder)
            # Ray's own processes name their head's folder in RAY_AUTH_TOKEN_PATH.
            token = process.environ().get("RAY_AUTH_TOKEN_PATH", "")
            return (
                inside
                or token.startswith(str(self.folder))
                or str(self.folder) in process.cmdline()
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def submit(self, search_space: Any, **fields: Any) -> str:
        body = {"search_space": search_space, **fields}
        answer = self.http.post("/api/v1/jobs", json=body)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def get(self, path: str) -> Any:
        answer = self.http.get(f"/api/v1/jobs/{path}")
        answer.raise_for_status()
        return answer.json()

    def trials(self, job_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"{job_id}/trials")["items"]
        return found

    def log_of(self, job_id: str) -> str:
        return self.http.get(f"/api/v1/jobs/{job_id}/log").text

    def assert_complete(self, job_id: str, *, trials: int, epochs: int) -> None:
        """Every planned trial has succeeded, with each epoch of its last attempt once."""
        job = self.get(job_id)
        assert job["state"] == "succeeded"
        assert job["progress"]["trials"] == job["progress"]["finished"] == trials
        found = self.trials(job_id)
        assert [(t["number"], t["state"]) for t in found] == [
            (number, "succeeded") for number in range(trials)
        ]
        curves = self.get(f"{job_id}/curves")["items"]
        assert [c["epoch"] for c in curves] == [list(range(1, epochs + 1))] * trials

    def ask(self, job_id: str, verb: str) -> dict[str, Any]:
        """POST a verb that is allowed and return the job."""
        answer = self.http.post(f"/api/v1/jobs/{job_id}/{verb}")
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def wait_for_state(self, job_id: str, state: str, *, within_s: float = 120) -> None:
        until(
            lambda: self.get(job_id)["state"] == state,
            within_s=within_s,
            what=f"job {job_id} {state}",
        )

    def metric(self, name: str) -> float:
        """Return one number that `/metrics` tells."""
        lines = self.http.get("/metrics").text.splitlines()
        (value,) = (line.split()[1] for line in lines if line.startswith(f"{name} "))
        return float(value)

    def wait(self, job_id: str, *, within_s: float = 600) -> dict[str, Any]:
        """Return the job once it has finished."""

        def finished() -> dict[str, Any] | None:
            job: dict[str, Any] = self.get(job_id)
            return job if job["finished_at"] else None

        return until(finished, within_s=within_s, what=f"job {job_id} finished")

    def wait_for_epochs(self, job_id: str, epochs: int, *, within_s: float = 120) -> None:
        until(
            lambda: self.get(job_id)["progress"]["epochs_done"] >= epochs,
            within_s=within_s,
            what=f"{epochs} epochs of job {job_id}",
        )


def _describe(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.NoSuchProcess:
        return str(process.pid)
