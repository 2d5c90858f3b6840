from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from pypdf import PdfReader

from results import report
from results.analysis import JobResults
from results.report.winner import (
    confirmation_table,
    spent_table,
    winner_tables,
    winner_test_table,
)
from results.states import JobState, TrialState
from search_spaces import Constraint
from tests.results import fakes
from tests.results.report.made import built

VALUES = {1: [0.88, 0.89, 0.87], 2: [0.85, 0.86, 0.84], 0: [0.82, None]}
JOB = fakes.confirming(fakes.feedforward(2), VALUES)
RESULTS = JobResults.of(*JOB)


def test_candidates_best_first_and_how_each_stands() -> None:
    table = confirmation_table(RESULTS)
    assert table.title == "Confirmation: Validation accuracy with further seeds"
    names = [row[0] for row in table.rows]
    assert names[0] == "Trial 1 (learning rate 0.001)"
    assert names[2] == "The defaults (trial 0)"
    assert [row[-1] for row in table.rows] == ["wins", "clearly worse", "failed"]
    assert table.rows[0][2:6] == ("3", "0.8800", "0.0100", "0.8552 to 0.9048")
    assert table.rows[2][2:6] == ("1 (1 failed)", "0.8200", "", "")
    assert table.highlight == 0


def test_the_test_metric_is_the_winners() -> None:
    assert [row[:2] for row in winner_test_table(RESULTS).rows] == [("Test accuracy", "0.8700")]


def test_what_was_spent() -> None:
    assert spent_table(RESULTS).rows == (
        ("Useful", "7", "14", "21 s"),
        ("Confirming", "8", "16", "24 s"),
        ("Total", "15", "30", "45 s"),
    )
    stopped = replace(JOB.trials[3], state=TrialState.STOPPED, epochs=1)
    trials = [*JOB.trials[:3], stopped, *JOB.trials[4:7]]
    searched = JobResults.of(JOB.job, trials, (), {}, {2: (3, 4.5)})
    assert [row[0] for row in spent_table(searched).rows] == [
        "Useful", "Stopped", "Repeated", "Total",
    ]  # fmt: skip
    assert spent_table(searched).rows[2] == ("Repeated", "1", "3", "4.5 s")


def test_a_plain_search_has_none_of_these_tables() -> None:
    assert winner_tables(JobResults.of(*fakes.feedforward(2))) == []


def test_every_format_says_whether_the_winner_is_real() -> None:
    made = built(JOB)
    page = report.render(made, "html", {}).decode()
    assert '<p class="verdict">Trial 1 (learning rate 0.001) wins' in page
    assert "Confirmation: Validation accuracy with further seeds" in page
    assert "Trial 1 (learning rate 0.001) wins" in report.render(made, "md", {}).decode()
    pages = PdfReader(BytesIO(report.render(made, "pdf", {}))).pages
    text = " ".join("".join(page.extract_text() for page in pages).split())
    assert "Trial 1 (learning rate 0.001) wins" in text


def test_every_format_lists_what_to_look_at() -> None:
    made = built(fakes.sampled(12))
    assert made.content["diagnosis"]
    sentence = "a rule of thumb asks for 10 each"
    assert sentence in report.render(made, "html", {}).decode()
    assert sentence in report.render(made, "md", {}).decode()
    pages = PdfReader(BytesIO(report.render(made, "pdf", {}))).pages
    text = " ".join("".join(page.extract_text() for page in pages).split())
    assert sentence in text


def test_a_trial_that_breaks_a_constraint_is_not_called_failed() -> None:
    limit = (Constraint("validation_accuracy", at_most=0.875),)
    spec = replace(JOB.job.spec, space=replace(JOB.job.spec.space, constraints=limit))
    table = confirmation_table(JobResults.of(replace(JOB.job, spec=spec), *JOB[1:]))
    broken = next(row for row in table.rows if row[0].startswith("Trial 1 "))
    assert broken[2] == "1 (2 break a constraint)"
    assert broken[-1] == "breaks a constraint"


def test_a_candidate_without_a_result_has_not_failed_and_nobody_wins() -> None:
    job = fakes.confirming(fakes.feedforward(2), {1: [0.88], 2: [0.85]})
    last = replace(job.trials[-1], state=TrialState.CANCELLED, metrics={})
    cancelled = replace(job.job, state=JobState.CANCELLED)
    table = confirmation_table(JobResults.of(cancelled, [*job.trials[:-1], last], *job[2:]))
    assert [row[-1] for row in table.rows] == ["cannot be told apart", "no result"]
