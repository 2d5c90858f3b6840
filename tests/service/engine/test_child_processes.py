"""Children that are started ahead."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from service.engine.child_processes import ChildProcess, ChildProcesses
from tests.service.running import until
from trainables.descendants import descendants, end_descendants


@pytest.fixture
def children() -> Iterator[ChildProcesses]:
    before = {process.pid for process in descendants()}
    yield ChildProcesses(ahead=True)
    end_descendants(before)


def end(child: ChildProcess) -> None:
    child.process.kill()
    child.close()


def test_the_next_child_waits_while_one_trains_and_is_as_fresh(children: ChildProcesses) -> None:
    first = children.take()
    assert children.waiting == set()
    children.has_begun()
    children.has_begun()
    waiting = until(lambda: children.waiting or None, within_s=30, what="a child waits")
    end(first)
    second = children.take()
    assert {second.process.pid} == waiting
    assert second.process.poll() is None
    assert children.waiting == set()
    end(second)


def test_a_child_that_waits_is_replaced_where_it_would_be_another_or_has_ended(
    children: ChildProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    children.has_begun()
    (waiting,) = until(lambda: children.waiting or None, within_s=30, what="a child waits")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    child = children.take()
    assert child.process.pid != waiting
    assert child.environment["CUDA_VISIBLE_DEVICES"] == "7"
    end(child)
    children.has_begun()
    (waiting,) = until(lambda: children.waiting or None, within_s=30, what="a child waits")
    os.kill(waiting, 9)
    os.waitid(os.P_PID, waiting, os.WEXITED | os.WNOWAIT)
    child = children.take()
    assert child.process.pid != waiting
    end(child)


def test_only_what_is_left_of_a_trial_is_ended(children: ChildProcesses) -> None:
    there = {process.pid for process in descendants()}  # the database that other tests share, say
    with subprocess.Popen(["sleep", "600"]) as earlier:
        child = children.take()
        children.has_begun()
        (waiting,) = until(lambda: children.waiting or None, within_s=30, what="a child waits")
        children.end_others({*there, earlier.pid})
        assert not psutil.pid_exists(child.process.pid)
        assert earlier.poll() is None
        child.close()
        assert children.waiting == {waiting}
        end(children.take())
        earlier.kill()


def test_one_that_cannot_be_started_leaves_no_pipe_and_is_a_line_of_the_log(
    children: ChildProcesses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/python")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(FileNotFoundError, match="/no/python"):
        children.take()
    children.has_begun()
    until(lambda: caplog.messages, within_s=30, what="a warning")
    assert "no child could be started ahead: " in caplog.messages[0]
    assert children.waiting == set()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_child_that_is_not_needed_ends_without_a_word(children: ChildProcesses) -> None:
    child = children.take()
    child.answers.close()
    assert child.process.wait(60) == 0
    assert os.read(child.output, 100) == b""
    end(child)
