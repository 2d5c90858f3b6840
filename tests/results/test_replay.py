"""What a replay says in numbers and sentences."""

from __future__ import annotations

from dataclasses import replace

from results.replay import Replay, Replayed, describe
from search_spaces import Scheduler

STOPPING = Replayed(orders=4, epochs=600.0, seconds=600.0, ranks=(1, 1, 3, 5))
SHORT = Replayed(orders=1, epochs=590, seconds=640.0, ranks=(2,))
REPLAY = Replay(
    scheduler=Scheduler("asha"),
    trials=144,
    slots=2,
    epochs=2880,
    seconds=3000.0,
    stopping=STOPPING,
    short_run=SHORT,
    short_epochs=1,
    short_best=23,
)


def test_numbers_of_the_winners() -> None:
    assert (STOPPING.found_best, STOPPING.median_rank, STOPPING.worst_rank) == (2, 2, 5)
    nobody = replace(STOPPING, ranks=())
    assert (nobody.found_best, nobody.median_rank, nobody.worst_rank) == (0, None, None)
    assert round(REPLAY.saved, 3) == 0.792


def test_sentences() -> None:
    assert describe(REPLAY) == [
        "With the scheduler asha, over 4 random orders of the trials, 79 % of the 2880 epochs would"
        " have been saved: 10 min 00 s instead of 50 min 00 s on 2 slots. It finds the same best"
        " trial in 2 of 4. The trial that it calls best is number 2 of the job in the median,"
        " number 5 at worst.",
        "The simplest way to stop, 1 epoch for every trial and then the best 23 to the end, takes"
        " 590 epochs. The trial that it calls best is number 2 of the job.",
    ]


def test_a_trainable_that_cannot_resume_is_named() -> None:
    stopped = replace(REPLAY, scheduler=Scheduler("asha", stops=True), resumes=False)
    assert describe(stopped) == [
        *describe(REPLAY),
        "The trainable cannot resume: trials are stopped rather than paused, and the best of the"
        " short run are trained again from the start.",
    ]
    assert (REPLAY.to_json()["resumes"], stopped.to_json()["resumes"]) == (True, False)


def test_sentences_of_other_outcomes() -> None:
    always = replace(REPLAY, stopping=replace(STOPPING, ranks=(1, 1, 1, 1)))
    assert describe(always)[0].endswith("It finds the same best trial every time.")
    once = replace(REPLAY, stopping=replace(STOPPING, orders=1, ranks=(1,)))
    assert "asha, in the job's order of trials, 79 %" in describe(once)[0]
    assert describe(once)[0].endswith("It finds the same best trial.")
    never = replace(REPLAY, stopping=replace(STOPPING, ranks=()))
    assert describe(never)[0].endswith("It ends without a trial that could be ranked.")
