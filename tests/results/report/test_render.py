"""HTML, Markdown and JSON, and that no text in them becomes markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import ClassVar

import pytest

from results import report
from results.report.render import escape_markdown, fenced, inline_svg
from results.states import JobState
from tests.results import fakes
from tests.results.fakes import Fake
from tests.results.report.made import HOSTILE, built, drawn, hostile


def test_a_report_of_a_job_that_has_not_begun() -> None:
    fake = fakes.feedforward(1)
    job = replace(fake.job, state=JobState.QUEUED, best=None, started_at=None, finished_at=None)
    queued = Fake(job, (), (), fake.metrics)
    made = built(queued)
    content = made.content
    assert (content["best"], content["reproduce"], content["plots"]) == (None, None, [])
    for form in ("html", "md", "json", "pdf"):
        assert report.render(made, form, {})


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


def test_json_is_the_report() -> None:
    made = built(fakes.regression(2))
    assert json.loads(report.render(made, "json", {})) == made.content
