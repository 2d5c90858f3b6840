"""The errors of this package.

ResultsError
  JobNotFound         no job has that id
  TrialNotFound       the job has no trial of that number
  IllegalMove         the state of the job or trial does not allow the move that was asked for
  IdempotencyClash    the key was used before with another request
  UnreadableJob       another version of argbest accepted the job, and this one cannot read it
  LeaseLost           the lease has expired or been taken over: the holder must stop writing
  BadCursor           the page cursor was not made by this store
  StoreUnavailable    the database cannot be reached, is locked, or its disk is full
  UnsupportedDatabase the database URL, its driver or its schema is not one this store works with
  UnknownPlot         the job has no plot of that name
  UnknownFigure       there is no figure of that name
  NoFigure            the figure cannot be drawn from what the job has
  BadParameters       the figure cannot be drawn for these parameters
  NoBestTrial         the job has no best configuration so far
  NoModel             no model of that trial is kept
  NotReplayable       the job's trials were not all trained to the last epoch, or not comparably
  UnknownCode         no code has that digest
  TokenExists         a token of that name has been made before
  TokenNotFound       no token has that name
  DatasetExists       a data set of that name has another content
  DatasetNotFound     no data set has that name
"""

from __future__ import annotations


class ResultsError(Exception):
    """Base of this package's errors; ``hint`` says what to do instead, where that is known."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class JobNotFound(ResultsError):
    """No job has that id."""


class TrialNotFound(ResultsError):
    """The job has no trial of that number."""


class IllegalMove(ResultsError):
    """The state of the job or trial does not allow the move that was asked for."""


class IdempotencyClash(ResultsError):
    """The idempotency key was used before with another request."""


class UnreadableJob(ResultsError):
    """Another version of argbest accepted the job, and this one cannot read it."""


class LeaseLost(ResultsError):
    """The lease has expired or been taken over: the holder must stop writing."""


class BadCursor(ResultsError):
    """The page cursor was not made by this store."""


class StoreUnavailable(ResultsError):
    """The database cannot be reached, is locked, or its disk is full."""


class UnsupportedDatabase(ResultsError):
    """The database URL, its driver or its schema is not one that this store works with."""


class UnknownPlot(ResultsError):
    """The job has no plot of that name."""


class UnknownFigure(ResultsError):
    """There is no figure of that name."""


class NoFigure(ResultsError):
    """The figure cannot be drawn from what the job has, or not yet."""


class BadParameters(ResultsError):
    """The figure cannot be drawn for the parameters that were chosen."""


class NoBestTrial(ResultsError):
    """The job has no best configuration so far: no trial is ranked."""


class NoModel(ResultsError):
    """No model of that trial is kept."""


class NotReplayable(ResultsError):
    """The job's trials were not all trained to the last epoch, or cannot be compared by one."""


class UnknownCode(ResultsError):
    """No code has that digest: it was not sent, or nobody has used it for a day."""


class TokenExists(ResultsError):
    """A token of that name has been made before."""


class TokenNotFound(ResultsError):
    """No token has that name."""


class DatasetExists(ResultsError):
    """A data set of that name has another content."""


class DatasetNotFound(ResultsError):
    """No data set has that name."""
