from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from results.analysis import JobResults
from results.diagnosis.divergence import diverges_beyond
from results.records import Failure
from results.states import FailureKind
from tests.results import fakes
from tests.results.diagnosis.spaces import RATE, search, spread

CONFIGURATIONS = [{"rate": 10 ** (-4 + 4 * spread(n, 20)), "other": n % 5} for n in range(20)]
DOMAINS = {"rate": RATE, "other": {"values": [0, 1, 2, 3, 4], "default": 0}}


def test_most_trials_diverge_from_a_rate_on() -> None:
    failed = {n: fakes.DIVERGED for n, c in enumerate(CONFIGURATIONS) if c["rate"] > 0.1}
    assert len(failed) == 5
    (found,) = diverges_beyond(search(CONFIGURATIONS, lambda c: 0.5, DOMAINS, failed=failed))
    assert found.parameter == "rate"
    assert (
        found.detail == "5 of 5 trials with rate from 0.125893 on diverged, and 0 of 15 below it."
    )
    assert found.hint == "Search rate only below that."


def of_the_largest(*places: int) -> JobResults:
    """A search of which those trials diverged, by place from the largest rate on."""
    by_rate = sorted(range(20), key=lambda n: CONFIGURATIONS[n]["rate"], reverse=True)
    failed = {by_rate[place]: fakes.DIVERGED for place in places}
    return search(CONFIGURATIONS, lambda c: 0.5, DOMAINS, failed=failed)


def test_some_trials_beyond_the_rate_may_have_come_through() -> None:
    (found,) = diverges_beyond(of_the_largest(0, 1, 2, 4, 5, 7))
    assert found.parameter == "rate"
    assert found.detail.startswith("6 of 8 trials with rate from")
    # Of 19 rates at which to split the trials, one is as clear by chance in 5 % of permutations.
    assert list(diverges_beyond(of_the_largest(0, 1, 3, 5, 7))) == []
    # 1.3 %, a part of them on the other sides of the splits.
    assert list(diverges_beyond(of_the_largest(0, 1, 2, 4, 7))) == []


def test_trials_that_could_not_run_are_not_among_those_that_did_not_diverge() -> None:
    failed = {n: fakes.DIVERGED for n, c in enumerate(CONFIGURATIONS) if c["rate"] > 0.05}
    lost = sorted(failed)[0]
    failed |= {lost: Failure(FailureKind.INFEASIBLE, "the disk is full")}
    failed |= {
        n: Failure(FailureKind.OUT_OF_MEMORY, "too large")
        for n, c in enumerate(CONFIGURATIONS) if c["rate"] < 0.0002
    }  # fmt: skip
    (found,) = diverges_beyond(search(CONFIGURATIONS, lambda c: 0.5, DOMAINS, failed=failed))
    trials = sum(c["rate"] > 0.05 for c in CONFIGURATIONS) - 1
    assert found.detail.startswith(f"{trials} of {trials} trials with rate from")
    assert found.detail.endswith(f"0 of {20 - 1 - trials} below it.")


def test_fewer_places_to_split_at_need_less() -> None:
    # Of the two splits, the other is never as clear: 5 of 8 against 0 of 12 has 56 / 15504.
    configurations = [{"rate": 0.1 * (n % 3 or 2), "other": n} for n in range(12)]
    configurations += [{"rate": 1.0, "other": n} for n in range(8)]
    domains = {"rate": {"values": [0.1, 0.2, 1.0], "default": 0.1}, "other": 1}
    failed = dict.fromkeys(range(12, 17), fakes.DIVERGED)
    (found,) = diverges_beyond(search(configurations, lambda c: 0.5, domains, failed=failed))
    assert found.detail == "5 of 8 trials with rate from 1 on diverged, and 0 of 12 below it."


def test_divergence_below_a_value() -> None:
    failed = {n: fakes.DIVERGED for n, c in enumerate(CONFIGURATIONS) if c["rate"] < 0.001}
    (found,) = diverges_beyond(search(CONFIGURATIONS, lambda c: 0.5, DOMAINS, failed=failed))
    assert "rate up to" in found.detail
    assert found.hint == "Search rate only above that."


def test_divergence_everywhere_or_of_few_is_no_finding() -> None:
    scattered = dict.fromkeys(range(0, 20, 4), fakes.DIVERGED)
    results = search(CONFIGURATIONS, lambda c: 0.5, {"rate": RATE, "other": 1}, failed=scattered)
    assert list(diverges_beyond(results)) == []
    highest = max(range(20), key=lambda n: CONFIGURATIONS[n]["rate"])
    one = search(CONFIGURATIONS, lambda c: 0.5, DOMAINS, failed={highest: fakes.DIVERGED})
    assert list(diverges_beyond(one)) == []
    assert list(diverges_beyond(search(CONFIGURATIONS, lambda c: 0.5, DOMAINS))) == []


def of_five(seed: int, may_diverge: Callable[[dict[str, float], Random], bool]) -> JobResults:
    """A search of 40 trials with five parameters drawn between 0 and 1."""
    random = Random(seed)
    drawn = [{name: random.random() for name in "abcde"} for _ in range(40)]
    failed = {n: fakes.DIVERGED for n, c in enumerate(drawn) if may_diverge(c, random)}
    domains = {name: {"low": 0.0, "high": 1.0, "default": 0.5} for name in "abcde"}
    return search(drawn, lambda c: 0.5, domains, failed=failed)


@pytest.mark.parametrize("rate", [0.3, 0.5])
def test_divergence_by_chance_is_hardly_ever_a_finding(rate: float) -> None:
    chance = [of_five(seed, lambda _, random: random.random() < rate) for seed in range(60)]
    assert sum(bool(list(diverges_beyond(results))) for results in chance) <= 2


def test_a_threshold_of_one_of_five_parameters_is_found() -> None:
    real = [
        of_five(seed, lambda c, random: random.random() < (0.9 if c["c"] > 0.7 else 0.03))
        for seed in range(20)
    ]
    found = [finding.parameter for results in real for finding in diverges_beyond(results)]
    assert len(found) >= 18
    assert set(found) == {"c"}


def test_seeds_of_one_configuration_are_no_more_evidence_than_one() -> None:
    # 9 of 9 against 0 of 9 trials, but 3 of 3 configurations of 6: one of 20 orders is as clear.
    configurations = [{"rate": 10.0 ** -(n // 3), "other": n // 3 % 2} for n in range(18)]
    domains = {"rate": {"low": 1e-6, "high": 1.0, "log": True, "default": 0.1}, "other": 1}
    failed = dict.fromkeys(range(9), fakes.DIVERGED)
    results = search(configurations, lambda c: 0.5, domains, failed=failed)
    assert len(list(diverges_beyond(results))) == 1
    seeds = tuple(replace(t, configuration=t.number // 3 * 3) for t in results.trials)
    assert list(diverges_beyond(replace(results, trials=seeds))) == []


def test_trials_without_the_parameter_say_nothing_of_its_values() -> None:
    configurations: list[dict[str, float]] = [{"rate": 10 ** -(n / 5)} for n in range(20)]
    configurations += [{} for _ in range(40)]
    few = dict.fromkeys(range(5), fakes.DIVERGED)
    (found,) = diverges_beyond(search(configurations, lambda c: 0.5, {"rate": RATE}, failed=few))
    assert found.detail.endswith("diverged, and 0 of 15 below it.")
    # Most trials that have a rate diverge and no others do, but not by its value.
    most = dict.fromkeys((n for n in range(20) if n % 3), fakes.DIVERGED)
    results = search(configurations, lambda c: 0.5, {"rate": RATE}, failed=most)
    assert list(diverges_beyond(results)) == []
