"""What a segment prints that trains in the trial process itself."""

from __future__ import annotations

import logging
import sys

import pytest

from service.engine.segment_output import MAX_CHARACTERS, CurrentStderr, SegmentOutput


def test_both_streams_are_gathered_line_by_line_and_given_back() -> None:
    output, before = SegmentOutput(), (sys.stdout, sys.stderr)
    with output.gathering():
        print("one")
        print("two", file=sys.stderr)
        print("thr", end="", flush=True)
        assert output.take() == "one\ntwo\n"
        print("ee\nfour", end="")
    assert (sys.stdout, sys.stderr) == before
    assert output.take() == "three\n"
    assert output.take() == ""
    assert output.take(last=True) == "four\n"
    assert output.take(last=True) == ""


def test_the_streams_are_given_back_after_an_exception() -> None:
    before = sys.stdout
    with pytest.raises(KeyError), SegmentOutput().gathering():
        raise KeyError
    assert sys.stdout is before


def test_of_a_flood_the_end_is_kept() -> None:
    output = SegmentOutput()
    for n in range(10):
        output.write(f"{n}" * (MAX_CHARACTERS // 3))
    output.write("\nend\n")
    text = output.take()
    assert len(text) == MAX_CHARACTERS
    assert text.endswith("9\nend\n")


def test_a_handler_made_before_logs_into_the_gathered_output() -> None:
    logger = logging.Logger("a segment's")
    logger.addHandler(CurrentStderr())
    output = SegmentOutput()
    with output.gathering():
        logger.warning("into the trial's log")
    assert output.take() == "into the trial's log\n"
