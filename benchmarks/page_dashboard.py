"""optuna-dashboard on a study of the same trials, for comparison."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.page_browser import new_tab
from benchmarks.page_jobs import METRICS, batches, new_trials, report
from benchmarks.page_servers import wait_for
from benchmarks.records import Figure
from tools.ports import free_port

STUDY = "many"


def measure(folder: Path, trials: int, epochs: int) -> list[Figure]:
    """Return what optuna-dashboard takes; nothing where it is not installed."""
    if importlib.util.find_spec("optuna_dashboard") is None:
        return []
    journal = folder / "study.log"
    _fill(journal, trials, epochs)
    what = f"optuna-dashboard, {trials:,} trials x {epochs} epochs"
    with _running(journal) as address, new_tab() as tab:
        tab.open(f"{address}/dashboard/studies/1")
        plots_ms = tab.wait(".js-plotly-plot .main-svg")
        paint_ms, received, heap = tab.first_paint_ms(), tab.received, tab.heap_bytes()
    return [
        Figure(f"{what}: first paint", "ms", (paint_ms,)),
        Figure(f"{what}: first plot is there", "ms", (plots_ms,)),
        Figure(f"{what}: bytes until the first plot", "MB", (received / 1e6,)),
        Figure(f"{what}: memory of the page's objects", "MB", (heap / 1e6,)),
    ]


def _fill(journal: Path, trials: int, epochs: int) -> None:
    """Write the study; a database of Optuna's takes a millisecond for each epoch."""
    import optuna
    from optuna.distributions import CategoricalDistribution as Choice
    from optuna.distributions import FloatDistribution as Float
    from optuna.distributions import IntDistribution as Whole
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.create_study(storage=storage, study_name=STUDY, direction="maximize")
    domains = {
        "learning_rate": Float(1e-5, 0.1, log=True), "dropout": Float(0.0, 0.6),
        "hidden_size": Whole(16, 512), "activation": Choice(["relu", "tanh"]),
        "optimizer": Choice(["sgd", "adam"]), "layers": Choice([1, 2, 3]),
    }  # fmt: skip
    metric = METRICS[1]
    for some in batches(new_trials(trials)):
        study.add_trials(
            optuna.trial.create_trial(
                params={name: trial.parameters[name] for name in domains},
                distributions=domains,
                value=report(trial, epochs).metrics[metric],
                intermediate_values={
                    epoch: report(trial, epoch).metrics[metric] for epoch in range(1, epochs + 1)
                },
            )
            for trial in some
        )


@contextmanager
def _running(journal: Path) -> Iterator[str]:
    port = free_port()
    program = Path(sys.executable).with_name("optuna-dashboard")
    command = [str(program), str(journal), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
