"""Which figures a job has, and how wrong wishes are answered."""

from __future__ import annotations

import json

import pytest

from results.analysis import JobResults
from results.errors import BadParameters, NoFigure, UnknownFigure
from results.figures import available, draw
from tests.results import fakes
from trainables.contract import Metric

HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_sampled_search_has_all_figures_of_one_objective() -> None:
    results = JobResults.of(*fakes.sampled())
    found = {info.name: info for info in available(results)}
    assert [name for name, info in found.items() if info.why_not] == ["pareto_front"]
    assert found["pareto_front"].why_not == "the search has one objective"
    assert found["slice"].parameters == ("learning_rate", "hidden_size", "optimizer", "dropout")
    assert (found["contour"].least, found["contour"].most) == (2, 2)
    for name in found.keys() - {"pareto_front"}:
        drawn = draw(name, results)
        json.dumps(drawn, allow_nan=False)
        assert drawn["data"], name
        chosen = drawn["layout"]["meta"]["parameters"]
        assert found[name].least <= len(chosen) <= found[name].most


def test_a_job_that_has_not_begun_has_none_and_says_why() -> None:
    fake = fakes.sampled()
    results = JobResults.of(fake.job, (), (), fake.metrics)
    assert {info.why_not for info in available(results)} >= {
        "no configuration has a result yet", "no trial has begun yet",
    }  # fmt: skip
    assert all(info.why_not for info in available(results))
    with pytest.raises(NoFigure, match="has no figure history: no configuration has a result yet"):
        draw("history", results)


def test_wrong_wishes_are_refused_with_what_there_is() -> None:
    results = JobResults.of(*fakes.sampled())
    with pytest.raises(UnknownFigure, match="there are: history, importance, slice"):
        draw("histogram", results)
    for name, chosen, message in (
        ("history", ["dropout"], "takes no parameter"),
        ("slice", ["batch_size"], "cannot show 'batch_size'"),
        ("contour", ["dropout"], "takes 2 parameters, not 1"),
        ("contour", ["optimizer", "dropout"], "have not two values each"),
    ):
        with pytest.raises(BadParameters, match=message) as caught:
            draw(name, results, chosen)
        assert caught.value.hint


def test_hostile_names_and_values_are_escaped_in_every_figure() -> None:
    parameters = {"size": {"low": 0.0, "high": 1.0}, "other": {"values": [HOSTILE, "plain"]}}
    spec = {
        "name": "s", "title": "S", "trainable": "t", "dataset": "d", "epochs": 1, "metric": "m",
        "mode": "min", "strategy": "tpe", "seed": 1, "trials": 30, "parameters": parameters,
    }  # fmt: skip
    configurations = [{"size": n / 30, "other": (HOSTILE, "plain")[n % 2]} for n in range(30)]
    metrics = {"m": Metric("m", f"Loss {HOSTILE}", "min", "train")}
    fake = fakes.make(spec, configurations, lambda p, _: {"m": p["size"]}, metrics)
    results = JobResults.of(*fake)
    drawn = [draw(info.name, results) for info in available(results) if not info.why_not]
    assert len(drawn) >= 7
    texts = [
        json.dumps({**figure, "layout": {**figure["layout"], "meta": None}}) for figure in drawn
    ]
    assert not [text for text in texts if "<img" in text]
    assert sum("Loss &lt;img" in text for text in texts) >= 5
    assert all("&lt;img" in texts[place] for place in (2, 3, 4))  # values of parameters


def test_captions_say_how_many_of_many_configurations_are_drawn() -> None:
    results = JobResults.of(*fakes.ranged([float(n) for n in range(1200)]))
    captions = {info.name: info.caption for info in available(results)}
    assert captions["history"].endswith("Marks for 1000 of 1200 configurations, evenly chosen.")
    assert "1000" not in captions["edf"]


def test_a_history_of_one_result_is_left_out_and_says_why() -> None:
    fake = fakes.with_scores(1.0)
    infos = {info.name: info for info in available(JobResults.of(*fake))}
    assert infos["history"].why_not == "only one trial has a result"
    stopped = JobResults.of(*fakes.ended_early(fakes.sampled(12, 5), 7))
    (shown,) = (info for info in available(stopped) if info.name == "history")
    assert shown.why_not == ""
    assert "Light, hollow marks are trials that ended early" in shown.caption
