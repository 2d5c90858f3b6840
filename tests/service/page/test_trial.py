"""One trial on the page: live while it runs, why it failed, and run again."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from results.records import EpochReport, Failure, Lease, NewTrial, Usage
from results.states import FailureKind, JobState, TrialState
from results.store import NoteUsage, Store
from search_spaces import Library
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from service.trial_logs import TrialLog

NAME = "<img src=x onerror=alert(1)> \u202eevil " + "x" * 160
MESSAGE = "ValueError: <b>no such column</b> " + "y" * 300


def submitted(settings: Settings, store: Store) -> tuple[str, Lease]:
    """A job of two trials whose name is hostile, claimed."""
    request = JobRequest(
        search_space="q3_logistic_regression", name=NAME, strategy="grid", epochs=40,
        parameters={"learning_rate": {"values": [0.01, 0.001]}},
    )  # fmt: skip
    job = Jobs(store, Library(), settings).submit(request)
    lease = store.claim_job("test", 60)
    assert lease is not None
    return job.id, lease


def reported(store: Store, lease: Lease, attempt: int, epochs: range, *, number: int = 1) -> None:
    metrics = {e: {"train_loss": 1 / e, "validation_accuracy": 1 - 0.5 / e} for e in epochs}
    store.write_reports(
        lease, [EpochReport(number, attempt, e, metrics[e], 2.0 * e) for e in epochs]
    )


def test_a_trial_is_followed_to_its_failure_and_run_again(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str]
) -> None:
    job, lease = submitted(settings, store)
    log = TrialLog(settings.trial_logs_dir(job) / "1")
    attempt = store.start_trial(lease, 1, node="node-a")
    reported(store, lease, attempt, range(1, 4))
    log.append(b"begun\n 10%\r 99%\r100%\n\x1b[31mred\x1b[0m <script>alert(1)</script>\n", 65536)
    store.write(lease, [NoteUsage(1, Usage(1.5, 400_000_000, gpu=0.25, gpu_memory=2_000_000_000))])

    page.goto(f"{url}/#/job/{job}/trial/1")
    main = page.locator("main")
    expect(page.locator("h2")).to_contain_text("Trial 1")
    expect(main).to_contain_text("3 of 40")
    expect(
        main.get_by_role("img", name=re.compile("^train_loss from epoch 1 to 3"))
    ).to_be_visible()
    log_shown = page.get_by_role("region", name="What it has printed")
    expect(log_shown).to_have_text(
        "begun\n100%\nred <script>alert(1)</script>\n", use_inner_text=False
    )
    uses = page.get_by_role("region", name="Resources")
    expect(uses).to_contain_text("1.50 busy, 1 asked for")
    expect(uses).to_contain_text("400.0 MB")
    expect(uses).to_contain_text("25 % busy")
    changed = page.get_by_role("region", name="Parameters").locator("tr.best")
    expect(changed).to_contain_text(["learning_rate"])

    # What comes meanwhile; the picture that somebody reads with the keys keeps the focus.
    picture = main.get_by_role("img", name=re.compile("^validation_accuracy"))
    picture.focus()
    page.keyboard.press("Home")
    expect(main.locator("figcaption", has_text="validation_accuracy")).to_contain_text(
        "epoch 1: 0.5"
    )
    reported(store, lease, attempt, range(4, 7))
    log.append(b"more\n", 65536)
    expect(main).to_contain_text("6 of 40")
    expect(
        main.get_by_role("img", name=re.compile("^validation_accuracy from epoch 1 to 6"))
    ).to_be_focused()
    expect(log_shown).to_contain_text("more")

    # It ends while the page reads a curve, with more in its log than one answer holds.
    held: list[Route] = []
    page.route("**/curve", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/curve"):
        reported(store, lease, attempt, range(7, 8))
    for part in range(5):
        log.append(f"{part} {'x' * 98}\n".encode() * 2500, 4_000_000)
    log.append(b"the end\n", 4_000_000)
    store.requeue_trial(lease, 1, detail="worker_lost")
    store.start_trial(lease, 1, node="node-b", resumed_from=6)
    error = Failure(FailureKind.USER_ERROR, MESSAGE, "Traceback (most recent call last):\n  boom")
    store.finish_trial(lease, 1, TrialState.FAILED, error)
    failure = page.get_by_role("region", name="Failed: user error")
    expect(failure).to_contain_text(MESSAGE)
    expect(failure).to_contain_text("What to do:")
    expect(failure.get_by_label("Traceback")).to_contain_text("boom")
    held[0].continue_()
    attempts = page.get_by_role("region", name="Attempts").locator("tbody tr")
    expect(attempts).to_have_count(2)
    expect(attempts.first).to_contain_text("worker lost")
    expect(attempts.last).to_contain_text("goes on after epoch 6")
    expect(uses).to_contain_text("Most memory seen")
    expect(log_shown).to_contain_text("the end")

    # A log that cannot be read takes nothing else away.
    (settings.trial_logs_dir(job) / "0" / f"{0:020d}.log").mkdir(parents=True)
    page.get_by_role("link", name="← trial 0").click()
    unreadable = page.get_by_role("region", name="Log", exact=True).get_by_role("alert")
    expect(unreadable).to_contain_text("cannot be read")
    expect(log_shown).to_be_hidden()
    expect(page.locator("h2")).to_contain_text("Trial 0 queued")

    # A trial that its search has not drawn yet is shown once it is.
    sampled = JobRequest(search_space="q4_logistic_regression", strategy="tpe", trials=3)
    search = Jobs(store, Library(), settings).submit(sampled)
    taken = store.claim_job("test", 60)
    assert taken is not None
    page.goto(f"{url}/#/job/{search.id}/trial/2")
    expect(main).to_contain_text("It is not drawn yet")
    store.add_trial(taken, NewTrial(2, {"learning_rate": 0.01}, 42))
    store.start_trial(taken, 2, node="here")
    expect(page.locator("h2")).to_contain_text("Trial 2 running")

    page.goto(f"{url}/#/job/{job}/trial/1")
    store.finish_job(lease, JobState.FAILED)
    expect(page.get_by_role("button", name="Retry failed trials")).to_be_visible()
    page.get_by_text("As a command and as curl").first.click()
    expect(main).to_contain_text(f"argbest reproduce {job} 1")
    page.get_by_role("button", name="Run again").click()
    expect(page).to_have_url(re.compile(rf"#/job/(?!{job})\w+$"))
    (again,) = store.jobs(state=JobState.QUEUED).items
    assert again.spec.tags == {"reproduces": f"{job}/1"}
    expected = ("503", "404")  # the log, the trial
    assert [text for text in complaints if not any(code in text for code in expected)] == []
