"""Who may let programs run, over every setting and scope."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from results.records import SCOPES, TokenRecord, TokenScope
from service.errors import NotAllowed
from service.permit import Permit, check_scope
from service.settings import Settings


def token(scope: TokenScope) -> TokenRecord:
    return TokenRecord("laptop", "argb_abcdef", scope, datetime.now(UTC), None, None)


@pytest.mark.parametrize("scope", [None, *SCOPES])
@pytest.mark.parametrize("allows", [False, True])
def test_programs_need_the_setting_and_the_scope(allows: bool, scope: TokenScope | None) -> None:
    permit = Permit(allows, None if scope is None else token(scope))
    if allows and scope in (TokenScope.CODE, TokenScope.ADMIN):
        permit.check_program()
        return
    with pytest.raises(NotAllowed) as refused:
        permit.check_program()
    if not allows:
        assert "ARGBEST_ALLOW_COMMANDS is off" in str(refused.value)
        assert "argbest serve --allow-commands" in refused.value.hint
        assert refused.value.scope == ""
    elif scope is None:
        assert "ARGBEST_AUTH" in refused.value.hint
    else:
        assert str(refused.value) == f"the token 'laptop' has the scope {scope}; this needs code"
        assert "--scope code" in refused.value.hint
        assert refused.value.scope == "code"


@pytest.mark.parametrize("allows", [False, True])
def test_the_operator_needs_the_setting_alone(tmp_path: Path, allows: bool) -> None:
    permit = Permit.of_operator(Settings(data_dir=tmp_path, allow_commands=allows))
    if allows:
        permit.check_program()
    else:
        with pytest.raises(NotAllowed, match="ARGBEST_ALLOW_COMMANDS"):
            permit.check_program()


@pytest.mark.parametrize("held", SCOPES)
@pytest.mark.parametrize("needed", SCOPES)
def test_a_scope_that_is_too_small_is_named(held: TokenScope, needed: TokenScope) -> None:
    if held.covers(needed):
        check_scope(token(held), needed)
        return
    with pytest.raises(NotAllowed, match=f"has the scope {held}; this needs {needed}"):
        check_scope(token(held), needed)


@pytest.mark.parametrize("needed", SCOPES)
def test_a_link_covers_nothing_else(needed: TokenScope) -> None:
    link = replace(token(TokenScope.SHARE), job="0123456789abcdef")
    with pytest.raises(NotAllowed, match="reads job 0123456789abcdef and nothing else") as refused:
        check_scope(link, needed)
    assert refused.value.scope == needed
    with pytest.raises(NotAllowed):
        Permit(allows_commands=True, token=link).check_program()
