"""When memory and files are looked at. That programs are ended: test_bad_programs.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainables.program_errors import LimitExceeded, MemoryExceeded
from trainables.program_limits import Limits, Watch


def test_files_are_looked_at_from_time_to_time(tmp_path: Path) -> None:
    now = [100.0]
    watch = Watch(Limits(disk=100_000), tmp_path, clock=lambda: now[0])
    watch.look()
    (tmp_path / "file").write_bytes(bytes(200_000))
    now[0] += 4.9
    watch.look()
    now[0] += 0.1
    with pytest.raises(LimitExceeded, match="may have 100,000"):
        watch.look()


def test_no_limit_is_kept_where_none_is_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(200_000))
    Watch(Limits(), tmp_path).look()


def test_only_descendants_count(tmp_path: Path) -> None:
    """This process has none."""
    watch = Watch(Limits(memory=1), tmp_path, frozenset(range(2**22)))
    watch.look()
    assert issubclass(MemoryExceeded, Exception)
