"""Whether a search's winner is real: what further seeds say, as the job's report has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handin.answers import Answer
from handin.wording import Block, Table
from results.formatting import number
from results.wording import configuration, in_sentence

_NOT_CONFIRMED = "Is the winner real? Nothing else succeeded with which it could be compared."


def confirmation(answer: Answer) -> list[Block]:
    """Return the verdict, the table of the candidates and the winner's test figures.

    Nothing where the search has not been confirmed.
    """
    found = answer.report.get("confirmation")
    if not found:
        asked = "confirm" in answer.spec and answer.report
        return [_NOT_CONFIRMED] if asked else []
    blocks: list[Block] = [
        f"Is the winner real? {found['verdict']} Intervals are {found['method']}.",
        _candidates(answer, found),
    ]
    texts = [
        f"{in_sentence(answer.results.info(name))} {_mean(value)}"
        for name, value in found.get("test", {}).items()
    ]
    if texts:
        blocks.append(f"The winner on the test data, over these seeds: {'; '.join(texts)}.")
    return blocks


def _candidates(answer: Answer, found: Mapping[str, Any]) -> Table:
    """Tabulate the configurations that ran again, those that win in bold."""
    results, candidates = answer.results, found["candidates"]
    rows = [
        [
            str(one["configuration"]),
            configuration(one["parameters"], results.varied) or "the only one",
            "-" if one["searched"] is None else number(one["searched"]),
            str(len(one["values"])),
            *_figures(one["value"]),
        ]
        for one in candidates
    ]
    metric = in_sentence(results.metric)
    return Table(
        f"The best configurations and the defaults with further seeds, by mean {metric}; in bold "
        "the winner and those that cannot be told apart from it",
        ["trial", "configuration", "in the search", "seeds", "mean", "deviation", "95 % interval"],
        rows,
        [row for row, one in enumerate(candidates) if one["configuration"] in found["together"]],
    )


def _figures(value: Mapping[str, Any] | None) -> list[str]:
    if value is None:
        return ["-", "-", "-"]
    low, high = value["low"], value["high"]
    interval = "-" if low is None or high is None else f"{number(low)} to {number(high)}"
    deviation = value["standard_deviation"]
    return [number(value["mean"]), "-" if deviation is None else number(deviation), interval]


def _mean(value: Mapping[str, Any]) -> str:
    mean, deviation, _ = _figures(value)
    return f"{mean} (mean of {value['n']}, standard deviation {deviation})"
