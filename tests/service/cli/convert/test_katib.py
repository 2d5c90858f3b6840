from __future__ import annotations

import re
from pathlib import Path

import pytest

from search_spaces.yaml_files import dump_yaml, load_yaml
from tests.service.cli.convert.converting import converted

EXPERIMENT = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {namespace: kubeflow, name: bayesian-optimization}
spec:
  objective:
    type: maximize
    goal: 0.99
    objectiveMetricName: Validation-accuracy
    additionalMetricNames: [Train-accuracy]
  algorithm:
    algorithmName: bayesianoptimization
    algorithmSettings: [{name: random_state, value: "10"}, {name: base_estimator, value: GP}]
  earlyStopping:
    algorithmName: medianstop
    algorithmSettings: [{name: min_trials_required, value: "3"}, {name: start_step, value: "4"}]
  parallelTrialCount: 3
  maxTrialCount: 12
  maxFailedTrialCount: 3
  resumePolicy: Never
  parameters:
    - {name: lr, parameterType: double, feasibleSpace: {min: "0.01", max: "0.03"}}
    - {name: num-layers, parameterType: int, feasibleSpace: {min: "2", max: "6", step: "2"}}
    - {name: optimizer, parameterType: categorical, feasibleSpace: {list: [sgd, "1"]}}
    - {name: momentum, parameterType: discrete, feasibleSpace: {list: ["0.5", "0.9"]}}
    - name: decay
      parameterType: double
      feasibleSpace: {min: "1e-5", max: "1e-2", distribution: logUniform}
  trialTemplate:
    primaryContainerName: main
    trialParameters:
      - {name: learningRate, reference: lr}
      - {name: layers, reference: num-layers}
    trialSpec:
      apiVersion: kubeflow.org/v1
      kind: PyTorchJob
      spec:
        replicas:
          template:
            spec:
              containers:
                - {name: sidecar, command: [sleep]}
                - name: main
                  image: docker.io/mnist:1
                  command: [python3, mnist.py]
                  args: ["--lr=${trialParameters.learningRate}", "--set={a}",
                         "${trialParameters.layers}"]
                  env: [{name: MODE, value: "l${trialParameters.layers}"},
                        {name: SECRET, valueFrom: {secretKeyRef: {name: x}}}]
                  resources: {limits: {cpu: 1}}
"""


def test_a_whole_experiment(tmp_path: Path) -> None:
    found = converted(tmp_path, EXPERIMENT)
    patterns = found.space.pop("patterns")
    assert found.space == {
        "name": "bayesian-optimization",
        "title": "bayesian-optimization",
        "command": ["python3", "mnist.py", "--lr={lr}", "--set={{a}}", "{num-layers}"],
        "code": ".",
        "environment": {"MODE": "l{num-layers}"},
        "early_end": True,
        "epochs": 100,
        "metric": "Validation-accuracy",
        "mode": "max",
        "strategy": "gp",
        "trials": 12,
        "scheduler": {"name": "median", "min_trials": 3, "min_epochs": 4},
        "budget": {"target": 0.99, "failed_trials": 4},
        "parameters": {
            "lr": {"low": 0.01, "high": 0.03},
            "num-layers": {"low": 2, "high": 6, "step": 2},
            "optimizer": {"values": ["sgd", "1"]},
            "momentum": {"values": [0.5, 0.9]},
            "decay": {"low": 1e-5, "high": 1e-2, "log": True},
        },
    }
    printed = "{metricName: x} Validation-accuracy=0.9213e-1;Train-accuracy = 1"
    assert re.findall(patterns["Validation-accuracy"], printed) == ["0.9213e-1"]
    assert re.findall(patterns["Train-accuracy"], printed) == ["1"]
    assert set(found.lost) == {
        "spec.resumePolicy",
        "algorithm setting base_estimator",
        "image docker.io/mnist:1: the program runs in the nodes' own environment",
        "environment variable SECRET from the cluster",
    }
    notes = "\n".join(found.notes)
    for told in ("--seed 10", "--max-concurrent-trials 3", "--cpus", "momentum: the command does"):
        assert told in notes


def test_hyperband_gives_the_epochs_to_the_scheduler(tmp_path: Path) -> None:
    raw = load_yaml(EXPERIMENT).value
    spec = raw["spec"]
    del spec["earlyStopping"]
    settings = [("r_l", "9"), ("eta", "3"), ("resource_name", "num-layers")]
    spec["algorithm"] = {
        "algorithmName": "hyperband",
        "algorithmSettings": [{"name": name, "value": value} for name, value in settings],
    }
    found = converted(tmp_path, dump_yaml(raw))
    assert found.space["scheduler"] == {"name": "hyperband", "reduction_factor": 3}
    assert found.space["epochs"] == 9
    assert found.space["command"][-1] == "{epochs}"
    assert found.space["environment"] == {"MODE": "l{epochs}"}
    assert "num-layers" not in found.space["parameters"]


@pytest.mark.parametrize(
    ("name", "strategy"), [("grid", "auto"), ("enas", "auto"), ("cmaes", "auto"), ("tpe", "tpe")]
)
def test_a_strategy_that_can_do_what_the_space_needs(
    tmp_path: Path, name: str, strategy: str
) -> None:
    raw = load_yaml(EXPERIMENT).value
    raw["spec"]["algorithm"] = {"algorithmName": name}
    assert converted(tmp_path, dump_yaml(raw)).space["strategy"] == strategy


def test_a_template_without_a_command_gets_one(tmp_path: Path) -> None:
    raw = load_yaml(EXPERIMENT).value
    raw["spec"]["trialTemplate"] = {}
    found = converted(tmp_path, dump_yaml(raw))
    assert found.space["command"][:3] == ["python", "train.py", "--lr={lr}"]
