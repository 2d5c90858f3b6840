"""Commands that make, check and move jobs."""

from __future__ import annotations

import json

from tests.service.cli.commands import body, run
from tests.service.fake_api import FakeApi


def test_submit_prints_the_id_alone_on_stdout(api: FakeApi) -> None:
    result = run(api, "submit", "q3_mlp")
    assert (result.exit_code, result.stdout) == (0, "j1\n")
    assert result.stderr == "queued: q3_mlp, 2 trials\n"
    assert body(api) == {"search_space": "q3_mlp"}


def test_refusal_names_every_field_and_its_remedy(api: FakeApi) -> None:
    result = run(api, "submit", "unknown")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "search_space: no search space is called 'unknown'" in result.stderr
    assert "did you mean 'q3_mlp'?" in result.stderr
    assert "parameters.dropout: must be below 1" in result.stderr


def test_submit_as_json_prints_the_job(api: FakeApi) -> None:
    result = run(api, "submit", "q3_mlp", "--json")
    assert json.loads(result.stdout) == api.jobs["j1"]


def test_idempotency_key_is_sent(api: FakeApi) -> None:
    assert run(api, "submit", "q3_mlp", "--idempotency-key", "k1").exit_code == 0
    assert api.requests[-1][4]["Idempotency-Key"] == "k1"


def test_wait_follows_to_success(api: FakeApi) -> None:
    result = run(api, "submit", "q3_mlp", "--wait")
    assert (result.exit_code, result.stdout) == (0, "j1\n")
    assert "job j1: running" in result.stderr
    assert "trial 1 succeeded after 2 epochs, 1.5 s; validation_accuracy=0.8125" in result.stderr
    assert (
        "job j1 succeeded; 2/2 trials, 4/4 epochs; best validation_accuracy=0.8125" in result.stderr
    )


def test_wait_as_json_prints_the_finished_job_once(api: FakeApi) -> None:
    result = run(api, "submit", "q3_mlp", "--wait", "--json")
    assert json.loads(result.stdout)["state"] == "succeeded"


def test_failed_job_is_one_and_says_why(api: FakeApi) -> None:
    result = run(api, "submit", "fails", "--wait")
    assert result.exit_code == 1
    assert "user_error: it broke" in result.stderr
    assert "diverged: train_loss is NaN" in result.stderr


def test_wait_timeout_is_six(api: FakeApi) -> None:
    result = run(api, "submit", "endless", "--wait", "--timeout", "0.2")
    assert (result.exit_code, result.stdout) == (6, "j1\n")
    assert "it goes on" in result.stderr


def test_plan_lists_the_configurations(api: FakeApi) -> None:
    result = run(api, "plan", "q3_mlp")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["TRIAL", "LEARNING_RATE", "OPTIMIZER"],
        ["0", "0.1", "sgd"],
        ["1", "0.01", "-"],
    ]
    assert result.stderr.splitlines() == [
        "2 trials of 2 epochs, strategy grid",
        "objective: validation_accuracy (max)",
    ]
    assert api.jobs == {}


def test_plan_of_a_sampler_shows_the_domains(api: FakeApi) -> None:
    result = run(api, "plan", "q3_mlp", "--strategy", "tpe")
    assert '{"values": [0.1, 0.01]}' in result.stdout
    assert "sampler=tpe seed=42 trials=2" in result.stderr


def test_plan_says_that_configurations_repeat(api: FakeApi) -> None:
    result = run(api, "plan", "few", "--strategy", "tpe")
    assert "only 1 different configuration to draw from: each once\n" in result.stderr


def test_plan_as_json_is_the_answer(api: FakeApi) -> None:
    planned = json.loads(run(api, "plan", "q3_mlp", "--json").stdout)
    assert planned["fingerprint"] == "fp-q3_mlp"


def test_pause_resume_and_retry(api: FakeApi) -> None:
    first, second = api.add_job(), api.add_job()
    paused = run(api, "pause", first["id"], second["id"]).stderr
    assert "job j1 is paused" in paused
    assert "job j2 is paused" in paused
    assert "job j1 is running" in run(api, "resume", "j1").stderr
    refused = run(api, "retry", "j1")
    assert refused.exit_code == 4
    assert "wait for it" in refused.stderr
    api.finish(first)
    assert "job j1 is queued" in run(api, "retry", "j1").stderr
    assert api.paths("POST")[-1] == "/api/v1/jobs/j1/retry-failed"


def test_extend_sends_the_totals_and_names_the_trials_that_begin_again(api: FakeApi) -> None:
    job = api.add_job()
    refused = run(api, "extend", "j1", "--epochs", "4")
    assert (refused.exit_code, "wait for it" in refused.stderr) == (4, True)
    api.finish(job)
    result = run(api, "extend", "j1", "--epochs", "4", "--trials", "9")
    assert (result.exit_code, result.stdout) == (0, "")
    assert body(api) == {"epochs": 4, "trials": 9}
    assert result.stderr.splitlines() == [
        "job j1 is queued: 0/2 trials, 4/4 epochs",
        "no checkpoint, from epoch 1 again: trials 1",
    ]
    api.finish(job)
    extended = json.loads(run(api, "extend", "j1", "--trials", "12", "--json").stdout)
    assert (extended["state"], extended["restarts"]) == ("queued", [])


def test_confirm_asks_for_further_seeds(api: FakeApi) -> None:
    job = api.add_job()
    refused = run(api, "confirm", "j1")
    assert (refused.exit_code, "wait for it" in refused.stderr) == (4, True)
    api.finish(job)
    result = run(api, "confirm", "j1", "--top", "4")
    assert result.exit_code == 0, result.stderr
    assert body(api) == {"top": 4, "seeds": 5}
    assert "job j1 is queued" in result.stderr
    assert "/22 trials" in result.stderr


def test_extend_by_nothing_is_a_usage_error(api: FakeApi) -> None:
    api.finish(api.add_job())
    result = run(api, "extend", "j1")
    assert (result.exit_code, api.paths("POST")) == (2, [])
    assert "say --trials, --epochs or both" in result.stderr


def test_priority_is_sent_and_said(api: FakeApi) -> None:
    api.add_job()
    result = run(api, "priority", "j1", "7")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "job j1 has priority 7\n")
    assert body(api) == {"priority": 7}
    assert json.loads(run(api, "priority", "j1", "8", "--json").stdout)["priority"] == 8


def test_a_search_is_submitted_with_its_priority_and_the_models_to_keep(api: FakeApi) -> None:
    assert run(api, "submit", "q3_mlp", "--priority", "3", "--keep", "0").exit_code == 0
    assert body(api) == {"search_space": "q3_mlp", "priority": 3, "keep": 0}


def test_cancel_and_delete(api: FakeApi) -> None:
    api.add_job()
    refused = run(api, "rm", "j1")
    assert refused.exit_code == 4
    assert "cancel it first" in refused.stderr
    assert "job j1 is cancelled" in run(api, "cancel", "j1").stderr
    assert run(api, "rm", "j1").exit_code == 0
    assert api.jobs == {}
