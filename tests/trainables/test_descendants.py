"""Processes that a process has started are found and ended."""

from __future__ import annotations

import subprocess

import psutil

from trainables.descendants import adopt_orphans, descendants, end_descendants, private_bytes


def test_those_that_were_there_before_stay() -> None:
    adopt_orphans()
    with subprocess.Popen(["sleep", "600"]) as before:
        there = {process.pid for process in descendants()}
        assert before.pid in there
        shell = subprocess.Popen(["sh", "-c", "(setsid sleep 600 &) ; sleep 600"])
        end_descendants(there)
        assert {process.pid for process in descendants()} == there
        assert not psutil.pid_exists(shell.pid)
        assert private_bytes([psutil.Process(before.pid)]) > 0
        before.kill()
    shell.returncode = -9  # its status is collected
    assert private_bytes([psutil.Process()]) > 2**20
