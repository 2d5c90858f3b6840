"""Writes a built report as HTML, Markdown, JSON or PDF.

Everything in a report may come from a user: HTML is escaped by Jinja2, Markdown by
:func:`escape_markdown`, and the PDF's template receives it as data, never as markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from results.export import to_json
from results.formatting import moment, number
from results.report.build import Report
from results.report.pdf import render_pdf

Format = Literal["html", "md", "json", "pdf"]

_TEMPLATES = Path(__file__).parent


def render(report: Report, format: Format, plots: Mapping[str, bytes]) -> bytes:  # noqa: A002
    """Write a report made by :func:`results.report.build`, UTF-8 where it is text.

    ``plots`` are the drawn plots by name, as SVG: HTML and PDF hold those that are given, Markdown
    points at ``plots/<name>.png`` beside it, JSON lists their names only.
    """
    if format == "json":
        return to_json(report.content).encode()
    if format == "pdf":
        return render_pdf(report, plots)
    template = _environment(html=format == "html").get_template(f"report.{format}")
    pictures = {
        plot["name"]: inline_svg(plots[plot["name"]], f"plot{index}")
        for index, plot in enumerate(report.content["plots"])
        if plot["name"] in plots
    }
    text = template.render(
        report=report.content,
        facts=report.facts,
        tables=report.tables,
        pictures=pictures if format == "html" else {},
    )
    return text.encode()


@cache
def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=None if html else _finalize_markdown,
    )
    environment.filters |= {
        "number": number,
        "moment": moment,
        "fenced": fenced,
    }
    return environment


# --- HTML -----------------------------------------------------------------------------------

_NOT_FOR_HTML = re.compile(
    r"<metadata>.*?</metadata>|<!--.*?-->| xmlns(:\w+)?=\"[^\"]*\"", re.DOTALL
)
_REFERENCE = re.compile(r"(\bid=\"|href=\"#|url\(#)")


def inline_svg(svg: bytes, prefix: str) -> Markup:
    """Return a plot's SVG to stand inside an HTML page.

    Its ids get a prefix, since those of two plots would clash; the XML prolog, name spaces and
    metadata go, which HTML neither needs nor should point elsewhere with.
    """
    text = svg.decode()
    body = _NOT_FOR_HTML.sub("", text[text.index("<svg") :])
    # The plots are our own drawings, in which every text is a path.
    return Markup(_REFERENCE.sub(rf"\g<1>{prefix}-", body))  # noqa: S704


# --- Markdown -------------------------------------------------------------------------------

_MARKUP = re.compile(r"([\\`*<>\[\]|~#&$]|(?<!\w)_|_(?!\w)|^[-+=])")
_LIST_ITEM = re.compile(r"^(\d+)([.)])(?=\s|$)")


def escape_markdown(text: str) -> str:
    """Escape what Markdown or HTML in it would read as markup; line breaks become spaces."""
    return _LIST_ITEM.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", " ".join(text.split())))


def _finalize_markdown(value: Any) -> Any:
    return value if isinstance(value, Markup) else escape_markdown(str(value))


def fenced(text: str, language: str) -> Markup:
    """Return a fenced code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    # Inside a fence nothing is markup.
    return Markup(f"{fence}{language}\n{text.rstrip()}\n{fence}")  # noqa: S704
