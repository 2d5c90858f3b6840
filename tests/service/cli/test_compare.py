"""The command that compares jobs."""

from __future__ import annotations

import json
from typing import Any

from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi


def compared(number: int, **changes: Any) -> dict[str, Any]:
    progress = {
        "trials": 3,
        "finished": 3,
        "failed": 0,
        "running": 0,
        "epochs_done": 9,
        "epochs_total": 9,
    }
    best = {
        "trial": 1,
        "parameters": {"rate": 0.1 * number},
        "metric": "accuracy",
        "value": 0.5,
        "metrics": {},
    }
    course = {
        "trials": [1, 2, 3],
        "epochs": [3, 6, 9],
        "seconds": [10, 125, 130],
        "best": [0.4, 0.5, 0.5],
    }
    job = {
        "id": f"j{number}", "name": "rates", "state": "succeeded", "seed": number,
        "metric": "accuracy", "mode": "max", "label": "Accuracy", "progress": progress,
        "best": best, "course": course,
        "spread": {"values": [], "shares": []},
    }  # fmt: skip
    return {**job, **changes}


ANSWER = {
    "jobs": [compared(1), compared(2)],
    "differences": [
        {"pointer": "/seed", "values": [1, 2]},
        {"pointer": "/budget", "values": [None, {"epochs": 9}]},
    ],
    "repeats": [{"jobs": ["j1", "j2"], "final": 0.5, "deviation": 0.125, "bands": {}}],
}


def test_jobs_their_differences_and_their_best_configurations(api: FakeApi) -> None:
    api.canned = [(200, {}, json.dumps(ANSWER).encode())]
    result = run(api, "compare", "j1", "j2")
    assert result.exit_code == 0, result.stderr
    assert api.paths("GET") == ["/api/v1/compare"]
    lines = [line.split() for line in result.stdout.splitlines() if line]
    assert lines[1][:5] == ["j1", "rates", "succeeded", "1", "3/3"]
    assert "2 min 05 s" in result.stdout  # until the best value was there
    assert lines[3] == ["DIFFERS", "J1", "J2"]  # the names are alike
    assert lines[4:6] == [["/seed", "1", "2"], ["/budget", "-", '{"epochs":', "9}"]]
    assert lines[6:] == [["BEST_PARAMETERS", "J1", "J2"], ["rate", "0.1", "0.2"]]
    assert "j1, j2 differ only in their seed: 0.5000 ± 0.1250 (n = 2)" in result.stderr


def test_the_api_s_json_and_jobs_without_a_best_configuration(api: FakeApi) -> None:
    empty = {"trials": [], "epochs": [], "seconds": [], "best": []}
    jobs = [compared(n, name=f"n{n}", best=None, course=empty) for n in (1, 2)]
    answer = json.dumps({"jobs": jobs, "differences": [], "repeats": []}).encode()
    api.canned = [(200, {}, answer), (200, {}, answer)]
    assert json.loads(run(api, "compare", "j1", "j2", "--json").stdout)["jobs"][1]["name"] == "n2"
    lines = run(api, "compare", "j1", "j2").stdout.splitlines()
    assert [line.split()[-2:] for line in lines[1:]] == [["-", "-"], ["-", "-"]]
