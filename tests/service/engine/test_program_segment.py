"""A segment of a program with code, from the archive in the storage to the reports."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from results.records import CodeRecord
from results.spec import DataRef
from results.states import FailureKind
from results.storage import Storage
from service.engine.code_files import JobCode
from service.engine.job_data import name_in_storage
from service.engine.messages import Assignment, Epoch, Failed, Finished, Message
from service.engine.segment import Segment
from service.engine.training import TrialContext
from tests.service.code.archives import file, packed
from tests.service.stand_ins import spec, trial_context
from tests.trainables.own_data.files import made as made_data
from tests.trainables.own_data.files import table
from trainables.own_data.making import tree_of
from trainables.own_data.stored import write

MAIN = b"""
import json, os, sys
import helper
open("mine.txt", "w").write("a file in its own folder")
rate = float(sys.argv[1].partition("=")[2])
print(json.dumps({"loss": rate, "files": len(os.listdir()), "value": helper.VALUE}))
"""
CONTENT = packed(file("main.py", MAIN), file("helper.py", b"VALUE = 7\n"), file("mine.txt.old"))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
RECORD = CodeRecord(f"sha256:{SHA256}", "code/mine.tar.gz", len(CONTENT), 3, 500)


def context(folder: Path) -> TrialContext:
    (folder / "sent").write_bytes(CONTENT)
    Storage(str(folder / "storage")).save(RECORD.name, folder / "sent")
    job = spec(
        trainable="command", dataset="none", metric="loss", code=RECORD.digest,
        command=["python", "-B", "main.py", "{args}"], parameters={"rate": {"values": [0.1, 0.2]}},
        strategy="grid", trials=2,
    )  # fmt: skip
    made = trial_context(job, folder / "storage")
    return replace(made, code=JobCode(RECORD, folder / "cache"))


def run(context: TrialContext, rate: float) -> list[Message]:
    segment = Segment(Assignment("s", 0, {"rate": rate}, 1, until=1), context)
    messages = segment.take()
    while not isinstance(messages[-1], Finished | Failed):
        messages += segment.take()
    return messages


def test_every_attempt_runs_in_a_fresh_copy_of_the_code(tmp_path: Path) -> None:
    made = context(tmp_path)
    for rate in (0.1, 0.2):
        messages = run(made, rate)
        assert isinstance(messages[-1], Finished), messages[-1]
        (epoch,) = [message for message in messages if isinstance(message, Epoch)]
        assert epoch.metrics == {"loss": rate, "files": 4.0, "value": 7.0}
    assert (tmp_path / "cache" / "code" / f"{SHA256}.tar.gz").exists()


def test_code_that_is_gone_fails_the_trial_and_says_so(tmp_path: Path) -> None:
    made = context(tmp_path)
    Storage(made.storage).delete(RECORD.name)
    end = run(made, 0.1)[-1]
    assert isinstance(end, Failed)
    assert end.failure.kind is FailureKind.INFEASIBLE
    assert "is not in the storage" in end.failure.message


def test_a_functions_data_come_to_a_node_that_has_none(tmp_path: Path) -> None:
    content = tmp_path / "content.npz"
    digest = write(content, tree_of(made_data(tmp_path, table(), target="price").prepared))
    code = packed(
        file(
            "main.py",
            b"def train(config, data, report, *, epochs, seed):\n"
            b"    report(1, {'loss': float(len(data.x_train))})\n",
        )
    )
    sha256 = hashlib.sha256(code).hexdigest()
    record = CodeRecord(f"sha256:{sha256}", "code/function.tar.gz", len(code), 1, 500)
    (tmp_path / "sent").write_bytes(code)
    storage = Storage(str(tmp_path / "storage"))
    storage.save(record.name, tmp_path / "sent")
    storage.save(name_in_storage(digest), content)
    job = spec(
        trainable="main.py:train", dataset="prices", metric="loss", code=record.digest,
        parameters={"rate": 0.1},
    )  # fmt: skip
    job = replace(job, data=DataRef(digest, "regression", "price", ("train", "test")))
    context = replace(
        trial_context(job, tmp_path / "storage"),
        code=JobCode(record, tmp_path / "cache"),
        datasets_dir=tmp_path / "another node",
    )
    messages = run(context, 0.1)
    assert isinstance(messages[-1], Finished), messages[-1]
    assert [m.metrics["loss"] > 0 for m in messages if isinstance(m, Epoch)] == [True]
