"""One-line and many-line descriptions of jobs and trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.cli.text import duration, moment, number, pairs

if TYPE_CHECKING:
    from service.client.types import Best, Job, Trial


def failure(error: Any) -> str:
    """Return why a job or a trial failed, "" for None."""
    if not error:
        return ""
    return f"{error['kind']}: {error['message']}"


def best_line(best: Best | None) -> str:
    """Return ``validation_accuracy=0.8412 (trial 2)``, ``-`` for None."""
    if best is None:
        return "-"
    return f"{best['metric']}={number(best['value'])} (trial {best['trial']})"


def progress_line(job: Job) -> str:
    """Return ``3/7 trials (1 failed, 2 running), 60/140 epochs``."""
    progress = job["progress"]
    counts = [f"{progress[key]} {key}" for key in ("failed", "running") if progress[key]]
    inside = f" ({', '.join(counts)})" if counts else ""
    return (
        f"{progress['finished']}/{progress['trials']} trials{inside}, "
        f"{progress['epochs_done']}/{progress['epochs_total']} epochs"
    )


def job_line(job: Job) -> str:
    """Return a finished job in one line: state, best trial, error."""
    parts = [f"job {job['id']} {job['state']}", progress_line(job)]
    if job["best"]:
        parts.append(f"best {best_line(job['best'])}")
    if job["error"]:
        parts.append(failure(job["error"]))
    return "; ".join(parts)


def trial_line(trial: Trial) -> str:
    """Return a trial in one line: state, metrics, parameters, error."""
    parts = [f"trial {trial['number']} {trial['state']} after {trial['epochs']} epochs"]
    if trial["seconds"]:
        parts[0] += f", {duration(trial['seconds'])}"
    parts += [text for text in (pairs(trial["metrics"]), pairs(trial["parameters"])) if text]
    if trial["error"]:
        parts.append(failure(trial["error"]))
    return "; ".join(parts)


def job_facts(job: Job) -> dict[str, str]:
    """Return what ``argbest show`` prints of a job, by label."""
    spec = job["spec"]
    found = {
        "id": job["id"],
        "name": job["name"],
        "state": job["state"],
        "progress": progress_line(job),
        "best": best_line(job["best"]),
        "parameters": pairs(job["best"]["parameters"]) if job["best"] else "",
        "error": failure(job["error"]),
        "trainable": number(spec.get("trainable")),
        "data set": number(spec.get("dataset")),
        "strategy": number(spec.get("strategy")),
        "seed": number(spec.get("seed")),
        "created": moment(job["created_at"]),
        "started": moment(job["started_at"]),
        "finished": moment(job["finished_at"]),
        "dashboard": job.get("dashboard_url") or "",
    }
    return {label: value for label, value in found.items() if value}
