"""Submits a search, follows it and prints the result.

    argbest serve &
    python examples/submit_and_wait.py [URL]

Six short trainings of a regression network on the Ames data: three learning rates, two widths. The
largest rate diverges for the wider network: that trial fails, the job goes on without it.
"""

from __future__ import annotations

import sys
from typing import Any

from argbest import Client

BODY: dict[str, Any] = {
    "search_space": "q2_neural_regression",
    "strategy": "grid",
    "epochs": 5,
    "parameters": {
        "learning_rate": {"values": [0.0003, 0.001, 0.003]},
        "hidden_size": {"values": [50, 150]},
    },
    "tags": {"example": "submit_and_wait"},
}


def search(client: Client) -> int:
    """Run the search over ``client`` and return an exit status: 0 if it succeeded."""
    job = client.submit(BODY)
    print(f"job {job.id}: {job.progress.trials} trials")
    for event in client.events(job.id, timeout=600):
        if event.kind == "job":
            job = event.data
            progress = job.progress
            print(f"{job.state}: {progress.epochs_done} of {progress.epochs_total} epochs")
    if not job.has_succeeded:
        print(f"it ended {job.state}: {job.error}", file=sys.stderr)
        return 1
    show(client, job.id)
    return 0


def show(client: Client, job_id: str) -> None:
    """Print the best configuration and, for each trial, its last metrics or its error."""
    best = client.best(job_id)
    print(f"best: trial {best.trial} with {best.parameters}")
    for trial in client.trials(job_id):
        outcome = trial.error.message if trial.error else trial.metrics
        print(trial.number, trial.state, trial.parameters, outcome)


def main(arguments: list[str]) -> int:
    """Search on the server that the first argument names, or on this machine's."""
    with Client(*arguments[:1]) as client:
        return search(client)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
