"""The report's contents, its four formats, and that no text in it becomes markup."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, ClassVar

import pytest
from pypdf import PdfReader

from results import plots, report
from results.analysis import JobResults
from results.report.render import escape_markdown, fenced, inline_svg
from results.report.tables import (
    curves_table,
    facts,
    failures_table,
    tables,
    trials_table,
)
from results.states import JobState
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake
from trainables.contract import Metric

NOON = datetime(2026, 3, 1, 12, 30, 15, 500, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script> #import "x" | *b* $x$ [a](http://evil.example) `c`'


def built(fake: Fake, **changes: Any) -> dict[str, Any]:
    return report.build(JobResults.of(*fake), generated_at=NOON, **changes)


def drawn(fake: Fake, *names: str) -> dict[str, bytes]:
    return {name: plots.draw(name, JobResults.of(*fake), "svg") for name in names}


def hostile() -> Fake:
    """A job in which every text that a user or a plugin can choose is hostile."""
    fake = fakes.feedforward(2, failed={2: replace(DIVERGED, message=HOSTILE)})
    configurations = [{**t.parameters, "activation": HOSTILE} for t in fake.trials]
    spec = {**fake.job.spec.to_json(), "title": HOSTILE, "dataset": HOSTILE}
    label = Metric("validation_accuracy", HOSTILE, "max", "validation", HOSTILE)
    return fakes.make(
        spec,
        configurations,
        fakes.classification_curve,
        {**fakes.CLASSIFICATION, "validation_accuracy": label},
        {2: replace(DIVERGED, message=HOSTILE)},
        name=HOSTILE,
    )


# --- what it says ---------------------------------------------------------------------------


def test_the_report_is_json_without_nan() -> None:
    fake = fakes.feedforward(2, failed={3: DIVERGED})
    wild = replace(fake.trials[3], metrics={"train_loss": math.nan})
    trials = (*fake.trials[:3], wild, *fake.trials[4:])
    made = built(fake._replace(trials=trials))
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["trials"][3]["metrics"] == {"train_loss": None}
    assert made["trials"][3]["error"] == {"kind": "diverged", "message": DIVERGED.message}


def test_the_keys_of_a_report() -> None:
    made = built(fakes.feedforward())
    assert set(made) >= {
        "job", "title", "generated_at", "metric", "best", "explanation", "summary", "trials",
        "varied", "comparison", "metrics", "plots", "curves", "reproduce",
    }  # fmt: skip
    assert made["title"] == "Feed-forward network with one hidden layer (Q4.2)"
    assert made["generated_at"] == "2026-03-01T12:30:15.000500+00:00"
    assert made["varied"] == [
        "learning_rate", "hidden_size", "dropout", "activation", "optimizer",
    ]  # fmt: skip
    assert made["constants"] == {"layers": 1, "batch_size": 1}
    assert (made["best"]["trial"], made["best"]["description"]) == (1, "learning rate 0.001")
    assert made["metric"]["mode"] == "max"
    assert [trial["rank"] for trial in made["trials"]] == [2, 1, 6, 5, 3, 4, 7]
    assert made["plots"][0]["name"] == "train_loss"


def test_the_comparison_and_the_curves() -> None:
    made = built(fakes.feedforward())
    rates = made["comparison"][0]
    assert rates["parameter"] == "learning_rate"
    assert [(row["value"], row["trials"], row["best_trial"]) for row in rates["rows"]] == [
        (0.001, 1, 1),
        (0.01, 1, 0),
        (0.1, 1, 2),
    ]
    curve = next(
        c for c in made["curves"] if (c["trial"], c["metric"]) == (1, "validation_accuracy")
    )
    assert (curve["first"]["epoch"], curve["best"]["epoch"], curve["last"]["epoch"]) == (1, 14, 20)


def test_reproduce_names_the_server() -> None:
    made = built(fakes.regression(1), base_url="https://search.example:8443")
    assert "https://search.example:8443/api/v1/jobs" in made["reproduce"]["curl"]


def test_a_report_of_a_job_that_has_not_begun() -> None:
    fake = fakes.feedforward(1)
    job = replace(fake.job, state=JobState.QUEUED, best=None, started_at=None, finished_at=None)
    queued = Fake(job, (), (), fake.metrics)
    made = built(queued)
    assert (made["best"], made["reproduce"], made["plots"]) == (None, None, [])
    for form in ("html", "md", "json", "pdf"):
        assert report.render(made, form, {})


# --- tables ---------------------------------------------------------------------------------


def test_the_trials_table_is_ranked_and_stresses_the_best() -> None:
    table = trials_table(built(fakes.feedforward(failed={2: DIVERGED})))
    assert [row[1] for row in table.rows] == ["1", "0", "4", "5", "3", "6", "2"]
    assert table.rows[0][:4] == ("1", "1", "succeeded", "0.001")
    assert table.rows[-1][:3] == ("", "2", "failed")
    assert table.highlight == 0
    assert len(table.columns) == len(table.numeric) == len(table.rows[0])


def test_all_tables_are_rectangular() -> None:
    for fake in (fakes.sampled(), fakes.regression(), fakes.feedforward(2, failed={2: DIVERGED})):
        for table in tables(built(fake)):
            assert {len(row) for row in table.rows} == {len(table.columns)} == {len(table.numeric)}


def test_of_many_trials_only_the_best_curve_is_listed() -> None:
    assert {row[0] for row in curves_table(built(fakes.grid(1))).rows} == {"26"}


def test_a_report_of_many_trials_lists_the_best_and_says_so() -> None:
    failed = dict.fromkeys(range(0, 500, 2), DIVERGED)
    many = fakes.sampled(1000, 1)
    fake = fakes.make(
        many.job.spec, [t.parameters for t in many.trials], fakes.classification_curve,
        fakes.CLASSIFICATION, failed,
    )  # fmt: skip
    results = JobResults.of(*fake)
    numbers = [trial.number for trial in results.shown]
    shown = replace(results, curves={n: results.curves[n] for n in numbers})
    made = report.build(shown, generated_at=NOON)
    assert "Of the 1000 trials, tables list and curves are drawn of 200" in made["explanation"][-1]
    assert (made["shown"], len(made["trials"]), made["summary"]["scored"]) == (200, 1000, 750)
    table = trials_table(made)
    assert table.title.startswith("Trials at their last epoch, best first, 200 of 1000;")
    assert [int(row[1]) for row in table.rows] == numbers
    failures = failures_table(made)
    assert (failures.title, len(failures.rows)) == ("Failures, the first 200 of 250", 200)
    assert not [text for text in built(fakes.grid(1))["explanation"] if text.startswith("Of the")]


def test_titles_say_what_is_no_figure_of_the_model_at_the_epochs_end() -> None:
    made = built(fakes.feedforward(1))
    note = "; training loss: mean over the epoch as it is trained"
    assert trials_table(made).title == f"Trials at their last epoch, best first{note}"
    assert curves_table(made).title == f"Curves: value (epoch){note}"
    assert (
        trials_table(built(fakes.regression(1))).title == "Trials at their last epoch, best first"
    )


def test_test_figures_are_the_selected_trials_only() -> None:
    made = built(fakes.feedforward())
    assert "Test accuracy" not in trials_table(made).columns
    rows = curves_table(made).rows
    assert len(rows) == 7 * 2 + 1
    (tested,) = [row for row in rows if row[1] == "Test accuracy"]
    # Nothing may be chosen by it, so no epoch of it is called best.
    assert (tested[0], tested[3]) == ("1", "")
    assert all(row[3] for row in rows if row is not tested)
    assert all("test_accuracy" in trial["metrics"] for trial in made["trials"])


def test_a_single_trial_shows_its_test_figure() -> None:
    made = built(fakes.regression())
    assert "Test RMSE" in trials_table(made).columns
    assert [row[3] for row in curves_table(made).rows if row[1] == "Test RMSE"] == [""]


def test_facts_have_times_in_utc_and_constants() -> None:
    found = dict(facts(built(fakes.feedforward(1))))
    assert found["Created at"] == "2026-03-01 11:59 UTC"
    assert (found["layers"], found["Seed"]) == ("1", "42")


# --- HTML -----------------------------------------------------------------------------------


class Page(HTMLParser):
    """Checks that elements nest, and collects elements, attributes, ids and text."""

    VOID: ClassVar = {"meta", "br", "link", "img"}

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_self_contained_and_well_formed() -> None:
    fake = fakes.feedforward(3)
    names = ["train_loss", "accuracy", "parameter_dropout"]
    page = Page(report.render(built(fake), "html", drawn(fake, *names)))
    assert page.tags.count("svg") == 3
    assert not {"script", "link", "img", "iframe", "object", "metadata"} & set(page.tags)
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = [v for n, v in page.attributes if n in ("href", "src", "xlink:href", "action", "data")]
    assert links
    assert {link[0] for link in links} == {"#"}
    assert {link[1:] for link in links} <= set(ids)
    assert not [value for _, value in page.attributes if "//" in value]
    assert "Generated" not in page.text
    assert "2026-03-01 12:30 UTC" in page.text


def test_html_references_inside_plots_resolve() -> None:
    fake = fakes.regression(2)
    svg = inline_svg(drawn(fake, "rmse")["rmse"], "p0")
    ids = set(re.findall(r'\bid="([^"]+)"', svg))
    used = set(re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", svg))
    assert used
    assert {a or b for a, b in used} <= ids
    assert svg.startswith("<svg")
    assert "http" not in svg


def test_html_shows_hostile_texts_as_text() -> None:
    fake = hostile()
    page = Page(report.render(built(fake), "html", drawn(fake, "validation_accuracy")))
    assert "script" not in page.tags
    assert HOSTILE in page.text
    assert not [name for name, _ in page.attributes if name.startswith("on")]


# --- Markdown -------------------------------------------------------------------------------


def test_markdown_has_tables_and_relative_pictures() -> None:
    text = report.render(built(fakes.feedforward(2)), "md", {}).decode()
    assert "![Training loss (cross-entropy)](plots/train_loss.png)" in text
    lines = text.splitlines()
    start = lines.index("### Effect of the dropout, the other parameters at their defaults")
    assert lines[start + 2].startswith("| Dropout | Succeeded |")
    assert re.fullmatch(r"\|( -{3}:? \|)+", lines[start + 3])
    assert lines[start + 4].count("|") == lines[start + 3].count("|")


def test_markdown_shows_hostile_texts_as_text() -> None:
    fake = hostile()
    text = report.render(built(fake), "md", {}).decode()
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script" not in re.sub(r"\\.", "", prose)
    assert "](http" not in re.sub(r"\\.", "", prose)
    widths = {line.count("|") - line.count(r"\|") for line in prose.splitlines() if "| 0 |" in line}
    assert len(widths) == 2  # the trials and the curves


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("learning_rate 0.001", "learning_rate 0.001"),
        ("_private_", r"\_private\_"),
        ("a|b*c", r"a\|b\*c"),
        ("# title\n- item", r"\# title - item"),
        ("1. item", r"1\. item"),
        ("- item", r"\- item"),
        ("1.5", "1.5"),
        ("<b>&amp;", r"\<b\>\&amp;"),
    ],
)
def test_escape_markdown(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped


def test_a_fence_is_longer_than_what_it_holds() -> None:
    assert fenced("a\n```\nb", "sh") == "````sh\na\n```\nb\n````"


# --- JSON and PDF ---------------------------------------------------------------------------


def test_json_is_the_report() -> None:
    made = built(fakes.regression(2))
    assert json.loads(report.render(made, "json", {})) == made


def test_pdf_has_title_text_and_pictures() -> None:
    fake = fakes.regression()
    made = built(fake)
    reader = PdfReader(io.BytesIO(report.render(made, "pdf", drawn(fake, "rmse"))))
    assert reader.metadata is not None
    assert reader.metadata.title == "Linear regression on Ames (Q2.2a)"
    text = " ".join("".join(page.extract_text() for page in reader.pages).split())
    assert "Linear regression on Ames (Q2.2a)" in text
    assert "lowest at epoch 71 (0.1950)" in text
    assert "Figure 1: Training RMSE and test RMSE by epoch" in text


def test_pdf_is_the_same_for_the_same_report() -> None:
    made = built(fakes.regression(2))
    assert report.render(made, "pdf", {}) == report.render(made, "pdf", {})


def test_pdf_shows_hostile_texts_as_text() -> None:
    fake = hostile()
    data = report.render(built(fake), "pdf", drawn(fake, "validation_accuracy"))
    text = " ".join("".join(p.extract_text() for p in PdfReader(io.BytesIO(data)).pages).split())
    assert '<script>alert(1)</script> #import "x"' in text
    assert "*b*" in text
