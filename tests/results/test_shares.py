"""The jobs' shares of the cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.shares import TURN_SECONDS, Sharing, share, time_shares

NOW = 1_000_000.0
MANY = 1_000


def job(name: str, **changes: Any) -> Sharing:
    """Return a job of many trials of one CPU; names are in the order of age."""
    values = {"priority": 1, "cpu": 1.0, "gpu": 0.0, "demand": MANY, **changes}
    return Sharing(name, ord(name[0]), **values)


def kept_after(jobs: list[Sharing], slots: dict[str, int], now: float) -> list[Sharing]:
    """Return the jobs after they got these slots, as the store keeps them."""

    def since(each: Sharing) -> float:
        stays = each.since is not None and bool(each.slots) == bool(slots[each.job_id])
        return each.since if stays and each.since is not None else now

    return [replace(each, slots=slots[each.job_id], since=since(each)) for each in jobs]


def shared(jobs: list[Sharing], cpu: float, now: float) -> list[Sharing]:
    return kept_after(jobs, share(jobs, cpu, 0, now), now)


def holders(jobs: list[Sharing]) -> str:
    return "".join(each.job_id for each in jobs if each.slots)


def test_one_job_has_the_whole_cluster() -> None:
    assert share([job("a")], 8, 0, NOW) == {"a": 8}
    assert share([job("a", cpu=3.0)], 8, 0, NOW) == {"a": 2}
    assert share([job("a", cpu=0.1)], 1, 0, NOW) == {"a": 10}


def test_slots_go_by_weight_and_odd_ones_to_the_oldest() -> None:
    three = [job("a"), job("b"), job("c", priority=2)]
    assert share(three, 8, 0, NOW) == {"a": 2, "b": 2, "c": 4}
    assert share(three, 9, 0, NOW) == {"a": 3, "b": 2, "c": 4}
    assert share(three[:2], 3, 0, NOW) == {"a": 2, "b": 1}
    assert share([job("a", priority=100), job("b")], 2, 0, NOW) == {"a": 1, "b": 1}


def test_another_priority_is_another_share() -> None:
    assert share([job("a"), job("b", priority=3)], 8, 0, NOW) == {"a": 2, "b": 6}
    assert share([job("a"), job("b", priority=1)], 8, 0, NOW) == {"a": 4, "b": 4}


def test_a_job_gets_no_more_than_it_has_trials_or_than_its_limit() -> None:
    few, limited = job("a", demand=2), job("b", max_concurrent_trials=3)
    assert share([few, limited, job("c")], 10, 0, NOW) == {"a": 2, "b": 3, "c": 5}
    assert share([job("a", demand=2, max_concurrent_trials=9)], 10, 0, NOW) == {"a": 2}


def test_gpus_are_shared_and_what_has_none_takes_the_other_cpus() -> None:
    assert share([job("a", gpu=0.5), job("b")], 8, 1, NOW) == {"a": 2, "b": 6}
    assert share([job("a", gpu=1.0), job("b", gpu=1.0), job("c")], 4, 2, NOW) == {
        "a": 1, "b": 1, "c": 2,
    }  # fmt: skip


def test_a_cluster_that_is_not_known_yet_gives_everybody_one() -> None:
    assert share([job("a"), job("b", gpu=2.0)], 0, 0, NOW) == {"a": 1, "b": 1}
    assert share([], 8, 0, NOW) == {}


def test_what_cannot_run_has_a_slot_that_costs_nothing() -> None:
    jobs = [job("a", cpu=16.0), job("b", gpu=1.0), job("c", demand=0), job("d"), job("e")]
    assert share(jobs, 2, 0, NOW) == {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}


def test_a_new_job_displaces_only_one_whose_turn_is_over() -> None:
    now = NOW + TURN_SECONDS
    old = [job("a", slots=1, since=NOW), job("b", slots=1, since=NOW + 1)]
    assert share([*old, job("c")], 2, 0, now) == {"a": 0, "b": 1, "c": 1}
    assert share([*old, job("c")], 2, 0, now - 1) == {"a": 1, "b": 1, "c": 0}


def test_two_turns_that_end_at_once_displace_each_other_only_once() -> None:
    jobs = shared([job("a"), job("b"), job("c")], 2, NOW)
    seen = []
    for second in range(100):
        jobs = shared(jobs, 2, NOW + second)
        assert shared(jobs, 2, NOW + second) == jobs
        seen.append(holders(jobs))
    turns = [seen[i] for i in range(100) if i == 0 or seen[i] != seen[i - 1]]
    # Each has a slot for 20 s and waits for 10 s, the third one at first for 20 s.
    assert turns[:6] == ["ab", "ac", "bc", "ab", "ac", "bc"]
    assert len(turns) == 9


def test_turns_follow_the_priority() -> None:
    jobs, seconds = [job("a"), job("b", priority=3)], {"a": 0, "b": 0}
    for second in range(400):
        jobs = shared(jobs, 1, NOW + second)
        seconds[holders(jobs)] += 1
    assert seconds == {"a": 100, "b": 300}


@pytest.mark.parametrize(
    ("priorities", "cpu", "expected"),
    [
        ((1, 1, 2), 2, (0.5, 0.5, 1.0)),
        ((1, 1, 1), 2, (0.67, 0.67, 0.67)),
        ((1, 1, 1, 2), 2, (0.4, 0.4, 0.4, 0.8)),
        ((1, 2, 3), 2, (0.33, 0.67, 1.0)),
        ((1, 1, 2, 2, 3, 3), 4, (0.33, 0.33, 0.67, 0.67, 1.0, 1.0)),
        ((1, 1, 1, 1, 2, 2, 3), 3, (0.27, 0.27, 0.27, 0.27, 0.55, 0.55, 0.82)),
        ((1, 100), 1, (0.01, 0.99)),
    ],
)
def test_the_slots_in_use_follow_the_priorities_over_minutes(
    priorities: tuple[int, ...], cpu: int, expected: tuple[float, ...]
) -> None:
    jobs = [job(chr(ord("a") + n), priority=p) for n, p in enumerate(priorities)]
    parts = time_shares(jobs, cpu, 0)
    assert tuple(parts.values()) == pytest.approx(expected, abs=0.01)
    held, seconds = dict.fromkeys(parts, 0), 4040
    for second in range(seconds):
        jobs = shared(jobs, cpu, NOW + second)
        for each in jobs:
            held[each.job_id] += (each.slots or 0) > 0
    for name, part in parts.items():
        assert held[name] / seconds == pytest.approx(part, abs=0.02)


def test_a_large_trial_has_its_time_beside_small_ones_of_more_weight() -> None:
    jobs = [job("a", priority=100), job("b", cpu=2.0)]
    assert time_shares(jobs, 2, 0) == {"a": 1.0, "b": 0.5}
    seen = []
    for second in range(300):
        jobs = shared(jobs, 2, NOW + second)
        seen.append(holders(jobs))
    assert 60 <= seen.count("b") <= 150
    assert seen.count("a") + seen.count("b") == 300


def test_the_scarcer_of_cpus_and_gpus_decides_the_time() -> None:
    jobs = [job("a", gpu=1.0), job("b", gpu=1.0, priority=3), job("c")]
    assert time_shares(jobs, 8, 1) == {"a": 0.25, "b": 0.75, "c": 1.0}
    assert time_shares([], 8, 1) == {}


def test_of_new_jobs_the_weightier_is_first_then_the_older() -> None:
    new = [job("a"), job("b", priority=2), job("c", priority=2)]
    assert share(new, 1, 0, NOW) == {"a": 0, "b": 1, "c": 0}
    assert share([job("a"), job("c")], 1, 0, NOW) == {"a": 1, "c": 0}
    waits = job("d", slots=0, since=NOW - 1)
    assert share([*new, waits], 1, 0, NOW)["d"] == 1


def test_nobody_overtakes_a_large_trial_that_waits() -> None:
    jobs = [
        job("a", slots=1, since=NOW - 5),
        job("b", slots=0, since=NOW - 20, cpu=2.0),
        job("c", slots=0, since=NOW - 15),
    ]
    # The slot that nobody else may have goes to the job whose turn it is.
    assert share(jobs, 2, 0, NOW) == {"a": 2, "b": 0, "c": 0}
    assert share(jobs, 2, 0, NOW + 5) == {"a": 0, "b": 1, "c": 0}


def test_of_a_cluster_that_lost_a_node_the_latest_turns_stay() -> None:
    jobs = [job("a", slots=1, since=NOW - 8), job("b", slots=1, since=NOW - 2)]
    assert share(jobs, 1, 0, NOW) == {"a": 0, "b": 1}


@pytest.mark.parametrize("slots", [0, 1])
def test_a_clock_that_was_set_back_holds_nobody_up(slots: int) -> None:
    jobs = [job("a", slots=1 - slots, since=NOW + 900), job("b", slots=slots, since=NOW + 900)]
    later = shared(shared(jobs, 1, NOW), 1, NOW + TURN_SECONDS)
    assert later != jobs
    assert len(holders(later)) == 1


def _jobs(min_size: int = 1, max_cpu: int = 3) -> st.SearchStrategy[list[Sharing]]:
    one = st.builds(
        Sharing,
        job_id=st.just(""),
        order=st.just(0),
        priority=st.integers(1, 100) | st.integers(1, 3),
        cpu=st.integers(1, max_cpu).map(float),
        gpu=st.sampled_from([0.0, 0.0, 0.5, 1.0]),
        demand=st.integers(0, 20),
        max_concurrent_trials=st.none() | st.integers(1, 6),
        slots=st.none() | st.integers(0, 3),
        since=st.floats(NOW - 100, NOW),
    )

    def numbered(jobs: list[Sharing]) -> list[Sharing]:
        return [
            replace(each, job_id=str(n), order=n, since=None if each.slots is None else each.since)
            for n, each in enumerate(jobs)
        ]

    return st.lists(one, min_size=min_size, max_size=8).map(numbered)


@given(_jobs(), st.integers(1, 16), st.integers(0, 3))
def test_everybody_has_a_slot_where_all_fit(jobs: list[Sharing], cpu: int, gpu: int) -> None:
    slots = share(jobs, cpu, gpu, NOW)
    assert slots.keys() == {each.job_id for each in jobs}
    run = [j for j in jobs if j.demand and j.cpu <= cpu and j.gpu <= gpu]
    all_fit = sum(j.cpu for j in run) <= cpu and sum(j.gpu for j in run) <= gpu
    assert not all_fit or min(slots.values()) >= 1
    assert not run or any(slots[j.job_id] for j in run)
    assert all(slots[j.job_id] == 1 for j in jobs if j not in run)


@given(_jobs(), st.integers(1, 16), st.integers(0, 3))
def test_capacity_demand_and_limits_are_kept(jobs: list[Sharing], cpu: int, gpu: int) -> None:
    slots = share(jobs, cpu, gpu, NOW)
    run = [j for j in jobs if j.demand and j.cpu <= cpu and j.gpu <= gpu]
    assert sum(slots[j.job_id] * j.cpu for j in run) <= cpu
    assert sum(slots[j.job_id] * j.gpu for j in run) <= gpu
    for each in jobs:
        assert slots[each.job_id] <= max(1, each.demand)
        assert slots[each.job_id] <= (each.max_concurrent_trials or MANY)


@given(_jobs(), st.integers(1, 16), st.integers(0, 3))
def test_what_was_shared_stays_until_time_passes(jobs: list[Sharing], cpu: int, gpu: int) -> None:
    first = share(jobs, cpu, gpu, NOW)
    assert share(list(reversed(jobs)), cpu, gpu, NOW) == first
    assert share(kept_after(jobs, first, NOW), cpu, gpu, NOW) == first


@given(_jobs(max_cpu=1), st.integers(8, 64))
def test_slots_are_proportional_to_priority_within_one(jobs: list[Sharing], cpu: int) -> None:
    jobs = [replace(j, gpu=0.0, demand=max(1, j.demand)) for j in jobs]
    slots = share(jobs, cpu, 0, NOW)
    hungry = [j for j in jobs if slots[j.job_id] < j.most]
    if hungry:
        assert sum(slots.values()) == cpu
    for rich in jobs:
        if slots[rich.job_id] > 1:
            before_the_last = (slots[rich.job_id] - 1) / rich.priority
            assert all(before_the_last <= slots[j.job_id] / j.priority for j in hungry)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(0, 30)), max_size=5),
    st.integers(2, 3),
)
def test_nobody_waits_longer_than_the_turns_of_the_others(
    others: list[tuple[int, int, int]], cpu: int
) -> None:
    """Simulate 400 s of jobs that come in the first 30, sharing once a second."""
    made = [
        (comes, job(chr(ord("b") + n), priority=priority, cpu=float(size)))
        for n, (priority, size, comes) in enumerate(others)
    ]
    jobs = [job("a")]
    for second in range(400):
        jobs += [each for comes, each in made if comes == second]
        before, jobs = jobs, shared(jobs, cpu, NOW + second)
        for former, each in zip(before, jobs, strict=True):
            others_turns = sum(j.priority for j in jobs if j is not each) * TURN_SECONDS
            waits = 0.0 if each.slots or each.since is None else NOW + second - each.since
            # A turn and, for each turn that ended between two calls, a second.
            assert waits <= 2 * others_turns + TURN_SECONDS + len(jobs)
            if former.slots and former.since and not each.slots:
                assert NOW + second - former.since >= TURN_SECONDS
