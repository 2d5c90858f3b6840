"""The modules that the view of a job is made of, each asked for numbers in a browser."""

from __future__ import annotations

from typing import Any

import numpy as np
from playwright.sync_api import Page


def ask(page: Page, module: str, body: str, *given: Any) -> Any:
    """Return what the statements ``body`` return; ``m`` is the module, ``a`` what is given."""
    script = f"async (a) => {{ const m = await import('/page/{module}.js'); {body} }}"
    return page.evaluate(script, list(given))


def test_the_parts_of_a_job(page: Page, url: str) -> None:
    page.goto(url)
    # Ticks are round numbers within the range.
    assert ask(page, "parts/scale", "return m.ticks(0, 1, 5)") == [
        0, 0.2, 0.4, 0.6000000000000001, 0.8, 1,
    ]  # fmt: skip
    assert ask(page, "parts/scale", "return m.logTicks(0.001, 10, 6)") == [0.001, 0.01, 0.1, 1, 10]
    back = ask(page, "parts/scale", "const s = m.scale(0.01, 1, 0, 100, true);"
               " return [s.place(0.1), s.value(50)]")  # fmt: skip
    assert np.allclose(back, [50, 0.1])

    # Quantiles are numpy's.
    values = np.random.default_rng(1).normal(size=(101, 3)).astype(np.float32)
    rows = ask(
        page, "job/bands",
        "const all = new Map(a[0].map((v, n) => [n, { first: 1, values: Float32Array.from(v) }]));"
        " return [1, 2, 3, 4].map((epoch) => m.bandAt({ all, every: 1 }, epoch))",
        values.tolist(),
    )  # fmt: skip
    expected = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0).T
    assert np.allclose([row["values"] for row in rows[:3]], expected, atol=1e-5)
    assert rows[3] is None
    epochs = "return m.epochsBetween(a[0], a[1], a[2], a[3])"
    assert ask(page, "job/bands", epochs, 1, 10, 1, 5) == [1, 3, 5, 7, 9, 10]
    assert ask(page, "job/bands", epochs, 1, 10, 3, 50) == [1, 4, 7, 10]

    # An axis leaves out what one line alone reaches in the bad direction, never in the good one.
    lines = [{"low": 0.3, "high": 2}, {"low": 0.4, "high": 3}, {"low": 1, "high": 1e6}]
    usual = "return m.usualRange(a[0], a[1])"
    assert ask(page, "job/value_range", usual, lines, "min") == {
        "low": 0.3, "high": 3, "outside": 1,
    }  # fmt: skip
    whole = {"low": 0.3, "high": 1e6, "outside": 0}
    assert ask(page, "job/value_range", usual, lines, "max") == whole

    # A curve grows by what is new to it, of which it keeps every so many epochs.
    grown = ask(
        page, "parts/points",
        "const c = new m.Curves(2); c.set(7, 1, Float32Array.from([5, 3]));"
        " c.append(7, 4, [9, 4, 9]); c.append(8, 1, [1, 2, 3]);"
        " return [c.last(7), c.at(7, 5), c.best(7, 'min'), c.last(8), c.at(8, 3), c.last(9)]",
    )  # fmt: skip
    assert grown == [5, 4, {"value": 3, "epoch": 3}, 3, 3, 0]

    # Rungs as the scheduler has them.
    spec = {"scheduler": {"name": "asha", "min_epochs": 1, "reduction_factor": 3}, "epochs": 20}
    assert ask(page, "job/rungs", "return m.rungEpochs(a[0])", spec) == [1, 3, 9, 20]
    assert ask(page, "job/rungs", "return m.rungEpochs({ scheduler: 'median', epochs: 9 })") == []
    trials = [
        {"epochs": 1, "state": "paused"}, {"epochs": 3, "state": "stopped"},
        {"epochs": 20, "state": "succeeded"},
    ]  # fmt: skip
    counts = ask(page, "job/rungs", "return m.rungCounts([1, 3, 20], a[0])", trials)
    assert [tuple(row.values()) for row in counts] == [
        (1, 3, 2, 1, 0), (3, 2, 1, 0, 1), (20, 1, None, 0, 0),
    ]  # fmt: skip

    chain = ask(
        page, "job/lineage", "return m.chainOf(new Map(a[0].map((t) => [t.number, t])), 2)",
        [{"number": 0, "parent": None}, {"number": 1, "parent": 0}, {"number": 2, "parent": 1}],
    )  # fmt: skip
    assert [trial["number"] for trial in chain] == [0, 1, 2]
