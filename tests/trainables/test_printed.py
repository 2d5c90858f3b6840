"""What lines report, and how a stream is cut into lines. The bad ones: test_bad_programs.py."""

from __future__ import annotations

import pytest

from trainables.printed import MAX_LINE, Found, Lines, Reader


def reader(patterns: dict[str, str] | None = None) -> tuple[Reader, list[str]]:
    notes: list[str] = []
    return Reader(patterns or {}, lambda key, text: notes.append(text)), notes


def test_numbers_are_metrics_by_their_path() -> None:
    read, notes = reader()
    line = '{"epoch": 3, "a": 1, "b": {"c": 2.5, "d": {"e": -1}}, "é b": 0, "text": "x"}'
    assert read.printed(line) == Found({"a": 1, "b/c": 2.5, "b/d/e": -1, "é b": 0}, 3)
    assert notes == ['text is "x", which is no number, and is left out (as are others like it)']


@pytest.mark.parametrize("line", ["", "hello", "[1]", '"loss"', '{"text": "x"}', "{}", "loss {1}"])
def test_other_lines_report_nothing(line: str) -> None:
    assert reader()[0].printed(line) is None


def test_patterns_are_searched_for_in_place_of_json() -> None:
    read, notes = reader({"epoch": r"Epoch (\d+)", "loss": r"loss: (\S+)"})
    assert read.printed("\x1b[1mEpoch 2\x1b[0m/9 loss: 1e-3") == Found({"loss": 0.001}, 2.0)
    assert read.printed("loss: nan").metrics.keys() == {"loss"}  # type: ignore[union-attr]
    assert read.printed('{"loss": 1}') is None
    assert notes == []


def test_printed_json_is_output_once_the_pipe_is_used() -> None:
    read, _ = reader()
    assert read.printed('{"a": 1}') == Found({"a": 1.0})
    assert read.sent('{"a": 2}') == Found({"a": 2.0})
    assert read.printed('{"a": 3}') is None


def test_a_stream_is_cut_at_line_feeds_wherever_it_comes_apart() -> None:
    lines = Lines()
    assert lines.feed(b"a\nb") == (["a"], b"a\n")
    assert lines.feed(b"c\r\nd\n") == (["bc", "d"], b"bc\nd\n")
    assert lines.feed("é".encode()[:1]) == ([], b"")
    assert lines.feed("é".encode()[1:]) == ([], b"")
    assert lines.end() == (["é"], "é\n".encode())
    assert lines.end() == ([], b"")


def test_what_is_overwritten_is_read_but_not_logged() -> None:
    assert Lines().feed(b"1 %\r2 %\r{x}\n") == (["1 %", "2 %", "{x}"], b"{x}\n")


def test_only_marked_lines_are_read() -> None:
    assert Lines(b"{").feed(b"a\n{b\nc\n") == (["{b"], b"a\n{b\nc\n")


def test_a_line_that_is_too_long_is_logged_in_pieces_and_not_read() -> None:
    lines = Lines()
    long = b"x" * MAX_LINE
    assert lines.feed(b"a\n" + long) == (["a"], b"a\n")
    assert lines.feed(long + b"y") == ([], 2 * (long + b"\n"))
    assert lines.feed(b"z\nb\n") == (["b"], b"yz\nb\n")
