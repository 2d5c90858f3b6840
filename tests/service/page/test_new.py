"""The form of a new job: from a declared space, from a file, from a job."""

from __future__ import annotations

import gzip
import io
import re
import tarfile

from playwright.sync_api import Page, Route, expect

from results.store import Store
from search_spaces import Library
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.service.http.serving import served
from tests.service.page.accessible import check

SPACE = """\
name: pasted
trainable: numpy_mlp
dataset: fashion_mnist
epochs: 2
metric: validation_accuracy
mode: max
parameters:
  learning_rate: {values: [0.1, -1]}
"""


def refused(text: str) -> bool:
    """Whether a browser logs that a request was refused."""
    return "422" in text or "400" in text


def test_a_declared_space_becomes_a_job(
    store: Store, url: str, page: Page, complaints: list[str]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}/#/new")
    page.get_by_label("Search space", exact=True).select_option("q4_feedforward")
    plan, submit = (
        page.get_by_role("region", name="Plan"),
        page.get_by_role("button", name="Submit", exact=True),
    )
    expect(plan).to_contain_text("7 trials of 20 epochs")
    expect(plan).to_contain_text("at most 140 epochs")
    expect(page).to_have_url(re.compile(r"#/new\?space=q4_feedforward$"))

    rate = page.get_by_role("group", name="learning_rate")
    rate.get_by_label("Values").fill("0.01, 99, 0.1")
    expect(rate).to_contain_text("99")
    expect(rate.locator(".problem")).not_to_have_count(0)
    expect(submit).to_be_disabled()
    epochs = page.get_by_label("Epochs")
    epochs.fill("many")
    expect(page.locator(".field", has=epochs).locator(".problem")).to_contain_text("whole number")
    epochs.fill("3")
    rate.get_by_label("How learning_rate is chosen").select_option("range")
    rate.get_by_label("From").fill("1e-3")
    rate.get_by_label("To").fill("0.1")
    rate.get_by_label("Scale").select_option("logarithmic")
    page.get_by_label("Strategy").fill("random")
    page.get_by_label("Trials", exact=True).fill("5")
    page.get_by_label("Name", exact=True).last.fill("<b>mine</b>")
    expect(plan).to_contain_text("5 trials of 3 epochs")
    expect(plan).to_contain_text("Sampled by random")
    page.locator(".new-job").get_by_text("As a command and as curl").click()
    told = page.locator(".new-job .commands pre")
    expect(told.nth(2)).to_contain_text("argbest submit q4_feedforward --set 'learning_rate={")
    expect(told.nth(2)).to_contain_text("--epochs 3 --trials 5 --strategy random")
    check(page)
    submit.click()
    expect(page.locator("h2")).to_contain_text("<b>mine</b>")
    (job,) = store.jobs().items
    space = job.spec.space
    assert (job.name, space.strategy, space.trials, space.epochs) == ("<b>mine</b>", "random", 5, 3)
    assert space.parameters["learning_rate"].to_json() == {
        "low": 0.001, "high": 0.1, "log": True, "type": "float", "default": 0.01,
    }  # fmt: skip
    assert [text for text in complaints if not refused(text)] == []
    assert [one for one in asked if not one.startswith(url)] == []


def test_a_pasted_space_is_mended_in_its_form(
    store: Store, url: str, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{url}/#/new")
    page.get_by_text("From a file").click()
    text = page.get_by_label("Search space, YAML or JSON")
    text.fill("name: [1")
    expect(page.get_by_role("alert")).to_contain_text("line 1")
    text.fill(SPACE.replace("mode: max", "mode: most"))
    expect(page.get_by_role("alert")).to_contain_text("line 6: /search_space/mode")
    text.fill(SPACE)
    rate = page.get_by_role("group", name="learning_rate")
    expect(rate.locator(".problem")).not_to_have_count(0)
    rate.get_by_label("Values").fill("0.1, 0.01")
    expect(page.get_by_role("region", name="Plan")).to_contain_text("2 trials of 2 epochs")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator("h2")).to_contain_text("pasted")
    (job,) = store.jobs().items
    assert job.spec.space.parameters["learning_rate"].to_json()["values"] == [0.1, 0.01]
    assert [text for text in complaints if not refused(text)] == []


def test_a_job_is_cloned(
    settings: Settings, store: Store, url: str, page: Page, complaints: list[str]
) -> None:
    request = JobRequest(search_space="q3_mlp", name="first", seed=7, tags={"a": "b"}, epochs=3)
    first = Jobs(store, Library(), settings).submit(request)
    page.clock.install()
    page.route("**/jobs?dry_run=true", lambda route: route.abort(), times=1)
    page.goto(f"{url}/#/new?from={first.id}")
    expect(page.get_by_label("Seed")).to_have_value("7")
    # A check that nobody answers is made again.
    expect(page.get_by_role("alert")).to_have_text("the server did not answer")
    page.clock.run_for(2_500)
    expect(page.get_by_role("region", name="Plan")).to_contain_text("1 trial of 3 epochs")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_label("Seed").fill("8")
    # An answer is lost: the next click makes no second job.
    keys: list[str | None] = []

    def lose(route: Route) -> None:
        keys.append(route.request.header_value("idempotency-key"))
        route.fetch()
        route.abort()

    page.route(f"{url}/api/v1/jobs", lose, times=1)
    submit = page.get_by_role("button", name="Submit", exact=True)
    submit.click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("the server did not answer; submit again")
    # The check of the seed, which was due before the click, does not take that away.
    page.clock.run_for(2_500)
    page.wait_for_timeout(500)
    expect(told).to_contain_text("the server did not answer; submit again")
    with page.expect_request(f"{url}/api/v1/jobs") as asked:
        submit.click()
    expect(page.locator("h2")).to_contain_text("first")
    assert [asked.value.header_value("idempotency-key")] == keys != [None]
    second, *others = store.jobs().items
    assert [one.id for one in others] == [first.id]
    assert (second.id != first.id, second.spec.seed, second.tags) == (True, 8, {"a": "b"})
    assert second.spec.space == first.spec.space
    assert [text for text in complaints if "ERR_FAILED" not in text] == []


def test_a_data_set_is_sent_and_a_folder_packed(url: str, page: Page) -> None:
    page.goto(f"{url}/#/new")
    page.get_by_text("Add a data set").click()
    rows = "".join(f"{n},{n % 7},{2 * n}\n" for n in range(60)).encode()
    file = {"name": "prices.csv", "mimeType": "text/csv", "buffer": b"a,b,price\n" + rows}
    page.get_by_label("File (CSV").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_label("Name", exact=True)).to_have_value("prices")
    page.get_by_label("Column to predict").fill("size")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("size")
    page.get_by_label("Column to predict").fill("price")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("prices has 60 rows")).to_be_visible()

    packed = page.evaluate(
        """async () => {
          const { isCode, packed } = await import("/page/jobs/tar.js");
          const long = `${"d".repeat(120)}/${"f".repeat(90)}.py`;
          const all = ["train.py", "lib/ä.py", long, ".git/x", "a/node_modules/b.js"];
          const names = all.filter(isCode);
          const blob = await packed(names.map((name) => [name, new Blob([name.repeat(20)])]));
          return [...new Uint8Array(await blob.arrayBuffer())];
        }"""
    )
    archive = gzip.decompress(bytes(packed))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = ["d" * 120 + "/" + "f" * 90 + ".py", "lib/ä.py", "train.py"]
        assert tar.getnames() == names
        for name in names:
            content = tar.extractfile(name)
            assert content is not None
            assert content.read().decode() == name * 20


def test_where_programs_are_not_run_sending_code_says_so(
    settings: Settings, store: Store, page: Page
) -> None:
    with served(settings, store) as url:
        page.goto(f"{url}/#/new")
        page.get_by_text("Send a program's code").click()
        file = {"name": "c.tar.gz", "mimeType": "application/gzip", "buffer": b"x"}
        page.get_by_label("Archive of the code").set_input_files(file)  # type: ignore[arg-type]
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("runs no programs of its clients")
