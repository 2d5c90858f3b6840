"""Adds, lists and removes users' data sets.

A file is read in a process of its own (:mod:`trainables.own_data`), under limits of memory and
time, so nothing in it can harm the service.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results.errors import DatasetNotFound
from results.records import DatasetRecord
from results.spec import DataRef, JobSpec
from results.storage import Storage
from results.store import Store
from search_spaces import NO_DATASET, Code, Problem, SearchSpace
from search_spaces.text import printable
from service.engine.job_data import name_in_storage
from service.errors import InvalidRequest
from trainables import datasets
from trainables.datasets import SPLITS, DatasetStatus
from trainables.programs import ProgramTrainable
from trainables.registry import Trainable, trainables

logger = logging.getLogger(__name__)

#: What reading one file may take.
MAX_MEMORY_BYTES = 4 * 2**30
MAX_SECONDS = 300.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
#: Names that search spaces give another meaning.
_RESERVED = (NO_DATASET,)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client says of the file it sends; texts as in the query of the request."""

    name: str
    target: str = ""
    task: str = ""
    split: str = ""
    seed: str = ""
    types: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise :class:`InvalidRequest` for a name that a data set cannot have."""
        hint = "use 1 to 64 letters, digits and _ . -, beginning with a letter or a digit"
        if not _NAME.fullmatch(self.name):
            detail = f"{self.name[:100]!a} cannot be a data set's name"
            raise InvalidRequest([Problem("/query/name", detail, "bad_name", hint)])
        if self.name in (*datasets.names(), *_RESERVED):
            detail = f"the name {self.name} is argbest's own"
            raise InvalidRequest([Problem("/query/name", detail, "bad_name", "choose another")])

    @property
    def options(self) -> dict[str, Any]:
        """The options of :class:`trainables.own_data.options.Options`, as text."""
        return {"target": self.target, "task": self.task, "split": self.split,
                "seed": self.seed, "types": list(self.types)}  # fmt: skip


def add(store: Store, storage: Storage, sent: Sent, file: Path) -> tuple[DatasetRecord, bool]:
    """Make a data set of the file and store it; return it, and whether it is new.

    Files are written beside ``file``. Raises :class:`InvalidRequest` with what is wrong with the
    file, :class:`results.errors.DatasetExists` if the name has another content, and
    :class:`results.storage.StorageError`.
    """
    sent.check()
    out = file.with_name("content.npz")
    answer = _made(sent, file, out)
    if "problems" in answer:
        raise InvalidRequest(Problem(**problem) for problem in answer["problems"])
    digest, card = answer["digest"], answer["card"]
    store.check_dataset(sent.name, digest)  # else no row would ever name the file
    # First the file, then the row that promises it; a file without a row is written over.
    storage.save(name_in_storage(digest), out)
    added, is_new = store.add_dataset(
        sent.name, digest, kind=card["kind"], size=out.stat().st_size, card=card
    )
    if not storage.has(name_in_storage(digest)):
        # A sweep deleted it meanwhile: the same content had been removed before.
        storage.save(name_in_storage(digest), out)
    logger.info("data set %s: %s rows, content %s", added.name, card["rows"], digest[:12])
    return added, is_new


def _made(sent: Sent, file: Path, out: Path) -> Mapping[str, Any]:
    """Return the answer of the process that reads the file."""
    request = {
        "file": str(file), "out": str(out), "max_memory": MAX_MEMORY_BYTES, "options": sent.options,
    }  # fmt: skip
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
               "ARROW_DEFAULT_MEMORY_POOL": "system"}  # fmt: skip
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "trainables.own_data"], input=json.dumps(request).encode(),
            capture_output=True, timeout=MAX_SECONDS, env={**kept, **threads}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return _broken(f"reading the file takes more than {MAX_SECONDS:.0f} s")
    if done.returncode != 0:
        error = done.stderr.decode(errors="replace")
        logger.warning("reading a data set ended with %d: %s", done.returncode, error)
        last = printable(error.strip().rpartition("\n")[2])[:200]
        return _broken(f"reading the file ended with status {done.returncode}: {last}")
    answer: Mapping[str, Any] = json.loads(done.stdout)
    return answer


def _broken(detail: str) -> Mapping[str, Any]:
    hint = "is the file damaged? Send fewer rows or columns, or another format"
    return {"problems": [{"pointer": "", "detail": detail, "code": "bad_file", "hint": hint}]}


def remove(store: Store, name: str) -> None:
    """Remove a user's data set; what jobs train on stays until no job names it.

    Raises :class:`results.errors.DatasetNotFound`, for one of argbest's own too.
    """
    if name in datasets.names():
        raise DatasetNotFound(f"{name} is argbest's own data set: only users' can be removed")
    store.remove_dataset(name)
    logger.info("data set %s is removed", name)


def statuses(
    store: Store, folder: Path, *, source: Path | None
) -> Iterable[tuple[DatasetStatus, DatasetRecord | None]]:
    """Yield all data sets as they are described, argbest's own first; users' with their record."""
    for name in datasets.names():
        yield datasets.status(name, folder, source=source), None
    for record in store.datasets():
        yield status_of(record), record


def status_of(record: DatasetRecord) -> DatasetStatus:
    """Describe a user's data set as argbest's own are."""
    card = record.card
    return DatasetStatus(
        name=record.name,
        title=f"{card['kind']} of {card['target']['name']}",
        available=True,
        where=f"storage: {name_in_storage(record.digest)}",
        size=record.size,
        rows=card["rows"],
        splits=card["splits"],
        source=f"sent as {card['source']['format']}",
        license="",
        citation="",
        checksums={name_in_storage(record.digest): (f"sha256:{record.digest}",)},
    )


# --- the data of a job -----------------------------------------------------------------------


def find_data(store: Store, name: str) -> DataRef | None:
    """Return the content of the user's data set of that name, None where there is none."""
    if name in (*datasets.names(), *_RESERVED) or not _NAME.fullmatch(name):
        return None
    try:
        record = store.dataset(name)
    except DatasetNotFound:
        return None
    card = record.card
    parts = tuple(part for part, rows in card["splits"].items() if rows)
    return DataRef(record.digest, record.kind, card["target"]["name"], parts)


def check_kind(
    trainable: Trainable | ProgramTrainable, space: SearchSpace, data: DataRef | None, root: str
) -> None:
    """Refuse a user's data that are of a kind that the trainable does not take.

    Raises :class:`InvalidRequest`, which names the trainables that take them.
    """
    if data is not None and data.kind not in trainable.kinds:
        takes = " or ".join(trainable.kinds) or "no data of users"
        detail = f"{space.dataset} is for {data.kind}, and {trainable.name} takes {takes}"
        fitting = [one.name for one in trainables().values() if data.kind in one.kinds]
        hint = f"use one of these trainables: {', '.join(fitting)}"
        raise InvalidRequest([Problem(f"{root}/dataset", detail, Code.UNKNOWN_DATASET, hint)])


def names_taken(
    store: Store,
    trainable: Trainable | ProgramTrainable,
    space: SearchSpace,
    data: DataRef | None,
) -> tuple[str, ...]:
    """Return the names of the data sets that a trainable takes, users' own of its kinds too.

    Of a job that has its ``data``, their name may have been removed since.
    """
    if data is not None:
        return (*trainable.datasets, *([space.dataset] if data.kind in trainable.kinds else []))
    if space.dataset in trainable.datasets:
        return trainable.datasets
    own = (record.name for record in store.datasets() if record.kind in trainable.kinds)
    return (*trainable.datasets, *own)


def parts_lacking(
    trainable: Trainable | ProgramTrainable, dataset: str, data: DataRef | None
) -> tuple[str, ...]:
    """Return the parts of the data that metrics of the trainable would need and that are not there.

    Only trainables of kinds measure on the parts that a data set has; others make parts of their
    own.
    """
    if data is not None:
        kind, parts = data.kind, data.parts
    elif dataset in datasets.names():
        kind, parts = datasets.kind(dataset), datasets.splits(dataset)
    else:
        return ()
    return tuple(part for part in SPLITS if part not in parts) if kind in trainable.kinds else ()


def target_unit(spec: JobSpec) -> str:
    """Return the unit of the target of a job's data: for users' data, the column's name."""
    if spec.data is not None:
        return spec.data.target
    name = spec.space.dataset
    return datasets.unit(name) if name in datasets.names() else ""
