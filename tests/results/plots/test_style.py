"""The look of all plots: texts, and numbers that lie apart."""

from __future__ import annotations

import itertools

from results.plots.style import plain, spread


def test_plain_text_has_no_tex_and_no_missing_glyphs() -> None:
    assert plain("$x$") == r"\$x\$"
    assert plain("a\x00b") == "a\N{REPLACEMENT CHARACTER}b"
    assert plain("日") == "\N{REPLACEMENT CHARACTER}"
    assert len(plain("x" * 100)) == 60


def test_spread_is_even_and_bounded() -> None:
    places = sorted(spread(index) for index in range(100))
    gaps = [b - a for a, b in itertools.pairwise(places)]
    assert -1 <= places[0] < places[-1] <= 1
    assert max(gaps) < 0.05
