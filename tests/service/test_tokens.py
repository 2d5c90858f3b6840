"""The local token through a service's life: starts, stops, kills, settings that change."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.records import TokenScope
from results.store import Store
from service.local_token import LocalToken, read_local_token, token_file, write_local_token
from service.settings import Settings
from service.tokens import local_token, make_first_token
from tests.service.stand_ins import away, opened, settings_in


def names(store: Store) -> list[str]:
    return [token.name for token in store.tokens()]


def test_it_is_an_admins_while_the_service_runs_and_nobodys_afterwards(
    settings: Settings, store: Store
) -> None:
    with local_token(store, settings, is_needed=True):
        found = read_local_token(settings.data_dir)
        assert found is not None
        assert found.port == settings.port
        record = store.token(found.secret)
        assert record is not None
        assert (record.name, record.scope) == (found.name, TokenScope.ADMIN)
        assert found.name.startswith("local-")
    assert store.token(found.secret) is None
    assert names(store) == []
    assert not token_file(settings.data_dir).exists()


def test_a_request_to_stop_ends_it(settings: Settings, store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), local_token(store, settings, is_needed=True):
        raise KeyboardInterrupt
    assert names(store) == []
    assert not token_file(settings.data_dir).exists()


@pytest.mark.parametrize("is_needed", [True, False])
def test_what_a_killed_service_left_is_revoked_at_the_next_start(
    settings: Settings, store: Store, is_needed: bool
) -> None:
    """Whoever listened at its port meanwhile may have it."""
    secret = store.create_token("local-old", TokenScope.ADMIN).secret
    write_local_token(settings.data_dir, LocalToken("local-old", 8000, secret))
    with local_token(store, settings, is_needed=is_needed):
        assert store.token(secret) is None
        found = read_local_token(settings.data_dir)
        assert (found is not None) is is_needed
        assert len(store.tokens()) == int(is_needed)
    assert names(store) == []


def test_tokens_of_others_stay(settings: Settings, store: Store) -> None:
    """Also one that a file names which is not the service's own."""
    secret = store.create_token("laptop", TokenScope.READ).secret
    write_local_token(settings.data_dir, LocalToken("laptop", 8000, secret))
    with local_token(store, settings, is_needed=True):
        assert "laptop" in names(store)
    assert names(store) == ["laptop"]


def test_a_file_without_its_token_is_replaced(settings: Settings, store: Store) -> None:
    """The token was revoked by hand, or the database is another one now."""
    write_local_token(settings.data_dir, LocalToken("local-gone", 8000, "argb_gone"))
    with local_token(store, settings, is_needed=True):
        found = read_local_token(settings.data_dir)
        assert found is not None
        assert store.token(found.secret) is not None
        store.revoke_token(found.name)
    assert names(store) == []


def test_a_database_that_is_away_at_the_end_costs_the_revocation_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_in(tmp_path, "127.0.0.1:1")
    with opened(settings) as store:
        with local_token(store, settings, is_needed=True):
            found = read_local_token(settings.data_dir)
            assert found is not None
            gone = away(store)
            gone.__enter__()
        assert f"{found.name} is revoked at the next start" in caplog.text
        gone.__exit__(None, None, None)
        assert names(store) == [found.name]
        with local_token(store, settings, is_needed=False):
            assert names(store) == []


def test_local_tokens_do_not_count_for_the_first_one(settings: Settings, store: Store) -> None:
    with local_token(store, settings, is_needed=True):
        assert make_first_token(store) is not None
        assert make_first_token(store) is None
    assert names(store) == ["first-admin"]
