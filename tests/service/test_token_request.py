"""Requests that make a token or a link."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from service.token_request import NewTokenRequest, ShareRequest


def test_what_is_left_out_has_its_default() -> None:
    token = NewTokenRequest.model_validate({"name": "laptop"})
    assert (token.scope, token.days) == ("read", None)
    assert ShareRequest.model_validate({}).days == 7


@pytest.mark.parametrize(
    ("model", "body", "member"),
    [
        (NewTokenRequest, {"name": "two words"}, "name"),
        (NewTokenRequest, {"name": "a", "scope": "share"}, "scope"),
        (NewTokenRequest, {"name": "a", "days": 0}, "days"),
        (NewTokenRequest, {"name": "a", "owner": "b"}, "owner"),
        (ShareRequest, {"days": "7"}, "days"),
        (ShareRequest, {"days": 1e9}, "days"),
        (ShareRequest, {"days": float("nan")}, "days"),
    ],
)
def test_a_wrong_member_is_named(
    model: type[NewTokenRequest | ShareRequest], body: dict[str, Any], member: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(body)
    assert [error["loc"] for error in refused.value.errors()] == [(member,)]
