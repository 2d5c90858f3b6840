"""``argbest share``: a link that opens one job, listed and revoked as a token."""

from __future__ import annotations

import json
import re

from click.testing import CliRunner

from results.records import TokenScope
from results.store import Store
from search_spaces import Library
from service.cli import main
from service.client.client import Client
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.service.http.serving import served


def test_a_link_is_printed_that_reads_the_job(settings: Settings, store: Store) -> None:
    job = Jobs(store, Library(), settings).submit(JobRequest(search_space="q2_linear_regression"))
    secret = store.create_token("ci", TokenScope.SUBMIT).secret
    variables = {"ARGBEST_TOKEN": secret, "ARGBEST_DATA_DIR": str(settings.data_dir)}
    with served(settings.model_copy(update={"auth": "on"}), store) as url:

        def run(*arguments: str) -> str:
            done = CliRunner().invoke(main, ["--url", url, *arguments], env=variables)
            assert done.exit_code == 0, done.stderr
            return done.stdout

        link = run("share", job.id, "--days", "2").strip()
        found = re.fullmatch(rf"{re.escape(url)}/#/job/{job.id}\?share=(argb_[\w-]{{43}})", link)
        assert found is not None
        with Client(url, token=found[1]) as client:
            assert client.job(job.id).id == job.id
        told = json.loads(run("share", job.id, "--json"))
        assert told["link"] == url + told["path"]
        listed = json.loads(run("token", "ls", "--json"))["items"]
        assert [one["job"] for one in listed] == [None, job.id, job.id]
        assert f"share {job.id}" in " ".join(run("token", "ls").split())
        refused = CliRunner().invoke(main, ["--url", url, "share", job.id, "--days", "91"])
        assert refused.exit_code == 2
