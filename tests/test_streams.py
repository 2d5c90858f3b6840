"""A short form of `python -m tools.streams`: each number of streams is measured."""

from __future__ import annotations

from tools.streams import measure


def test_each_number_of_streams_is_measured() -> None:
    shares = dict(measure(seconds=0.2, number=2))
    assert [*shares] == [
        "none", "1 of a job", "2 of one job", "2 of as many jobs", "1 of all jobs", "2 of all jobs",
    ]  # fmt: skip
    assert min(shares.values()) >= 0
