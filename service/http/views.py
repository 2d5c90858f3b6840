"""Turns records into the answers of the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from results import job_comparison
from results.job_comparison import ComparedJob
from results.ranking import Ranked, Ranking, rank
from results.records import BestTrial, Curve, JobRecord, TrialRecord
from results.spec import JobSpec
from results.states import TrialState
from search_spaces import Objective
from service.datasets import target_unit
from service.http.waiting import Fleet, waiting
from service.schemas import (
    Answer,
    BestDetailView,
    ComparedJobView,
    ComparisonView,
    CurveView,
    DifferenceView,
    FrontView,
    JobView,
    MetricView,
    ProgressView,
    RepeatsView,
    ScoreView,
    TrainableView,
    TrialView,
)
from service.search.expected import expected_of
from trainables import registry
from trainables.contract import TARGET_UNIT, Metric, UnknownTrainable
from trainables.programs import trainable_of

_PARTS = ("trials", "curves", "best", "report", "plots", "figures", "events", "log", "request")
#: The members of a job's record that are shown as they are.
_SHOWN = (
    "id", "name", "state", "best", "spec", "fingerprint", "error", "created_at",
    "started_at", "finished_at", "priority", "slots", "ended_by", "tags", "notes",
)  # fmt: skip


def job_view(
    job: JobRecord, dashboard_url: str, fleet: Fleet, *, with_history: bool = False
) -> JobView:
    """Return a job as the API shows it, among the jobs that share the cluster."""
    base = f"/api/v1/jobs/{job.id}"
    links = {"self": base, **{part: f"{base}/{part}" for part in _PARTS}}
    links["model"] = f"{base}/best/model"
    shown = {name: getattr(job, name) for name in _SHOWN}
    shown |= {"progress": progress_view(job)}
    shown |= {"dashboard_url": dashboard_url or None, "links": links, "chosen": job.spec.chosen}
    if with_history:
        shown["history"] = list(job.history)
    return JobView.model_validate({**shown, "waiting": waiting(job, fleet)})


def progress_view(job: JobRecord) -> ProgressView:
    """Return how far a job is, with about how many epochs it will have trained if not all."""
    view, expected = ProgressView.model_validate(job.progress), expected_of(job)
    if expected < view.epochs_total:
        view.epochs_expected = expected
    return view


def comparison_view(jobs: Sequence[ComparedJob]) -> ComparisonView:
    """Return jobs side by side, as the API shows them."""
    shown = []
    for one in jobs:
        job, space = one.job, one.job.spec.space
        members = {"id": job.id, "name": job.name, "state": job.state, "seed": job.spec.seed,
                   "metric": space.metric, "mode": space.mode, "label": one.label,
                   "progress": progress_view(job), "best": job.best, "course": one.course,
                   "spread": one.spread}  # fmt: skip
        shown.append(ComparedJobView.model_validate(members))
    differing = job_comparison.differences([one.job for one in jobs])
    return ComparisonView(
        jobs=shown,
        differences=[DifferenceView.model_validate(each) for each in differing],
        repeats=[RepeatsView.model_validate(group) for group in job_comparison.repeats(jobs)],
    )


def trial_view(
    trial: TrialRecord, ranking: Ranking | None = None, *, with_usage: bool = False
) -> TrialView:
    """Return a trial as the API shows it, with its place in the ``ranking`` of all trials.

    What it uses is shown while it runs, later only ``with_usage``: lists may be long.
    """
    view = TrialView.model_validate(trial)
    if not (with_usage or trial.state is TrialState.RUNNING):
        view.usage = None
    if ranking is not None:
        view.rank = ranking.ranks.get(trial.number)
        view.violations = list(ranking.violations.get(trial.number, ()))
        ranked = ranking.by_trial.get(trial.number)
        view.score = None if ranked is None else ScoreView.model_validate(ranked)
    return view


def best_view(
    job: JobRecord, best: BestTrial, trials: Iterable[TrialRecord], conclusion: Mapping[str, Any]
) -> BestDetailView:
    """Return a job's best configuration, with the front where it has several objectives."""
    found = {member.name: getattr(best, member.name) for member in fields(best)}
    view, space = BestDetailView.model_validate({**found, **conclusion}), job.spec.space
    if space.secondary:
        view.front = [front_view(one, space.objectives) for one in rank(trials, space).front]
    return view


def front_view(one: Ranked, objectives: Sequence[Objective]) -> FrontView:
    """Return a configuration of the front as the API shows it."""
    names = [objective.metric for objective in objectives]
    return FrontView(
        trial=one.trial.number,
        parameters=dict(one.trial.parameters),
        metric=names[0],
        value=one.value,
        metrics=one.metrics,
        standard_deviation=one.standard_deviation,
        n=one.n,
        objectives=dict(zip(names, one.values, strict=True)),
    )


def curve_view(curve: Curve) -> CurveView:
    """Return a trial's curve as the API shows it among others."""
    # Former versions stored metrics of any name, also of these two.
    return CurveView.model_validate({**curve.metrics, "trial": curve.trial, "epoch": curve.epochs})


def json_list(items: Iterable[Answer]) -> Iterator[str]:
    """Write a whole list as JSON, an item at a time, however long it is.

    FastAPI would write the list in one go on the event loop.
    """
    yield '{"items":['
    for index, item in enumerate(items):
        yield f"{',' if index else ''}{item.model_dump_json()}"
    yield '],"next_cursor":null}'


def trainable_view(trainable: registry.Trainable) -> TrainableView:
    """Return a trainable as the API shows it."""
    metrics = [MetricView.model_validate(metric) for metric in trainable.metrics]
    return TrainableView(
        name=trainable.name,
        title=trainable.title,
        datasets=list(trainable.datasets),
        metrics=metrics,
        parameters=trainable.schema(),
        resumes=trainable.resumes,
        kinds=list(trainable.kinds),
        changeable=list(trainable.changeable),
    )


def metrics_of(spec: JobSpec) -> dict[str, Metric]:
    """Return the metrics of a job's trainable by name; empty if it is no longer installed.

    Those in the unit of the target have that of the job's data.
    """
    try:
        found = trainable_of(spec.space).metrics
    except UnknownTrainable:
        return {}
    unit = target_unit(spec)
    return {m.name: replace(m, unit=unit) if m.unit == TARGET_UNIT else m for m in found}


def resumes(spec: JobSpec) -> bool:
    """Whether a job's trainable goes on from a state; not if it is no longer installed."""
    try:
        return trainable_of(spec.space).resumes
    except UnknownTrainable:
        return False
