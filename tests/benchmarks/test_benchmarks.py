"""The benchmarks measure what they say and show what they measured; no time is tested."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import astuple, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from fastapi.testclient import TestClient

from benchmarks import __main__ as command
from benchmarks import bare_pool, engines, machine, service_figures, torch_engines
from benchmarks.records import BenchmarkError, EngineRow, Figure, Part
from benchmarks.service_figures import FEW, FULL, Walls
from benchmarks.service_process import RunningService, TimedJob, stop
from benchmarks.tables import BEGIN, END, markdown, update_page
from benchmarks.targets import ENGINES, LIMITS, outcomes
from service.api import create_app
from service.schemas import JobView, ProgressView
from service.settings import Settings
from tests.databases import migrated_store
from tests.real_data import DATASETS, ensure_fashion_mnist
from tests.trainables.synthetic import image_data
from trainables import datasets, registry
from trainables.torch_devices import Images
from trainables.torch_optimizers import Optimizer

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
STAMP = {
    "date": "2026-11-23T12:00:00Z",
    "command": "python -m benchmarks --quick",
    "cpu": "A processor",
    "cores": 2,
    "memory_bytes": 25_000_000_000,
    "system": "Linux 6.1",
    "versions": {"python": "3.11.7", "numpy": "2.4.6"},
    "load": [0.04, 1.26, 12.0],
}
NUMPY = Part(
    "numpy",
    STAMP,
    (EngineRow("network, 784-200-10", "compiled", 263.4, 14.6, 18.04, 17.0, 19.96, 3),),
    (Figure("peak memory", "MB", (295.6,)),),
)
SERVICE = Part(
    "service",
    STAMP,
    (),
    (Figure("submit to done", "s", (2.5, 2.0, 4.0)), Figure("service / bare pool", "", (1.26,))),
)
MARKDOWN = """\
### Engines of the numpy trainables

`python -m benchmarks --quick`, 2026-11-23T12:00:00Z; A processor, 2 cores, 25 GB, Linux 6.1; \
python 3.11.7, numpy 2.4.6; load before (1, 5, 15 minutes): 0.0, 1.3, 12.0.

| workload | engine | plain µs/step | µs/step | steps/s | x plain | low - high |
| --- | --- | --- | --- | --- | --- | --- |
| network, 784-200-10 | compiled | 263 | 14.6 | 68,493 | 18.0 | 17.0 - 20.0 |

| figure | median | low - high | times |
| --- | --- | --- | --- |
| peak memory | 296 MB |  | 1 |

### The service

`python -m benchmarks --quick`, 2026-11-23T12:00:00Z; A processor, 2 cores, 25 GB, Linux 6.1; \
python 3.11.7, numpy 2.4.6; load before (1, 5, 15 minutes): 0.0, 1.3, 12.0.

| figure | median | low - high | times |
| --- | --- | --- | --- |
| submit to done | 2.5 s | 2 - 4 | 3 |
| service / bare pool | 1.26 |  | 1 |

### Against the targets

| what | target | goal | reached | low - high | verdict |
| --- | --- | --- | --- | --- | --- |
| network, 784-200-10 | 12 | 20 | 18 | 17 - 20 | target |"""


def file_with(folder: Path, *parts: Part) -> Path:
    file = folder / "figures.json"
    content = {"parts": [part.to_json() for part in parts]}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


# --- showing -----------------------------------------------------------------------------------


def test_the_tables_are_drawn_from_json(tmp_path: Path) -> None:
    parts = command.read(file_with(tmp_path, NUMPY, SERVICE))
    assert parts == {"numpy": NUMPY, "service": SERVICE}
    assert markdown(parts.values()) == MARKDOWN


def test_only_what_is_between_the_markers_changes() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter {END}\n"
    updated = update_page(page, [NUMPY, SERVICE])
    assert updated == f"before\n{BEGIN}\n\n{MARKDOWN}\n\n{END}\nafter {END}\n"
    assert update_page(updated, [NUMPY, SERVICE]) == updated


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_page_without_both_markers_is_refused(page: str) -> None:
    with pytest.raises(BenchmarkError, match="measured: begin"):
        update_page(page, [NUMPY])


def test_the_page_shows_the_published_figures() -> None:
    parts = command.read(command.PUBLISHED)
    assert set(parts) == set(command.TITLES)
    page = command.PAGE.read_text(encoding="utf-8")
    assert update_page(page, parts.values()) == page


@ON_LINUX
def test_a_part_measured_anew_replaces_only_itself(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for part in (NUMPY, SERVICE, replace(NUMPY, figures=())):
        source = file_with(tmp_path, part)
        assert command.main(["--from", str(source), "--output", str(out)]) == 0
    kept = command.read(out / "benchmarks.json")
    assert kept == {"numpy": replace(NUMPY, figures=()), "service": SERVICE}
    assert (out / "benchmarks.md").read_text(encoding="utf-8") == markdown(kept.values()) + "\n"


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(11.99, "**missed**"), (12.0, "target"), (19.9, "target"), (20, "goal")]
)
def test_the_verdict_on_an_engine(ratio: float, verdict: str) -> None:
    row = replace(NUMPY.engines[0], ratio=ratio)
    slow = replace(row, engine="eager", ratio=1.0)
    table = markdown([replace(NUMPY, engines=(slow, row))])
    assert table.splitlines()[-1].endswith(f"| {verdict} |")


def test_the_verdict_on_a_limit_is_that_of_the_median() -> None:
    name = next(iter(LIMITS))
    for values, verdict in (((1.0, 1.1, 1.4), "target"), ((1.11,), "missed")):
        (outcome,) = outcomes([replace(SERVICE, figures=(Figure(name, "", values),))])
        assert (outcome.verdict, outcome.high) == (verdict, max(values))


def test_parts_without_targets_have_no_such_section() -> None:
    assert "Against" not in markdown([SERVICE])


def test_every_target_is_of_something_that_is_measured() -> None:
    full = [f"{FEW} x {space}, {epochs} epochs" for space, epochs, _ in FULL.trainings]
    assert [f"{name}: service / (training seconds / 2)" for name in full] == [*LIMITS]
    published = [one.name for one in outcomes(command.read(command.PUBLISHED).values())]
    # The short form of the service's part, which may be published, has the first of them.
    assert published[: len(ENGINES) + 1] == [*ENGINES, *LIMITS][: len(ENGINES) + 1]


# --- measuring ---------------------------------------------------------------------------------


def test_a_part_that_fails_loses_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    kept: list[Part] = []

    def measure(name: str) -> Part:
        if name == "torch":
            raise BenchmarkError("no compiler")
        return {"numpy": NUMPY, "service": SERVICE}[name]

    assert command.measure_each(["numpy", "torch", "service"], measure, kept.append) == 1
    assert kept == [NUMPY, SERVICE]
    assert capsys.readouterr().err == "torch: no compiler\n"
    assert command.measure_each(["numpy"], measure, kept.append) == 0


def test_turns_are_compared_pair_by_pair() -> None:
    """Ratios 10, 4 and 5: their median is 5, whereas the ratio of the medians is 6 / 1.5 = 4."""
    row = EngineRow.of("w", "compiled", [10.0, 6.0, 5.0], [1.0, 1.5, 1.0])
    assert row == EngineRow("w", "compiled", 6.0, 1.0, 5.0, 4.0, 10.0, 3)
    assert row.steps_per_s == 1e6


@ON_LINUX
def test_the_numpy_engines_are_measured_with_one_thread() -> None:
    ensure_fashion_mnist()
    settings = Settings(data_dir=DATASETS.parent)
    rows, memory = engines.measure("benchmarks.numpy_engines", settings, quick=True)
    assert [row.workload.partition(",")[0] for row in rows] == [
        "Ames linear regression", "Ames network", "perceptron", "logistic regression", "network",
    ]  # fmt: skip
    for row in rows:
        numbers = [value for value in astuple(row) if isinstance(value, float)]
        assert len(numbers) == 5
        assert all(math.isfinite(number) and number > 0 for number in numbers)
        assert row.ratio_low <= row.ratio <= row.ratio_high
        assert row.repeats == 3
    assert memory.unit == "MB"
    assert memory.median > 20


@pytest.mark.long
def test_the_torch_engines_are_measured_against_the_plain_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGBEST_CACHE_DIR", str(tmp_path))
    data = image_data(train=90, pixels=torch_engines.FEATURES, classes=torch_engines.CLASSES)
    images = Images.of(data, torch.device("cpu"))
    workload = torch_engines.Workload("logistic", 0, Optimizer("sgd", 0.01), batch_size=2)
    rows = torch_engines.rows(workload, images, torch_engines.Turns(40, 128, 2, 80))
    assert [(row.workload, row.engine) for row in rows] == [
        ("logistic", "eager"), ("logistic", "compiled"),
    ]  # fmt: skip
    assert all(0 < row.ratio < math.inf and row.repeats == 2 for row in rows)
    assert rows[0].plain_us_per_step == rows[1].plain_us_per_step > 0
    assert list((tmp_path / "torch").rglob("784-10-relu-sgd-2.bin"))


def test_an_engines_benchmark_refuses_several_threads() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.numpy_engines"],
        cwd=engines.ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "OMP_NUM_THREADS=1" in done.stderr


def test_a_benchmark_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="bare_pool ended with status 2"):
        engines.run_python("benchmarks.bare_pool", environment={"ARGBEST_DATA_DIR": str(tmp_path)})


@ON_LINUX
def test_the_stamp_says_where_and_with_what() -> None:
    stamp = machine.stamp("python -m benchmarks")
    assert json.loads(json.dumps(stamp)) == stamp
    assert stamp.keys() == STAMP.keys()
    assert set(stamp["versions"]) == {"python", "argbest", "numpy", "numba", "torch", "ray"}
    assert stamp["memory_bytes"] > 1e8
    assert stamp["date"].endswith("Z")


@ON_LINUX
def test_memory_of_processes() -> None:
    mine = machine.pss_bytes([os.getpid()])
    assert 1e7 < mine <= machine.peak_memory_bytes()
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
        assert machine.pss_bytes([os.getpid(), child.pid]) == pytest.approx(mine, rel=0.2)


# --- the service's part ------------------------------------------------------------------------


class Hanging:
    """A client of a service whose job waits for ever."""

    def submit(self, body: Any) -> JobView:
        return self.job("j")

    def job(self, job_id: str) -> JobView:
        progress = ProgressView.model_construct(epochs_done=0)
        return JobView.model_construct(id=job_id, name="slow", state="queued", progress=progress)


def test_a_job_that_never_ends_is_an_error(tmp_path: Path) -> None:
    client: Any = Hanging()
    service = RunningService(Settings(data_dir=tmp_path), client, psutil.Process(), 1.0)
    with pytest.raises(BenchmarkError, match="job slow is still queued after"):
        service.time_job({}, poll_seconds=0.001, most_seconds=0.02)


def test_the_service_s_own_clock() -> None:
    created = datetime.fromisoformat("2026-11-23T12:00:59.750000Z")
    finished = datetime.fromisoformat("2026-11-23T12:01:01Z")
    job = JobView.model_construct(created_at=created, finished_at=finished)
    assert TimedJob(job, [], 0.0, 2.0).recorded_s == 1.25


#: A process that ignores SIGTERM, as its child does in a session of its own.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
code = "import signal, time; print(); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=-1, start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


@ON_LINUX
def test_a_service_that_does_not_stop_is_killed_with_all_it_started(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    environment = {**os.environ, "ARGBEST_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        stop(process, tmp_path, patience_s=0.05)
        assert process.returncode == -signal.SIGKILL
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert "did not stop in 0.05 s: killed" in capfd.readouterr().err


def test_each_further_trial() -> None:
    """50 trials in 7.4 s, one in 2.5 s: the other 49 took 4.9 s."""
    assert service_figures.per_further_trial(2.5, 7.4, 50) == pytest.approx(0.1)


def test_the_cost_of_a_report_leaves_out_what_happens_once() -> None:
    """Code is loaded in 1 s and 0.6 s; 3 ms an epoch in the service, 1 ms bare."""
    served, bare = (1.003, 1.0 + 0.003 * 1000), (0.601, 0.6 + 0.001 * 1000)
    assert service_figures.cost_per_report(served, bare, 1000) == pytest.approx(0.002)


def test_the_overhead_is_compared_pair_by_pair() -> None:
    """Two cores that train 20 s need 10 s; a pool took 11 and 20, the service 14 and 22."""
    bare, served = [Walls(11, 20), Walls(20, 32)], [Walls(14, 20), Walls(22, 32)]
    figures = service_figures.overhead_figures("12 x s", bare, served)
    values = {figure.name.partition(": ")[2]: figure.values for figure in figures}
    assert values["bare pool of 2"] == (11, 20)
    assert values["service, submit to done"] == (14, 22)
    assert values["service / bare pool"] == pytest.approx((14 / 11, 1.1))
    assert values["bare pool / (training seconds / 2)"] == pytest.approx((1.1, 1.25))
    assert values["service / (training seconds / 2)"] == pytest.approx((1.4, 1.375))


def test_other_results_in_the_service_are_an_error() -> None:
    bare = [{"metrics": {"rmse": 0.1}}, {"metrics": {"rmse": 0.2}}]
    service_figures.check_same_results(bare, [{**trial, "number": 0} for trial in bare])
    with pytest.raises(BenchmarkError, match=r"trials \[1\]"):
        service_figures.check_same_results(bare, [bare[0], bare[0]])


@pytest.mark.parametrize("extent", [service_figures.QUICK, service_figures.FULL])
def test_what_is_timed_both_ways_has_been_compiled(extent: service_figures.Extent) -> None:
    assert {space for space, *_ in extent.trainings} <= {space for space, _ in extent.memory}


TRAININGS = {(space, epochs) for space, epochs, _ in FULL.trainings}
JOBS = {("q2_linear_regression", 1), *TRAININGS, *FULL.memory}


@pytest.mark.parametrize(("space", "epochs"), sorted(JOBS))
def test_the_service_accepts_every_job(tmp_path: Path, space: str, epochs: int) -> None:
    settings = Settings(data_dir=tmp_path, ray_address="127.0.0.1:1")
    store = migrated_store(settings.store_url)
    body = service_figures.job_body(space, 50, epochs)
    with TestClient(create_app(settings, store), base_url="http://127.0.0.1:8000") as api:
        answer = api.post("/api/v1/jobs?dry_run=true", json=body)
    store.close()
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert plan["spec"]["epochs"] == epochs
    assert len(plan["configurations"]) == 50
    assert len({one["learning_rate"] for one in plan["configurations"]}) == 50


def test_the_bare_pool_trains_as_the_trainable_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGBEST_DATA_DIR", str(tmp_path))
    name, seen = "numpy_linear_regression", list[dict[str, Any]]()
    rates = [{"learning_rate": 0.001}, {"learning_rate": 0.0005}]
    data = datasets.load("ames", tmp_path)
    for rate in rates:
        metrics: dict[str, Any] = {}
        train = registry.get(name).resolve()
        train(rate, data, lambda epoch, m, into=metrics, **_: into.update(m), epochs=2, seed=42)
        seen.append(metrics)
    spec = {"trainable": name, "dataset": "ames", "epochs": 2, "seed": 42}
    trials = [bare_pool.train(spec, rate) for rate in rates]
    assert [trial["metrics"] for trial in trials] == seen
    assert all(trial["seconds"] > 0 for trial in trials)


#: Tells what a trial of its sees of the machine.
PROBE = """
import os
from trainables.contract import Metric
from trainables.parameters import LinearRegressionParameters
from trainables.registry import Trainable

METRICS = tuple(Metric(name, name, "max", "none") for name in ("gpus_hidden", "threads", "rate"))
PROBE = Trainable("probe", "Probe", "probe:train", ("ames",), METRICS, LinearRegressionParameters)

def train(config, data, report, *, epochs, seed):
    hidden = os.environ["CUDA_VISIBLE_DEVICES"] == ""
    threads = int(os.environ["OMP_NUM_THREADS"])
    report(1, {"gpus_hidden": hidden, "threads": threads, "rate": config["learning_rate"]})
"""


def test_the_bare_pool_has_what_a_trial_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread, and no GPU: the service hides them from trials that ask for none."""
    (tmp_path / "probe.py").write_text(PROBE, encoding="utf-8")
    info = tmp_path / "probe-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probe\nVersion: 1\n")
    group = registry.ENTRY_POINT_GROUP
    (info / "entry_points.txt").write_text(f"[{group}]\nprobe = probe:PROBE\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    spec = {"trainable": "probe", "dataset": "ames", "epochs": 1, "seed": 42}
    rates = [0.001, 0.01, 0.002]
    plan = {"spec": spec, "configurations": [{"learning_rate": rate} for rate in rates]}
    result = service_figures.bare_pool(plan, Settings(data_dir=tmp_path), workers=2)
    found = [trial["metrics"] for trial in result["trials"]]
    assert found == [{"gpus_hidden": True, "threads": 1, "rate": rate} for rate in rates]
    assert result["wall_s"] > max(trial["seconds"] for trial in result["trials"])
