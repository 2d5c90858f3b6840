"""Composes the hand-in: what a run shows becomes JSON, and ``handin.typ`` sets it.

Everything that comes from a job reaches Typst as data, never as markup, so no name, error
message or parameter can change the document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, cast

from handin import classification, regression, searches
from handin.answers import Answer
from handin.confirmation import confirmation
from handin.overview import overview
from handin.questions import TASKS, Task
from handin.tables import configuration, epochs_table, trials_table
from handin.wording import Block, Table
from results.analysis import summarize
from results.explain import explain_selected
from results.formatting import duration, moment
from results.states import JobState
from results.wording import listing

#: For each question, what its own curves and those of earlier questions show.
FINDINGS: Mapping[str, Callable[[Mapping[str, Answer]], list[Block]]] = {
    "Q2.2a": regression.linear,
    "Q2.2b": regression.network,
    "Q3.1a": classification.perceptron,
    "Q3.1b": classification.logistic_regression,
    "Q3.2b": classification.mlp,
    "Q4.1": searches.learning_rate,
    "Q4.2": searches.hyperparameters,
    "Q4.3": searches.depth,
}
_THEORY = (
    "q1.typ", "q2_1.typ", "backprop.typ", "q3_2a.typ", "protocol.typ", "references.typ",
)  # fmt: skip


def compose(
    answers: Mapping[str, Answer], *, versions: Mapping[str, str], generated_at: datetime
) -> bytes:
    """Return the hand-in as a PDF.

    ``answers`` are keyed by question ("Q2.2a"); one that is missing gets a sentence saying so.
    ``versions`` are the programs to name on the first page, ``{"argbest": "0.1.0", ...}``;
    ``generated_at`` is a time with a zone. Raises ``ValueError`` for an answer to an unknown
    question or a time without a zone.
    """
    import typst

    data, plots = content(answers, versions=versions, generated_at=generated_at)
    package = files("handin")
    sources: dict[str, bytes] = {
        "main.typ": package.joinpath("handin.typ").read_bytes(),
        "handin.json": json.dumps(data).encode(),
        **{f"theory/{name}": package.joinpath("theory", name).read_bytes() for name in _THEORY},
        **plots,
    }
    timestamp = generated_at.astimezone(UTC).replace(microsecond=0)
    # A mapping of names to contents is documented, but left out of the type stubs.
    document: bytes = typst.compile(cast(Any, sources), format="pdf", timestamp=timestamp)
    return document


def content(
    answers: Mapping[str, Answer], *, versions: Mapping[str, str], generated_at: datetime
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what ``handin.typ`` reads: its JSON data, and the plots by file name.

    Arguments and errors are those of :func:`compose`.
    """
    known = [task.question for task in TASKS]
    unknown = sorted(set(answers) - set(known))
    if unknown:
        raise ValueError(
            f"answers: no task is called {listing(unknown)}; there are: {', '.join(known)}"
        )
    if generated_at.tzinfo is None:
        raise ValueError("generated_at needs a time zone: use datetime.now(UTC)")
    plots: dict[str, bytes] = {}
    data = {
        "versions": dict(versions),
        "generated_at": moment(generated_at),
        "seeds": sorted({str(a.spec["seed"]) for a in answers.values() if "seed" in a.spec}),
        "notes": _notes(answers),
        "overview": [asdict(table) for table in overview(answers)],
        "runs": {task.question: _run(task, answers, plots) for task in TASKS},
    }
    return data, plots


def _notes(answers: Mapping[str, Answer]) -> list[str]:
    """Return what keeps this document from being the full answer; shown on the first page."""
    missing = [task.question for task in TASKS if task.question not in answers]
    failed = [q for q, answer in answers.items() if answer.state is not JobState.SUCCEEDED]
    short = [t.question for t in TASKS if t.question in answers and _short(t, answers[t.question])]
    notes = {
        f"Not run: {listing(missing)}.": missing,
        f"Did not succeed: {listing(failed)}; the sections say why.": failed,
        f"This is a shortened demonstration: {listing(short)} ran for fewer epochs than the "
        "homework asks for, so their figures are not the final ones.": short,
    }
    return [note for note, questions in notes.items() if questions]


def _short(task: Task, answer: Answer) -> bool:
    return bool(answer.spec["epochs"] < task.epochs)


def _run(task: Task, answers: Mapping[str, Answer], plots: dict[str, bytes]) -> dict[str, Any]:
    """Build one question's section; adds its plots to ``plots`` under safe file names."""
    section: dict[str, Any] = {"title": f"{task.question} {task.title}", "prompt": task.prompt}
    answer = answers.get(task.question)
    if answer is None:
        return {**section, "warnings": ["This question has not been run."], "answered": False}
    findings = FINDINGS[task.question](answers)
    blocks = [*explain_selected(answer.results), *findings, *confirmation(answer)]
    return {
        **section,
        "answered": True,
        "warnings": _warnings(task, answer),
        "configuration": configuration(answer),
        "tables": [asdict(t) for t in (trials_table(answer), epochs_table(answer)) if t],
        "blocks": [asdict(block) if isinstance(block, Table) else block for block in blocks],
        "plots": _plots(task, answer, plots),
        "job": _job(answer),
    }


def _warnings(task: Task, answer: Answer) -> list[str]:
    """Say what is wrong with this run, the worst first."""
    warnings = []
    if answer.state is not JobState.SUCCEEDED:
        reason = f": {answer.failure}" if answer.failure else "."
        warnings.append(f"The job ended in the state “{answer.state}”{reason}")
        if answer.job["best"] is None:
            warnings.append("No trial has finished, so there is no result to show.")
    if _short(task, answer):
        warnings.append(
            f"Shortened run: {answer.spec['epochs']} instead of the {task.epochs} epochs that the "
            "homework asks for. The figures below are not those of the full run."
        )
    return warnings


def _plots(task: Task, answer: Answer, plots: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return file and caption of the report's plots that came with the answer."""
    listed = [plot for plot in answer.report.get("plots", ()) if plot["name"] in answer.plots]
    names = {plot["name"] for plot in listed}
    shown: list[dict[str, Any]] = []
    for plot in listed:
        if not _is_repeated(plot["name"], names, len(answer.results.trials)):
            file = f"plots/{task.question}-{len(shown)}.svg"
            plots[file] = answer.plots[plot["name"]]
            caption = f"{task.question}: {plot.get('caption') or plot['title']}"
            shown.append({"file": file, "caption": caption})
    return shown


def _is_repeated(plot: str, names: Collection[str], trials: int) -> bool:
    """Whether another plot shows the same: all splits, all parameters, or the trials' table.

    Of a search, only the selected trial has a test curve, which the plot of all splits has too.
    """
    split, _, quantity = plot.partition("_")
    splits = ("train", "validation", "test") if trials == 1 else ("test",)
    return plot.startswith("parameter_") or (split in splits and quantity in names)


def _job(answer: Answer) -> dict[str, str]:
    """Return the appendix entry: identity, times and specification of the job."""
    job, seconds = answer.job, summarize(answer.results).wall_seconds
    return {
        "id": str(job["id"]),
        "name": str(job["name"]),
        "state": answer.state.value,
        "started": moment(job["started_at"]) or "-",
        "finished": moment(job["finished_at"]) or "-",
        "duration": "-" if seconds is None else duration(seconds),
        "spec": json.dumps(dict(answer.spec), indent=2, ensure_ascii=False),
    }
