"""Processes by id and start time: found, never mistaken for others, ended with what they began."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from results.records import DriverProcess
from service.engine import processes
from tests.service.running import until
from tests.service.stand_ins import SLEEPER, child

#: A process that says when it is told to end, and goes on.
STUBBORN = f"""
import signal
signal.signal(signal.SIGTERM, lambda *_: print("told", flush=True))
{SLEEPER}
time.sleep(60)
"""
#: A process with a descendant in a session of its own.
PARENT = f"""
import subprocess, sys
command = [sys.executable, "-IS", "-c", {STUBBORN!r}]
begun = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
begun.stdout.readline()
{SLEEPER}
"""
#: A process that has the title of a trial's.
TITLED = f"""
import sys
sys.path[:] = {sys.path!r}
from service.engine import processes
processes.set_title("argbest q4_grid 9a515f8bf621a5d8 trial 7")
{SLEEPER}
"""


def partner(mine: Path, other: Path) -> str:
    """A process that ends by itself once it and another one have been told to, and says so."""
    return f"""
import pathlib, signal, sys
def end(*_):
    mine = pathlib.Path({str(mine)!r})
    mine.touch()
    while not pathlib.Path({str(other)!r}).exists():
        time.sleep(0.01)
    mine.write_text("by itself")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
{SLEEPER}
"""


def test_a_process_is_found_by_its_identity_while_it_runs() -> None:
    with child() as process:
        identity = processes.identity(process.pid)
        assert (identity.host, identity.pid) == (processes.host_name(), process.pid)
        found = processes.find(identity)
        assert found is not None
        assert found.pid == process.pid
    assert processes.find(identity) is None


def test_a_recycled_process_id_is_another_process() -> None:
    with child() as process:
        identity = processes.identity(process.pid)
        before = replace(identity, started=identity.started - 1)
        assert processes.find(before) is None
        processes.end_trees([before], patience_s=1)
        assert process.poll() is None


def test_an_owner_is_gone_once_its_process_is() -> None:
    mine = processes.owner_name()
    assert mine != processes.owner_name()
    assert not processes.owner_is_gone(mine)
    with child() as process:
        theirs = processes.identity(process.pid)
        name = f"{theirs.host}:{theirs.pid}:{theirs.started!r}:1"
        assert not processes.owner_is_gone(name)
    assert processes.owner_is_gone(name)
    assert processes.owner_is_gone(f"{theirs.host}:7:abcdef01"), "of an earlier version"
    assert not processes.owner_is_gone(f"elsewhere:{theirs.pid}:{theirs.started!r}:1")


def test_a_process_of_another_host_is_not_looked_for_here() -> None:
    with child() as process:
        elsewhere = replace(processes.identity(process.pid), host="elsewhere")
        assert processes.find(elsewhere) is None
        processes.end_trees([elsewhere], patience_s=1)
        assert process.poll() is None


def test_two_processes_begun_at_different_times_differ_in_their_start() -> None:
    with child() as first:
        time.sleep(0.02)  # the clock that counts starts ticks 100 times a second
        with child() as second:
            one, other = processes.identity(first.pid), processes.identity(second.pid)
    assert one.started < other.started


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc on this system")
def test_the_start_is_read_also_behind_a_name_with_spaces_and_parentheses(tmp_path: Path) -> None:
    program = tmp_path / "a) b (c"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "60"]) as process:
        until(
            lambda: psutil.Process(process.pid).name() == program.name, within_s=10, what="started"
        )
        stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
        assert f"({program.name})" in stat
        started = processes.identity(process.pid).started
        process.kill()
    boot = psutil.boot_time()
    assert abs(boot + started / 100 - time.time()) < 60, "clock ticks since the machine's start"


def test_a_process_that_has_ended_but_was_not_waited_for_is_not_running() -> None:
    with child() as process:
        identity = processes.identity(process.pid)
        process.kill()
        until(
            lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE,
            within_s=10,
            what="a zombie",
        )
        assert processes.find(identity) is None


def test_a_stopped_process_is_still_running() -> None:
    with child() as process:
        process.send_signal(signal.SIGSTOP)
        assert processes.find(processes.identity(process.pid)) is not None


def test_the_trial_processes_of_a_driver_are_those_that_name_it() -> None:
    this, other = DriverProcess("host", 7, 1.5), DriverProcess("host", 7, 2.5)
    name = processes.DRIVER_VARIABLE
    with (
        child(variables={name: processes.process_name(this)}) as mine,
        child(variables={name: processes.process_name(other)}) as theirs,
    ):
        assert [p.pid for p in processes.trial_processes(this)] == [mine.pid]
        assert [p.pid for p in processes.trial_processes(other)] == [theirs.pid]
    assert processes.trial_processes(this) == []


def test_a_process_with_a_title_is_found_by_its_environment_and_its_id() -> None:
    """As a trial process is whose title says what it trains."""
    driver = DriverProcess("host", 7, 1.5)
    variables = {processes.DRIVER_VARIABLE: processes.process_name(driver)}
    with child(TITLED, variables) as process:
        (found,) = processes.trial_processes(driver)
        assert found.pid == process.pid
        assert found.cmdline()[0].startswith("argbest q4_grid")
        assert processes.find(processes.identity(process.pid)) is not None


def test_all_are_killed_also_if_one_has_gone_before() -> None:
    with child() as gone, child() as there:
        found = [psutil.Process(gone.pid), psutil.Process(there.pid)]
        gone.kill()
        gone.wait()
        processes.kill_all(found)
        assert there.wait(timeout=10) == -signal.SIGKILL


def test_a_process_is_told_to_end_and_killed_with_all_that_it_began() -> None:
    with child(PARENT) as parent:
        (found,) = psutil.Process(parent.pid).children()
        begun = processes.identity(found.pid)
        processes.end_trees([processes.identity(parent.pid)], patience_s=0.3)
        assert not psutil.pid_exists(parent.pid)
        until(lambda: processes.find(begun) is None, within_s=10, what="its descendant's end")


def test_trees_are_told_to_end_side_by_side(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with child(partner(one, other)) as first, child(partner(other, one)) as second:
        found = [processes.identity(p.pid) for p in (first, second)]
        processes.end_trees(found, patience_s=60)
        assert not any(psutil.pid_exists(p.pid) for p in found)
    assert [file.read_text(encoding="utf-8") for file in (one, other)] == ["by itself"] * 2


def test_what_does_not_end_is_told_and_then_killed_a_stopped_process_too() -> None:
    with child(STUBBORN) as stubborn, child() as stopped:
        stopped.send_signal(signal.SIGSTOP)
        found = [processes.identity(p.pid) for p in (stubborn, stopped)]
        processes.end_trees(found, patience_s=2)
        assert not any(psutil.pid_exists(p.pid) for p in found)
        assert stubborn.stdout is not None
        assert stubborn.stdout.read() == b"told\n", "told before it was killed"


def test_ending_what_has_gone_does_nothing() -> None:
    with child() as process:
        gone = processes.identity(process.pid)
    begun = time.monotonic()
    processes.end_trees([gone], patience_s=60)
    assert time.monotonic() - begun < 60, "nothing is waited for"
