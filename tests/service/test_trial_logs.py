"""A trial's log: bounded, and read by offsets that mean the same byte for good."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import trial_logs
from service.trial_logs import LogPart, TrialLog

MOST = 64


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_what_is_appended_is_read_from_any_offset(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "3")
    for line in (b"one\n", b"two\n", b"three\n"):
        log.append(line, MOST)
    assert log.read(0) == LogPart("one\ntwo\nthree\n", 0, 14)
    assert log.read(4) == LogPart("two\nthree\n", 4, 14)
    assert log.read(14) == LogPart("", 14, 14)
    assert log.read(10**9) == LogPart("", 14, 14), "beyond the end"


def test_a_log_that_was_never_written_is_empty(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "nothing")
    assert log.read(0) == log.read(7) == log.tail(5) == LogPart("", 0, 0)


def test_the_newest_bytes_stay_and_offsets_keep_their_meaning(tmp_path: Path) -> None:
    log, lines = TrialLog(tmp_path), [f"line {n:04d}\n" for n in range(200)]
    for n, line in enumerate(lines):
        log.append(line.encode(), MOST)
        assert size(tmp_path) <= MOST
        assert log.read(10 * n).text == line
    part = log.read(0)
    assert part.offset > 0
    assert part.offset % 10 == 0
    assert part.text == "".join(lines)[part.offset :]
    assert part.next_offset == 2000
    assert len(part.text) >= MOST // 2 - 10


def test_a_piece_larger_than_the_log_keeps_its_end(tmp_path: Path) -> None:
    log = TrialLog(tmp_path)
    log.append(b"before\n", MOST)
    log.append(b"x" * 1000 + b"end", MOST)
    assert size(tmp_path) <= MOST
    assert log.read(0) == LogPart("before\n", 0, 7), "up to what was never kept"
    assert log.read(7) == LogPart("x" * 29 + "end", 978, 1010)
    assert log.tail(1) == LogPart("x" * 29 + "end", 978, 1010)
    log.append(b"!", MOST)
    assert log.read(1010) == LogPart("!", 1010, 1011)


def test_another_driver_goes_on_where_the_former_ended(tmp_path: Path) -> None:
    TrialLog(tmp_path).append(b"a" * 30, MOST)
    TrialLog(tmp_path).append(b"b" * 30, MOST)
    assert TrialLog(tmp_path).read(29) == LogPart("a" + "b" * 30, 29, 60)


@pytest.mark.parametrize("lines", [1, 2, 3, 10_000])
def test_the_last_lines(tmp_path: Path, lines: int) -> None:
    log = TrialLog(tmp_path)
    log.append("é1\né2\né3".encode(), MOST)
    whole = ["é1\n", "é2\n", "é3"]
    kept = "".join(whole[-lines:])
    assert log.tail(lines) == LogPart(kept, 11 - len(kept.encode()), 11)


def test_an_offset_inside_a_character_begins_at_the_next_one(tmp_path: Path) -> None:
    log = TrialLog(tmp_path)
    log.append("a€😀b".encode(), MOST)
    assert log.read(1) == LogPart("€😀b", 1, 9)
    assert log.read(2) == log.read(3) == log.read(4) == LogPart("😀b", 4, 9)
    assert log.read(5) == log.read(8) == LogPart("b", 8, 9)


def test_a_part_ends_with_a_whole_character(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_logs, "MAX_READ_BYTES", 5)
    log = TrialLog(tmp_path)
    log.append("ab€€c".encode(), MOST)
    assert log.read(0) == LogPart("ab€", 0, 5)
    assert log.read(5) == LogPart("€c", 5, 9)
    assert log.read(4) == LogPart("€c", 5, 9)
    assert log.read(1) == LogPart("b€", 1, 5), "not the half of the second"


@given(st.lists(st.binary(max_size=100), max_size=20), st.integers(0, 3000))
def test_any_bytes_and_any_offset(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], offset: int
) -> None:
    """Also bytes that are no UTF-8; whoever follows the offsets sees an end."""
    folder = tmp_path_factory.mktemp("log")
    log = TrialLog(folder)
    for piece in pieces:
        log.append(piece, MOST)
    assert size(folder) <= MOST
    total = sum(map(len, pieces))
    part = log.read(offset)
    assert part.text.encode().decode() == part.text, "no lone surrogates"
    assert part.offset <= part.next_offset <= total
    for _ in range(10):
        following = log.read(part.next_offset)
        if following.next_offset == part.next_offset:
            break
        part = following
    assert total - part.next_offset <= 3
    assert total - log.tail(3).next_offset <= 3


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.log").write_text("mine")
    (tmp_path / "7.txt").write_text("mine")
    log = TrialLog(tmp_path)
    for _ in range(20):
        log.append(b"line\n" * 5, MOST)
    assert {"notes.log", "7.txt"} <= {path.name for path in tmp_path.iterdir()}
    assert "mine" not in log.read(0).text
