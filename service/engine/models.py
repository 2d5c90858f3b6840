"""Which checkpoints of finished trials are kept: the models of the best ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from results.ranking import ranked
from results.records import Checkpoint, JobRecord
from results.storage import Storage
from results.store import Store


def keep_models(store: Store, storage: Storage, job: JobRecord) -> None:
    """Delete the checkpoints of the job's finished trials, except the models that are kept.

    Of the best ``job.spec.keep`` succeeded trials the newest checkpoint stays. The checkpoints of
    unfinished trials are not touched. Rows go before files, so no row names a deleted file. Raises
    :class:`results.storage.StorageError` if files cannot be deleted; ``sweep`` finds those later.
    """
    # Read before the trials: a trial that runs again meanwhile keeps its new checkpoints.
    checkpoints = store.checkpoints(job.id)
    if not checkpoints:
        return
    trials, space = store.trials(job.id), job.spec.space
    finished = {trial.number for trial in trials if trial.state.is_finished}
    order = ranked(trials, space.metric, space.mode)
    best = {trial.number for trial, _ in order[: job.spec.keep]}
    names = list(_superfluous([c for c in checkpoints if c.trial in finished], best))
    if names:
        store.drop_checkpoints(job.id, names)
        storage.delete(*names)


def _superfluous(checkpoints: Sequence[Checkpoint], best: Collection[int]) -> Iterator[str]:
    """Yield the names of all but the first, which is the newest, of each of the best trials."""
    seen: set[int] = set()
    for checkpoint in checkpoints:
        if checkpoint.trial not in best or checkpoint.trial in seen:
            yield checkpoint.name
        seen.add(checkpoint.trial)
