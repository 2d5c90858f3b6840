"""Options of a submission that say how its search goes on and ends."""

from __future__ import annotations

import pytest

from tests.service.cli.commands import body, run
from tests.service.fake_api import FakeApi


def test_every_option_is_sent_as_the_search_space_has_it(api: FakeApi) -> None:
    options = [
        "--objective", "accuracy=max", "--objective", "seconds=min",
        "--constraint", "model_bytes<=1e6", "--constraint", " accuracy >= 0.5",
        "--scheduler", "{name: asha, min_epochs: 2}",
        "--budget", "seconds=60", "--budget", "target=0.9",
        "--enqueue", "{rate: 0.1}", "--enqueue", "{rate: 1e-2}",
        "--warm-start", "0123", "--repeats", "3", "--confirm", "{top: 2}",
    ]  # fmt: skip
    assert run(api, "submit", "q3_mlp", *options).exit_code == 0
    assert body(api) == {
        "search_space": "q3_mlp",
        "objectives": [
            {"metric": "accuracy", "mode": "max"}, {"metric": "seconds", "mode": "min"}
        ],
        "constraints": [
            {"metric": "model_bytes", "at_most": 1e6}, {"metric": "accuracy", "at_least": 0.5}
        ],
        "scheduler": {"name": "asha", "min_epochs": 2},
        "budget": {"seconds": 60, "target": 0.9},
        "enqueue": [{"rate": 0.1}, {"rate": 0.01}],
        "warm_start": ["0123"],
        "repeats": 3,
        "confirm": {"top": 2},
    }  # fmt: skip


def test_what_is_not_given_is_not_sent_and_no_is_sent(api: FakeApi) -> None:
    assert run(api, "submit", "q3_mlp").exit_code == 0
    assert body(api) == {"search_space": "q3_mlp"}
    assert run(api, "submit", "q3_mlp", "--confirm", "false", "--scheduler", "none").exit_code == 0
    assert body(api) == {"search_space": "q3_mlp", "confirm": False, "scheduler": "none"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--objective", "accuracy"], "METRIC=MODE, like validation_accuracy=max"),
        (["--budget", "5"], "'5' is not NAME=VALUE, like epochs=500"),
        (["--scheduler", "{name:asha}"], 'the space after ":" is missing: name: asha'),
        (["--objective", "loss=min", "--objective", "loss=max"], "loss is given twice"),
        (["--constraint", "seconds<60"], "is not METRIC<=N or METRIC>=N"),
        (["--constraint", "seconds<=.nan"], "not usable"),
        (["--scheduler", "{name: asha"], "not usable: line 1"),
        (["--enqueue", "{a: 1, a: 2}"], "twice"),
        (["--repeats", "many"], "not a valid integer"),
    ],
)
def test_bad_options_are_usage_errors(api: FakeApi, arguments: list[str], message: str) -> None:
    result = run(api, "submit", "q3_mlp", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert api.requests == []
