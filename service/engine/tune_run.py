"""A driver's run of Ray Tune, which runs the segments of one job after another.

Tune keeps a process of a run that has nothing to do for what comes next, and a new process takes
seconds to import what trials need. So the run of a job that has ended waits a moment for the next
job, and keeps a slot meanwhile.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ray import tune

from service.engine import processes
from service.engine.channel import KEEP_SECONDS
from service.engine.memory_kills import survive_memory_kills
from service.engine.search import MessageCallback, SegmentSearcher, Work
from service.engine.trial import TrialProcess

logger = logging.getLogger("service.engine.driver")

#: Our records replace Tune's log files and snapshots. A result carries messages and no metric. The
#: segment queue, and not Tune, limits how many trials wait for a slot.
TUNE_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_MAX_PENDING_TRIALS_PG": "10000",
    # A process that is told to leave raises.
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
}
#: Tune keeps all segments of a run in memory, and looks at each of them now and then: one that has
#: had so many takes no other job.
MOST_SEGMENTS = 1000


class TuneRun:
    """Tune's run in a thread of its own; its methods are for one other thread.

    ``folder`` is where each run of a driver has a folder, which has the driver's name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = processes.process_name(processes.identity(os.getpid()))
        #: Guards what follows: both threads wait for its changes.
        self._changed = threading.Condition()
        #: What is to be done, until it is.
        self._work: Work | None = None
        self._resources = (0.0, 0.0)
        self._thread: threading.Thread | None = None
        #: Until when a run without work waits for some, in seconds of the monotonic clock.
        self._until = 0.0
        #: Whether Tune's run is to end, and whether it has.
        self._is_ending = self._is_over = False
        self._error: Exception | None = None
        self._searcher = SegmentSearcher(self._works())

    @property
    def is_open(self) -> bool:
        """Whether it could go on with another job at this moment, and keeps a slot for it."""
        return self._thread is not None and not self._is_over

    def do(self, work: Work) -> None:
        """Run the segments until none runs and none is to begin; raise what the run raises."""
        with self._changed:
            if goes_on := self._may_go_on(work):
                self._work = work
                self._changed.notify_all()
        if not goes_on:
            self.end()
            self._begin(work)
        with self._changed:
            self._changed.wait_for(lambda: self._work is None)
        if self._error is not None:
            error, self._error = self._error, None
            self.end()
            raise error

    def keep(self) -> None:
        """Let a run without work wait for :data:`KEEP_SECONDS` from now on: a job may come."""
        with self._changed:
            self._until = time.monotonic() + KEEP_SECONDS
            self._changed.notify_all()

    def _may_go_on(self, work: Work) -> bool:
        # A process that waits is of no use to trials that take other resources, and keeps its own.
        is_like = work.resources == self._resources
        return self.is_open and is_like and self._searcher.begun <= MOST_SEGMENTS

    def _begin(self, work: Work) -> None:
        self._work, self._resources = work, work.resources
        self._searcher = SegmentSearcher(self._works())
        self._thread = threading.Thread(target=self._run, name="tune", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End the run, if there is one, with its processes."""
        if self._thread is None:
            return
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        self._thread.join()
        self._thread, self._is_ending, self._is_over = None, False, False

    # --- in the run's thread -------------------------------------------------------------------

    def _works(self) -> Iterator[Work]:
        """Yield what is to be done, one after the other; what was yielded before is done then.

        Ends where nothing comes for :data:`KEEP_SECONDS`.
        """
        while True:
            with self._changed:
                while not (self._work or self._is_ending):
                    left = self._until - time.monotonic()
                    if left <= 0:
                        break
                    self._changed.wait(left)
                work = self._work
                self._is_over = work is None
            if work is None:
                return
            yield work
            self._note_done()
            self.keep()

    def _note_done(self, *, is_over: bool = False) -> None:
        with self._changed:
            self._work, self._is_over = None, is_over
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            self._fit()
        except Exception as error:  # noqa: BLE001 - the edge of this thread
            if self._work is None:  # the job's segments have all ended before
                logger.warning("Tune's run did not end well: %s: %s", type(error).__name__, error)
            else:
                self._error = error  # do() raises it
        finally:
            self._note_done(is_over=True)

    def _fit(self) -> None:
        """Let Tune run; its folder is removed, since only records count."""
        survive_memory_kills()
        tuner = tune.Tuner(
            TrialProcess,
            tune_config=tune.TuneConfig(
                num_samples=-1,
                search_alg=self._searcher,
                reuse_actors=True,
                trial_name_creator=lambda trial: f"trial_{trial.trial_id}",
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                name=self._name,
                storage_path=str(self._folder),
                callbacks=[MessageCallback(self._searcher)],
                # Tune would ask a class for a checkpoint of its own at each trial's end.
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        )
        try:
            tuner.fit()
        finally:
            shutil.rmtree(self._folder / self._name, ignore_errors=True)
