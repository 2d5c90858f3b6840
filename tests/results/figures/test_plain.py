"""Plotly's JSON as plain values with escaped texts."""

from __future__ import annotations

import json
import math

import numpy as np

from results.figures.plain import escaped, plain


def test_arrays_become_lists_and_what_is_not_finite_becomes_null() -> None:
    value = {"x": np.array([1.0, math.nan]), "y": (1, math.inf), "marker": {"size": np.int64(3)}}
    assert json.dumps(plain(value)) == '{"x": [1.0, null], "y": [1, null], "marker": {"size": 3}}'


def test_texts_that_are_shown_are_escaped_and_others_are_not() -> None:
    hostile = "<img src=x onerror=alert(1)> & <a href='//evil'>"
    shown = "&lt;img src=x onerror=alert(1)&gt; &amp; &lt;a href='//evil'&gt;"
    figure = {
        "data": [{"x": [hostile, 1], "name": hostile, "hovertemplate": "<b>%{x}</b>"}],
        "layout": {"xaxis": {"title": {"text": hostile}, "categoryarray": (hostile,)}},
    }
    assert plain(figure) == {
        "data": [{"x": [shown, 1], "name": shown, "hovertemplate": "<b>%{x}</b>"}],
        "layout": {"xaxis": {"title": {"text": shown}, "categoryarray": [shown]}},
    }


def test_a_long_text_loses_its_middle_and_keeps_its_end() -> None:
    assert escaped("a" * 200 + "end") == "a" * 44 + "…" + "a" * 12 + "end"
