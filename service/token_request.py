"""Requests that make a token, or a link to one job."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from results.records import MAX_SHARE_DAYS, MAX_TOKEN_DAYS, TOKEN_NAME


class NewTokenRequest(BaseModel):
    """A token to make; without ``days`` it does not expire."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=f"^{TOKEN_NAME}$", description="whose it is, or what it is for")
    scope: Literal["read", "submit", "code", "admin"] = "read"
    days: float | None = Field(None, gt=0, le=MAX_TOKEN_DAYS, description="days until it expires")


class ShareRequest(BaseModel):
    """A link to make that reads one job."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    days: float = Field(7.0, gt=0, le=MAX_SHARE_DAYS, description="days until it expires")
