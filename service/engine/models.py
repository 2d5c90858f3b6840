"""Which checkpoints are kept: the models of the best trials, and where paused trials wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from results.ranking import rank
from results.records import Checkpoint, JobRecord, TrialRecord
from results.states import Purpose, TrialState
from results.storage import Storage
from results.store import Store


def keep_models(store: Store, storage: Storage, job: JobRecord) -> None:
    """Delete the checkpoints of the job's finished trials, except the models that are kept.

    The newest checkpoint stays of the first trial of each of the best ``job.spec.keep``
    configurations, and of paused trials. The checkpoints of trials that wait for a slot or run are
    not touched, nor those with which they begin, nor those of a configuration whose repeats have
    not all ended. Rows go before files, so no row names a deleted file. Raises
    :class:`results.storage.StorageError` if files cannot be deleted; ``sweep`` finds those later.
    """
    # Read before the trials: a trial that runs again meanwhile keeps its new checkpoints.
    checkpoints = store.checkpoints(job.id)
    if not checkpoints:
        return
    trials = store.trials(job.id)
    best = rank(trials, job.spec.space).configurations[: job.spec.keep]
    kept = {one.trial.number for one in best}
    # It stays the best while it trains on, and where it was cancelled then.
    kept |= {job.best.trial} if job.best and job.spec.keep else set()
    kept |= {trial.number for trial in trials if trial.state is TrialState.PAUSED}
    settled = _settled(trials, job) | kept
    origins = {
        (t.parent, t.start_epoch) for t in trials if not (t.checkpoint or t.state.is_finished)
    }
    found = (c for c in checkpoints if c.trial in settled and (c.trial, c.epoch) not in origins)
    names = list(_superfluous(list(found), kept))
    if names:
        store.drop_checkpoints(job.id, names)
        storage.delete(*names)


def _settled(trials: Sequence[TrialRecord], job: JobRecord) -> set[int]:
    """Return the finished trials without those that may be ranked once their repeats have ended."""
    finished = {trial.number for trial in trials if trial.state.is_finished}
    repeats = job.spec.space.repeats
    if repeats == 1 or job.state.is_finished:
        return finished
    succeeded: dict[int, set[int]] = defaultdict(set)
    others = set()
    for trial in trials:
        if trial.purpose is Purpose.SEARCH and trial.state is TrialState.SUCCEEDED:
            succeeded[trial.configuration].add(trial.number)
        elif trial.purpose is Purpose.SEARCH and trial.state.is_finished:
            others.add(trial.configuration)
    waiting = (
        numbers
        for configuration, numbers in succeeded.items()
        if len(numbers) < repeats and configuration not in others
    )
    return finished.difference(*waiting)


def _superfluous(checkpoints: Sequence[Checkpoint], kept: Collection[int]) -> Iterator[str]:
    """Yield the names of all but the first, which is the newest, of each trial to be kept."""
    seen: set[int] = set()
    for checkpoint in checkpoints:
        if checkpoint.trial not in kept or checkpoint.trial in seen:
            yield checkpoint.name
        seen.add(checkpoint.trial)
