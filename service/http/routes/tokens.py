"""Routes of access tokens, and of links that read one job: made, listed, revoked.

They answer only where the service asks for tokens: elsewhere anybody could make one that opens the
service once it does.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from results.records import NewToken, TokenRecord, TokenScope
from service.errors import NotAllowed
from service.http.dependencies import JobId, Name, NewTokenDep, ShareDep, StoreDep
from service.http.openapi import NEW_TOKEN_BODY, PROBLEMS, SHARE_BODY
from service.schemas import NewTokenView, ShareView, TokenDetailView, TokenList

_SECONDS_A_DAY = 86_400.0


def maker(request: Request) -> str:
    """Return the name of the token that was sent; refuse where none is asked for."""
    token: TokenRecord | None = request.state.token
    if token is None:
        raise NotAllowed(
            "this service asks for no token: whoever reaches it reads and changes everything",
            hint="send the address itself, or set ARGBEST_AUTH to on",
        )
    return token.name


Maker = Annotated[str, Depends(maker)]

router = APIRouter(prefix="/api/v1", tags=["tokens"], responses=PROBLEMS)


@router.get("/tokens", dependencies=[Depends(maker)])
def list_tokens(store: StoreDep) -> TokenList:
    """List the tokens and the links to single jobs, expired ones too, without their secrets."""
    return TokenList.model_validate({"items": store.tokens()})


@router.post("/tokens", status_code=201, openapi_extra=NEW_TOKEN_BODY)
def create_token(body: NewTokenDep, store: StoreDep, made_by: Maker) -> NewTokenView:
    """Make a token; its secret is shown in this answer alone."""
    lifetime = None if body.days is None else body.days * _SECONDS_A_DAY
    scope = TokenScope(body.scope)
    made = store.create_token(body.name, scope, lifetime_seconds=lifetime, made_by=made_by)
    return NewTokenView.model_validate(_new(made))


@router.delete("/tokens/{name}", status_code=204, dependencies=[Depends(maker)])
def revoke_token(name: Name, store: StoreDep) -> None:
    """Revoke a token or a link: the next request with it is refused."""
    store.revoke_token(name)


@router.post("/jobs/{job_id}/share", status_code=201, openapi_extra=SHARE_BODY)
def share_job(job_id: JobId, body: ShareDep, store: StoreDep, made_by: Maker) -> ShareView:
    """Make a link that reads this job and nothing else, for so many days."""
    made = store.share_job(job_id, lifetime_seconds=body.days * _SECONDS_A_DAY, made_by=made_by)
    # A browser sends no fragment to a server, so the secret gets into no log and no Referer.
    path = f"/#/job/{made.record.job}?share={made.secret}"
    return ShareView.model_validate({**_new(made), "path": path})


def _new(made: NewToken) -> dict[str, Any]:
    return {**TokenDetailView.model_validate(made.record).model_dump(), "secret": made.secret}
