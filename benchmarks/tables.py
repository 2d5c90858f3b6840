"""Draws measurements as Markdown and puts them into docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.records import BenchmarkError, EngineRow, Figure, Part
from benchmarks.targets import Outcome, outcomes

BEGIN = "<!-- measured: begin; written by python -m benchmarks --update-docs -->"
END = "<!-- measured: end -->"
TITLES = {
    "numpy": "Engines of the numpy trainables",
    "torch": "Engines of the torch trainables",
    "states": "States of the trainables",
    "programs": "Code of users",
    "schedulers": "Decisions of a search",
    "service": "The service",
    "page": "The page",
}


def markdown(parts: Iterable[Part]) -> str:
    """Return a section for each part, and one that compares them with the targets."""
    shown = list(parts)
    return "\n\n".join([*map(section, shown), *targets_sections(shown)])


def update_page(page: str, parts: Iterable[Part]) -> str:
    """Return ``page`` with the text between its two markers replaced.

    Raises :class:`BenchmarkError` unless the page has both markers.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchmarkError(f"the page lacks the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{markdown(parts)}\n\n{END}{after}"


def section(part: Part) -> str:
    """Return a part's section: machine, versions and tables."""
    blocks = [f"### {TITLES[part.name]}", _provenance(part)]
    if part.engines:
        blocks.append(engines_table(part.engines))
    if part.figures:
        blocks.append(figures_table(part.figures))
    return "\n\n".join(blocks)


def targets_sections(parts: Iterable[Part]) -> list[str]:
    """Return the section that compares the parts with the targets; none without targets."""
    found = outcomes(parts)
    return [f"### Against the targets\n\n{_targets_table(found)}"] if found else []


def _provenance(part: Part) -> str:
    stamp = part.stamp
    versions = ", ".join(f"{name} {value}" for name, value in stamp["versions"].items())
    load = ", ".join(f"{mean:.1f}" for mean in stamp["load"])
    return (
        f"`{stamp['command']}`, {stamp['date']}; {stamp['cpu']}, {stamp['cores']} cores, "
        f"{stamp['memory_bytes'] / 1e9:.0f} GB, {stamp['system']}; {versions}; load before "
        f"(1, 5, 15 minutes): {load}."
    )


def engines_table(rows: Sequence[EngineRow]) -> str:
    """Return a table with a line for each workload and engine, compared with the plain loop."""
    return markdown_table(
        ("workload", "engine", "plain µs/step", "µs/step", "steps/s", "x plain", "low - high"),
        (
            (
                row.workload,
                row.engine,
                _number(row.plain_us_per_step),
                _number(row.us_per_step),
                f"{row.steps_per_s:,.0f}",
                _ratio(row.ratio),
                f"{_ratio(row.ratio_low)} - {_ratio(row.ratio_high)}",
            )
            for row in rows
        ),
    )


def figures_table(figures: Sequence[Figure]) -> str:
    """Return a table with a line for each figure: its median, and its range where it has one."""
    return markdown_table(
        ("figure", "median", "low - high", "times"),
        (
            (figure.name, f"{_number(figure.median)} {figure.unit}".strip(), *_spread(figure))
            for figure in figures
        ),
    )


def _targets_table(found: Iterable[Outcome]) -> str:
    return markdown_table(
        ("what", "target", "goal", "reached", "low - high", "verdict"),
        (
            (
                one.name,
                f"{'at most ' if one.goal is None else ''}{_number(one.demanded)}",
                "" if one.goal is None else _number(one.goal),
                _number(one.reached),
                f"{_number(one.low)} - {_number(one.high)}",
                f"**{one.verdict}**" if one.verdict == "missed" else one.verdict,
            )
            for one in found
        ),
    )


def _spread(figure: Figure) -> tuple[str, str]:
    times = len(figure.values)
    if times == 1:
        return "", "1"
    return f"{_number(min(figure.values))} - {_number(max(figure.values))}", str(times)


def _ratio(value: float) -> str:
    """One digit after the point, more below 1."""
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _number(value: float) -> str:
    """Three significant digits, but never an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table of cells."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
