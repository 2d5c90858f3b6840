"""The verdict on a search's winner, from what the service says of its further seeds."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pypdf

from handin import compose
from handin.confirmation import confirmation
from handin.wording import Table
from results.conclusion import conclusion
from results.records import TrialRecord
from results.states import Purpose, TrialState
from tests.handin.handin_runs import GENERATED_AT, VERSIONS, make_answers


def confirmed(answer, *accuracies):
    """Add to an answer what the service would say of these accuracies by configuration and seed."""
    results = answer.results
    trials, number = [], len(results.trials)
    for configuration, values in accuracies:
        for seed, value in enumerate(values, start=43):
            trials.append(
                TrialRecord(
                    number + len(trials), TrialState.SUCCEEDED,
                    results.trials[configuration].parameters, seed,
                    {"validation_accuracy": value, "test_accuracy": value - 0.01}, epochs=20,
                    purpose=Purpose.CONFIRM, configuration=configuration,
                )
            )  # fmt: skip
    said = conclusion(replace(results, confirming=tuple(trials)))
    report = {**answer.report, "confirmation": json.loads(json.dumps(said["confirmation"]))}
    return replace(answer, report=report)


def test_a_search_that_was_not_confirmed_has_no_verdict():
    answer = make_answers()["Q4.2"]
    assert confirmation(answer) == []
    spec = {**answer.spec, "confirm": {"top": 3, "seeds": 5}}
    (text,) = confirmation(replace(answer, job={**answer.job, "spec": spec}))
    assert text == "Is the winner real? Nothing else succeeded with which it could be compared."


def test_the_verdict_the_candidates_and_the_test_figures_of_the_winner():
    answer = confirmed(
        make_answers()["Q4.2"],
        (1, (0.888, 0.891, 0.889, 0.890, 0.892)),
        (6, (0.870, 0.872, 0.871, 0.869, 0.873)),
        (0, (0.860, 0.861, 0.859)),
    )
    text, table, test = confirmation(answer)
    assert text.startswith("Is the winner real? Trial 1 (learning rate 0.001) wins: its validation")
    assert "Student's t-intervals" in text
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["1", "6", "0"]
    assert table.rows[0][2:6] == ["0.8900", "5", "0.8900", "0.001581"]
    assert table.emphasized == [0]
    assert test == (
        "The winner on the test data, over these seeds: test accuracy 0.8800 (mean of 5, standard "
        "deviation 0.001581)."
    )


def test_the_pdf_has_the_verdict_of_each_question():
    answers = make_answers()
    close = ((0, (0.86, 0.87, 0.865)), (1, (0.87, 0.86, 0.866)))
    for question in ("Q4.1", "Q4.3"):
        answers[question] = confirmed(answers[question], *close)
    document = compose(answers, versions=VERSIONS, generated_at=GENERATED_AT)
    pages = pypdf.PdfReader(io.BytesIO(document)).pages
    text = " ".join(" ".join(page.extract_text().split()) for page in pages)
    assert text.count("Is the winner real?") == 2
    assert text.count("These 2 cannot be told apart") == 2
