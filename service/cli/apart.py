"""Runs a part of a command in a child process, so that nothing of it outlives the command.

The child is told when its parent is killed, also by kill -9, and ends what it has started. The
parent adopts what a killed child leaves behind, and ends that. Both need Linux.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from service.cli.errors import ExitCode

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_apart(work: Callable[[], int]) -> int:
    """Return the exit code that ``work`` returns in a child process, which has no standard input.

    Signals to this process are passed on: the child has a process group of its own, so that Ctrl-C
    reaches it once. Elsewhere than on Linux ``work`` runs in this process.
    """
    if sys.platform != "linux":
        return work()
    from trainables.descendants import adopt_orphans, descendants, end_descendants

    adopt_orphans()
    before = {process.pid for process in descendants()}
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)  # until each process knows what to do
    child = os.fork()
    if child == 0:
        _become_child(work, parent)
    former = [signal.signal(number, lambda got, _: os.kill(child, got)) for number in _PASSED_ON]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        for number, handler in zip(_PASSED_ON, former, strict=True):
            signal.signal(number, handler)
        end_descendants(before)
    return status if status >= 0 else 128 - status


def _become_child(work: Callable[[], int], parent: int) -> NoReturn:
    """Do the work, end what it has started, and end this process, whatever happens."""
    from trainables.descendants import adopt_orphans, end_descendants, end_with_parent

    status: int = ExitCode.JOB_FAILED
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # it may print, though not in the foreground
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        adopt_orphans()
        end_with_parent(signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        if os.getppid() == parent:  # else it has ended already
            status = work()
        sys.stdout.flush()
        sys.stderr.flush()
    except (KeyboardInterrupt, BrokenPipeError):
        status = ExitCode.INTERRUPTED
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else ExitCode.JOB_FAILED
    except BaseException:  # noqa: BLE001 - the edge of this process
        sys.excepthook(*sys.exc_info())
    finally:
        end_descendants()
        os._exit(status)
