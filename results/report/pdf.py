"""Sets a report with Typst. The template gets data through ``sys.inputs``; nothing is markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import typst

from results.formatting import moment
from results.report.build import Report

_TEMPLATE = Path(__file__).parent / "report.typ"


def render_pdf(report: Report, plots: Mapping[str, bytes]) -> bytes:
    """Return the report as PDF, tagged for screen readers, with ``plots`` (SVG by name).

    The same report gives the same bytes: the document's time is the report's.
    """
    document: bytes = typst.compile(
        _TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"report": json.dumps(_view(report, plots), allow_nan=False)},
        timestamp=datetime.fromisoformat(report.content["generated_at"]).replace(microsecond=0),
    )
    return document


def _view(report: Report, plots: Mapping[str, bytes]) -> dict[str, object]:
    content = report.content
    return {
        **{key: content[key] for key in ("title", "explanation", "reproduce", "replay")},
        "verdict": content["confirmation"] and content["confirmation"]["verdict"],
        "diagnosis": [f"{one['detail']} {one['hint']}" for one in content["diagnosis"]],
        "generated_at": moment(content["generated_at"]),
        "job": content["job"]["name"],
        "facts": report.facts,
        "tables": [asdict(table) for table in report.tables],
        "plots": [
            plot | {"svg": plots[plot["name"]].decode()}
            for plot in content["plots"]
            if plot["name"] in plots
        ],
    }
