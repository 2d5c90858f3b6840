"""Which trials a sampler still brings, and which of them are alike."""

from __future__ import annotations

from results.states import Purpose
from service.search.drawing import Drawing
from service.search.samplers import make_sampler
from service.search.trials import Trial
from tests.service.stand_ins import spec

RANGE = {"learning_rate": {"low": 0.001, "high": 1.0}}


def test_a_configuration_that_was_begun_gets_the_rest_of_its_seeds_first() -> None:
    last = 2**32 - 1
    job = spec(strategy="random", trials=6, repeats=3, parameters=RANGE, seed=last)
    trials = {n: Trial(n, {"learning_rate": 0.1}, (last + n) % 2**32, 0) for n in range(2)}
    trials[2] = Trial(2, {"learning_rate": 0.1}, 7, 0, Purpose.CONFIRM)
    drawing = Drawing(job, trials, make_sampler(job.space, seed=1))
    drawn = [drawing.draw(wait=False) for _ in range(4)]
    assert [(t.number, t.configuration, t.seed) for t in drawn if t] == [
        (3, 0, 1), (4, 4, last), (5, 4, 0), (6, 4, 1),
    ]  # fmt: skip
    assert [t.number for t in drawing.alike(0)] == [0, 1, 3]
    assert drawing.is_over


def test_without_a_sampler_or_after_the_end_nothing_is_drawn() -> None:
    job = spec(strategy="random", trials=3, parameters=RANGE)
    assert Drawing(job, {}, None).is_over
    drawing = Drawing(job, {}, make_sampler(job.space, seed=1))
    assert not drawing.is_over
    drawing.end()
    assert drawing.is_over
