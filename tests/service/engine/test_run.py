"""What a driver refuses before it connects to Ray."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.records import Lease
from results.store import Store
from search_spaces import SearchSpace
from service.engine.allowance import Allowance
from service.engine.endings import ending_of
from service.engine.ray_connection import InfeasibleError
from service.engine.run import check_program, run_job
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
            run_job(store, lease, settings, Allowance())
        assert not any(trial.attempt for trial in store.trials(lease.job_id))


def claim_program(store: Store) -> Lease:
    accept(store, spec(command=["python", "train.py"], trainable="command", dataset="none"), [{}])
    return claim(store)
