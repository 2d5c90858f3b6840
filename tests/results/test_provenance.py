"""What a job runs is said for trainables, commands and functions, whatever its sender sent."""

from __future__ import annotations

from results.provenance import command_text, provenance


def test_a_registered_trainable_has_its_data_set() -> None:
    spec = {"trainable": "numpy_mlp", "dataset": "fashion_mnist"}
    assert provenance(spec) == [("Trainable", "numpy_mlp"), ("Data set", "fashion_mnist")]
    assert provenance({}) == []


def test_a_command_has_its_code_environment_and_source() -> None:
    source = {
        "folder": "mine", "commit": "abc", "dirty": True, "python": "3.12.1", "platform": "Linux",
        "machine": "host, 2 CPUs", "packages": {"numpy": "2.2", "torch": "2.9"},
    }  # fmt: skip
    spec = {
        "trainable": "command", "dataset": "none", "command": ["python", "a b.py", "--lr={lr}"],
        "code": "sha256:00", "environment": {"OMP_NUM_THREADS": "1", "NAME": "a b"},
        "source": source,
    }  # fmt: skip
    assert dict(provenance(spec)) == {
        "Command": "python 'a b.py' --lr={lr}",
        "Code": "sha256:00",
        "Environment": "OMP_NUM_THREADS=1 NAME='a b'",
        "Folder": "mine",
        "Git commit": "abc, with changes",
        "Sender's Python": "3.12.1",
        "Sender's machine": "Linux, host, 2 CPUs",
        "Sender's packages": "numpy 2.2, torch 2.9",
    }


def test_what_a_sender_says_may_be_anything() -> None:
    source = {"commit": ["x"], "packages": 3, "folder": "a\nb", "python": None}
    found = dict(provenance({"trainable": "m.py:train", "code": "c" * 900, "source": source}))
    assert found["Trainable"] == "m.py:train"
    assert found["Git commit"] == "['x']"
    assert found["Folder"] == "a\\u000ab"
    assert len(found["Code"]) == 503


def test_arguments_are_quoted_where_they_need_it() -> None:
    assert command_text(["sh", "-c", "echo $HOME", "", "{args}"]) == "sh -c 'echo $HOME' '' {args}"
