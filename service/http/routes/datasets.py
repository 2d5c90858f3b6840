"""Routes of data sets: argbest's own, and users'."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from results.records import DatasetRecord
from service import datasets as own
from service.http.dependencies import Name, ReadingDep, SettingsDep, StorageDep, StoreDep
from service.http.openapi import FILE_BODY, PROBLEMS
from service.http.uploads import receive, upload_folder
from service.schemas import DatasetList, DatasetView
from trainables import datasets
from trainables.datasets import DatasetStatus

router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"], responses=PROBLEMS)

Text = Annotated[str, Query(max_length=1_000)]
Corrections = Annotated[list[str], Query(max_length=2_000)]


@router.get("")
def list_datasets(settings: SettingsDep, store: StoreDep) -> DatasetList:
    """List the data sets, and whether this node has them; users' are in the storage."""
    found = own.statuses(store, settings.datasets_dir, source=settings.fashion_mnist_dir)
    return DatasetList(items=[_view(status, record, with_card=False) for status, record in found])


@router.post(
    "",
    status_code=201,
    response_model=DatasetView,
    openapi_extra=FILE_BODY,
    responses={200: {"model": DatasetView, "description": "the same content was there already"}},
)
async def add_dataset(
    request: Request,
    settings: SettingsDep,
    store: StoreDep,
    storage: StorageDep,
    reading: ReadingDep,
    response: Response,
    name: Text,
    target: Text = "",
    task: Text = "",
    split: Text = "",
    seed: Text = "",
    types: Corrections = [],  # noqa: B006 - FastAPI copies it
) -> DatasetView:
    """Make a data set of a CSV, TSV, Parquet or NPZ file, the request's body.

    `target` names the column to predict, `task` is `regression` or `classification`, `split` has
    the shares of training, validation and test rows (`0.6,0.2,0.2`), which `seed` draws. `types`
    corrects what columns are: `zip code=category,size=number,id=ignore`.
    """
    sent = own.Sent(name, target, task, split, seed, tuple(types))
    sent.check()
    with upload_folder(settings) as folder:
        file = folder / "sent"
        await receive(
            request,
            file,
            max_bytes=settings.max_dataset_bytes,
            setting="ARGBEST_MAX_DATASET_BYTES",
        )
        async with reading:
            record, is_new = await run_in_threadpool(own.add, store, storage, sent, file)
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"/api/v1/datasets/{record.name}"
    return _view(own.status_of(record), record)


@router.get("/{name}")
def show_dataset(name: Name, settings: SettingsDep, store: StoreDep) -> DatasetView:
    """Show a data set; a user's with its card."""
    if name in datasets.names():
        source = settings.fashion_mnist_dir
        return _view(datasets.status(name, settings.datasets_dir, source=source), None)
    record = store.dataset(name)
    return _view(own.status_of(record), record)


@router.delete("/{name}", status_code=204)
def remove_dataset(name: Name, store: StoreDep) -> None:
    """Remove a user's data set; jobs that were accepted with it keep their data."""
    own.remove(store, name)


def _view(
    status: DatasetStatus, record: DatasetRecord | None, *, with_card: bool = True
) -> DatasetView:
    shown: dict[str, Any] = asdict(status)
    if record is None:
        return DatasetView.model_validate({**shown, "kind": datasets.kind(status.name)})
    shown |= {
        "kind": record.kind,
        "own": True,
        "digest": record.digest,
        "created_at": record.created_at,
        "card": record.card if with_card else None,
    }
    return DatasetView.model_validate(shown)
