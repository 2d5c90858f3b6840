"""Every way in which a program fails a trial is one of a trainable's errors, and is listed."""

from __future__ import annotations

import pytest

from service.engine.failures import failure_of_trial
from trainables import program_errors
from trainables.contract import TrainableError
from trainables.program_errors import ProgramError

KINDS = [
    kind for kind in vars(program_errors).values()
    if isinstance(kind, type) and issubclass(kind, ProgramError) and kind is not ProgramError
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_is_listed_and_becomes_a_failure_that_says_it(kind: type[ProgramError]) -> None:
    assert issubclass(kind, TrainableError)
    assert kind.__doc__ is not None
    listed = (ProgramError.__doc__ or "").splitlines()
    assert any(line.split()[:1] == [kind.__name__] for line in listed)
    assert "it went wrong: mend it" in failure_of_trial(kind("it went wrong: mend it")).message


def test_the_list_names_no_other() -> None:
    listed = {line.split()[0] for line in (ProgramError.__doc__ or "").splitlines()
              if line.startswith("      ")}  # fmt: skip
    assert listed == {kind.__name__ for kind in KINDS}
