"""Jobs and trials in one line, and a job in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from results.formatting import count, duration, mean_text, moment, number
from results.provenance import provenance
from service.cli.estimate import total_text
from service.cli.text import ABSENT, clean, pairs, setting

if TYPE_CHECKING:
    from service.schemas import BestDetailView, BestView, FailureView, JobView, TrialView


def failure(error: FailureView | None) -> str:
    """Return why a job or a trial failed, "" for None."""
    return f"{error.kind}: {error.message}" if error else ""


def best_line(best: BestView | None) -> str:
    """Return ``validation_accuracy=0.8412 (trial 2)``, ``-`` for None.

    For a configuration with several seeds the value is ``0.8412 ± 0.0031 (n = 3)``.
    """
    if best is None:
        return ABSENT
    value = mean_text(best.value, best.standard_deviation, best.n)
    return f"{best.metric}={value} (trial {best.trial})"


def why_no_best(job: JobView) -> str:
    """Return why a job that has succeeded has no best configuration, "" for any other."""
    if job.best is not None or not job.has_succeeded:
        return ""
    if job.spec.get("constraints") and job.spec.get("repeats", 1) == 1:
        return "no trial meets the constraints"
    return "no configuration is ranked: `argbest best` says why"


def best_facts(best: BestDetailView, label: str = "trial") -> list[tuple[str, str]]:
    """Return the best configuration and whether it is real, each line a label and a text.

    ``label`` is that of the trial's number.
    """
    mean = mean_text(best.value, best.standard_deviation, best.n) if best.n > 1 else ""
    found = [
        (label, str(best.trial)),
        ("selected by", best.metric),
        ("mean", mean),
        *((name, number(value)) for name, value in best.metrics.items()),
        *((name, setting(value)) for name, value in best.parameters.items()),
        ("winner", str((best.confirmation or {}).get("verdict", ""))),
        *(("note", f"{one['detail']} {one['hint']}") for one in best.diagnosis),
    ]
    return [one for one in found if one[1]]


def trials_text(job: JobView) -> str:
    """Return ``26 trials``; with those that confirm the best beside those of the search."""
    searched, total = job.spec.get("trials"), job.progress.trials
    if not isinstance(searched, int) or not job.spec.get("confirm"):
        return count(total, "trial")
    searched *= job.spec.get("repeats", 1)
    more = f", then at most {total - searched} to confirm the best with further seeds"
    return f"{count(searched, 'trial')}{more if total > searched else ''}"


def progress_line(job: JobView) -> str:
    """Return ``3/7 trials (1 failed, 2 running), 60/140 epochs``.

    Where trials may end early it is ``60 of about 140 epochs`` or ``60 of at most 140 epochs``.
    """
    return f"{counted_trials(job)}, {total_text(job)}"


def counted_trials(job: JobView) -> str:
    """Return ``3/7 trials (1 failed, 2 running, 1 paused)``: those that have finished, of all."""
    progress = job.progress
    names = ("failed", "stopped", "running", "paused")
    counts = {name: getattr(progress, name) for name in names}
    inside = ", ".join(f"{amount} {name}" for name, amount in counts.items() if amount)
    return f"{progress.finished}/{progress.trials} trials{f' ({inside})' if inside else ''}"


def job_line(job: JobView) -> str:
    """Return a finished job in one line: state, best trial, error."""
    best = f"best {best_line(job.best)}" if job.best else why_no_best(job)
    parts = [f"job {job.id} {job.state}", progress_line(job), best, failure(job.error)]
    return "; ".join(filter(None, parts))


def trial_line(trial: TrialView) -> str:
    """Return a trial in one line: state, metrics, parameters, error."""
    end = f"trial {trial.number} {trial.state} after {count(trial.epochs, 'epoch')}"
    if trial.parent is not None:
        end += f" (from trial {trial.parent} after {trial.start_epoch})"
    if trial.seconds:
        end += f", {duration(trial.seconds)}"
    texts = [pairs(trial.metrics, number), pairs(trial.parameters, setting), failure(trial.error)]
    return "; ".join(filter(None, [end, *texts]))


def job_facts(job: JobView) -> list[tuple[str, str]]:
    """Return the lines of ``argbest show``, each a label and a text."""
    found = {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "waits": job.waiting or "",
        "slots": "" if job.slots is None else str(job.slots),
        "priority": str(job.priority),
        "progress": progress_line(job),
        "ended early": job.ended_by,
        "best": why_no_best(job) or best_line(job.best),
        "parameters": pairs(job.best.parameters, setting) if job.best else "",
        "error": failure(job.error),
        **{label[0].lower() + label[1:]: text for label, text in provenance(job.spec)},
        "tags": pairs(job.tags, clean),
        "notes": clean(job.notes),
        "strategy": job.spec.get("strategy", ""),
        "chosen by auto": job.chosen,
        "seed": str(job.spec.get("seed", "")),
        "created": moment(job.created_at),
        "started": moment(job.started_at),
        "finished": moment(job.finished_at),
        "dashboard": job.dashboard_url or "",
    }
    return [(label, text) for label, text in found.items() if text]
