"""A job's data on this node: argbest's own sets by name, users' by the digest of their content."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from results.spec import JobSpec
from results.storage import Storage, StorageError
from search_spaces import NO_DATASET
from service.engine.patience import Patience, fetch
from trainables import datasets, own_data
from trainables.contract import DatasetUnavailable


def name_in_storage(digest: str) -> str:
    """Return the name of a user's data set's file in the storage."""
    return f"datasets/{digest}.npz"


def ensure_data(
    spec: JobSpec,
    folder: Path,
    storage: Storage,
    *,
    source: Path | None,
    log: Callable[[str], None],
    patience: Patience,
) -> None:
    """Bring the job's data into ``folder``, this node's data sets, if they are not there.

    Users' data come from the storage; one that is away is waited for. Raises
    :class:`trainables.contract.DatasetUnavailable`.
    """
    if spec.space.dataset == NO_DATASET:
        return
    if spec.data is None:
        datasets.ensure(spec.space.dataset, folder, source=source, log=log)
        return
    digest = spec.data.digest
    target = own_data.folder_of(folder, digest)
    if own_data.is_unpacked(target):
        return
    log(f"{spec.space.dataset}: fetching it from the storage")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="fetching-") as made:
            file = Path(made) / "data.npz"
            patience.await_("data", lambda: fetch(storage, name_in_storage(digest), file))
            own_data.unpack(file, target, digest)
    except (StorageError, OSError) as error:
        message = f"{spec.space.dataset}: its file cannot be fetched: {error}"
        raise DatasetUnavailable(message) from error


def load_data(spec: JobSpec, folder: Path, *, source: Path | None) -> datasets.Data | None:
    """Return the job's data, users' from where :func:`ensure_data` has brought them.

    The driver has prepared argbest's own on its node; on others that is done here. None is returned
    where a program brings its own. Raises :class:`trainables.contract.DatasetUnavailable`.
    """
    name = spec.space.dataset
    if name == NO_DATASET:
        return None
    if spec.data is not None:
        return own_data.load(own_data.folder_of(folder, spec.data.digest), name)
    try:
        return datasets.load(name, folder, source=source)
    except DatasetUnavailable:
        datasets.ensure(name, folder, source=source, log=lambda _: None)
        return datasets.load(name, folder, source=source)
