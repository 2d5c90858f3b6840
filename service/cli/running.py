"""`argbest run`: a whole search with a service of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.body import body_of, body_options, is_file
from service.cli.code import send_code
from service.cli.errors import ExitCode, report_problems
from service.cli.files import check_writable, make_folder, write_atomically
from service.cli.options import folder_option, machine_settings
from service.cli.output import facts, note
from service.cli.signals import interrupted_by_signals
from service.cli.summary import best_facts, job_line, trials_text

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import JobView

#: How long a cancelled job may take to end before the service is stopped anyway.
_CANCEL_SECONDS = 20.0


@click.command()
@body_options
@folder_option
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the report goes, as HTML. [default: report.html in the data folder]",
)
def run(*, space: str, data_dir: Path | None, output: Path | None, **options: Any) -> None:
    """Run a whole search with a service of its own.

    Starts the service, submits the search, shows its progress, writes the report and ends the
    service. Takes the same options as submit. Exits with 1 unless the search succeeded.
    """
    body = body_of(space=space, **options)
    _check(space, body["search_space"])
    folder = data_dir or _new_folder(space, body["search_space"])
    make_folder(folder)
    report = output or folder / "report.html"
    check_writable(report)
    _share_datasets(folder)
    with interrupted_by_signals():
        job, interrupted = _search(folder, space, body, report)
    note(f"all of it stays in {folder}; `argbest serve --data-dir {folder}` shows it")
    if interrupted:
        raise SystemExit(ExitCode.INTERRUPTED)
    if not job.has_succeeded:
        raise SystemExit(ExitCode.JOB_FAILED)


def _check(space: str, declared: Any) -> None:
    """Refuse a file that is no search space, before a service is started for it."""
    if not is_file(space):
        return
    from search_spaces import SearchSpace, SearchSpaceError

    try:
        SearchSpace.from_json(declared)
    except SearchSpaceError as error:
        report_problems(f"{space} is not a search that can be run", error.problems)
        raise SystemExit(ExitCode.USAGE) from None


def _new_folder(space: str, declared: Any) -> Path:
    """Return a folder for one run, among the user's data."""
    name = declared.get("name", "search") if isinstance(declared, Mapping) else space
    name = re.sub(r"[^\w-]+", "_", str(name))[:40]
    runs = machine_settings(None).data_dir / "runs"
    return runs / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"


def _share_datasets(folder: Path) -> None:
    """Have the run use the data sets that this user has fetched before, and keep new ones there."""
    shared, own = machine_settings(None).datasets_dir, folder / "datasets"
    if not own.exists() and not own.is_symlink() and shared != own:
        make_folder(shared)
        own.symlink_to(shared)


def _search(folder: Path, space: str, body: dict[str, Any], report: Path) -> tuple[JobView, bool]:
    """Run the search; return its job as it ended, and whether it was interrupted."""
    from service.cli.own_service import OwnService

    note("starting a service for this search ...")
    with OwnService(folder) as service:
        client = service.client
        send_code(client, space, body, left_out=[folder])
        job = client.submit(body)
        note(f"{job.name}: {trials_text(job)}")
        interrupted = False
        try:
            job = _followed(client, job.id)
        except KeyboardInterrupt:
            note("interrupted: cancelling the search; its report has what was found ...")
            interrupted = True
            job = _cancelled(client, job.id)
        note(job_line(job))
        write_atomically(report, client.report(job.id, "html"))
        if job.best is not None:
            _show_best(client, job.id, report)
        else:
            note(f"report: {report}")
        note("stopping the service ...")
    return job, interrupted


def _followed(client: Client, job_id: str) -> JobView:
    from service.cli.display import display
    from service.cli.watch import Follower

    with display(client.clock.now) as shown:
        follower = Follower(shown)
        for event in client.events(job_id):
            follower.see(event, client.clock.now())
    return follower.job


def _cancelled(client: Client, job_id: str) -> JobView:
    from service.client.errors import Conflict, WaitTimeout

    try:
        client.cancel(job_id)
        return client.wait(job_id, timeout=_CANCEL_SECONDS)
    except (Conflict, WaitTimeout):  # it has just ended, or ends with the service
        return client.job(job_id)


def _show_best(client: Client, job_id: str, report: Path) -> None:
    facts([*best_facts(client.best(job_id), "best trial"), ("report", str(report))])
