"""Each member of a program is read by itself, with pointers to what is wrong in it."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import SearchSpaceError
from search_spaces.program import PROGRAM_KEYS
from search_spaces.program_members import READERS


def test_every_key_of_a_program_has_a_reader() -> None:
    assert set(READERS) == set(PROGRAM_KEYS)


@pytest.mark.parametrize(
    ("key", "raw", "read"),
    [
        ("command", ["python", "a.py", "{args}"], ("python", "a.py", "{args}")),
        ("environment", {"MODE": "fast {seed}"}, {"MODE": "fast {seed}"}),
        ("flags", {"amp": {"true": "--amp", "false": ""}},
         {"amp": {"true": ("--amp",), "false": ()}}),
        ("flags", {"n": {"1": ["-n", "one"]}}, {"n": {"1": ("-n", "one")}}),
        ("patterns", {"loss": "loss ([0-9.]+)"}, {"loss": "loss ([0-9.]+)"}),
        ("early_end", True, True),
        ("parameters_schema", None, None),
    ],
)  # fmt: skip
def test_a_member_is_read(key: str, raw: Any, read: Any) -> None:
    assert READERS[key](raw, f"/{key}") == read


@pytest.mark.parametrize(
    ("key", "raw", "pointer"),
    [
        ("command", "python a.py", "/command"),
        ("command", ["python", 3], "/command/1"),
        ("environment", {"ARGBEST_TOKEN": "x"}, "/environment/ARGBEST_TOKEN"),
        ("flags", {"amp": {"true": 1}}, "/flags/amp/true"),
        ("patterns", {"loss": "no group"}, "/patterns/loss"),
        ("resumes", "yes", "/resumes"),
        ("code", 3, "/code"),
    ],
)
def test_what_is_wrong_has_its_place(key: str, raw: Any, pointer: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        READERS[key](raw, f"/{key}")
    assert [problem.pointer for problem in caught.value.problems] == [pointer]
    assert all(problem.hint for problem in caught.value.problems)
