"""The containers are as safe as their documentation says, and the API runs without the rest."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from fastapi.testclient import TestClient

from results.store import open_store
from service.api import standalone_app
from service.engine import cluster, head, processes
from service.engine.controller import Controller, heartbeat_file
from service.settings import Settings
from tests.service.stand_ins import run_one

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ENTRYPOINT = (ROOT / "docker" / "entrypoint").read_text(encoding="utf-8")
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, one in SERVICES.items() if one["image"] == "argbest:local")
LASTING = sorted(name for name, one in SERVICES.items() if one["restart"] != "no")
NODES = ["controller", "ray-head", "ray-worker"]
#: The variables that docker-compose.yml reads, and their defaults.
VARIABLES = dict(re.findall(r"(?<!\$)\$\{([A-Z_]+):-(.*?)\}", COMPOSE_TEXT))


def image_environment() -> dict[str, str]:
    """Return the variables that the image sets for every role."""
    (line,) = re.findall(r"^ENV (.+)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)
    return dict(pair.split("=", 1) for pair in shlex.split(line))


def mounts(service: str) -> dict[str, tuple[str, bool]]:
    """Return, for each volume of a service, where it is mounted and whether read-only."""
    parts = [volume.split(":") for volume in SERVICES[service].get("volumes", [])]
    return {volume: (path, mode == ["ro"]) for volume, path, *mode in parts}


def test_every_part_is_there() -> None:
    assert sorted(SERVICES) == sorted([*OURS, "database"])
    assert sorted([*NODES, "api"]) == sorted({*OURS} - {"migrate", "secrets"})


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_this_machine_alone(name: str) -> None:
    published = SERVICES[name].get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert bool(published) == (name in {"api", "ray-head"})
    assert SERVICES[name].get("network_mode", "none") == "none"


def test_only_published_services_are_on_a_network_with_a_way_out() -> None:
    inner = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    assert {"ray", "database"} == inner
    outward = {name for name, one in SERVICES.items() if {*one.get("networks", [])} - inner}
    assert outward == {"api", "ray-head"}


def test_what_is_sent_to_the_outside_gets_no_answer() -> None:
    (outward,) = (one for one in COMPOSE["networks"].values() if not one.get("internal"))
    assert outward["driver_opts"] == {"com.docker.network.bridge.enable_ip_masquerade": "false"}


def test_workers_share_no_network_with_the_api_and_the_database_and_have_no_password() -> None:
    shared = {*SERVICES["ray-worker"]["networks"]}
    assert shared == {"ray"}
    assert not shared & {*SERVICES["api"]["networks"], *SERVICES["database"]["networks"]}
    assert "database-password" not in mounts("ray-worker")
    assert not [key for key in SERVICES["ray-worker"]["environment"] if "DATABASE" in key]


def test_programs_of_clients_are_off_for_the_api_and_for_the_drivers_alike() -> None:
    for name in ("api", "controller"):
        value = SERVICES[name]["environment"]["ARGBEST_ALLOW_COMMANDS"]
        assert value == "${ARGBEST_ALLOW_COMMANDS:-false}"


def test_the_image_runs_as_a_fixed_user_who_is_not_root() -> None:
    # By number: Kubernetes refuses a name where `runAsNonRoot` is asked for.
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001"]
    assert re.search(r"\buseradd --uid 10001 .*\bargbest\b", DOCKERFILE)


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_is_given_more_rights(name: str) -> None:
    one = SERVICES[name]
    assert not {"user", "privileged", "devices", "pid", "ipc"} & one.keys()
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    # PostgreSQL's entrypoint takes its folder over and then gives its rights up.
    expected = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert {*one.get("cap_add", [])} == (expected if name == "database" else set())


@pytest.mark.parametrize("name", OURS)
def test_volumes_begin_as_folders_that_the_user_owns(name: str) -> None:
    # A new named volume takes owner and mode from the image's folder.
    (made,) = re.findall(r"install -d -o argbest -g argbest -m 0700([^&]+?)\n\n", DOCKERFILE)
    folders = made.replace("\\", "").split()
    assert {path for path, _ in mounts(name).values()} <= {*folders}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_has_a_health_check_and_is_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_until_what_they_need_is_ready(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        lasts = SERVICES[needed]["restart"] != "no"
        expected = "service_healthy" if lasts else "service_completed_successfully"
        assert how == {"condition": expected}


@pytest.mark.parametrize("name", [*NODES, "api"])
def test_ray_asks_for_a_token_in_every_container(name: str) -> None:
    environment = image_environment()
    assert environment["RAY_AUTH_MODE"] == "token"
    folder, read_only = mounts(name)["ray-token"]
    assert environment["RAY_AUTH_TOKEN_PATH"].startswith(f"{folder}/")
    assert read_only
    assert ("ray" in SERVICES[name]["networks"]) == (name in NODES)
    assert not {key for key in SERVICES[name]["environment"] if key.startswith("RAY_AUTH")}


def test_what_trials_and_containers_print_does_not_fill_the_disk() -> None:
    environment = image_environment()
    assert int(environment["RAY_ROTATION_MAX_BYTES"]) == Settings().max_log_bytes
    assert environment["RAY_ROTATION_BACKUP_COUNT"] == "1"
    for one in SERVICES.values():
        assert one["logging"]["driver"] == "json-file"
        assert one["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    bare = re.findall(r"RAY_ROTATION_MAX_BYTES=(\d+) RAY_ROTATION_BACKUP_COUNT=(\d+)", GUIDE)
    assert bare == [(environment["RAY_ROTATION_MAX_BYTES"], "1")]


def test_nodes_give_a_lost_head_up_before_another_one_can_be_there() -> None:
    name = "RAY_gcs_rpc_server_reconnect_timeout_s"
    assert int(image_environment()[name]) == 2
    assert f"export {name}=2\n" in GUIDE, "on bare machines too"
    (wait,) = re.findall(r"sleep (\d+)\n +ray_node ray-head --head", ENTRYPOINT)
    assert int(wait) > 2
    assert f"`RestartSec={wait}`" in GUIDE
    assert f'["sleep {wait}"]' in GUIDE, "in Kubernetes too"


def test_trials_that_wait_are_served_in_turn_on_every_kind_of_head() -> None:
    name = "RAY_gcs_create_placement_group_retry_max_interval_ms"
    local = head._head_environment(Settings())[name]
    assert image_environment()[name] == local
    assert f"export {name}={local}\n" in GUIDE, "on bare machines too"


def test_ray_finds_its_head_by_a_name_of_its_own_network() -> None:
    (alias,) = SERVICES["ray-head"]["networks"]["ray"]["aliases"]
    assert {SERVICES[name]["environment"]["RAY_ADDRESS"] for name in NODES} == {f"{alias}:6379"}


@pytest.mark.parametrize("name", NODES)
def test_shared_memory_holds_rays_object_store(name: str) -> None:
    (mebibytes,) = re.findall(
        r"--object-store-memory \"\$\(\((\d+) \* 1024 \* 1024\)\)\"", ENTRYPOINT
    )
    assert int(SERVICES[name]["shm_size"].removesuffix("m")) >= 2 * int(mebibytes)


def test_data_are_prepared_once_for_all_nodes() -> None:
    data_dir = Path(image_environment()["ARGBEST_DATA_DIR"])
    expected = (str(Settings(data_dir=data_dir).datasets_dir), False)
    for name in ("api", "controller", "ray-worker"):
        assert mounts(name)["datasets"] == expected


def test_all_who_write_read_or_delete_checkpoints_share_the_storage() -> None:
    data_dir = Path(image_environment()["ARGBEST_DATA_DIR"])
    folder = Settings(data_dir=data_dir).storage_uri
    for name in ("api", "controller", "ray-worker"):
        assert mounts(name)["storage"] == (folder, False)
        assert SERVICES[name]["environment"]["ARGBEST_STORAGE"] == f"${{ARGBEST_STORAGE:-{folder}}}"


def test_an_object_store_is_reached_with_a_file_of_credentials() -> None:
    more = yaml.safe_load((ROOT / "docker-compose.s3.yml").read_text(encoding="utf-8"))
    assert sorted(more["services"]) == ["api", "controller", "ray-worker"]
    for one in more["services"].values():
        assert not more["networks"][one["networks"][0]]
        (volume,) = one["volumes"]
        assert volume.endswith(f":{one['environment']['AWS_SHARED_CREDENTIALS_FILE']}:ro")
        assert not [key for key in one["environment"] if re.search("SECRET|KEY", key)]
    assert "/aws-credentials" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_every_volume_and_network_is_declared_and_used() -> None:
    assert {volume for name in SERVICES for volume in mounts(name)} == {*COMPOSE["volumes"]}
    used = {network for one in SERVICES.values() for network in one.get("networks", [])}
    assert used == {*COMPOSE["networks"]}


def test_nothing_holds_a_secret() -> None:
    for one in SERVICES.values():
        for key, value in one.get("environment", {}).items():
            assert not re.search("password|token|secret", key, re.IGNORECASE)
            assert not re.search(r"//[^/@]*:[^/@]*@", str(value)), "a password in a URL"
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_example_of_env_says_the_defaults() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE)) == VARIABLES
    documented = re.findall(r"^\| `([A-Z_]+)` \| (\S+)", GUIDE, re.MULTILINE)
    assert {name for name, _ in documented} == {*VARIABLES}
    assert all(default == VARIABLES[name] for name, default in documented if VARIABLES[name])


def test_images_are_pinned() -> None:
    assert re.findall(r"^FROM (\S+)$", DOCKERFILE, re.MULTILINE) == ["python:3.11-slim-bookworm"]
    assert SERVICES["database"]["image"] == "postgres:15-bookworm"
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["secrets"]
    assert all("secrets" in needs(name) for name in OURS if name != "secrets")


def needs(name: str) -> set[str]:
    """Return all services that are started before this one."""
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*map(needs, direct))


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_guide_says_which_containers_a_change_of_a_setting_replaces(variable: str) -> None:
    (row,) = re.findall(rf"^\| `{variable}` \| .+ \| (.+) \|$", GUIDE, re.MULTILINE)
    # docker-compose 1.29 replaces what depends on a replaced container, too.
    changed = {name for name, one in SERVICES.items() if f"${{{variable}" in str(one)}
    changed -= {"ray-worker"} if variable == "ARGBEST_WORKERS" else set()
    changed = {*OURS} if variable.startswith("PIP_") else changed
    replaced = changed | {name for name in SERVICES if needs(name) & changed}
    documented = {*re.findall(r"`([\w-]+)`", row)}
    assert replaced == ({*SERVICES} if row == "all, if built anew" else documented)


def test_a_change_of_the_apis_settings_leaves_the_controller_and_its_trials_alone() -> None:
    assert not {name for name in SERVICES if "api" in needs(name)}
    for name in ("api", "controller"):
        condition = SERVICES[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"
    assert SERVICES["migrate"]["restart"] == "no"


def test_up_keeps_the_workers_that_env_asks_for() -> None:
    assert SERVICES["ray-worker"]["scale"] == "${ARGBEST_WORKERS:-1}"
    assert "--scale" not in GUIDE.split("## What runs where")[0].replace(
        "rather than by `--scale`", ""
    )
    (commands,) = re.findall(r"### The first token\n\n```console\n(.+?)```", GUIDE, re.DOTALL)
    assert "docker compose up --detach api\n" in commands, "no other container"


@pytest.mark.parametrize("name", OURS)
def test_a_container_that_is_gone_is_soon_known_to_be(name: str) -> None:
    assert SERVICES[name]["dns_opt"] == ["timeout:1", "attempts:1"]


def test_no_registry_is_asked_for_the_image_that_is_built_here() -> None:
    policies = {name: one.get("pull_policy") for name, one in SERVICES.items()}
    assert policies == {**dict.fromkeys(OURS, "never"), "database": None}


def test_the_database_writes_its_pages_and_ends_at_once() -> None:
    # SIGTERM would wait for every client.
    assert SERVICES["database"]["stop_signal"] == "SIGINT"
    assert SERVICES["database"]["stop_grace_period"] == "60s"
    assert " exec docker-entrypoint.sh" in SERVICES["database"]["entrypoint"][-1]


def test_torchs_precompiled_header_is_kept_in_the_volume() -> None:
    # No variable leads torch's folder of precompiled headers elsewhere, so the image has a link.
    # The sources are read, since importing torch takes seconds.
    spec = importlib.util.find_spec("torch")
    assert spec
    assert spec.origin
    inductor = Path(spec.origin).parent / "_inductor"
    codecache = (inductor / "codecache.py").read_text(encoding="utf-8")
    folders = (inductor / "runtime" / "cache_dir_utils.py").read_text(encoding="utf-8")
    assert '_HEADER_DIR = os.path.join(default_cache_dir(), "precompiled_headers")\n' in codecache
    assert '"torchinductor_" + sanitized_username,\n' in folders
    ((target, link),) = re.findall(r"^RUN ln -s (\S+) (\S+)$", DOCKERFILE, re.MULTILINE)
    assert link == "/tmp/torchinductor_argbest"
    assert target == image_environment()["ARGBEST_CACHE_DIR"] == mounts("ray-worker")["cache"][0]


def test_older_docker_and_compose_can_read_it() -> None:
    assert not {"version", "include", "develop", "name"} & COMPOSE.keys()
    assert "--mount" not in DOCKERFILE
    assert "<<" not in DOCKERFILE


def test_the_build_gets_what_it_copies() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert {
        source if source.startswith("docs/") else source.split("/")[0] for source in sources
    } == let_in
    assert all((ROOT / source).exists() for source in sources)


@pytest.mark.parametrize("name", OURS)
def test_the_entrypoint_knows_every_role(name: str) -> None:
    (role,) = SERVICES[name]["command"]
    assert role == name
    assert re.search(rf"^{role}\)", ENTRYPOINT, re.MULTILINE)


def test_scripts_can_be_run() -> None:
    for name in ("entrypoint", "healthy", "node-ip"):
        assert (ROOT / "docker" / name).stat().st_mode & stat.S_IXOTH
    parsed = subprocess.run(["bash", "-n", ROOT / "docker" / "entrypoint"], check=False)
    assert parsed.returncode == 0


class Answering(BaseHTTPRequestHandler):
    """Answers /ok with 200, anything else with 503."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ok" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def answering() -> Iterator[str]:
    """The URL of a server that runs during the test."""
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a health check with nothing but these variables; `python` is this one."""
    path = f"{ROOT / 'docker'}:{Path(sys.executable).parent}:/usr/bin:/bin"
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": path, **environment},
    )  # fmt: skip


def test_health_is_asked_past_any_proxy(answering: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    for proxies in ({}, {"http_proxy": nobody, "HTTP_PROXY": nobody, "all_proxy": nobody}):
        assert run("healthy", f"{answering}/ok", **proxies).returncode == 0
        assert "503" in run("healthy", f"{answering}/not-ok", **proxies).stderr
    assert run("healthy", nobody).returncode == 1


def test_a_controller_that_hangs_is_not_healthy(tmp_path: Path, answering: str) -> None:
    settings = Settings(data_dir=tmp_path, database_url="", ray_address="127.0.0.1:1")
    how, line = SERVICES["controller"]["healthcheck"]["test"]
    assert how == "CMD-SHELL"
    line, urls = re.subn(r"http://\S+", f"{answering}/ok", line.replace("$$", "$"))
    line, files = re.subn(rf"{image_environment()['ARGBEST_DATA_DIR']}/", f"{tmp_path}/", line)
    assert (urls, files) == (1, 1)

    def health(host: str = processes.host_name()) -> subprocess.CompletedProcess[str]:
        return run("sh", "-c", line, HOSTNAME=host)

    assert health().returncode == 1, "it has not begun"
    with closing(open_store(settings.store_url)) as store:
        store.migrate()
        Controller(store, settings).step()
    assert health().returncode == 0
    assert health("another").returncode == 1, "another container's controller has not begun"
    before = time.time() - 61
    os.utime(heartbeat_file(settings), (before, before))
    assert (late := health()).returncode == 1
    assert "was last touched" in late.stderr


def test_a_controller_container_ends_with_its_controller_and_leaves_no_heartbeat(
    tmp_path: Path,
) -> None:
    stand_ins = {
        "healthy": 'test -e "$UP"',
        "node-ip": "echo 127.0.0.1",
        "python": 'touch "$ARGBEST_DATA_DIR/$BEAT" "$BEGUN"',
        "ray": 'touch "$UP"; exec >/dev/null 2>&1; while kill -0 "$PPID"; do sleep 0.05; done',
    }
    for name, line in stand_ins.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    beat, begun = "controller-box.heartbeat", tmp_path / "begun"
    (tmp_path / "data").mkdir()
    done = run(
        str(ROOT / "docker" / "entrypoint"), "controller", PATH=f"{tmp_path}:/usr/bin:/bin",
        RAY_ADDRESS="head.ray:6379", ARGBEST_DATA_DIR=str(tmp_path / "data"), HOSTNAME="box",
        BEAT=beat, BEGUN=str(begun), UP=str(tmp_path / "up"),
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr.startswith("controller: Ray node 127.0.0.1 starts; Ray's own output is in ")
    assert done.stderr.count("\n") == 1
    assert begun.exists()
    assert list((tmp_path / "data").iterdir()) == []


@pytest.fixture
def free_address() -> str:
    """An address at which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_node_waits_for_its_head_and_says_so(free_address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = run("node-ip", "ray-worker", f"127.0.0.1:{listener.getsockname()[1]}", "0")
    assert (found.returncode, found.stdout, found.stderr) == (0, "127.0.0.1\n", "")
    assert run("node-ip", "ray-head", free_address, "0").stdout == "127.0.0.1\n", "it is the head"
    late = run("node-ip", "ray-worker", free_address, "0.5")
    assert (late.returncode, late.stdout) == (1, "")
    first, last = late.stderr.splitlines()
    assert first.startswith(f"waiting for the Ray head at {free_address} (")
    assert last.startswith(f"no Ray head at {free_address} after 0.5 s (")
    assert last.endswith("giving up")


def test_a_node_without_an_address_starts_no_ray(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    (tmp_path / "ray").write_text(f"#!/bin/sh\ntouch {begun}\n", encoding="utf-8")
    (tmp_path / "ray").chmod(0o755)
    path = f"{tmp_path}:{ROOT / 'docker'}:{Path(sys.executable).parent}:/usr/bin:/bin"
    entrypoint = str(ROOT / "docker" / "entrypoint")
    for wrong, variable in (
        ({}, "RAY_ADDRESS is ''"),
        ({"RAY_ADDRESS": "head.ray:6379", "ARGBEST_NUM_CPUS": "two"}, "ARGBEST_NUM_CPUS is 'two'"),
    ):
        done = run(entrypoint, "ray-worker", PATH=path, **wrong)
        assert done.returncode == 1
        assert done.stderr.startswith(variable)
        assert done.stderr.count("\n") == 1, "no traceback"
    assert not begun.exists()


def test_rays_own_lines_are_shown_only_when_its_node_ends_unasked(tmp_path: Path) -> None:
    ray = "seq 100; echo ' at line 9'; exit 3"
    stand_ins = {"node-ip": "echo 127.0.0.1", "ray": ray, "nproc": "echo 1"}
    for name, line in stand_ins.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    done = run(
        str(ROOT / "docker" / "entrypoint"), "ray-worker", PATH=f"{tmp_path}:/usr/bin:/bin",
        RAY_ADDRESS="head.ray:6379", TMPDIR=str(tmp_path),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    _, ended, *last = done.stderr.splitlines()
    assert ended == "ray-worker: the Ray node ended with status 3:"
    assert last == ["96", "97", "98", "99", "100"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_documented(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \| .+ \| (.+) \| .+ \|$", GUIDE, re.MULTILINE)
    told = {*re.findall(r"`(\w+)`", row)}
    assert told == {*SERVICES[name].get("networks", [])}


def test_compose_itself_accepts_the_file() -> None:
    commands = [
        [*program, "config"]
        for program in (["docker-compose"], ["docker", "compose"])
        if shutil.which(program[0]) and _answers([*program, "version"])
    ]
    if not commands:
        pytest.skip("neither docker-compose nor docker's compose plugin is installed")
    both = ["-f", "docker-compose.yml", "-f", "docker-compose.s3.yml"]
    for command in [*commands, *([*one[:-1], *both, one[-1]] for one in commands)]:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
            env={**os.environ, "ARGBEST_WORKERS": "3"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert yaml.safe_load(done.stdout)["services"]["ray-worker"]["scale"] == 3


# --- the API alone -----------------------------------------------------------------------------


def test_urls_in_answers_have_the_scheme_of_a_reverse_proxy_on_any_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGBEST_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ARGBEST_ALLOWED_HOSTS", "argbest.example")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", image_environment()["FORWARDED_ALLOW_IPS"])
    config = uvicorn.Config(standalone_app, factory=True, log_config=None)
    config.load()
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    with TestClient(
        config.loaded_app, base_url="http://argbest.example", client=("172.18.0.1", 40_000)
    ) as client:
        told = client.post("/api/v1/jobs", json={"search_space": "q2_linear_regression"})
        with closing(open_store(Settings().store_url)) as store:
            run_one(store)
        best = f"{told.headers['Location']}/best?format=curl"
        assert " https://argbest.example/api/" in client.get(best, headers=proxied).text
        assert " http://argbest.example/api/" in client.get(best).text


class Dashboard(BaseHTTPRequestHandler):
    """Answers as the Ray dashboard does when asked for its nodes."""

    def do_GET(self) -> None:
        assert self.path == "/nodes?view=summary"
        body = b'{"data": {"summary": [{"hostname": "node-1", "raylet": {"state": "ALIVE"}}]}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def test_the_cluster_is_asked_at_the_inner_address() -> None:
    with HTTPServer(("127.0.0.1", 0), Dashboard) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        inner = f"http://127.0.0.1:{server.server_port}"
        found = cluster.nodes(Settings(dashboard_url="http://127.0.0.1:1", dashboard_api_url=inner))
        server.shutdown()
        thread.join()
    assert [(node["host"], node["state"]) for node in found] == [("node-1", "alive")]


def _answers(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
