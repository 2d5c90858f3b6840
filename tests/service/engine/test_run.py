"""What a driver refuses, and what it waits for, before it connects to Ray."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from results.records import CodeRecord, Lease
from results.spec import DataRef
from results.storage import StorageError
from results.store import Store
from search_spaces import SearchSpace
from service.engine import run
from service.engine.allowance import Allowance
from service.engine.endings import ending_of
from service.engine.ray_connection import InfeasibleError
from service.engine.run import check_program, run_job
from service.engine.tune_run import TuneRun
from service.settings import Settings
from tests.service.stand_ins import accept, claim, opened, settings_in, spec

PROGRAM = SearchSpace.from_json(
    {"name": "mine", "command": ["python", "train.py"], "metric": "loss", "mode": "min",
     "strategy": "single", "parameters": {}}
)  # fmt: skip


@pytest.mark.parametrize("allows", [False, True])
def test_a_program_is_run_only_where_the_setting_is_on(tmp_path: Path, allows: bool) -> None:
    settings = Settings(data_dir=tmp_path, allow_commands=allows)
    check_program(spec().space, settings)
    if allows:
        check_program(PROGRAM, settings)
        return
    with pytest.raises(InfeasibleError, match="ARGBEST_ALLOW_COMMANDS is off") as refused:
        check_program(PROGRAM, settings)
    ending = ending_of(refused.value)
    assert ending is not None
    assert ending.error is not None
    assert "argbest retry" in ending.error.message


def test_a_job_that_was_accepted_before_is_not_run(tmp_path: Path) -> None:
    """Ray is never asked: nothing listens at its address."""
    settings = settings_in(tmp_path, "127.0.0.1:1")
    with opened(settings) as store:
        lease = claim_program(store)
        with pytest.raises(InfeasibleError, match="--allow-commands"):
            run_job(store, lease, settings, Allowance(), TuneRun(settings.tune_dir))
        assert not any(trial.attempt for trial in store.trials(lease.job_id))


def claim_program(store: Store) -> Lease:
    accept(store, spec(command=["python", "train.py"], trainable="command", dataset="none"), [{}])
    return claim(store)


@pytest.mark.parametrize("needed", ["code", "data", ""])
def test_a_job_waits_for_a_storage_in_which_its_code_or_data_are(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    needed: str,
) -> None:
    settings = settings_in(tmp_path, "127.0.0.1:1")
    digest = f"sha256:{0:064}"
    wanted = {
        "code": spec(
            command=["python", "train.py"], trainable="command", dataset="none", code=digest
        ),
        "data": replace(spec(), data=DataRef("a" * 64, "regression", "price", ("train",))),
        "": spec(),
    }[needed]
    answers = [StorageError("the storage is away"), None]

    def recognize(*_: object) -> None:
        if (error := answers.pop(0)) is not None:
            raise error

    monkeypatch.setattr(run, "recognize", recognize)
    monkeypatch.setattr(run, "STORAGE_SECONDS", 0)
    with opened(settings) as store, caplog.at_level(logging.WARNING):
        store.add_code(CodeRecord(digest, "code/x", 1, 1, 1))
        job = store.job(accept(store, wanted, [{}]))
        run._storage_of(store, settings, Allowance(), job)
    assert len(answers) == (0 if needed else 1)
    said = f"waits for its {needed}" if needed else "states are stored when it can be used"
    assert [said in message for message in caplog.messages] == [True]
