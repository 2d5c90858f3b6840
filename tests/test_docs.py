"""The documentation is complete and true: names appear, links resolve, examples run."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from results.records import Checkpoint, EpochReport, Failure, TokenScope
from results.states import FailureKind, JobState, TrialState
from results.storage import Storage
from results.store import Store
from search_spaces import SAMPLERS, STRATEGIES, Library, SearchSpace, check, count
from search_spaces.yaml_files import load_yaml
from service.api import create_app
from service.cli import COMMANDS, main
from service.client.client import Client
from service.job_request import JobRequest
from service.settings import Settings
from tests.databases import migrated_store
from tests.service.http.serving import served
from trainables import registry
from trainables.contract import Metric, State, accepts_resume
from trainables.datasets import RegressionData, names, splits
from trainables.state_files import load, save

ROOT = Path(__file__).parents[1]
SKIPPED = {".venv", ".git", ".pytest_cache", "build", "demo"}
PAGES = sorted(p for p in ROOT.rglob("*.md") if not SKIPPED & {*p.relative_to(ROOT).parts[:-1]})
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
DATA = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
USER_PAGES = {"README.md": README, "docs/guide.md": GUIDE}
OWN_TRAINABLE = ROOT / "examples" / "own_trainable"
RIDGE_MODULES = ("argbest_ridge", "argbest_ridge_train")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, ray_address="127.0.0.1:1", allowed_hosts="testserver")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = migrated_store(settings.store_url)
    yield store
    store.close()


@pytest.fixture
def api(settings: Settings, store: Store) -> Iterator[TestClient]:
    with TestClient(create_app(settings, store)) as client:
        yield client


@pytest.fixture
def ridge(monkeypatch: pytest.MonkeyPatch) -> Iterator[registry.Trainable]:
    """The example's trainable, found where its pyproject.toml says."""
    monkeypatch.syspath_prepend(str(OWN_TRAINABLE))
    project = tomllib.loads((OWN_TRAINABLE / "pyproject.toml").read_text(encoding="utf-8"))
    (entry,) = project["project"]["entry-points"][registry.ENTRY_POINT_GROUP].values()
    module, _, attribute = entry.partition(":")
    assert tuple(project["tool"]["setuptools"]["py-modules"]) == RIDGE_MODULES
    yield getattr(importlib.import_module(module), attribute)
    for name in RIDGE_MODULES:
        sys.modules.pop(name, None)


# --- everything is in the docs ---------------------------------------------------------------


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_guide(name: str) -> None:
    row = re.search(rf"^\| `ARGBEST_{name.upper()}` \| (.+?) \| .+ \|$", GUIDE, re.MULTILINE)
    assert row is not None
    default = Settings.model_fields[name].default
    if isinstance(default, bool):
        assert row[1] == str(default).lower()
    elif isinstance(default, int | float):
        assert float(row[1]) == default
    elif name == "host":
        assert row[1] == default


def test_every_variable_in_the_code_is_in_the_guide() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for package in ("service", "trainables", "search_spaces", "results")
        for path in (ROOT / package).rglob("*.py")
    )
    used = set(re.findall(r"\b(?:ARGBEST|NUMBA|RAY_AUTH)_[A-Z_]*[A-Z]\b", code))
    used -= {"RAY_AUTH_TOKEN", "NUMBA_NUM_THREADS", "NUMBA_DISABLE_JIT"}  # no settings of ours
    assert {"ARGBEST_CACHE_DIR", "ARGBEST_URL", "RAY_AUTH_MODE"} <= used
    assert sorted(name for name in used if f"`{name}" not in GUIDE) == []


def routes() -> list[tuple[str, str]]:
    description = create_app(Settings(database_url="sqlite:///never-opened.db")).openapi()
    return [(m.upper(), path) for path, methods in description["paths"].items() for m in methods]


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_is_in_the_guide(method: str, path: str) -> None:
    assert f"| `{method} {path}` |" in GUIDE


def test_the_guide_invents_no_route() -> None:
    told = re.findall(r"^\| `(GET|POST|PATCH|DELETE) (\S+)` \|", GUIDE, re.MULTILINE)
    assert sorted(told) == sorted(routes())


@pytest.mark.parametrize("command", [name for section in COMMANDS.values() for name in section])
def test_every_command_and_option_is_described(command: str) -> None:
    found = main.get_command(click.Context(main), command)
    assert found is not None
    section = re.search(rf"^### .*`argbest {command}\b.*?(?=^##|\Z)", CLI, re.MULTILINE | re.DOTALL)
    assert section is not None
    flags = {flag for one in found.params if isinstance(one, click.Option) for flag in one.opts}
    everywhere = {"--json", "--url", "--token", "--help"}
    long_flags = {flag for flag in flags if flag.startswith("--")} - everywhere
    assert sorted(flag for flag in long_flags if flag not in section[0]) == []


def test_every_name_is_in_the_guide_or_the_readme() -> None:
    both = README + GUIDE
    expected = [
        *(t.name for t in registry.trainables().values() if t.entry.startswith("trainables.")),
        *(m.name for t in registry.trainables().values() for m in t.metrics
          if t.entry.startswith("trainables.")),
        *(space.name for space in Library().all()), *names(), *STRATEGIES, *JobState, *FailureKind,
        *JobRequest.model_fields,
    ]  # fmt: skip
    assert sorted({str(name) for name in expected if f"`{name}`" not in both}) == []


def test_the_readme_has_each_built_in_space_as_it_is() -> None:
    for space in Library().all():
        row = re.search(rf"^\| .* \| `{space.name}` \| (.+) \|$", README, re.MULTILINE)
        assert row is not None
        trainable, strategy, size, metric, others = row[1].split(" | ")
        assert trainable == f"`{space.trainable}`"
        assert strategy == f"`{space.strategy}`"
        assert size == f"{count(space)} x {space.epochs}"
        assert metric == f"`{space.metric}`"
        parts = ("none", *splits(space.dataset))
        reported = {m.name for m in registry.get(space.trainable).metrics if m.split in parts}
        assert set(re.findall(r"`(\w+)`", others)) == reported - {space.metric}


def test_every_make_target_is_in_the_guide() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)
    assert {"demo", "test", "serve"} <= {*targets}
    assert [target for target in targets if f"`make {target}`" not in GUIDE] == []
    told = set(re.findall(r"\bmake ([a-z]+)\b(?=`|  | #)", README + GUIDE))
    assert told <= {*targets}


# --- links resolve ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_relative_links_resolve(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = unquote(target).partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(linked), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """Return the names that a Markdown page's headings have as link targets."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def test_every_page_is_reached_from_the_index() -> None:
    linked: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in linked or page.suffix != ".md":
            continue
        linked.add(page)
        text = page.read_text(encoding="utf-8")
        targets = re.findall(r"\]\((?!https?:)([^)\s#]+)[^)]*\)", text)
        waiting += [page.parent / target for target in targets]
    pages = [p for p in PAGES if p.is_relative_to(ROOT / "docs") or p.parent == ROOT]
    assert [str(p.relative_to(ROOT)) for p in pages if p.resolve() not in linked] == []


def test_the_pictures_are_small_and_the_first_one_is_the_page() -> None:
    shown = re.findall(r"!\[.+\]\((.+)\)", README)
    assert shown[0].startswith("docs/img/page-")
    sizes = {file.name: file.stat().st_size for file in (ROOT / "docs" / "img").iterdir()}
    assert {name: size for name, size in sizes.items() if size >= 200_000} == {}


# --- examples in the docs --------------------------------------------------------------------


def fenced(text: str, *languages: str) -> Iterator[str]:
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if language in languages:
            yield block


def curl_commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each curl command, without what it is piped into."""
    for block in fenced(text, "bash", "console"):
        lexer = shlex.shlex(block.replace("$(", " ").replace("\\\n", " "), posix=True,
                            punctuation_chars="|")  # fmt: skip
        lexer.whitespace_split = True
        words = list(lexer)
        for start in (index for index, word in enumerate(words) if word in {"curl", "job=curl"}):
            ends = [i for i, word in enumerate(words) if i > start and word in {"|", "curl"}]
            yield words[start : min(ends, default=len(words))]


def path_of(words: list[str]) -> str:
    """Return the path that a curl command asks."""
    (url,) = [word for word in words if word.startswith("http://")]
    return url.removeprefix("http://127.0.0.1:8000").partition("?")[0].rstrip("/")


POSTED = [
    (page, path_of(words), words[words.index("-d") + 1])
    for page, text in USER_PAGES.items()
    for words in curl_commands(text)
    if "-d" in words
]
BODIES = [(page, body) for page, path, body in POSTED if path == "/api/v1/jobs"]
CHANGES = [(path, body) for _, path, body in POSTED if path != "/api/v1/jobs"]


def test_the_bodies_are_found() -> None:
    assert {page for page, _ in BODIES} == set(USER_PAGES)
    assert len(POSTED) >= README.count(" -d '{") + GUIDE.count(" -d '{") >= 4
    assert [path.rpartition("/")[2] for path, _ in CHANGES] == ["priority", "extend", "confirm"]


@pytest.mark.parametrize(("page", "body"), BODIES)
def test_every_body_posted_in_the_docs_is_accepted(api: TestClient, page: str, body: str) -> None:
    answer = api.post("/api/v1/jobs?dry_run=true", json=json.loads(body))
    assert answer.status_code == 200, f"{page}: {answer.text}"


def test_the_example_of_a_history_tells_the_sampler_both_trials(api: TestClient) -> None:
    page = (ROOT / "docs" / "search-spaces.md").read_text(encoding="utf-8")
    (body,) = (found for found in re.findall(r"```json\n(.*?)```", page, re.DOTALL)
               if "history" in found)  # fmt: skip
    answer = api.post("/api/v1/jobs?dry_run=true", json=json.loads(body))
    assert answer.json()["history"] == {"trials": 2, "left_out": []}


def test_the_population_in_the_docs_can_be_run(api: TestClient) -> None:
    page = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
    (text,) = (block for block in fenced(page, "yaml") if "pbt" in block)
    answer = api.post("/api/v1/jobs?dry_run=true", json={"search_space": load_yaml(text).value})
    assert answer.status_code == 200, answer.text
    assert answer.json()["spec"]["scheduler"]["perturb"] == ["learning_rate"]
    assert answer.json()["estimate"]["trials"] == 8 + 5 * 2
    assert answer.json()["estimate"]["epochs"] == 8 * 12


@pytest.mark.parametrize(("path", "body"), CHANGES, ids=[path for path, _ in CHANGES])
def test_every_change_posted_in_the_docs_is_accepted(
    api: TestClient, store: Store, path: str, body: str
) -> None:
    job = api.post("/api/v1/jobs", json={"search_space": "q4_feedforward"}).json()
    if path.endswith(("extend", "confirm")):
        run_the_oldest_job(store)
    answer = api.post(path.replace("$job", job["id"]), json=json.loads(body))
    assert answer.status_code == 202, answer.text


def test_the_problem_in_the_guide_is_what_the_service_answers(api: TestClient) -> None:
    (problem,) = fenced(GUIDE, "json")
    body = {"search_space": "q4_feedforward", "parameters": {"drop_out": 0.5}}
    headers = {"X-Request-ID": json.loads(problem)["request_id"]}
    answer = api.post("/api/v1/jobs", json=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json() == json.loads(problem)


def test_optuna_reads_the_export_as_the_guide_says(
    api: TestClient,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (code,) = (block for block in fenced(GUIDE, "python") if "JournalFileBackend" in block)
    job = api.post("/api/v1/jobs", json={"search_space": "q4_feedforward"}).json()
    run_the_oldest_job(store)
    answer = api.get(f"/api/v1/jobs/{job['id']}/export?format=optuna")
    (tmp_path / "study.log").write_bytes(answer.content)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    best = store.job(job["id"]).best
    assert best is not None
    assert capsys.readouterr().out.startswith(f"{best.trial} {{")


@pytest.mark.parametrize("page", USER_PAGES)
def test_every_url_asked_in_the_docs_is_a_route(page: str) -> None:
    patterns = [re.sub(r"\\{.+?\\}", "[^/]+", re.escape(path)) for _, path in routes()]
    asked = [word for words in curl_commands(USER_PAGES[page]) for word in words
             if word.startswith("http://")]  # fmt: skip
    assert asked
    for url in asked:
        assert any(re.fullmatch(pattern, path_of([url])) for pattern in patterns), url


def argbest_lines() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for block in fenced(page.read_text(encoding="utf-8"), "bash", "console", "text"):
            for line in re.findall(r"^[^#\n]*?\bargbest ((?!-)[a-z].*)$", block, re.MULTILINE):
                if "=" in line.partition(" ")[0]:
                    continue
                words = shlex.split(line.rstrip("&"), comments=True)
                yield str(page.relative_to(ROOT)), words


LINES = list(argbest_lines())


@pytest.mark.parametrize(("page", "words"), LINES, ids=[" ".join(w) for _, w in LINES])
def test_every_command_line_in_the_docs_is_understood(page: str, words: list[str]) -> None:
    command = main.get_command(click.Context(main), words[0])
    while isinstance(command, click.Group):
        words = words[1:]
        command = command.get_command(click.Context(command), words[0])
    assert command is not None, f"{page}: argbest {words[0]}"
    with command.make_context(words[0], [w.rstrip(")") for w in words[1:]]) as context:
        assert context.params


# --- the examples ----------------------------------------------------------------------------


def run_the_oldest_job(store: Store, *, epochs: int = 1, fail_last: bool = True) -> None:
    """Do what a driver does: the first trial is the best one, the last one fails."""
    lease = store.claim_job("test", 60)
    assert lease is not None
    space, trials = store.job(lease.job_id).spec.space, store.trials(lease.job_id)
    worse = 1 if space.mode == "min" else -1
    for trial in trials:
        attempt = store.start_trial(lease, trial.number, node="here")
        metrics = {space.metric: 0.25 + worse * trial.number}
        reports = [
            EpochReport(trial.number, attempt, epoch, metrics, 0.1 * epoch)
            for epoch in range(1, epochs + 1)
        ]
        store.write_reports(lease, reports)
        if fail_last and trial is trials[-1]:
            error = Failure(FailureKind.DIVERGED, "the training diverged")
            store.finish_trial(lease, trial.number, TrialState.FAILED, error)
        else:
            store.finish_trial(lease, trial.number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)


class Served(Client):
    """The client as it is, over a server whose driver runs each job as it is submitted."""

    def __init__(
        self, api: TestClient, store: Store, *, epochs: int = 1, fail_last: bool = True
    ) -> None:
        super().__init__("http://testserver", transport=api._transport)
        self._store, self._epochs, self._fail_last = store, epochs, fail_last

    def submit(self, body: Mapping[str, Any], **keywords: Any) -> Any:
        job = super().submit(body, **keywords)
        run_the_oldest_job(self._store, epochs=self._epochs, fail_last=self._fail_last)
        return job


def test_the_client_example_submits_waits_and_shows_the_best(
    api: TestClient, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    example = load_example("submit_and_wait")
    with Served(api, store) as client:
        assert example.search(client) == 0
    printed = capsys.readouterr().out
    assert "6 trials" in printed
    assert "best: trial 0 with {'learning_rate': 0.0003, 'hidden_size': 50}" in printed
    assert "5 failed {'learning_rate': 0.003, 'hidden_size': 150}" in printed


def test_the_client_in_the_guide_shows_the_best(
    api: TestClient, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    block = next(block for block in fenced(GUIDE, "python") if "client.best(" in block)
    over_the_network = 'Client("http://127.0.0.1:8000")'
    assert block.count(over_the_network) == 1
    code = block.replace(over_the_network, "served")
    with Served(api, store) as served:
        exec(compile(code, "guide.md", "exec"), {"served": served})
    assert capsys.readouterr().out.startswith("{'learning_rate': 0.001,")


def test_the_client_in_the_page_of_data_adds_a_data_set_and_plans_on_it(
    settings: Settings,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (block,) = [block for block in fenced(DATA, "python") if "client.add_dataset(" in block]
    rows = "".join(f"{n},{30 + n % 7},{n * 2000.5}\n" for n in range(1, 61))
    (tmp_path / "prices.csv").write_text(f"nr,size,price\n{rows}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with served(settings, store) as url:
        exec(compile(block.replace("http://127.0.0.1:8000", url), "data.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "column 'nr' numbers the rows, as an id does",
        "column 'nr' is equal to the target",
        "2",
    ]


def test_the_client_in_the_guide_replays_a_job_and_fetches_its_figures(
    api: TestClient, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = fenced(GUIDE, "python")
    codes = [
        block.replace('Client("http://127.0.0.1:8000")', "nullcontext(served)")
        for block in blocks
        if "client.replay(" in block or "client.figures(" in block
    ]
    names: dict[str, Any] = {"nullcontext": nullcontext}
    with Served(api, store, epochs=9, fail_last=False) as names["served"]:
        for code in sorted(codes, key=lambda code: "client.figures(" in code):
            known = code.replace("6756bd8412213451", names["job"].id if "job" in names else "")
            exec(compile(known, "guide.md", "exec"), names)
    assert names["missing"] == {"pareto_front": "the search has one objective"}
    assert names["best"] == store.job(names["job"].id).best.value  # type: ignore[union-attr]
    saved, same = capsys.readouterr().out.splitlines()
    assert int(saved.partition("%")[0]) > 50
    assert re.fullmatch(r"the same best in \d+ of 20 orders", same)


def test_the_client_in_the_guide_follows_all_jobs(
    settings: Settings, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = [block for block in fenced(GUIDE, "python") if "client.events(" in block]
    with served(settings, store) as url:
        for _ in range(2):
            httpx2.post(f"{url}/api/v1/jobs", json={"search_space": "q4_depth"})
        run_the_oldest_job(store)
        exec(compile(block.replace("http://127.0.0.1:8000", url), "guide.md", "exec"), {})
    first, second = (job.id for job in reversed(store.jobs().items))
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [int(number) for number, _, _ in printed] == sorted(int(n) for n, _, _ in printed)
    assert [(job, state) for _, job, state in printed] == [
        (first, "queued"), (second, "queued"), (first, "running"), (first, "succeeded"),
    ]  # fmt: skip


def test_the_client_in_the_guide_sends_code(
    settings: Settings,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (block,) = [block for block in fenced(GUIDE, "python") if "client.send_code(" in block]
    (tmp_path / "my_project").mkdir()
    (tmp_path / "my_project" / "train.py").write_text("print(1)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    secret = store.create_token("guide", TokenScope.CODE).secret
    with served(settings.model_copy(update={"allow_commands": True}), store) as url:
        code = block.replace(
            'Client("http://127.0.0.1:8000")', f"Client({url!r}, token={secret!r})"
        )
        exec(compile(code, "guide.md", "exec"), {})
    digest, files = capsys.readouterr().out.split()
    assert store.code(digest) is not None
    assert files == "1"


def test_the_client_in_the_guide_fetches_a_model(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = [block for block in fenced(GUIDE, "python") if "client.model(" in block]
    with served(settings, store) as url:
        body = {"search_space": "q4_logistic_regression", "strategy": "single", "epochs": 1}
        job_id = httpx2.post(f"{url}/api/v1/jobs", json=body).json()["id"]
        lease = store.claim_job("test", 60)
        assert lease is not None
        attempt = store.start_trial(lease, 0, node="here")
        store.write_reports(lease, [EpochReport(0, attempt, 1, {"validation_accuracy": 0.5}, 0.1)])
        state = tmp_path / "state.npz"
        save(state, {"epoch": 1, "weights": np.arange(3.0)})
        name, digest = f"jobs/{job_id}/0/1.npz", hashlib.sha256(state.read_bytes()).hexdigest()
        Storage(settings.storage_uri).save(name, state)
        store.add_checkpoint(lease, Checkpoint(0, 1, 0.1, name, state.stat().st_size, digest))
        store.finish_trial(lease, 0, TrialState.SUCCEEDED)
        monkeypatch.chdir(tmp_path)
        code = block.replace("http://127.0.0.1:8000", url).replace("6756bd8412213451", job_id)
        exec(compile(code, "guide.md", "exec"), {})
    assert np.load(tmp_path / "model.npz")["weights"].tolist() == [0.0, 1.0, 2.0]


def load_example(name: str) -> Any:
    path = ROOT / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_runnable(path: Path, trainable: registry.Trainable) -> SearchSpace:
    space = SearchSpace.from_json(load_yaml(path.read_text(encoding="utf-8")).value)
    check(
        space,
        schema=trainable.schema(),
        metrics={metric.name: metric.split for metric in trainable.metrics},
        datasets=trainable.datasets,
        max_trials=1000,
    )
    assert space.name == path.stem
    assert space.trainable == trainable.name
    return space


def test_the_examples_search_space_can_be_run(api: TestClient) -> None:
    path = ROOT / "examples" / "dropout_and_rate.yaml"
    space = assert_runnable(path, registry.get("torch_feedforward"))
    assert space.strategy in SAMPLERS
    body = {"search_space": load_yaml(path.read_text(encoding="utf-8")).value}
    plan = api.post("/api/v1/jobs?dry_run=true", json=body)
    assert plan.json()["sampling"] == {"sampler": "tpe", "seed": 42, "trials": 20}


def test_the_examples_own_search_space_can_be_run(ridge: registry.Trainable) -> None:
    assert count(assert_runnable(OWN_TRAINABLE / "ridge_penalty.yaml", ridge)) == 8


def small_regression() -> RegressionData:
    random = np.random.RandomState(0)
    x = random.randn(60, 5)
    y = x @ np.arange(5.0) + 3
    return RegressionData("small", x[:40], y[:40], x[40:], y[40:])


def ridge_curve(trainable: registry.Trainable, **changes: Any) -> list[Mapping[str, float]]:
    reports: list[Mapping[str, float]] = []
    arguments: dict[str, Any] = {"epochs": 300, "seed": 1} | changes
    config = arguments.pop("config", {})

    def report(epoch: int, metrics: Mapping[str, float], **_: Any) -> None:
        reports.append(metrics)
        assert epoch == len(reports)

    trainable.resolve()(config, small_regression(), report, **arguments)
    return reports


def test_the_own_trainable_keeps_to_the_contract(ridge: registry.Trainable) -> None:
    assert all(isinstance(metric, Metric) for metric in ridge.metrics)
    curve = ridge_curve(ridge)
    assert len(curve) == 300
    declared = {metric.name for metric in ridge.metrics}
    assert all(set(metrics) == declared for metrics in curve)
    assert ridge_curve(ridge) == curve
    assert ridge_curve(ridge, seed=2) != curve


def test_the_own_trainable_resumes_to_the_same_curve(
    ridge: registry.Trainable, tmp_path: Path
) -> None:
    train, curve = ridge.resolve(), ridge_curve(ridge, epochs=5)
    assert accepts_resume(train)
    for done in range(1, 6):
        file = tmp_path / f"{done}.npz"

        def keep(epoch: int, *_: Any, state: Callable[[], State], file: Path = file) -> None:
            save(file, state())

        train({}, small_regression(), keep, epochs=done, seed=1)
        resumed: list[Mapping[str, float]] = []

        def report(
            epoch: int, metrics: Mapping[str, float], resumed: list[Any] = resumed, **_: Any
        ) -> None:
            resumed.append(metrics)

        state = load(file, max_bytes=10**6)
        assert state["epoch"] == done
        train({}, small_regression(), report, epochs=5, seed=1, resume=state)
        assert resumed == curve[done:]


def test_the_own_trainable_solves_ridge_regression(ridge: registry.Trainable) -> None:
    """Without a penalty the noiseless line is found; with one, the regularized solution."""
    exact = ridge_curve(ridge, config={"learning_rate": 0.3})[-1]
    assert max(exact.values()) < 1e-6
    shrunk = ridge_curve(ridge, config={"learning_rate": 0.3, "penalty": 0.5})[-1]
    data = small_regression()
    kept = np.random.RandomState(1).permutation(40)[8:]
    x = np.column_stack([data.x_train[kept], np.ones(32)])
    penalty = np.diag([0.5] * 5 + [0.0])
    solution = np.linalg.solve(x.T @ x / 32 + penalty, x.T @ data.y_train[kept] / 32)
    errors = np.column_stack([data.x_test, np.ones(20)]) @ solution - data.y_test
    assert shrunk["test_rmse"] == pytest.approx(float(np.sqrt(np.mean(errors**2))), rel=1e-6)


# --- what no file of the repository may say --------------------------------------------------

#: Put together here, so that this file does not hold them.
FORBIDDEN = ("py" + "pi.org", "python" + "hosted", "download" + ".pytorch", "/" + "simple/")
HOME_FOLDERS = re.compile(r"(?<![\w.$}>-])/(?:home|root|Users|work)/\w")


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_no_tracked_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    found = []
    for path in tracked_files():
        if not path.is_file() or path.suffix in {".xz", ".png", ".pdf"}:
            continue
        text = path.read_text(encoding="utf-8")
        found += [f"{path.name}: {word}" for word in FORBIDDEN if word in text]
        found += [f"{path.name}: {hit}" for hit in HOME_FOLDERS.findall(text)]
    assert found == []
