"""Tokens by the command line: made, listed and revoked on the database, sent to the API."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from results.store import Store
from service.cli import main
from service.settings import Settings
from service.tokens import local_token
from tests.service.http.serving import served

#: Nobody's, but of the form that one has.
WELL_FORMED = "argb_" + "A" * 43


def run(*arguments: str, token: str = "", data_dir: Path | None = None) -> Result:
    variables = {"ARGBEST_TOKEN": token, "ARGBEST_DATA_DIR": str(data_dir or "")}
    return CliRunner().invoke(main, arguments, env=variables)


def test_the_command_line_sends_the_token_of_the_environment(
    settings: Settings, store: Store
) -> None:
    created = run("token", "create", "ci", "--scope", "submit", data_dir=settings.data_dir)
    assert created.exit_code == 0
    secret = created.stdout.strip()
    with served(settings.model_copy(update={"auth": "on"}), store) as url:
        assert run("--url", url, "ls", token=secret).exit_code == 0
        submitted = run("--url", url, "submit", "q2_linear_regression", token=secret)
        assert submitted.exit_code == 0
        for arguments, token in (
            (("ls",), ""),
            (("ls",), secret[:-1]),
            (("rm", submitted.stdout.strip()), secret),
        ):
            refused = run("--url", url, *arguments, token=token)
            assert refused.exit_code == 3
            assert "argbest token create" in refused.stderr
            assert secret[:-1] not in refused.output
        for sent, state, word in (("", "broken", "valid one"), (secret, "ok", "ci, ")):
            told = json.loads(run("--url", url, "doctor", "--json", token=sent).stdout)["items"]
            check = next(check for check in told if check["name"] == "token")
            assert (check["state"], word in check["detail"]) == (state, True)
            assert ("server's database" in {check["name"] for check in told}) == (sent == secret)
        revoked = run("token", "revoke", "ci", data_dir=settings.data_dir)
        assert revoked.exit_code == 0
        assert run("--url", url, "ls", token=secret).exit_code == 3


def test_tokens_are_made_before_the_first_start_and_listed(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert run("token", "ls", data_dir=folder).exit_code == 2
    assert not folder.exists()
    made = run("token", "create", "me", "--expires-in", "30", "--data-dir", str(folder))
    assert re.fullmatch(r"argb_[\w-]{43}\n", made.stdout)
    assert run("token", "create", "me", data_dir=folder).exit_code == 4
    assert run("token", "create", "a b", data_dir=folder).exit_code == 2
    longest = run("token", "create", "long", "--expires-in", "36500", data_dir=folder)
    assert longest.exit_code == 0
    assert run("token", "revoke", "long", data_dir=folder).exit_code == 0
    assert run("token", "revoke", "you", data_dir=folder).exit_code == 4
    (item,) = json.loads(run("token", "ls", "--json", data_dir=folder).stdout)["items"]
    assert (item["name"], item["scope"], item["last_used_at"]) == ("me", "read", None)
    assert made.stdout.startswith(item["prefix"])
    shown = run("token", "ls", data_dir=folder).stdout.splitlines()
    assert shown[0].split() == ["NAME", "SCOPE", "BEGINS", "CREATED", "EXPIRES", "LAST_USED"]
    assert made.stdout.strip() not in "".join(shown)


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "36501", "1e9", "1e300", "1e306"])
def test_a_lifetime_that_is_none_is_refused_in_days(tmp_path: Path, days: str) -> None:
    refused = run("token", "create", "me", "--expires-in", days, data_dir=tmp_path / "new")
    assert refused.exit_code == 2
    assert "at most 36500" in refused.stderr
    assert "--expires-in" in refused.stderr
    assert not (tmp_path / "new").exists()


def test_a_schema_of_another_version_is_only_brought_up_to_date_to_make_a_token(
    settings: Settings,
) -> None:
    folder = settings.data_dir
    with closing(Store(settings.store_url)) as store:
        assert not store.schema_is_current()  # which makes an empty file
        for arguments in (("ls",), ("revoke", "me")):
            refused = run("token", *arguments, data_dir=folder)
            assert refused.exit_code == 2
            assert "schema is missing or of another version" in refused.stderr
        assert not store.schema_is_current()
        assert run("token", "create", "me", data_dir=folder).exit_code == 0
        assert store.schema_is_current()
        assert run("token", "ls", data_dir=folder).exit_code == 0


def unreachable(settings: Settings) -> tuple[Settings, Store]:
    """Settings that ask for tokens and a store whose database is not there."""
    store = Store(f"sqlite:///{settings.data_dir}/unmounted/argbest.db")
    return settings.model_copy(update={"auth": "on"}), store


def test_doctor_says_that_a_token_could_not_be_checked(settings: Settings) -> None:
    with served(*unreachable(settings)) as url:
        told = run("--url", url, "doctor", "--json", token=WELL_FORMED)
    assert told.exit_code == 1
    checks = {check["name"]: check for check in json.loads(told.stdout)["items"]}
    database, token = checks["server's database"], checks["token"]
    assert (database["state"], database["detail"]) == ("broken", "unavailable")
    assert (token["state"], "could not be checked" in token["detail"]) == ("warning", True)


def test_the_command_line_on_the_services_machine_finds_its_own_token(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    """Without one given; another data folder's, or another port's, is not sent."""
    locked = settings.model_copy(update={"allow_commands": True})
    here, other = settings.data_dir, tmp_path / "other"
    with served(locked, store) as url:
        port = int(url.rpartition(":")[2])
        at_port = locked.model_copy(update={"port": port})
        with local_token(store, at_port, is_needed=True):
            assert run("--url", url, "ls", data_dir=here).exit_code == 0
            assert run("ls", "--url", url, data_dir=here).exit_code == 0
            shown = run("token", "local", data_dir=here)
            assert store.token(shown.stdout.strip()) is not None
            assert run("--url", url, "ls", token="argb_wrong", data_dir=here).exit_code == 3
            refused = run("--url", url, "ls", data_dir=other)
            assert refused.exit_code == 3
            assert "ARGBEST_DATA_DIR" in refused.stderr
            told = run("--url", url, "doctor", "--json", "--data-dir", str(here), data_dir=other)
            checks = {check["name"]: check for check in json.loads(told.stdout)["items"]}
            assert checks["token"]["state"] == "ok"
            assert "local-" in checks["token"]["detail"]
            assert checks["programs"]["detail"].startswith("run for tokens of the scope code")
        assert run("--url", url, "ls", data_dir=here).exit_code == 3
    nothing = run("token", "local", data_dir=here)
    assert nothing.exit_code == 4
    assert "argbest serve" in nothing.stderr
