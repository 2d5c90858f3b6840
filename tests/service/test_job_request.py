"""The limits of a request's fields: the last values taken, the first refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from service.job_request import JobRequest


def request(**fields: Any) -> JobRequest:
    return JobRequest.model_validate({"search_space": "q4_depth", **fields})


def test_a_request_has_defaults_for_all_but_its_search_space() -> None:
    assert request().model_dump(exclude_defaults=True) == {"search_space": "q4_depth"}
    assert (request().seed, request().max_failures) == (42, 0)
    assert request().resources_per_trial.model_dump() == {"cpu": 1.0, "gpu": 0.0}
    with pytest.raises(ValidationError, match="search_space"):
        JobRequest.model_validate({})


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("epochs", (1, 1_000_000), (0, 1_000_001, "2", True)),
        ("seed", (0, 2**32 - 1), (-1, 2**32, 1.5)),
        ("trials", (1,), (0,)),
        ("max_concurrent_trials", (1, 10_000), (0, 10_001)),
        ("time_limit_s", (0.001, 31_536_000), (0, 31_536_001, float("inf"))),
        ("max_failures", (0, 100), (-1, 101)),
        ("name", ("x", "x" * 200, "Größe µ"), ("", "x" * 201, "a\nb", "a\u2028b", "\x9b")),
        ("tags", ({}, {"a": "b"}), ({"a": "\x1b[2J"}, {"\x07": "b"}, {"a": 1})),
    ],
)
def test_fields_at_their_limits(field: str, good: tuple[Any, ...], bad: tuple[Any, ...]) -> None:
    for value in good:
        assert getattr(request(**{field: value}), field) == value
    for value in bad:
        with pytest.raises(ValidationError, match=field):
            request(**{field: value})


@pytest.mark.parametrize("gpus", [0, 0.0001, 0.5, 1, 2, 64])
def test_shares_of_gpus_that_ray_gives(gpus: float) -> None:
    assert request(resources_per_trial={"gpu": gpus}).resources_per_trial.gpu == gpus


@pytest.mark.parametrize("gpus", [-1, 0.00001, 1.5, 65])
def test_shares_of_gpus_that_ray_does_not_give(gpus: float) -> None:
    with pytest.raises(ValidationError, match="gpu"):
        request(resources_per_trial={"gpu": gpus})
