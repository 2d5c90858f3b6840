"""The order of the test files."""

from __future__ import annotations

from tests.conftest import WITH_THE_SERVICE
from tests.test_docs import ROOT


def test_the_files_that_share_the_service_are_listed() -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "tests").rglob("test_*.py")
        if "service: Service" in file.read_text(encoding="utf-8") and file.stem != "test_conftest"
    }
    assert files == set(WITH_THE_SERVICE)
