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

    # A parameter whose name another column has can be told from it.
    assert ask(page, "job/trials", _CLASH) == [["parameter seed", "rate", "seed"], [1], [2], [2]]

    check_layer(page)


#: A layer whose row n is the column n of its canvas, 3,000 wide. ``drawn`` returns the rows that
#: are drawn at once, the picture then, and the rows that are drawn in the frames that follow.
_CLASH = """
  const { readFilter } = await import("/page/parts/filter.js");
  const job = { id: "a", spec: { parameters: { seed: 1, rate: 1 }, metric: "x", epochs: 9 } };
  const trials = [1, 2].map((number) =>
    ({ number, seed: 42 + number, parameters: { seed: number, rate: number }, metrics: {} }));
  const byNumber = new Map(trials.map((trial) => [trial.number, trial]));
  const columns = m.columnsOf({ job, trials: byNumber }, null);
  const names = columns.map(({ name }) => name).filter((name) => /seed|rate/.test(name));
  const kept = (text) => trials.filter(readFilter(text, columns).keeps).map((t) => t.number);
  return [names, kept("seed=43"), kept('"parameter seed"=2'), kept("rate>1")];
"""

_LAYER = """
  const frame = () => new Promise(requestAnimationFrame);
  const place = document.body.appendChild(document.createElement("div"));
  Object.assign(place.style, { position: "fixed", top: 0, left: 0, width: "3000px" });
  let rows = [];
  const trace = (context, row) => {
    rows.push(row);
    context.moveTo(row + 0.5, 0);
    context.lineTo(row + 0.5, 9);
  };
  const layer = new m.Layer(place, 9, trace), { canvas, context } = layer.shown;
  for (let n = 0; n < 5; n += 1) await frame(); // it has its size, and is in sight
  const at = (row) => [...context.getImageData(row, 4, 1, 1).data.slice(0, 3)].join();
  const group = (color, of) => ({ color, width: 1, alpha: 1, rows: of });
  const all = Array.from({ length: 3000 }, (_, row) => row), even = all.filter((n) => n % 2 === 0);
  const drawn = async (groups, isQuick) => {
    rows = [];
    layer.show(groups, isQuick);
    const atOnce = rows, first = canvas.toDataURL();
    rows = [];
    const lines = groups.reduce((sum, one) => sum + one.rows.length, 0);
    for (let n = 0; n < 500 && atOnce.length < lines && rows.length < lines; n += 1) await frame();
    return { atOnce, first, later: rows };
  };
  const quick = await drawn([group("#ff0000", all), group("#0000ff", even)], true);
  const colors = [0, 101, 1500, 2999].map(at), before = canvas.toDataURL();
  const calm = await drawn([group("#00ff00", all)], false);
  const green = at(7), few = await drawn([group("#ff0000", [7, 8, 9])], true);
  const red = [at(6), at(7)];
  layer.stop();
  return { quick, colors, keeps: calm.first === before, calm, green, few, red };
"""


def check_layer(page: Page) -> None:
    """Of very many lines some are seen at once, or what was seen stays; then all are drawn."""
    found = ask(page, "parts/layer", _LAYER)
    every, even = list(range(3000)), list(range(0, 3000, 2))
    quick = found["quick"]
    half = quick["atOnce"].index(max(quick["atOnce"])) + 1  # the second group begins
    some, again = quick["atOnce"][:half], quick["atOnce"][half:]
    assert 100 < half + len(again) < 300
    assert {row // 300 for row in some} == set(range(10))  # from all over
    assert again == [row for row in some if row % 2 == 0]  # the same ones in each group
    assert quick["later"] == every + even  # each once
    blue, red, green = "0,0,255", "255,0,0", "0,255,0"
    assert found["colors"] == [blue, red, blue, red]  # the later group above
    assert found["keeps"]
    assert (found["calm"]["atOnce"], found["calm"]["later"]) == ([], every)
    assert found["green"] == green
    assert (found["few"]["atOnce"], found["few"]["later"]) == ([7, 8, 9], [])
    assert found["red"] == ["0,0,0", red]
