"""The order of the test files."""

from __future__ import annotations

import re

import pytest

from tests.conftest import WITH_COMPILED_CODE, WITH_THE_SERVICE
from tests.test_docs import ROOT


@pytest.mark.parametrize(
    ("fixture", "listed"),
    [(r"\bservice: Service", WITH_THE_SERVICE), ("code_folder: Path", WITH_COMPILED_CODE)],
)
def test_the_files_that_share_something_dear_are_listed(
    fixture: str, listed: tuple[str, ...]
) -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "tests").rglob("test_*.py")
        if re.search(fixture, file.read_text(encoding="utf-8")) and file.stem != "test_conftest"
    }
    assert files == set(listed)
