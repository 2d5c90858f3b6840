"""The tables of a confirmation and of what a job has spent."""

from __future__ import annotations

from collections import Counter

from results.analysis import JobResults
from results.confirmation import Candidate, Lost, confirmed
from results.formatting import duration, number
from results.report.tables import Table
from results.spent import spent
from results.verdict import LOST_TEXT, candidate_name, interval_text, standing
from results.wording import capitalized, prettify

_PARTS = ("useful", "stopped", "failed", "confirming", "repeated", "total")


def winner_tables(results: JobResults) -> list[Table]:
    """Return the tables that have a row."""
    found = [confirmation_table(results), winner_test_table(results), spent_table(results)]
    return [table for table in found if table.rows]


def confirmation_table(results: JobResults) -> Table:
    """List the candidates of a confirmation, best first."""
    found = confirmed(results)
    columns = ("Configuration", "In the search", "Seeds", "Mean", "Deviation", "95 % interval", "")
    numeric = (False, True, True, True, True, True, False)
    if found is None:
        return Table("", columns, (), numeric)
    rows = tuple(
        (
            capitalized(candidate_name(results, one)),
            "" if one.searched is None else number(one.searched),
            str(len(one.values)) + _lost(one),
            *_figures(one),
            standing(one, found),
        )
        for one in found.candidates
    )
    title = f"Confirmation: {results.metric.label} with further seeds"
    return Table(title, columns, rows, numeric, None if found.winner is None else 0)


def _figures(one: Candidate) -> tuple[str, str, str]:
    if one.value is None:
        return ("", "", "")
    deviation = one.value.standard_deviation
    return (
        number(one.value.mean),
        "" if deviation is None else number(deviation),
        interval_text(one.value),
    )


def _lost(one: Candidate) -> str:
    """Return ``" (1 failed)"``, or "" where each trial that has ended gave a value."""
    counts = Counter(one.lost.values())
    parts = ", ".join(f"{n} {LOST_TEXT[why]}" for why, n in counts.items())
    if counts[Lost.CONSTRAINT] > 1:
        parts = parts.replace("breaks", "break")
    return f" ({parts})" if parts else ""


def winner_test_table(results: JobResults) -> Table:
    """List the test metrics of the winner, over the seeds with which it was confirmed."""
    found = confirmed(results)
    rows = tuple(
        (
            results.info(name).label,
            number(value.mean),
            "" if value.standard_deviation is None else number(value.standard_deviation),
            interval_text(value),
        )
        for name, value in ({} if found is None else found.test).items()
    )
    title = "The winner on test data, read once"
    return Table(
        title, ("Metric", "Mean", "Deviation", "95 % interval"), rows, (False, *[True] * 3)
    )


def spent_table(results: JobResults) -> Table:
    """List what the job spent, by what came of it; no rows where all of it was useful."""
    amounts = spent((*results.trials, *results.confirming), results.repeated)
    parts = [(name, getattr(amounts, name)) for name in _PARTS]
    rows = tuple(
        (prettify(name), str(part.trials), str(part.epochs), duration(part.seconds))
        for name, part in parts
        if part.epochs or part.trials or name == "total"
    )
    columns = ("What", "Trials", "Epochs", "Training")
    shown = rows if len(rows) > 2 else ()
    return Table("What was spent", columns, shown, (False, *[True] * 3))
