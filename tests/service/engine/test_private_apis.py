"""What we use of Ray beyond its public interface: still there, and still needed.

`docs/private-apis.md` lists each with its reason. A test here fails when a new Ray no longer has
one, or when one is no longer needed.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import ray
from ray.air.execution._internal import RayActorManager
from ray.air.execution._internal.tracked_actor_task import TrackedActorTask
from ray.exceptions import OutOfMemoryError
from ray.tune.execution import tune_controller
from ray.tune.execution.class_cache import _ActorClassCache

from service.engine.trial import TrialProcess

RAY = Path(ray.__file__).parent
ROOT = Path(__file__).parents[3]


def test_tune_still_ends_a_whole_job_for_one_process_that_was_killed_for_memory() -> None:
    manager = RayActorManager.__new__(RayActorManager)  # a whole one would start a Ray
    task = TrackedActorTask(tracked_actor=None)
    with pytest.raises(RuntimeError, match="unexpected exception"):
        manager._actor_task_failed(task, OutOfMemoryError("the node is running low on memory"))


def test_tune_makes_its_actor_manager_from_the_name_that_we_replace() -> None:
    source = inspect.getsource(tune_controller)
    assert "self._actor_manager = RayActorManager(" in source


@pytest.mark.parametrize(
    "name",
    ["gcs_create_placement_group_retry_max_interval_ms", "gcs_rpc_server_reconnect_timeout_s"],
)
def test_the_gcs_knows_the_settings_that_we_give_it(name: str) -> None:
    server = (RAY / "core" / "src" / "ray" / "gcs" / "gcs_server").read_bytes()
    assert name.encode() in server


@pytest.mark.parametrize(
    "name",
    [
        "num_workers_soft_limit",
        "prestart_worker_first_driver",
        "worker_maximum_startup_concurrency",
    ],
)
def test_a_node_knows_the_settings_that_we_give_it(name: str) -> None:
    raylet = (RAY / "core" / "src" / "ray" / "raylet" / "raylet").read_bytes()
    assert name.encode() in raylet


def test_tune_gives_its_actors_an_environment_of_their_own() -> None:
    actor = _ActorClassCache().get(TrialProcess)
    assert actor._default_options["runtime_env"]["env_vars"]["PL_DISABLE_FORK"] == "1"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("node.py", "RAY_ROTATION_MAX_BYTES"),
        ("node.py", "RAY_ROTATION_BACKUP_COUNT"),
        ("accelerators/accelerator.py", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"),
    ],
)
def test_ray_reads_the_variables_that_we_set(module: str, name: str) -> None:
    assert name in (RAY / "_private" / module).read_text(encoding="utf-8")


TITLES = """
import os
from pathlib import Path
from ray._raylet import setproctitle as rays
from setproctitle import setproctitle
cmdline = Path("/proc/self/cmdline")
rays("ray::IDLE")
os.environ["SPT_NOENV"] = "1"
setproctitle("ours")
print(cmdline.read_bytes().rstrip(b"\\0").decode())
rays("argbest grid trial 7")
print(cmdline.read_bytes().rstrip(b"\\0").decode())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_rays_own_function_sets_a_title_after_ray_has_set_one() -> None:
    command = [sys.executable, "-c", TITLES]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    first, second = (line.strip("\0 ") for line in printed.splitlines())
    assert (first, second) == ("ray::IDLE", "argbest grid trial 7")


def test_the_document_lists_every_private_module_that_is_imported() -> None:
    document = (ROOT / "docs" / "private-apis.md").read_text(encoding="utf-8")
    private = re.compile(
        r"^\s*(?:from|import) ((?:ray|torch|numba)[\w.]*\._\w[\w.]*)", re.MULTILINE
    )
    found = {
        name
        for folder in ("service", "trainables")
        for path in (ROOT / folder).rglob("*.py")
        for name in private.findall(path.read_text(encoding="utf-8"))
    }
    assert found
    assert {name for name in found if name not in document} == set()
