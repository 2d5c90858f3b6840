"""The states of a job and of a trial, and the moves between them that are legal."""

from __future__ import annotations

from enum import StrEnum

#: What stands for a state in the event of a job's deletion.
DELETED = "deleted"


class JobState(StrEnum):
    """Where a job is in its life; :data:`JOB_MOVES` says where it may go next."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_finished(self) -> bool:
        """Whether the job has ended; a retry of its failed trials or an extension runs it again."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)

    def may_become(self, other: JobState) -> bool:
        """Whether the move from this state to ``other`` is legal."""
        return other in JOB_MOVES[self]


#: A running job goes back to the queue when its driver died or was told to stop; one that is
#: pausing lets its running trials finish and is then paused, or has ended if no trial was left.
#: A job that has ended goes back to the queue when its failed trials are to run again, or when it
#: is extended; a cancelled one only by an extension.
JOB_MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.PAUSED, JobState.CANCELLED}),
    JobState.RUNNING: frozenset(
        {
            JobState.QUEUED,
            JobState.PAUSING,
            JobState.CANCELLING,
            JobState.SUCCEEDED,
            JobState.FAILED,
        }
    ),
    JobState.PAUSING: frozenset(
        {
            JobState.PAUSED,
            JobState.RUNNING,
            JobState.CANCELLING,
            JobState.SUCCEEDED,
            JobState.FAILED,
        }
    ),
    JobState.PAUSED: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    JobState.CANCELLING: frozenset({JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset({JobState.QUEUED}),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}


class TrialState(StrEnum):
    """Where a trial is in its life; a running trial whose process is lost is queued again.

    A paused trial waits at a rung, with a checkpoint, until its scheduler lets it go on. A stopped
    one was ended early, by its scheduler or by a budget.
    """

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_finished(self) -> bool:
        """Whether the trial has ended; a retry or an extension of its job may run it again."""
        return self not in (TrialState.QUEUED, TrialState.RUNNING, TrialState.PAUSED)


class Purpose(StrEnum):
    """What a trial is run for."""

    #: To find good configurations.
    SEARCH = "search"
    #: To train one of the best configurations again with another seed.
    CONFIRM = "confirm"


class FailureKind(StrEnum):
    """Why a trial failed, in a word; the record's message says it in a sentence."""

    DIVERGED = "diverged"
    USER_ERROR = "user_error"
    OUT_OF_MEMORY = "out_of_memory"
    TIME_LIMIT = "time_limit"
    WORKER_LOST = "worker_lost"
    INFEASIBLE = "infeasible"
    INTERNAL = "internal"

    @property
    def is_retried(self) -> bool:
        """Whether a trial that failed so is started again, up to the job's ``max_failures``.

        One whose process was lost is started again a few times more, whatever the job says.

        The same numbers diverge again, the same work takes as long, and what the cluster or the
        data lack does not come back by itself.
        """
        return self in (FailureKind.USER_ERROR, FailureKind.OUT_OF_MEMORY, FailureKind.WORKER_LOST)

    @property
    def is_of_configuration(self) -> bool:
        """Whether the trial's configuration is taken to be the reason.

        Samplers are told of such a failure as of a bad result, so that they keep away. A full disk,
        a missing data set or a defect of argbest would have failed any configuration: told of
        those, a model would avoid good ones. A trial fails as lost only when its process was lost
        at start after start, by a crash or for its memory rather than by its nodes.
        """
        return self not in (FailureKind.INFEASIBLE, FailureKind.INTERNAL)


def has_failed_by_itself(state: TrialState, kind: FailureKind | None) -> bool:
    """Return whether a trial failed, and its configuration is taken to be the reason.

    So it is where nothing says why it failed.
    """
    return state is TrialState.FAILED and (kind is None or kind.is_of_configuration)
