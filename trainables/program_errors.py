"""How a program can fail a trial; each message says what to do."""

from __future__ import annotations

from trainables.contract import TrainableError

#: Ends the message of a :class:`ProgramExited`.
TRY_IT = "; its last lines say why, and `argbest try` runs it here"


class ProgramError(TrainableError):
    """Base of what a program does wrong; ``printed`` are the last lines that it printed.

    ProgramError
      ProgramNotStarted  the system could not start it
      ProgramExited      it ended with another status than 0
      ProgramKilled      a signal ended it
      LimitExceeded      it took more room on the disk than it may
      MemoryExceeded     it took more memory than it may
      NoMetricSeen       it ended well, but reported nothing that the space compares
      WrongReport        what it reported has no place among the epochs
      CheckpointRefused  its folder of checkpoints cannot be kept
      FunctionNotFound   the code has no such file or function
    """

    printed = ""


class ProgramNotStarted(ProgramError):
    """The system could not start the program."""


class ProgramExited(ProgramError):
    """The program ended with another status than 0."""


class ProgramKilled(ProgramError):
    """A signal ended the program."""


class LimitExceeded(ProgramError):
    """The program took more room on the disk than it may."""


class MemoryExceeded(ProgramError):
    """The program took more memory than it may."""


class NoMetricSeen(ProgramError):
    """The program reported nothing that the search space compares."""


class WrongReport(ProgramError):
    """What the program reported has no place among the epochs."""


class CheckpointRefused(ProgramError):
    """The program's folder of checkpoints cannot be kept, or a kept one not be unpacked."""


class FunctionNotFound(ProgramError):
    """The code that was sent along has no such file, or the file no such function."""
