"""Processes that a process has started are found and ended."""

from __future__ import annotations

import subprocess
import sys

import psutil

from trainables.descendants import adopt_orphans, descendants, end_descendants, private_bytes

#: Starts processes all the time, which leave its session and ignore SIGTERM.
STARTS_OTHERS = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for number in range(100):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    if number == 10:
        print(flush=True)
    time.sleep(0.002)
time.sleep(600)
"""


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


def test_a_process_that_starts_others_meanwhile_is_ended_with_all_of_them() -> None:
    adopt_orphans()
    there = {process.pid for process in descendants()}
    program = [sys.executable, "-S", "-c", STARTS_OTHERS]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        end_descendants(there)
        assert {process.pid for process in descendants()} <= there
