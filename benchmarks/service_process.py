"""``argbest serve`` in a folder of its own, and timed jobs on it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.machine import pss_bytes
from benchmarks.records import BenchmarkError
from results.store import open_store
from service.client.client import Client
from service.engine.cluster import is_reachable
from service.engine.processes import is_idle, kill_all, trial_processes, with_variable
from service.schemas import JobView, TrialView
from service.settings import Settings
from tools.ports import free_port

START_SECONDS = 120.0
STOP_SECONDS = 60.0
#: A job that takes longer hangs: the longest takes minutes.
JOB_SECONDS = 1_800.0
#: Seconds between polls of a job unless given: times are exact to this.
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class TimedJob:
    """A job that has succeeded, with the seconds from before its POST until a client saw it.

    ``trial_pss_bytes`` is the largest memory of its trial processes together (0: not sampled).
    """

    job: JobView
    trials: list[TrialView]
    first_report_s: float
    done_s: float
    trial_pss_bytes: int = 0

    @property
    def training_s(self) -> float:
        """The training seconds of all its trials."""
        return sum(trial.seconds for trial in self.trials)

    @property
    def recorded_s(self) -> float:
        """The seconds from its submission to its end as the service recorded them.

        They are exact however rarely a client polls.
        """
        assert self.job.finished_at is not None
        return (self.job.finished_at - self.job.created_at).total_seconds()


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that takes jobs, with its own settings; it was ready after ``start_s``."""

    settings: Settings
    client: Client
    process: psutil.Process
    start_s: float

    def pss_bytes(self) -> int:
        """Return the memory of all its processes together: API, controller, drivers, Ray."""
        tree = [self.process, *self.process.children(recursive=True)]
        return pss_bytes(one.pid for one in tree)

    def _trial_processes(self, job_id: str) -> list[psutil.Process]:
        with closing(open_store(self.settings.store_url)) as store:
            leased = store.leased_jobs().get(job_id)
        found = trial_processes(leased.driver) if leased and leased.driver else []
        return [process for process in found if not is_idle(process)]

    def time_job(
        self,
        body: Mapping[str, Any],
        *,
        sample_memory: bool = False,
        poll_seconds: float = POLL_SECONDS,
        most_seconds: float = JOB_SECONDS,
        may_diverge: bool = False,
    ) -> TimedJob:
        """Run a job to its end.

        Raises :class:`BenchmarkError` unless it succeeds, and does so within ``most_seconds``, or
        where a trial failed, as in a search one ``may_diverge``.
        """
        started = time.perf_counter()
        job = self.client.submit(body)
        first_report_s, peak = 0.0, 0
        while not job.is_finished:
            if time.perf_counter() - started > most_seconds:
                raise BenchmarkError(
                    f"job {job.name} is still {job.state} after {most_seconds:g} s"
                )
            time.sleep(poll_seconds)
            job = self.client.job(job.id)
            if not first_report_s and job.progress.epochs_done:
                first_report_s = time.perf_counter() - started
            if sample_memory:
                peak = max(peak, pss_bytes(p.pid for p in self._trial_processes(job.id)))
        done_s = time.perf_counter() - started
        if not job.has_succeeded or (job.progress.failed and not may_diverge):
            failed = f", {job.progress.failed} trials failed" if job.progress.failed else ""
            raise BenchmarkError(f"job {job.name} is {job.state}{failed}: {job.error}")
        return TimedJob(job, self.client.trials(job.id), first_report_s, done_s, peak)


@contextmanager
def running_service(
    settings: Settings, *, workers: int, database_url: str = "", cache_dir: Path | None = None
) -> Iterator[RunningService]:
    """Start a service with its own Ray and ``workers`` CPU slots; stop it afterwards.

    Its database is ``database_url`` or an empty file. It reads the prepared data sets of
    ``settings``, and has no compiled code but that in ``cache_dir``, where it leaves its own.
    Raises :class:`BenchmarkError` if it does not start.
    """
    with TemporaryDirectory(prefix="argbest-bench-") as name:
        folder = Path(name)
        (folder / "datasets").symlink_to(settings.datasets_dir)
        changes = {
            "data_dir": folder, "cache_dir": cache_dir or folder / "cache", "num_cpus": workers,
            "port": free_port(), "host": "127.0.0.1",
            "database_url": database_url, "ray_address": "", "search_spaces_dir": None,
        }  # fmt: skip
        own = settings.model_copy(update=changes)
        started = time.perf_counter()
        log = folder / "serve.log"
        with _process(own, log) as process, Client(f"http://127.0.0.1:{own.port}") as client:
            _wait_until_ready(client, process, log)
            taken = time.perf_counter() - started
            yield RunningService(own, client, psutil.Process(process.pid), taken)


@contextmanager
def _process(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    argbest = Path(sys.executable).with_name("argbest")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ARGBEST_", "RAY_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [argbest, "serve"],
            env=kept | settings.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        stop(process, settings.data_dir, patience_s=STOP_SECONDS)


def stop(process: subprocess.Popen[bytes], folder: Path, *, patience_s: float) -> None:
    """Stop the service of a data folder; kill it after ``patience_s``, and what it leaves behind.

    A service that had to be killed is noted on stderr; an error would hide the first one.
    """
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        print(f"argbest serve did not stop in {patience_s:g} s: killed", file=sys.stderr)
        process.kill()
        process.wait()
    left = with_variable("ARGBEST_DATA_DIR", str(folder))
    kill_all(left)
    psutil.wait_procs(left)


def _wait_until_ready(client: Client, process: subprocess.Popen[bytes], log: Path) -> None:
    address = client.base_url.partition("//")[2]
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if is_reachable(address) and client.readiness().status == "ok":
            return
        time.sleep(POLL_SECONDS)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise BenchmarkError(f"argbest serve was not ready after {START_SECONDS:g} s or ended:\n{tail}")
