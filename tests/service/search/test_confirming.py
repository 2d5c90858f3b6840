from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from results.racing import NO_RESULT
from service.search.confirming import Confirmation, Pair, confirmation_seeds


@dataclass(frozen=True)
class Five:
    seeds: int = 5


SEEDS = confirmation_seeds(Five(), 42)
Loss = Callable[[int, int], float | None]


def run(confirmation: Confirmation, loss: Loss, most: int = 1000) -> list[Pair]:
    """Run it, one trial after the other, up to ``most`` of them; return what ran."""
    ran: list[Pair] = []
    while len(ran) < most and (pair := confirmation.next()) is not None:
        ran.append(pair)
        confirmation.report(*pair, loss(*pair))
    return ran


def noisy(means: dict[int, float], noise: float) -> Loss:
    return lambda c, s: means[c] + random.Random(f"{c} {s}").gauss(0, noise)


def test_seeds_are_those_behind_the_searchs_own() -> None:
    assert SEEDS == (43, 44, 45, 46, 47)
    assert confirmation_seeds(Five(), 42, repeats=3)[0] == 45
    assert confirmation_seeds(Five(2), 2**32 - 1) == (0, 1)


def test_all_candidates_and_the_default_run_with_the_same_seeds_round_by_round() -> None:
    confirmation = Confirmation(SEEDS[:2], [7, 3], default=0)
    first = [confirmation.next() for _ in range(3)]
    assert first == [(7, 43), (3, 43), (0, 43)]
    assert confirmation.next() is None  # the round waits for its results
    assert confirmation.at_once == 3
    for number in (0, 7):
        confirmation.report(number, 43, 0.5)
    assert confirmation.next() is None
    assert not confirmation.is_over
    assert confirmation.at_once == 1
    confirmation.report(3, 43, 0.4)
    assert confirmation.at_once == 3
    assert run(confirmation, lambda c, s: 0.5) == [(7, 44), (3, 44), (0, 44)]
    assert confirmation.is_over
    assert confirmation.at_once == 0
    assert confirmation.left == (7, 3, 0)


def test_a_default_among_the_candidates_runs_once() -> None:
    assert len(run(Confirmation(SEEDS[:1], [7, 0], 0), lambda c, s: 1.0)) == 2


def test_the_clearly_worse_drop_out_after_three_seeds_and_the_close_go_on() -> None:
    means = {1: 0.10, 2: 0.1001, 3: 0.50, 4: 0.60}
    confirmation = Confirmation(SEEDS, [1, 2, 3, 4])
    ran = run(confirmation, noisy(means, 0.005))
    assert confirmation.left == (1, 2)
    assert [sum(c == number for c, _ in ran) for number in means] == [5, 5, 3, 3]
    assert not confirmation.to_come


def test_what_all_candidates_share_of_a_seed_decides_nothing() -> None:
    """Seeds differ by far more than candidates do; pairs take that out."""
    confirmation = Confirmation(SEEDS, [1, 2])
    run(confirmation, lambda c, s: 10.0 * (s % 3) + {1: 0.1, 2: 0.2}[c] + 0.001 * ((c * s) % 2))
    assert confirmation.left == (1,)


def test_it_ends_when_one_is_left() -> None:
    confirmation = Confirmation(SEEDS, [1, 2])
    ran = run(confirmation, noisy({1: 0.1, 2: 0.9}, 0.001))
    assert len(ran) == 6
    assert confirmation.is_over
    assert confirmation.next() is None
    assert not confirmation.to_come


def test_the_pairs_to_come_only_shrink_and_go_with_who_drops_out() -> None:
    confirmation = Confirmation(SEEDS[:4], [1, 2, 3])
    assert len(confirmation.to_come) == 3 * 4
    ran = run(confirmation, lambda c, s: None if c == 3 else float(s % c), most=4)
    assert ran == [(1, 43), (2, 43), (3, 43), (1, 44)]
    assert confirmation.to_come == {(1, 45), (1, 46), (2, 44), (2, 45), (2, 46)}


def test_one_candidate_alone_needs_no_seed() -> None:
    confirmation = Confirmation(SEEDS, [4])
    assert confirmation.is_over
    assert confirmation.next() is None
    assert not confirmation.to_come


def test_a_candidate_that_fails_with_a_seed_drops_out() -> None:
    confirmation = Confirmation(SEEDS, [1, 2, 3])
    ran = run(confirmation, lambda c, s: None if (c, s) == (1, 44) else 0.5)
    assert confirmation.left == (2, 3)
    assert sum(c == 1 for c, _ in ran) == 2
    everything_fails = Confirmation(SEEDS, [1, 2])
    run(everything_fails, lambda c, s: None)
    assert everything_fails.is_over
    assert everything_fails.left == ()


@pytest.mark.parametrize("huge", [1e101, 1e150, 1e308, -1e308, sys.float_info.max])
def test_a_loss_that_no_square_can_hold_is_a_failure(huge: float) -> None:
    everywhere = Confirmation(SEEDS, [1, 2, 3])
    run(everywhere, lambda c, s: huge if c == 1 else 0.5 + s % 2)
    assert everywhere.left == (2, 3)
    later = Confirmation(SEEDS, [1, 2, 3])
    ran = run(later, lambda c, s: huge if (c, s) == (1, 44) else 0.5)
    assert later.left == (2, 3)
    assert sum(c == 1 for c, _ in ran) == 2


@pytest.mark.parametrize("stopped_after", range(0, 16, 2))
def test_a_take_over_makes_the_same_decisions(stopped_after: int) -> None:
    loss = noisy({1: 0.10, 2: 0.101, 3: 0.12, 4: 0.60}, 0.01)
    whole = Confirmation(SEEDS, [1, 2, 3], 4)
    expected = run(whole, loss)
    before = Confirmation(SEEDS, [1, 2, 3], 4)
    ran = run(before, loss, stopped_after)
    lost = before.next()
    losses = {pair: loss(*pair) for pair in ran}
    after = Confirmation(SEEDS, [1, 2, 3], 4, losses, running=[lost] if lost else [])
    rest = []
    if lost:
        rest.append(lost)
        after.report(*lost, loss(*lost))
    assert [*ran, *rest, *run(after, loss)] == expected
    assert after.left == whole.left
    assert not after.to_come


def test_the_order_in_which_a_round_ends_does_not_matter() -> None:
    loss = noisy({1: 0.10, 2: 0.11, 3: 0.60}, 0.01)
    confirmation = Confirmation(SEEDS, [1, 2, 3])
    rounds = 0
    while not confirmation.is_over:
        handed = [pair for _ in range(3) if (pair := confirmation.next())]
        for pair in reversed(handed):
            confirmation.report(*pair, loss(*pair))
        rounds += 1
    again = Confirmation(SEEDS, [1, 2, 3])
    run(again, loss)
    assert confirmation.left == again.left
    assert rounds <= 5


@pytest.mark.parametrize(("seeds", "candidates"), [((1, 2), ()), ((1, 1), (3,))])
def test_what_cannot_be_confirmed_is_refused(
    seeds: tuple[int, ...], candidates: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="candidates"):
        Confirmation(seeds, candidates)


def test_a_seed_without_a_result_drops_nobody_and_is_in_no_pair() -> None:
    """What failed for a reason outside its configuration says nothing about it."""
    confirmation = Confirmation(SEEDS[:4], [1, 2])
    values = {1: [0.1, 0.2, NO_RESULT, 0.3], 2: [0.9, 0.8, 0.7, 0.6]}
    ran = run(confirmation, lambda c, s: values[c][s - 43], most=7)
    assert confirmation.left == (1, 2)  # two common seeds after three rounds
    run(confirmation, lambda c, s: values[c][s - 43])
    assert len(ran) == 7
    everywhere = Confirmation(SEEDS[:3], [1, 2])
    run(everywhere, lambda c, s: NO_RESULT)
    assert everywhere.left == (1, 2)
    assert everywhere.is_over
