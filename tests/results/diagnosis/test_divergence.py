from __future__ import annotations

from results.diagnosis.divergence import diverges_beyond
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


def test_some_trials_beyond_the_rate_may_have_come_through() -> None:
    by_rate = sorted(range(20), key=lambda n: CONFIGURATIONS[n]["rate"], reverse=True)
    failed = {by_rate[place]: fakes.DIVERGED for place in (0, 1, 3, 5, 7)}
    (found,) = diverges_beyond(search(CONFIGURATIONS, lambda c: 0.5, DOMAINS, failed=failed))
    assert found.parameter == "rate"
    assert found.detail.startswith("5 of 8 trials with rate from")


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
