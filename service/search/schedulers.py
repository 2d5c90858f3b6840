"""The schedulers by their names, made from what a search declares."""

from __future__ import annotations

import search_spaces
from service.search.asha import Asha, StoppingAsha
from service.search.hyperband import Hyperband
from service.search.median import MedianStopping
from service.search.pbt import Pbt
from service.search.scheduler import RunToTheEnd, Scheduler


def make_scheduler(
    declared: search_spaces.Scheduler, *, epochs: int, can_resume: bool = True
) -> Scheduler:
    """Return the scheduler that a search declares, for trials of ``epochs`` epochs.

    Trials are stopped rather than paused where the declaration says so, or where they cannot
    resume.

    Raises:
        ValueError: If there is no scheduler of this name here.
    """
    stops = declared.stops or not can_resume
    factor, first = declared.reduction_factor, declared.min_epochs
    match declared.name:
        case "none":
            return RunToTheEnd(epochs)
        case "asha":
            kind = StoppingAsha if stops else Asha
            return kind(epochs=epochs, reduction_factor=factor, min_epochs=first)
        case "hyperband":
            return Hyperband(epochs=epochs, reduction_factor=factor, min_epochs=first, stops=stops)
        case "median":
            return MedianStopping(epochs=epochs, min_epochs=first, min_trials=declared.min_trials)
        case "pbt":
            return Pbt(declared, epochs=epochs)
        case name:
            raise ValueError(f"{name!r} is not a scheduler that trains trials")
