"""What kind of failure an exception of a trial is."""

from __future__ import annotations

import errno

import pytest

from results.states import FailureKind
from service.engine.failures import failure_of_trial


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_failure_of_the_configuration(number: int) -> None:
    failure = failure_of_trial(OSError(number, "No space left on device"))
    assert failure.kind is FailureKind.INFEASIBLE
    assert not failure.kind.is_of_configuration
    assert failure.message.endswith("free some space on the machine that ran the trial")
    assert failure.traceback is not None


def test_other_errors_of_the_system_are_those_of_the_program() -> None:
    assert failure_of_trial(FileNotFoundError(2, "none")).kind is FailureKind.USER_ERROR
