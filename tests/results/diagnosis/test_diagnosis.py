from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from results.analysis import JobResults
from results.diagnosis import RULES, diagnose
from results.states import JobState
from tests.results import fakes, generated


def test_a_job_that_runs_is_not_diagnosed() -> None:
    job = fakes.sampled()
    assert diagnose(JobResults.of(*job))
    running = replace(job.job, state=JobState.RUNNING)
    assert diagnose(JobResults.of(running, *job[1:])) == ()


def test_findings_come_in_the_order_of_the_rules() -> None:
    found = [finding.rule for finding in diagnose(JobResults.of(*fakes.sampled(12)))]
    names = [
        "best_on_bound",
        "diverges",
        "no_effect",
        "few_trials",
        "within_noise",
        "rungs_mislead",
    ]
    assert found == sorted(found, key=names.index)
    assert len(names) == len(RULES)


@given(job=generated.job_results())
@settings(max_examples=150, deadline=None)
def test_no_job_breaks_a_rule(job: JobResults) -> None:
    for rule in RULES:
        for finding in rule(job):
            assert finding.detail.endswith(".")
            assert finding.hint.endswith(".")
