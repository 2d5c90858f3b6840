from __future__ import annotations

import pytest

from search_spaces import SearchSpace
from service.cli.convert.draft import Draft, arguments, escaped, objectives, take_epochs


@pytest.mark.parametrize(
    ("original", "name"),
    [
        ("model.lr", "model.lr"), ("num-layers", "num-layers"), ("db@host", "db_host"),
        ("/lr", "lr"), ("1st", "p_1st"), ("größe", "gr_e"), ("", "p"), ("a..b", "a.b"),
        ("x" * 90, "x" * 60), ("-.-", "p"),
    ],
)  # fmt: skip
def test_a_name_becomes_one_that_parameters_can_have(original: str, name: str) -> None:
    draft = Draft("a test")
    assert draft.add(original, {"values": [1, 2]}) == name
    assert bool(draft.notes) == (original != name)
    assert draft.named(original) == name
    space = {"name": "t", "command": ["x", *arguments(draft, "--{name}={value}")], "metric": "m",
             "mode": "min", "parameters": draft.parameters}  # fmt: skip
    SearchSpace.from_json(space)


def test_two_originals_never_share_a_name() -> None:
    draft = Draft("a test")
    assert [draft.add(name, 1) for name in ("a b", "a_b", "a@b")] == ["a_b", "a_b_", "a_b__"]


def test_a_parameter_called_as_a_placeholder_is_renamed_where_it_stands_alone() -> None:
    draft = Draft("a test")
    draft.add("seed", 1)
    assert arguments(draft, "--{name}={value}") == ["{args}"]
    assert arguments(draft, "{name}={value}") == ["seed={seed_}"]
    assert draft.parameters == {"seed_": 1}


def test_flags_that_are_there_stay() -> None:
    draft = Draft("a test")
    draft.add("amp", {"values": [True, False, None]})
    draft.flags["amp"] = {"true": "--amp"}
    assert arguments(draft, "--{name}={value}") == ["{args}"]
    assert draft.flags["amp"] == {"true": "--amp", "false": "--amp=False", "null": "--amp=None"}


def test_epochs_come_from_a_constant() -> None:
    draft = Draft("a test")
    draft.add("num_epochs", 7)
    take_epochs(draft)
    assert (draft.members["epochs"], draft.members["epochs_argument"]) == (7, "num_epochs")
    assert draft.parameters == {}


def test_epochs_are_a_guess_otherwise() -> None:
    draft = Draft("a test")
    draft.add("epochs", {"low": 1, "high": 7})
    take_epochs(draft)
    assert draft.members == {"epochs": 100, "early_end": True}
    assert len(draft.notes) == 1


def test_metrics_without_a_name_get_one() -> None:
    draft = Draft("a test")
    objectives(draft, ["max"])
    assert draft.members == {"metric": "objective", "mode": "max"}
    objectives(draft, ["max", "min"], ["a", "b"])
    assert draft.members["objectives"][1] == {"metric": "b", "mode": "min"}


def test_braces_are_doubled() -> None:
    assert escaped("{a}") == "{{a}}"


def test_each_thing_is_said_once() -> None:
    draft = Draft("a test")
    for _ in range(2):
        draft.note("a")
        draft.lose("b")
    draft.lose_others({"x": 1, "y": 2}, ("x",), "in ")
    assert (draft.notes, draft.lost) == (["a"], ["b", "in y"])
