"""Where the driver writes what trials print."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from service.engine.trial_output import TrialOutput
from service.trial_logs import TrialLog

MOST = 64 * 1024


def test_lines_go_to_the_jobs_log_with_their_number_and_to_a_log_of_the_trial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = TrialOutput(tmp_path / "job", MOST)
    output.write(3, "one\ntwo\n")
    output.write(12, "\x1b[31mred\r\x00\n")
    assert capsys.readouterr().out.startswith("trial 3: one\ntrial 3: two\ntrial 12: \x1b[31mred\n")
    assert TrialLog(tmp_path / "job" / "3").read(0).text == "one\ntwo\n"
    assert TrialLog(tmp_path / "job" / "12").read(0).text == "\x1b[31mred\r\x00\n"


def test_a_note_comes_before_the_next_line_and_makes_no_log_alone(tmp_path: Path) -> None:
    output = TrialOutput(tmp_path, MOST)
    output.write(3, "first\n")
    output.note(3, "--- goes on\n")
    output.note(4, "--- goes on\n")
    output.write(3, "second\n")
    output.write(3, "third\n")
    assert TrialLog(tmp_path / "3").read(0).text == "first\n--- goes on\nsecond\nthird\n"
    assert not (tmp_path / "4").exists()


def test_a_folder_that_cannot_be_written_costs_one_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "job").write_text("a file")
    output = TrialOutput(tmp_path / "job", MOST)
    for _ in range(3):
        output.write(0, "line\n")
    assert capsys.readouterr().out == "trial 0: line\n" * 3
    assert caplog.text.count("cannot be written") == 1


def test_a_flood_costs_the_driver_little(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second of processor time takes more than four trials print at most in a second."""
    output, batch = TrialOutput(tmp_path, MOST), "x" * 79 + "\n"
    batch *= 256 * 1024 // 80
    begun = time.process_time()
    for number in range(8):
        output.write(number, batch)
    assert time.process_time() - begun < 1.0
    assert len(capsys.readouterr().out) > 8 * len(batch)
    assert sum(file.stat().st_size for file in tmp_path.rglob("*.log")) <= 8 * MOST
