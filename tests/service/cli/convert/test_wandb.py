from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.cli.convert.converting import converted

HEAD = "program: train.py\nmethod: random\nmetric: {name: val/loss, goal: minimize}\nparameters:\n"


@pytest.mark.parametrize(
    ("declared", "domain", "said"),
    [
        ("{value: 3}", 3, ""),
        ("7", 7, ""),
        ("{values: [a, b]}", {"values": ["a", "b"]}, ""),
        ("{values: [{a: 1}, b]}", {"values": ['{"a": 1}', "b"]}, "JSON text"),
        ("{values: [1, 2], probabilities: [0.3, 0.7]}", {"values": [1, 2]}, "probabilities"),
        ("{values: [[1, 2], [3]]}", {"values": [[1, 2], [3]]}, ""),
        ("{min: 1, max: 5}", {"low": 1, "high": 5}, ""),
        ("{min: 0.5, max: 5}", {"low": 0.5, "high": 5.0}, ""),
        ("{distribution: uniform, min: 1, max: 5}", {"low": 1.0, "high": 5.0}, ""),
        ("{distribution: q_uniform, min: 0.05, max: 1, q: 0.1}",
         {"low": 0.0, "high": 1.0, "step": 0.1}, ""),
        ("{distribution: log_uniform_values, min: 1e-4, max: 0.1}",
         {"low": 1e-4, "high": 0.1, "log": True}, ""),
        ("{distribution: log_uniform, min: 0, max: 2.302585093}",
         {"low": 1.0, "high": 10.0, "log": True}, "exponents"),
        ("{distribution: q_log_uniform_values, q: 8, min: 32, max: 256}",
         {"low": 32, "high": 256, "log": True}, "not rounded"),
        ("{distribution: inv_log_uniform_values, min: 0.1, max: 10}",
         {"low": 0.1, "high": 10.0, "log": True}, "inv_log_uniform_values"),
        ("{distribution: normal, mu: 1, sigma: 2}", {"low": -5.0, "high": 7.0}, "normal"),
        ("{distribution: q_normal, mu: 1, sigma: 2, q: 1}",
         {"low": -5, "high": 7}, "normal"),
        ("{distribution: log_normal, mu: 0, sigma: 1}",
         {"low": 0.0498, "high": 20.1, "log": True}, "log-normal"),
        ("{distribution: beta, a: 2, b: 3}", {"low": 0.0, "high": 1.0}, "beta"),
    ],
)  # fmt: skip
def test_every_kind_of_parameter(tmp_path: Path, declared: str, domain: object, said: str) -> None:
    found = converted(tmp_path, f"{HEAD}  x: {declared}\n")
    assert found.space["parameters"] == {"x": domain}
    assert said in " ".join([*found.lost, *found.notes])


def test_a_whole_sweep(tmp_path: Path) -> None:
    found = converted(
        tmp_path,
        """
program: train.py
name: ResNet, tuned
method: bayes
metric: {name: val/loss, goal: maximize, target: 0.9}
run_cap: 40
entity: us
parameters:
  epochs: {value: 27}
  optimizer: {parameters: {beta: {values: [0.9, 0.99]}}}
  amp: {values: [true, false]}
early_terminate: {type: hyperband, s: 2, eta: 3, max_iter: 27, strict: true}
command: ["${env}", DEBUG=1, "${interpreter}", "${program}", "{x}", "${args_no_boolean_flags}"]
""",
    )
    assert found.space == {
        "name": "resnet_tuned",
        "title": "ResNet, tuned",
        "command": ["python", "train.py", "{{x}}", "--epochs={epochs}", "{args}"],
        "code": ".",
        "environment": {"DEBUG": "1"},
        "flags": {"amp": {"true": "--amp", "false": ""}},
        "epochs": 27,
        "metric": "val/loss",
        "mode": "max",
        "strategy": "tpe",
        "trials": 40,
        "scheduler": {"name": "asha", "reduction_factor": 3, "min_epochs": 3, "stops": True},
        "budget": {"target": 0.9},
        "parameters": {
            "optimizer.beta": {"values": [0.9, 0.99]},
            "amp": {"values": [True, False]},
        },
    }
    assert "entity" in found.lost
    assert "early_terminate: strict" in found.lost
    assert any("wandb.log" in note for note in found.notes)


@pytest.mark.parametrize(
    ("macro", "words", "flags"),
    [
        ("${args}", ["{args}"], {"true": "--amp=True", "null": "--amp=None"}),
        ("${args_no_hyphens}", ["{amp}"], {"true": "amp=true", "null": "amp=null"}),
        ("${args_json_file}", ["{config}"], None),
        ("${args_json}", ["{config}"], None),
    ],
)
def test_the_macros_of_a_command(
    tmp_path: Path, macro: str, words: list[str], flags: dict[str, str] | None
) -> None:
    command = f'command: ["${{program}}", "{macro}"]\n'
    found = converted(tmp_path, f"{HEAD}  amp: {{values: [true, null]}}\n{command}")
    assert found.space["command"] == ["train.py", *words]
    assert found.space.get("flags") == ({"amp": flags} if flags else None)


def test_a_grid_of_a_range_is_drawn_instead(tmp_path: Path) -> None:
    text = HEAD.replace("random", "grid") + "  x: {min: 0.1, max: 0.5}\n"
    found = converted(tmp_path, text)
    assert found.space["strategy"] == "auto"
    assert any("auto instead of grid" in note for note in found.notes)
