"""The process in which a user's trainable runs: ``python -m service.engine.child IN OUT``.

IN and OUT are file descriptors of pipes. It reads what to train from IN, one JSON object, and
writes each message to OUT, one line of JSON. The user's code runs in the main thread.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from results.spec import JobSpec
from service.engine.failures import failure_of_trial
from service.engine.messages import Assignment, Failed, Finished, Message, to_result
from service.engine.training import TrialContext, train_trial

_PR_SET_PDEATHSIG = 1


def to_request(assignment: Assignment, context: TrialContext) -> str:
    """Return the JSON that :func:`main` reads."""
    folders = {"datasets_dir": context.datasets_dir, "fashion_mnist_dir": context.fashion_mnist_dir}
    return json.dumps(
        {
            "assignment": asdict(assignment),
            "spec": context.spec.to_json(),
            **{name: None if path is None else str(path) for name, path in folders.items()},
        }
    )


def _from_request(request: dict[str, Any]) -> tuple[Assignment, TrialContext]:
    fashion_mnist = request["fashion_mnist_dir"]
    context = TrialContext(
        JobSpec.from_json(request["spec"]),
        Path(request["datasets_dir"]),
        None if fashion_mnist is None else Path(fashion_mnist),
    )
    return Assignment(**request["assignment"]), context


def _seed_generators(seed: int) -> None:
    """Seed the global random generators of Python, and of numpy and torch if they are loaded."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def main(arguments: Sequence[str]) -> None:
    """Train the trial that is read, and send how it went."""
    if sys.platform == "linux":  # do not outlive the trial process, however that ends
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    source, target = map(int, arguments)
    with os.fdopen(source, encoding="utf-8") as requests:
        assignment, context = _from_request(json.load(requests))
    os.set_inheritable(target, False)  # noqa: FBT003 - no program that it runs may write there
    reports = os.fdopen(target, "w", encoding="utf-8")

    def send(message: Message) -> None:
        reports.write(json.dumps(to_result(message)) + "\n")
        reports.flush()

    seed = assignment.seed
    try:
        train_trial(assignment, context, send, prepare=lambda: _seed_generators(seed))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it fails the trial
        send(Failed(failure_of_trial(error)))
    else:
        send(Finished())


if __name__ == "__main__":
    main(sys.argv[1:])
