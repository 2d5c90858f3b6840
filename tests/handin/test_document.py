"""The hand-in as a PDF. The runs are made up from formulas."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys

import pypdf
import pytest

from handin import TASKS, Answer, compose
from handin.document import content
from handin.wording import Table
from tests.handin.handin_runs import GENERATED_AT, SVG, VERSIONS, make_answers

QUESTIONS = [task.question for task in TASKS]


def pdf(answers):
    return compose(answers, versions=VERSIONS, generated_at=GENERATED_AT)


def pdf_pages(document):
    """The text of one page after the other: reading a page takes 0.1 s."""
    for page in pypdf.PdfReader(io.BytesIO(document)).pages:
        yield " ".join(page.extract_text().split())


def pdf_text(answers):
    return " ".join(pdf_pages(pdf(answers)))


@pytest.fixture(scope="module")
def whole_pdf():
    return pdf(make_answers())


@pytest.fixture(scope="module")
def whole_pages(whole_pdf):
    return list(pdf_pages(whole_pdf))


@pytest.fixture(scope="module")
def whole_text(whole_pages):
    return " ".join(whole_pages)


def test_what_a_section_points_at_begins_on_the_same_page(whole_pages):
    pages = whole_pages
    found = [
        (page, *seen) for page in pages for seen in re.findall(r"See (Table|Figure)s? (\d+)", page)
    ]
    assert len(found) == len(TASKS)
    for page, kind, number in found:
        assert f"{kind} {number}. " in page


def test_several_tables_and_figures_are_pointed_at_together(whole_text):
    assert re.search(r"See Tables (\d+) and (\d+) and Figures (\d+) to (\d+)\.", whole_text)
    assert not re.search(r"Table \d+ to Table", whole_text)


def test_import_is_light():
    heavy = "{'matplotlib', 'sqlalchemy', 'typst', 'numpy', 'torch', 'ray', 'optuna', 'pydantic'}"
    code = f"import sys, handin; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pdf_answers_every_question_in_order(whole_text):
    theory = ["Q1.1 D", "Q1.2 T", "Q1.3 J", "Q1.4 T", "Q1.5 C", "Protocol of the runs", "Q2.1 T"]
    runs = [f"{task.question} {task.title}" for task in TASKS]
    headings = [
        *theory, runs[0], "Gradients by hand", *runs[1:4], "Q3.2a Why", *runs[4:], "References",
        "Appendix: the jobs",
    ]  # fmt: skip
    body = whole_text[whole_text.index("Notation:") - 100 :]  # Past the table of contents.
    places = [body.index(heading) for heading in headings]
    assert places == sorted(places)


def test_pdf_names_versions_date_seed_jobs_and_specifications(whole_text):
    answers, text = make_answers(), whole_text
    for expected in ("argbest 9.8.7", "2022-01-05 12:30 UTC", "seed 42", "1 / "):
        assert expected in text
    for question in QUESTIONS:
        assert f"job-{question}" in text
        assert f'"name": "{answers[question].spec["name"]}"' in text
    assert "shortened" not in text.lower()
    assert "Not run" not in text


def test_pdf_is_reproducible(whole_pdf):
    assert pdf(make_answers()) == whole_pdf


def test_shortened_runs_are_announced_on_the_first_page_and_in_each_section():
    answers = make_answers(epochs=2, regression_epochs=150)
    data, _ = content(answers, versions=VERSIONS, generated_at=GENERATED_AT)
    (note,) = data["notes"]
    assert "shortened demonstration: Q3.1a, Q3.1b, Q3.2b, Q4.1, Q4.2 and Q4.3" in note
    assert data["runs"]["Q2.2a"]["warnings"] == []
    (warning,) = data["runs"]["Q4.2"]["warnings"]
    assert warning.startswith("Shortened run: 2 instead of the 20 epochs")
    assert any("Shortened run: 2 instead" in page for page in pdf_pages(pdf(answers)))


def test_single_epochs_and_single_images_do_not_crash():
    pages = pdf_pages(pdf(make_answers(epochs=1, regression_epochs=1)))
    assert any("Q4.3" in page for page in pages)


def test_failed_job_gets_an_honest_paragraph():
    answers = make_answers()
    job = {
        **answers["Q4.2"].job,
        "state": "failed",
        "best": None,
        "error": {"kind": "worker_lost", "message": "The node went away."},
    }
    answers["Q4.2"] = Answer(job, {}, [], {})
    text = pdf_text(answers)
    assert "Did not succeed: Q4.2" in text
    assert "in the state “failed”: The node went away." in text
    assert "No trial has finished" in text
    assert "no run of Q4.2's default configuration" in text.replace("\u2019", "'")


def test_test_figures_are_the_selected_configurations_only():
    data, _ = content(make_answers(), versions=VERSIONS, generated_at=GENERATED_AT)
    section = data["runs"]["Q4.2"]
    trials, epochs = section["tables"]
    (effects,) = [block for block in section["blocks"] if isinstance(block, dict)]
    assert not any("test" in cell.lower() for cell in [*trials["header"], *effects["header"]])
    assert epochs["header"][-1] == "Test accuracy"
    # Trial 1 was selected, and 0.88 is its test accuracy; 0.85 is the default's.
    texts = " ".join(block for block in section["blocks"] if isinstance(block, str))
    assert "Trial 1 has test accuracy 0.8800; test data took no part in the selection." in texts
    assert "0.8500" not in json.dumps(section["tables"] + section["blocks"])


def test_sections_say_that_a_trial_failed_but_not_that_all_went_well():
    answers = make_answers()
    trial = answers["Q4.1"].report["trials"][2]
    trial.update(state="failed", error={"kind": "diverged", "message": "NaN"})
    data, _ = content(answers, versions=VERSIONS, generated_at=GENERATED_AT)
    first, second = data["runs"]["Q4.1"]["blocks"][:2]
    assert "2 succeeded, 1 failed" in first
    assert second.startswith("Failed: 1 diverged.")
    assert data["runs"]["Q4.2"]["blocks"][0].startswith("Trial 1 (learning rate 0.001) ended")


def test_missing_answers_are_announced():
    text = pdf_text({})
    assert "This question has not been run." in text
    assert "Not run: Q2.2a, Q2.2b, Q3.1a, Q3.1b, Q3.2b, Q4.1, Q4.2 and Q4.3." in text
    assert "Q3.2a Why a multi-layer perceptron" in text


def test_texts_of_a_job_are_data_and_not_markup():
    answers = make_answers()
    evil = '#panic("x") $x$ *b* <a> @b \\ "'
    answers["Q3.1b"].job["name"] = evil
    answers["Q3.1b"].report["plots"][0]["caption"] = evil
    answers["Q3.1b"].job["error"] = {"kind": "user_error", "message": evil}
    answers["Q3.1b"].job["state"] = "cancelled"
    answers["Q3.1b"].spec["tags"] = [evil, "Ünïcödé"]
    text = pdf_text(answers)
    # In the caption, the reason of failure, the appendix's name, and the specification's tag.
    assert text.count("#panic(") == 4
    assert text.count("$x$ *b* <a> @b") == 4


def test_plots_of_one_split_are_left_out_where_all_splits_are_drawn():
    answers = make_answers()
    for question in ("Q3.1b", "Q4.1"):
        answers[question].plots["accuracy"] = SVG
        answers[question].report["plots"].append(
            {"name": "accuracy", "title": "Accuracy", "caption": ""}
        )
    data, plots = content(answers, versions=VERSIONS, generated_at=GENERATED_AT)
    captions = {
        q: [p["caption"].removeprefix(f"{q}: ").split(" ")[0] for p in run["plots"]]
        for q, run in data["runs"].items()
    }
    assert captions["Q3.1b"] == ["train_loss", "Accuracy"]
    # What the only parameter's values gave is in the table of the trials.
    assert captions["Q4.1"] == ["train_loss", "validation_accuracy", "Accuracy"]
    assert captions["Q3.2b"] == ["train_loss", "validation_accuracy", "test_accuracy"]
    files = [plot["file"] for run in data["runs"].values() for plot in run["plots"]]
    assert sorted(files) == sorted(plots)


def test_plots_that_did_not_come_are_not_shown():
    answers = make_answers()
    answers["Q3.1b"].plots.clear()
    data, _ = content(answers, versions=VERSIONS, generated_at=GENERATED_AT)
    assert data["runs"]["Q3.1b"]["plots"] == []


def test_content_is_json_and_its_tables_are_rectangular():
    data, _ = content(make_answers(), versions=VERSIONS, generated_at=GENERATED_AT)
    assert json.loads(json.dumps(data)) == json.loads(json.dumps(data, allow_nan=False))
    tables = [table for run in data["runs"].values() for table in run["tables"]]
    tables += [b for run in data["runs"].values() for b in run["blocks"] if isinstance(b, dict)]
    assert len(tables) == 19
    for table in (Table(**values) for values in tables):
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert all(0 <= number < len(table.rows) for number in table.emphasized)


def test_compose_refuses_unknown_questions_and_naive_times():
    answer = make_answers()["Q4.1"]
    with pytest.raises(ValueError, match=r"no task is called Q9; there are: Q2\.2a"):
        compose({"Q9": answer}, versions=VERSIONS, generated_at=GENERATED_AT)
    with pytest.raises(ValueError, match="time zone"):
        compose({}, versions=VERSIONS, generated_at=GENERATED_AT.replace(tzinfo=None))


def test_times_are_written_as_in_reports():
    data, _ = content(make_answers(), versions=VERSIONS, generated_at=GENERATED_AT)
    jobs = [run["job"] for run in data["runs"].values()]
    times = [data["generated_at"], *(job[key] for job in jobs for key in ("started", "finished"))]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", time) for time in times)
