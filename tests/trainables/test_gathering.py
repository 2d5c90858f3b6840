"""How reported lines become epochs. What is refused: test_bad_programs.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from trainables.gathering import Gatherer
from trainables.printed import Found
from trainables.program_errors import WrongReport

Reports = list[tuple[int, Mapping[str, float]]]


def gatherer(
    epochs: int = 9,
    compared: tuple[str, ...] = ("a",),
    patterns: tuple[str, ...] = (),
    **more: Any,
) -> tuple[Gatherer, Reports, list[str]]:
    reports: Reports = []
    notes: list[str] = []
    found = Gatherer(
        lambda epoch, metrics: reports.append((epoch, dict(metrics))),
        lambda key, text: notes.append(text),
        frozenset(compared), frozenset(patterns), epochs, **more,
    )  # fmt: skip
    return found, reports, notes


def take(found: Gatherer, *lines: Mapping[str, float]) -> None:
    for line in lines:
        metrics = dict(line)
        epoch = metrics.pop("epoch", None)
        found.take(Found(metrics, epoch))


def test_an_epoch_is_reported_as_soon_as_it_is_complete() -> None:
    found, reports, _ = gatherer(compared=("a", "b"))
    take(found, {"epoch": 1, "c": 5}, {"epoch": 1, "a": 1})
    assert reports == []
    take(found, {"b": 2})
    assert reports == [(1, {"c": 5, "a": 1, "b": 2})]


def test_an_epoch_without_what_is_compared_ends_with_the_next() -> None:
    found, reports, _ = gatherer()
    take(found, {"epoch": 1, "c": 5}, {"epoch": 2}, {"epoch": 3, "a": 1})
    assert reports == [(1, {"c": 5}), (2, {}), (3, {"a": 1})]


def test_epochs_are_counted_by_the_compared_metrics() -> None:
    """Others may come any number of times, as those of structured logs do; the last counts."""
    found, reports, _ = gatherer(compared=("a", "b"))
    take(found, {"t": 1}, {"t": 2, "a": 1}, {"a": 2, "b": 2}, {"t": 3, "a": 3, "b": 3})
    assert reports == [(1, {"t": 2, "a": 1}), (2, {"a": 2, "b": 2}), (3, {"t": 3, "a": 3, "b": 3})]


def test_all_patterns_make_an_epoch() -> None:
    found, reports, _ = gatherer(patterns=("a", "b"))
    take(found, {"a": 1}, {"b": 2}, {"a": 3}, {"a": 4})
    assert reports == [(1, {"a": 1, "b": 2}), (2, {"a": 3})]


def test_the_last_epoch_is_open_until_the_end() -> None:
    found, reports, _ = gatherer(epochs=2)
    take(found, {"a": 1}, {"a": 2}, {"test": 5})
    assert reports == [(1, {"a": 1})]
    found.finish(may_end_early=False)
    assert reports == [(1, {"a": 1}), (2, {"a": 2, "test": 5})]


def test_an_early_end_leaves_out_what_came_after_the_last_report() -> None:
    found, reports, notes = gatherer()
    take(found, {"a": 1}, {"test": 5})
    found.finish(may_end_early=True)
    assert reports == [(1, {"a": 1})]
    assert notes[0].startswith("test came after the report of epoch 1 was complete")


def test_what_is_done_before_a_resumed_program_begins_is_ignored() -> None:
    found, reports, _ = gatherer(resumed=3)
    take(found, {"epoch": 2, "a": 0}, {"late": 1}, {"epoch": 3, "a": 0}, {"epoch": 4, "a": 4})
    assert reports == [(4, {"a": 4})]


def test_a_resumed_program_may_find_that_it_has_ended_already() -> None:
    found, reports, _ = gatherer(resumed=3)
    found.finish(may_end_early=True)
    assert reports == []
    with pytest.raises(WrongReport, match="3 of 9 epochs"):
        found.finish(may_end_early=False)


def test_what_the_checkpoint_was_past_is_reported_without_metrics() -> None:
    found, reports, notes = gatherer(resumed=1)
    take(found, {"epoch": 4, "a": 4})
    assert reports == [(2, {}), (3, {}), (4, {"a": 4})]
    assert len(notes) == 2
    with pytest.raises(WrongReport, match="epoch 6 where epoch 5 is next"):
        take(found, {"epoch": 6, "a": 4})


def test_epochs_of_an_earlier_attempt_may_be_reported_again_with_other_values() -> None:
    found, reports, _ = gatherer(resumed=1)
    take(found, {"epoch": 2, "a": 2})
    found.go_on()
    take(found, {"epoch": 2, "a": 7}, {"epoch": 3, "a": 3})
    assert reports == [(2, {"a": 2}), (3, {"a": 3})]


def test_a_program_that_resumes_names_its_epochs() -> None:
    found, _, _ = gatherer(must_name=True)
    take(found, {"t": 1})
    with pytest.raises(WrongReport, match='report "epoch" too'):
        take(found, {"a": 1})
