"""The cluster on the page: what occupies it, data sets, tokens; and links that read one job."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from results.records import TokenScope, Usage
from results.store import NoteUsage, Store
from search_spaces import Library
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.service.http.serving import dashboard, served
from tests.service.stand_ins import listening

NAME = "<img src=x onerror=alert(1)> \u202eevil"
NODE = {
    "hostname": "here", "ip": "10.0.0.1", "cpu": 12.5, "mem": [8_000_000_000, 2, 75.0, 6],
    "raylet": {"state": "ALIVE", "isHeadNode": True, "resourcesTotal": {"CPU": 2.0}},
}  # fmt: skip


def give(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Open").click()


def submit(settings: Settings, store: Store, name: str) -> str:
    request = JobRequest(search_space="q2_linear_regression", name=name, epochs=2)
    return Jobs(store, Library(), settings).submit(request).id


def test_an_admin_sees_the_cluster_and_manages_data_and_tokens(
    settings: Settings, store: Store, page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    running, waiting = submit(settings, store, NAME), submit(settings, store, "waits")
    lease = store.claim_job("test", 60)
    assert lease is not None
    store.note_capacity(2.0, 0.0)
    store.share_slots()
    store.start_trial(lease, 0, node="here")
    store.write(lease, [NoteUsage(0, Usage(0.75, 300_000_000))])
    secret = store.create_token("boss", TokenScope.ADMIN).secret
    store.share_job(running, lifetime_seconds=3600, made_by="boss")
    table = tmp_path / "prices.csv"
    rows = "".join(f"{n},{'abc'[n % 3]},{3 * n + n % 7}\n" for n in range(120))
    table.write_text(f"size,kind,price\n{rows}")
    with listening() as ray, dashboard([NODE]) as ray_dashboard:
        changed = {"auth": "on", "ray_address": ray, "dashboard_url": ray_dashboard}
        with served(settings.model_copy(update=changed), store) as url:
            page.goto(f"{url}/#/cluster")
            give(page, secret)
            main = page.locator("main")
            occupies = page.get_by_role("region", name="What occupies it")
            expect(occupies.get_by_role("link", name=NAME)).to_have_attribute(
                "href", f"#/job/{running}"
            )
            expect(occupies.get_by_role("img")).to_have_attribute(
                "aria-label", f"2 processors: {NAME} 1, free 1"
            )
            expect(occupies.get_by_role("link", name="Trial 0")).to_have_attribute(
                "href", f"#/job/{running}/trial/0"
            )
            expect(occupies).to_contain_text("300.0 MB")
            expect(page.get_by_role("region", name="Queue")).to_contain_text("waits")
            expect(page.get_by_role("region", name="Nodes")).to_contain_text("here, the head")
            expect(main.locator(".tiles")).to_contain_text("sqlite")
            assert waiting
            # A click into a table, which takes the focus, stops no reading.
            occupies.locator(".scroll").first.click()
            submit(settings, store, "comes later")
            expect(page.get_by_role("region", name="Queue")).to_contain_text("comes later")

            data = page.get_by_role("region", name="Data sets")
            expect(data).to_contain_text("fashion_mnist")
            data.get_by_text("Add a data set").click()
            data.get_by_label("File").set_input_files(table)
            expect(data.get_by_label("Name", exact=True)).to_have_value("prices")
            data.get_by_label("Column to predict").fill("nothing")
            data.get_by_role("button", name="Add", exact=True).click()
            expect(data.get_by_role("alert")).to_contain_text("nothing")
            data.get_by_label("Column to predict").fill("price")
            data.get_by_role("button", name="Add", exact=True).click()
            expect(data.locator(".card")).to_contain_text("Target: price")
            page.on("dialog", lambda dialog: dialog.accept())
            data.get_by_role("button", name="Remove prices").click()
            expect(data.get_by_role("button", name="prices", exact=True)).to_have_count(0)

            tokens = page.get_by_role("region", name="Tokens")
            expect(tokens.locator("tbody tr")).to_have_count(2)
            tokens.get_by_text("Make a token").click()
            tokens.get_by_label("Name").fill("laptop")
            tokens.get_by_role("button", name="Make", exact=True).click()
            made = tokens.get_by_label("the token laptop", exact=True)
            expect(made).to_contain_text(re.compile("argb_"))
            assert store.token(made.inner_text()) is not None
            tokens.get_by_role("button", name=re.compile("Revoke share-")).click()
            expect(tokens.locator("tbody tr")).to_have_count(2)
    wrong = [text for text in complaints if "401" not in text and "422" not in text]
    assert wrong == []


def test_a_link_opens_one_job_for_the_tab_and_leaves_the_address(
    settings: Settings, store: Store, page: Page, complaints: list[str]
) -> None:
    job, other = submit(settings, store, NAME), submit(settings, store, "secret")
    store.create_token("boss", TokenScope.ADMIN)
    link = store.share_job(job, lifetime_seconds=3600)
    with served(settings.model_copy(update={"auth": "on"}), store) as url:
        page.goto(f"{url}/#/job/{job}?share={link.secret}")
        expect(page.locator("h2")).to_contain_text(NAME)
        assert page.url == f"{url}/#/job/{job}"
        expect(page.get_by_role("navigation", name="Views").get_by_role("link")).to_have_text(
            ["API"]
        )
        expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
        assert link.secret not in page.content()
        page.reload()
        expect(page.locator("h2")).to_contain_text(NAME)
        page.goto(f"{url}/#/job/{job}/trial/0")
        expect(page.locator("h2")).to_contain_text("Trial 0")
        expect(page.get_by_role("button", name="Run again")).to_be_hidden()
        for place in (f"#/job/{other}", "#/jobs", "#/cluster"):
            page.goto(f"{url}/{place}")
            expect(page.get_by_role("alert")).to_contain_text(
                f"this link reads job {job} and nothing else"
            )
            expect(page.locator("main")).not_to_contain_text("secret")
        page.get_by_role("link", name="argbest", exact=True).click()
        expect(page.locator("h2")).to_contain_text(NAME)
        store.revoke_token(link.record.name)
        page.reload()
        expect(page.get_by_label("Token")).to_be_visible()
        assert page.evaluate("localStorage.length") == 0
    assert [text for text in complaints if "403" not in text and "401" not in text] == []
