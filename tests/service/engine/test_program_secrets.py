"""What a program of a client can see of the service: its own variables, and its parents'."""

from __future__ import annotations

import fnmatch
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from service.engine.child import to_request
from service.engine.head import head_variables
from service.engine.messages import Assignment, End, Epoch, Finished, Message, Output
from service.engine.segment import Segment
from service.engine.training import Resume, TrialContext
from service.settings import Settings
from tests.service.stand_ins import spec, trial_context
from trainables.environment import PASSED_ON

#: What the service's environment may hold; each value has the word by which it is looked for.
SECRETS = {
    "ARGBEST_DATABASE_URL": "postgresql://argbest:hidden@database/argbest",
    "ARGBEST_TOKEN": "argb_hidden",
    "ARGBEST_STORAGE": "s3://key:hidden@bucket/folder",
    "RAY_AUTH_TOKEN": "hidden",
    "RAY_AUTH_TOKEN_PATH": "/hidden/token",
    "AWS_SECRET_ACCESS_KEY": "hidden",
    "PGPASSWORD": "hidden",
    "PGPASSFILE": "/hidden/pgpass",
    "SOME_API_KEY": "hidden",
}
#: Set for the program itself (docs/programs.md), and by Python.
OWN = ("ARGBEST_*", "PYTHONPATH", "PYTHONUNBUFFERED", "LC_CTYPE")
#: Prints the names of its variables, and which of its parents' environments hold a secret.
LOOK = """
import json, os, sys
pid, leaks, parents = os.getpid(), [], []
while pid != int(sys.argv[1]):
    environment = open(f"/proc/{pid}/environ", "rb").read()
    parents.append(pid)
    leaks += [line.decode() for line in environment.split(b"\\0") if b"hidden" in line]
    status = open(f"/proc/{pid}/status").read()
    pid = int(status.partition("PPid:")[2].split()[0])
print(json.dumps({"names": sorted(os.environ), "leaks": leaks, "parents": len(parents),
                  "values": [v for v in os.environ.values() if "hidden" in v]}))
print(json.dumps({"loss": 0.5}))
"""


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def context_of(command: list[str], storage: Path) -> TrialContext:
    job = spec(command=command, trainable="command", dataset="none", metric="loss", parameters={})
    return trial_context(job, storage)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.usefixtures("secrets")
def test_neither_a_program_nor_its_parents_hold_a_secret_of_the_service(tmp_path: Path) -> None:
    """Up to the trial process, which this test is. Its environment is that of Ray's head, below."""
    (tmp_path / "look.py").write_text(LOOK, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "look.py"), str(os.getpid())]
    context = context_of(command, tmp_path / "storage")
    segment, sent = Segment(Assignment("segment", 0, {}, 1, 1), context), list[Message]()
    while not (sent and isinstance(sent[-1], End)):
        sent += segment.take()
    printed = "".join(message.text for message in sent if isinstance(message, Output))
    assert sent[-1] == Finished(), printed
    assert any(isinstance(message, Epoch) for message in sent)
    seen: dict[str, Any] = json.loads(next(x for x in printed.splitlines() if '"leaks"' in x))
    assert seen["parents"] == 3, "itself, the process that has started it, and the one above"
    assert (seen["leaks"], seen["values"]) == ([], [])
    assert not set(SECRETS) & set(seen["names"])
    known = [*PASSED_ON, *OWN]
    unknown = [n for n in seen["names"] if not any(fnmatch.fnmatchcase(n, k) for k in known)]
    assert unknown == []


@pytest.mark.usefixtures("secrets")
def test_rays_processes_do_not_get_the_database_nor_a_token(tmp_path: Path) -> None:
    """Trial processes inherit what Ray's head has, and a program may read their environment."""
    found = head_variables(Settings(data_dir=tmp_path))
    for name in ("ARGBEST_DATABASE_URL", "ARGBEST_TOKEN", "PGPASSWORD", "PGPASSFILE"):
        assert name not in found
    assert found["RAY_AUTH_MODE"] == "token"
    assert found["AWS_SECRET_ACCESS_KEY"] == "hidden", "which trial processes need"
    assert found["PATH"] == os.environ["PATH"]


def test_a_child_is_not_told_where_the_storage_is(tmp_path: Path) -> None:
    """The URI may hold credentials, and a function of a client runs in the child itself."""
    context = context_of(["true"], tmp_path / "hidden")
    request = to_request(Assignment("segment", 0, {}, 1, 1), context, Resume(), tmp_path)
    assert "hidden" not in request
