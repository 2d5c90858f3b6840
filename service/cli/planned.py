"""What a planned search would run, in lines: a line for each matter that it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from results.formatting import count
from results.provenance import provenance
from service.cli.text import pairs, setting

if TYPE_CHECKING:
    from service.schemas import EstimateView, PlanView

#: Enqueued configurations that are written out.
_MOST_SHOWN = 3
_SIGNS = {"at_most": "<=", "at_least": ">="}


def plan_lines(planned: PlanView) -> Iterator[str]:
    """Yield what would run, what it is after, what ends it, what it costs, and why it is so."""
    spec = planned.spec
    trials, epochs = count(planned.trials, "trial"), count(spec["epochs"], "epoch")
    yield f"{trials} of {epochs}, strategy {spec['strategy']}"
    yield from _confirm_lines(planned)
    if "command" in spec or "code" in spec:
        for label, text in provenance(spec):
            yield f"{label[0].lower()}{label[1:]}: {text}"
    yield from _search_lines(spec)
    if planned.estimate:
        yield _cost_line(planned.estimate)
    yield from _history_lines(planned.history)
    if planned.chosen:
        yield f"chosen by auto: {planned.chosen}"
    if planned.sampling and planned.distinct is not None and planned.distinct <= planned.trials:
        yield f"only {count(planned.distinct, 'different configuration')} to draw from: each once"


def _confirm_lines(planned: PlanView) -> Iterator[str]:
    """Say how many trials come behind those of the search: they train all the epochs."""
    confirm = planned.spec.get("confirm")
    more = planned.estimate.trials - planned.trials if planned.estimate else 0
    if isinstance(confirm, Mapping) and more > 0:
        trials = f"at most {more} more, of all {count(planned.spec['epochs'], 'epoch')}"
        seeds = f"{confirm['seeds']} further seeds each"
        yield f"then {trials}, to confirm the best {confirm['top']} and the default with {seeds}"


def _search_lines(spec: Mapping[str, Any]) -> Iterator[str]:
    """Say what the search is after, how far its trials train, and what ends it."""
    objectives = spec.get("objectives") or [{"metric": spec["metric"], "mode": spec["mode"]}]
    wanted = ", ".join(f"{one['metric']} ({one['mode']})" for one in objectives)
    yield f"{'objective' if len(objectives) == 1 else 'objectives'}: {wanted}"
    if constraints := spec.get("constraints"):
        yield f"constraints: {', '.join(_limits(constraints))}"
    if scheduler := spec.get("scheduler"):
        own = {"name": scheduler} if isinstance(scheduler, str) else dict(scheduler)
        yield f"scheduler: {own.pop('name')} {pairs(own, setting)}".rstrip()
    if budget := spec.get("budget"):
        yield f"budget: {pairs(budget, setting)}"
    if (repeats := spec.get("repeats", 1)) > 1:
        yield f"every configuration runs with {repeats} seeds"
    if enqueued := spec.get("enqueue"):
        yield f"runs first: {_configurations(enqueued)}"


def _limits(constraints: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in constraints:
        for key, sign in _SIGNS.items():
            if one.get(key) is not None:
                yield f"{one['metric']} {sign} {setting(one[key])}"


def _configurations(enqueued: Sequence[Mapping[str, Any]]) -> str:
    shown = [pairs(one, setting) for one in enqueued[:_MOST_SHOWN]]
    more = len(enqueued) - len(shown)
    return "; ".join([*shown, *([f"and {more} more"] if more else [])])


def _cost_line(estimate: EstimateView) -> str:
    if estimate.core_hours is None:
        return f"no cost can be estimated yet: {estimate.basis}"
    if estimate.expected_core_hours is not None:
        hours = f"{estimate.expected_core_hours:.2g} core-hours of training"
        return f"about {hours}, at most {estimate.core_hours:.2g}, by {estimate.basis}"
    return f"at most about {estimate.core_hours:.2g} core-hours of training, by {estimate.basis}"


def _history_lines(history: Mapping[str, Any] | None) -> Iterator[str]:
    """Say what the sampler is told of trials from elsewhere, and what does not fit."""
    if history is None:
        return
    yield f"the sampler is told {count(history['trials'], 'trial')} from elsewhere"
    for left in history["left_out"]:
        yield f"left out of {left['source']}: {count(left['trials'], 'trial')}: {left['reason']}"
