"""The door over the real application: tokens and scopes, known hosts, pages of other sites."""

from __future__ import annotations

import html
import logging
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import TokenScope
from results.store import Store
from service.api import create_app
from service.http.access import OPEN_PATHS, asks_for_tokens, is_of_job, needed_scope
from service.settings import Settings
from tests.service.http.samples import bearer
from tests.service.stand_ins import run_one

JOB = {"search_space": "q2_linear_regression", "epochs": 1}
SHARE, READ, SUBMIT, CODE, ADMIN = TokenScope


# --- tokens and scopes ------------------------------------------------------------------------


def test_every_route_but_the_open_ones_is_closed(locked: TestClient) -> None:
    """Also one that is added later: the list is of what is open."""
    described = create_app(Settings(database_url="sqlite:///never-opened.db")).openapi()["paths"]
    closed = {path: methods for path, methods in described.items() if path not in OPEN_PATHS}
    assert len(closed) > 15
    assert "/metrics" in closed
    for path, methods in closed.items():
        for method in methods:
            answer = locked.request(method, re.sub(r"\{.+?\}", "1", path))
            assert answer.status_code == 401, f"{method} {path}"
    assert locked.get("/api/v1/nothing").status_code == 401


def test_without_a_token_the_answer_says_how_to_get_one(locked: TestClient) -> None:
    answer = locked.get("/api/v1/jobs")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer realm="argbest"'
    assert answer.json()["detail"] == "a token is needed"
    assert "argbest token create" in answer.json()["hint"]


@pytest.mark.parametrize(
    "sent", ["Bearer argb_" + "A" * 43, "Bearer x", "bearer  y", "Bearer \xe9", "Bearer a, b"]
)
def test_a_wrong_token_is_refused_and_not_repeated(locked: TestClient, sent: str) -> None:
    answer = locked.get("/api/v1/jobs", headers={"Authorization": sent.encode("latin-1")})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert answer.json()["detail"] == "the token is unknown, revoked or expired"


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz"])
def test_what_is_no_bearer_token_counts_as_none(locked: TestClient, sent: str) -> None:
    answer = locked.get("/api/v1/jobs", headers={"Authorization": sent})
    assert answer.status_code == 401
    assert "error" not in answer.headers["www-authenticate"]


@pytest.mark.parametrize("sent", ["/api/v1/jobs?token={}", "/api/v1/jobs?access_token={}"])
def test_a_token_in_the_url_is_not_taken(locked: TestClient, store: Store, sent: str) -> None:
    secret = store.create_token("laptop", ADMIN).secret
    assert locked.get(sent.format(secret)).status_code == 401


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [
        (READ, (200, 403, 403, 403)),
        (SUBMIT, (200, 202, 202, 403)),
        (CODE, (200, 202, 202, 403)),
        (ADMIN, (200, 202, 202, 204)),
    ],
)
def test_what_each_scope_allows(
    locked: TestClient, store: Store, scope: TokenScope, statuses: tuple[int, ...]
) -> None:
    admin = store.create_token("setup", ADMIN).secret
    made = locked.post("/api/v1/jobs", json=JOB, headers={"Authorization": f"Bearer {admin}"})
    url = f"/api/v1/jobs/{made.json()['id']}"
    headers = bearer(store, scope)
    answers = [
        locked.get("/api/v1/jobs", headers=headers),
        locked.post("/api/v1/jobs", json=JOB, headers=headers),
        locked.post(f"{url}/cancel", headers=headers),
    ]
    if scope is not ADMIN:
        store.request_cancel(made.json()["id"])
    answers.append(locked.delete(url, headers=headers))
    assert tuple(answer.status_code for answer in answers) == statuses
    for answer in answers:
        if answer.status_code == 403:
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
            assert f"has the scope {scope}" in answer.json()["detail"]
            assert "--scope" in answer.json()["hint"]


def test_a_revoked_or_expired_token_opens_nothing(locked: TestClient, store: Store) -> None:
    revoked = bearer(store, READ)
    secret = store.create_token("brief", READ, lifetime_seconds=3600).secret
    expired = {"Authorization": f"Bearer {secret}"}
    for headers in (revoked, expired):
        assert locked.get("/api/v1/jobs", headers=headers).status_code == 200
    store.revoke_token("read-token")
    with store._database.write() as connection:
        connection.exec_driver_sql("UPDATE tokens SET expires_at = expires_at - 3601")
    for headers in (revoked, expired):
        assert locked.get("/api/v1/jobs", headers=headers).status_code == 401


def test_what_is_open_tells_nothing_of_the_machine(locked: TestClient, store: Store) -> None:
    for path in (
        "/",
        "/page/page.js",
        "/page/api.js",
        "/page/style/page.css",
        "/healthz",
        "/version",
        "/openapi.json",
    ):
        assert locked.get(path).status_code == 200, path
    assert locked.get("/docs").status_code == 200
    assert locked.get("/readyz").json() == {"status": "not ready"}
    wrong = {"Authorization": "Bearer argb_wrong"}
    assert locked.get("/readyz", headers=wrong).json() == {"status": "not ready"}
    told = locked.get("/readyz", headers=bearer(store, READ)).json()
    assert told["parts"]["database"] == "ok"
    assert told["token"] == {"name": "read-token", "scope": "read"}


@pytest.mark.parametrize("kind", ["html", "md", "json"])
def test_commands_to_paste_send_the_token_where_one_is_asked_for(
    locked: TestClient, client: TestClient, store: Store, kind: str
) -> None:
    headers = bearer(store, SUBMIT)
    job_id = locked.post("/api/v1/jobs", json=JOB, headers=headers).json()["id"]
    run_one(store)
    header = "Authorization: Bearer $ARGBEST_TOKEN"
    for path in ("best?format=curl", f"report?format={kind}"):
        texts = {
            api: html.unescape(api.get(f"/api/v1/jobs/{job_id}/{path}", headers=headers).text)
            for api in (locked, client)
        }
        assert header in texts[locked].replace("\\$", "$")
        assert "Authorization" not in texts[client]
        assert headers["Authorization"] not in texts[locked]


def test_the_description_names_the_scopes_where_tokens_are_asked_for(
    locked: TestClient, client: TestClient
) -> None:
    described = locked.get("/openapi.json").json()
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    jobs = described["paths"]["/api/v1/jobs"]
    assert jobs["get"]["security"] == [{"token": ["read"]}]
    assert jobs["post"]["security"] == [{"token": ["submit"]}]
    assert described["paths"]["/api/v1/code"]["post"]["security"] == [{"token": ["code"]}]
    one = described["paths"]["/api/v1/jobs/{job_id}"]
    assert one["delete"]["security"] == [{"token": ["admin"]}]
    assert "security" not in described["paths"]["/healthz"]["get"]
    assert "security" not in client.get("/openapi.json").json()["paths"]["/api/v1/jobs"]["get"]


#: Nobody's, but of the form that one has.
WELL_FORMED = "argb_" + "A" * 43


def unreachable(settings: Settings) -> tuple[Settings, Store]:
    """Settings that ask for tokens and a store whose database is not there."""
    store = Store(f"sqlite:///{settings.data_dir}/unmounted/argbest.db")
    return settings.model_copy(update={"auth": "on"}), store


def test_a_database_that_is_away_is_no_defect_and_its_place_is_told_to_the_log_alone(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(create_app(*unreachable(settings)), raise_server_exceptions=False) as client:
        headers = {"Authorization": f"Bearer {WELL_FORMED}"}
        for path in ("/api/v1/jobs", "/metrics", "/api/v1/nothing"):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 503
            assert answer.json()["detail"] == "the database cannot answer"
            assert "retry-after" in answer.headers
            assert "unmounted" not in answer.text
        ready = client.get("/readyz", headers=headers)
        parts = {"database": "unavailable"}
        assert ready.json() == {"status": "not ready", "parts": parts, "token": None}
        assert (ready.status_code, "retry-after" in ready.headers) == (503, True)
        for sent in ({}, {"Authorization": "Bearer x"}):
            assert client.get("/readyz", headers=sent).json() == {"status": "not ready"}
            assert client.get("/api/v1/jobs", headers=sent).status_code == 401
    assert "unmounted/argbest.db does not answer" in caplog.text
    assert WELL_FORMED not in caplog.text


def test_what_is_open_does_not_ask_the_database(settings: Settings) -> None:
    asked = []

    class Asked(Store):
        def token(self, secret: str) -> None:
            asked.append(secret)

    locked = settings.model_copy(update={"auth": "on"})
    with TestClient(create_app(locked, Asked(settings.store_url))) as client:
        for path in OPEN_PATHS - {"/readyz"}:
            sent = {"Authorization": f"Bearer {WELL_FORMED}"}
            assert client.get(path, headers=sent).status_code == 200, path
        assert asked == []
        assert client.get("/readyz", headers=sent).status_code == 503
    assert asked == [WELL_FORMED]


def test_no_token_reaches_the_log(
    locked: TestClient, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = store.create_token("laptop", READ).secret
    headers = {"Authorization": f"Bearer {secret}"}
    locked.get("/api/v1/jobs", headers=headers)
    locked.post("/api/v1/jobs", headers=headers, json=JOB)
    locked.get("/api/v1/jobs", headers={"Authorization": f"Bearer {secret[:-1]}"})
    assert secret[11:-1] not in caplog.text


# --- which scope a request needs ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/api/v1/jobs", READ),
        ("HEAD", "/metrics", READ),
        ("OPTIONS", "/api/v1/code", READ),
        ("GET", "/api/v1/code/sha256:0", READ),
        ("POST", "/api/v1/jobs", SUBMIT),
        ("POST", "/api/v1/jobs/1/cancel", SUBMIT),
        ("PUT", "/api/v1/anything", SUBMIT),
        ("POST", "/api/v1/code", CODE),
        ("PUT", "/api/v1/code", CODE),
        ("DELETE", "/api/v1/jobs/1", ADMIN),
        ("DELETE", "/api/v1/code", ADMIN),
        ("POST", "/api/v1/jobs/1/share", SUBMIT),
        ("GET", "/api/v1/tokens", ADMIN),
        ("POST", "/api/v1/tokens", ADMIN),
        ("GET", "/api/v1/tokens/a\n", ADMIN),
        ("GET", "/api/v1/tokensX", READ),
    ],
)
def test_which_scope_a_request_needs(method: str, path: str, needed: TokenScope) -> None:
    assert needed_scope(method, path) is needed


@pytest.mark.parametrize("held", TokenScope)
@pytest.mark.parametrize("needed", TokenScope)
def test_each_scope_includes_those_before_it(held: TokenScope, needed: TokenScope) -> None:
    order = ["share", "read", "submit", "code", "admin"]
    assert list(TokenScope) == order
    assert held.covers(needed) is (order.index(held) >= order.index(needed))


# --- links to one job ---------------------------------------------------------------------------


def test_a_link_reads_its_job_and_asks_in_vain_for_everything_else(
    settings: Settings, store: Store
) -> None:
    """Every route that is described, with the link's job, with another job and without one."""
    on = settings.model_copy(update={"auth": "on", "allow_commands": True})
    app = create_app(on, store)
    with TestClient(app, raise_server_exceptions=False) as client:
        headers = bearer(store, ADMIN)
        own, other = (
            client.post("/api/v1/jobs", json=JOB, headers=headers).json()["id"] for _ in "ab"
        )
        made = client.post(f"/api/v1/jobs/{own}/share", json={}, headers=headers)
        link = {"Authorization": f"Bearer {made.json()['secret']}"}
        opened = []
        for path, methods in app.openapi()["paths"].items():
            for method in methods if path not in OPEN_PATHS else ():
                for job in (own, other) if "{job_id}" in path else ("",):
                    asked = _filled(path, job)
                    if method == "get" and job == own:
                        opened.append(path)
                        if not path.endswith("/events"):  # which ends with the job
                            status = client.get(asked, headers=link).status_code
                            assert status not in (401, 403), asked
                        continue
                    answer = client.request(method, asked, headers=link)
                    assert answer.status_code == 403, f"{method} {asked}"
                    assert answer.json()["detail"] == f"this link reads job {own} and nothing else"
        assert len(opened) > 10
        assert all(path.startswith("/api/v1/jobs/{job_id}") for path in opened)
        job, queued = f"/api/v1/jobs/{own}", f"/api/v1/jobs/{own}/../{other}"
        assert client.head(job, headers=link).status_code in (200, 405)
        for asked in (f"{job}x", queued, f"/api/v1/jobs/{own}%2f..%2f{other}", "/api/v1/jobs/",
                      "/api/v1/jobs", "/metrics", f"/API/v1/jobs/{own}", f"//api/v1/jobs/{own}",
                      f"/api/v1/jobs/{own[:-1]}"):  # fmt: skip
            answer = client.get(asked, headers=link)
            assert answer.status_code in (403, 404), asked
            assert other not in answer.text
        ready = client.get("/readyz", headers=link).json()
        assert set(ready) == {"status", "token"}
        assert ready["token"] == {"name": made.json()["name"], "scope": "share", "job": own}
        store.revoke_token(made.json()["name"])
        assert client.get(job, headers=link).status_code == 401


def _filled(path: str, job: str) -> str:
    """Return a path with its places filled, so that its route is the one that answers."""
    known = {"job_id": job, "number": "0", "image_format": "png"}
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "q2_linear_regression"), path)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/jobs/a", True),
        ("HEAD", "/api/v1/jobs/a/trials", True),
        ("OPTIONS", "/api/v1/jobs/a", False),
        ("POST", "/api/v1/jobs/a", False),
        ("DELETE", "/api/v1/jobs/a", False),
        ("GET", "/api/v1/jobs/ab", False),
        ("GET", "/api/v1/jobs", False),
        ("GET", "/api/v1/jobs/b/a", False),
        ("GET", "/v1/jobs/a", False),
    ],
)
def test_what_is_of_a_job(method: str, path: str, expected: bool) -> None:
    assert is_of_job("a", method, path) is expected


# --- when tokens are asked for ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "host", "reached", "expected"),
    [
        ("auto", "127.0.0.1", "127.0.0.1", False),
        ("auto", "localhost", "::1", False),
        ("auto", "::1", "::ffff:127.0.0.1", False),
        ("auto", "127.0.0.1", "/run/argbest.sock", False),
        ("auto", "0.0.0.0", "127.0.0.1", True),
        ("auto", "192.168.1.5", "192.168.1.5", True),
        ("auto", "gpu-box", "127.0.0.1", True),
        ("auto", "127.0.0.1", "172.18.0.4", True),
        ("auto", "127.0.0.1", "::ffff:172.18.0.4", True),
        ("off", "0.0.0.0", "172.18.0.4", False),
        ("on", "127.0.0.1", "127.0.0.1", True),
    ],
)
def test_tokens_are_asked_for_beyond_loopback(
    auth: Any, host: str, reached: str, expected: bool
) -> None:
    assert asks_for_tokens(Settings(auth=auth, host=host), reached) is expected


@pytest.mark.parametrize("reached", ["127.0.0.1", "::1", "/run/argbest.sock", "172.18.0.4", ""])
def test_tokens_are_asked_for_everywhere_where_programs_are_run(reached: str) -> None:
    for auth in ("auto", "on"):
        assert asks_for_tokens(Settings(auth=auth, allow_commands=True), reached)


# --- known hosts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "192.168.1.5", "testserver",
     "gpu-box:8000", "argbest.example"],
)  # fmt: skip
def test_known_hosts_are_served(settings: Settings, store: Store, host: str) -> None:
    known = settings.model_copy(
        update={"host": "gpu-box", "auth": "off", "allowed_hosts": "testserver, argbest.example"}
    )
    with TestClient(create_app(known, store)) as client:
        assert client.get("/api/v1/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "", "[", "x"]
)
def test_other_hosts_are_refused(client: TestClient, host: str) -> None:
    for path in ("/", "/healthz", "/api/v1/jobs"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 421
        assert "ARGBEST_ALLOWED_HOSTS" in answer.json()["hint"]


def test_a_header_that_stands_twice_names_nothing_known(
    client: TestClient, locked: TestClient, store: Store
) -> None:
    hosts = [("Host", "evil.example"), ("Host", "localhost")]
    for twice in (hosts, hosts[::-1]):
        assert client.get("/api/v1/jobs", headers=twice).status_code == 421
    good, bad = (
        ("Authorization", bearer(store, READ)["Authorization"]),
        ("Authorization", "Bearer x"),
    )
    assert locked.get("/api/v1/jobs", headers=[good]).status_code == 200
    for both in ([good, bad], [bad, good]):
        assert locked.get("/api/v1/jobs", headers=both).status_code == 401


def test_any_host_may_be_allowed(settings: Settings, store: Store) -> None:
    with TestClient(create_app(settings.model_copy(update={"allowed_hosts": "*"}), store)) as open_:
        assert open_.get("/healthz", headers={"Host": "any.example"}).status_code == 200


# --- pages of other sites ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://testserver:3000"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
    ],
)
def test_a_page_of_another_site_changes_nothing(
    client: TestClient, headers: dict[str, str]
) -> None:
    job_id = client.post("/api/v1/jobs", json=JOB).json()["id"]
    for method, path in (
        ("POST", "/api/v1/jobs"),
        ("POST", f"/api/v1/jobs/{job_id}/cancel"),
        ("DELETE", f"/api/v1/jobs/{job_id}"),
    ):
        answer = client.request(method, path, json=JOB, headers=headers)
        assert answer.status_code == 403
        assert "another site" in answer.json()["detail"]
    jobs = client.get("/api/v1/jobs", headers=headers).json()["items"]
    assert [job["state"] for job in jobs] == ["queued"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://argbest.example"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://testserver"},
        {"Origin": "http://testserver", "Host": "TestServer"},
    ],
)
def test_its_own_page_and_programs_are_served(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/api/v1/jobs", json=JOB, headers=headers).status_code == 202


def test_a_browser_guesses_no_type_of_any_answer(
    settings: Settings, store: Store, locked: TestClient
) -> None:
    app = create_app(settings, store)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a defect")

    elsewhere, foreign = {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}
    with TestClient(app, raise_server_exceptions=False) as client:
        answers = [
            *(client.get(path) for path in sorted(OPEN_PATHS)),
            client.get("/metrics"),
            client.get("/api/v1/jobs"),
            client.get("/nothing"),
            client.put("/api/v1/jobs"),
            client.get("/", headers=elsewhere),
            client.post("/api/v1/jobs", json=JOB, headers=foreign),
            locked.get("/api/v1/jobs"),
            client.get("/broken"),
        ]
    assert [answer.status_code for answer in answers[-8:]] == [
        200, 200, 404, 405, 421, 403, 401, 500
    ]  # fmt: skip
    for answer in answers:
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"], answer.url


def test_a_browser_runs_nothing_that_the_api_answers(client: TestClient, store: Store) -> None:
    job_id = client.post("/api/v1/jobs", json=JOB | {"name": "<script>"}).json()["id"]
    run_one(store)
    report, plot = (
        client.get(f"/api/v1/jobs/{job_id}/{path}")
        for path in ("report?format=html", "plots/train_rmse.svg")
    )
    for answer in (report, plot):
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script>" not in report.text
    assert "content-security-policy" not in client.get(f"/api/v1/jobs/{job_id}").headers
