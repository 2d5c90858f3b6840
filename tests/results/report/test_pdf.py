"""The report as PDF."""

from __future__ import annotations

import io

from pypdf import PdfReader

from results import report
from tests.results import fakes
from tests.results.report.made import built, drawn, hostile


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
