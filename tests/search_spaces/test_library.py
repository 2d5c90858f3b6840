"""The library of declared spaces: the built-in ones, and users' files with all their faults."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from search_spaces import (
    Code,
    Library,
    SearchSpace,
    SpaceFileError,
    UnknownSearchSpace,
    check,
    configurations,
    count,
    defaults,
)
from search_spaces.library import read_space
from trainables import registry

GOOD = """\
name: {name}
trainable: numpy_mlp
dataset: fashion_mnist
epochs: 2
metric: validation_accuracy
mode: max
strategy: grid
parameters:
  learning_rate: {{values: [1e-3, 1e-2]}}
"""

RMSE = ("train_rmse", "min")
ACCURACY = ("validation_accuracy", "max")
TUNED: dict[str, list[Any]] = {
    "learning_rate": [0.001, 0.01, 0.1],
    "hidden_size": [100, 200],
    "dropout": [0.3, 0.5],
    "activation": ["relu", "tanh"],
    "optimizer": ["sgd", "adam"],
}
Q4_DEFAULTS = {
    "learning_rate": 0.01,
    "hidden_size": 200,
    "dropout": 0.3,
    "activation": "relu",
    "optimizer": "sgd",
    "layers": 1,
    "l2_decay": 0.0,
    "batch_size": 1,
}
# name: epochs, (metric, mode), trials, default configuration
BUILT_IN: dict[str, tuple[int, tuple[str, str], int, dict[str, Any]]] = {
    "q2_linear_regression": (150, RMSE, 1, {"learning_rate": 0.001}),
    "q2_neural_regression": (150, RMSE, 1, {"learning_rate": 0.001, "hidden_size": 150}),
    "q3_perceptron": (20, ACCURACY, 1, {}),
    "q3_logistic_regression": (20, ACCURACY, 1, {"learning_rate": 0.001}),
    "q3_mlp": (20, ACCURACY, 1, {"learning_rate": 0.001, "hidden_size": 200}),
    "q4_logistic_regression": (
        20,
        ACCURACY,
        3,
        {"learning_rate": 0.01, "optimizer": "sgd", "l2_decay": 0.0, "batch_size": 1},
    ),
    "q4_feedforward": (20, ACCURACY, 7, Q4_DEFAULTS),
    "q4_depth": (20, ACCURACY, 2, {**Q4_DEFAULTS, "layers": 2}),
    "q4_grid": (20, ACCURACY, 144, Q4_DEFAULTS),
}


def names(library: Library) -> list[str]:
    return [space.name for space in library.all()]


def write(folder: Path, name: str, text: str | None = None) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(GOOD.format(name=name) if text is None else text, encoding="utf-8")
    return path


def test_the_built_in_spaces_are_those_of_the_course() -> None:
    assert set(names(Library())) == set(BUILT_IN)
    assert Library().broken() == ()


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_space_is_what_its_question_asks(name: str) -> None:
    space = Library().get(name)
    epochs, objective, trials, default = BUILT_IN[name]
    assert (space.name, space.epochs, (space.metric, space.mode)) == (name, epochs, objective)
    assert defaults(space) == default
    assert count(space) == trials
    assert space.description is not None
    assert f"Q{name[1]}." in space.title
    assert SearchSpace.from_json(space.to_json()) == space


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_space_suits_its_trainable_and_leaves_nothing_implied(name: str) -> None:
    space = Library().get(name)
    trainable = registry.get(space.trainable)
    check(
        space,
        schema=trainable.schema(),
        metrics={metric.name: metric.split for metric in trainable.metrics},
        datasets=trainable.datasets,
        max_trials=1000,
    )
    assert {metric.name: metric.mode for metric in trainable.metrics}[space.metric] == space.mode
    for config in configurations(space):
        parameters = trainable.parameters.model_validate(config).model_dump()
        # Where it runs is for the job and its resources to say, not for what is searched.
        assert parameters.pop("device", "auto") == "auto"
        assert parameters == config


def test_question_4_1_tries_each_learning_rate() -> None:
    listed = configurations(Library().get("q4_logistic_regression"))
    assert [config["learning_rate"] for config in listed] == [0.001, 0.01, 0.1]


def test_question_4_2_tunes_one_at_a_time() -> None:
    listed = list(configurations(Library().get("q4_feedforward")))
    assert listed[0] == Q4_DEFAULTS
    changes = [
        {name: value for name, value in config.items() if value != Q4_DEFAULTS[name]}
        for config in listed[1:]
    ]
    assert changes == [
        {name: value}
        for name, values in TUNED.items()
        for value in values
        if value != Q4_DEFAULTS[name]
    ]


def test_question_4_3_stacks_two_and_three_layers() -> None:
    listed = list(configurations(Library().get("q4_depth")))
    assert listed == [{**Q4_DEFAULTS, "layers": 2}, {**Q4_DEFAULTS, "layers": 3}]


def test_the_grid_holds_all_trials_of_questions_4_2_and_4_3() -> None:
    grid = list(configurations(Library().get("q4_grid")))
    assert len({tuple(config.items()) for config in grid}) == 144
    for name in ("q4_feedforward", "q4_depth"):
        assert all(config in grid for config in configurations(Library().get(name)))


def test_users_add_spaces_which_count_as_soon_as_they_are_saved(tmp_path: Path) -> None:
    library = Library([tmp_path, tmp_path / "absent"])
    assert len(names(library)) == len(BUILT_IN)
    write(tmp_path, "mine")
    space = library.get("mine")
    assert [c["learning_rate"] for c in configurations(space)] == [0.001, 0.01]
    assert "mine" in names(library)
    assert space in library.all()
    assert library.broken() == ()
    (tmp_path / "mine.yaml").unlink()
    with pytest.raises(UnknownSearchSpace):
        library.get("mine")


def test_an_unknown_name_is_answered_with_the_close_ones() -> None:
    with pytest.raises(UnknownSearchSpace) as caught:
        Library().get("q4_feedfoward", pointer="/search_space")
    (problem,) = caught.value.problems
    assert problem.pointer == "/search_space"
    assert problem.code is Code.UNKNOWN_SEARCH_SPACE
    assert problem.hint.startswith("did you mean q4_feedforward")


@pytest.mark.parametrize(
    "name",
    ["", "../q4_grid", "/etc/passwd", "q4_grid.yaml", "Q4_GRID", "q4_grid\n", "a\0", "\ud800"],
)
def test_a_name_is_never_a_path(name: str, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    write(tmp_path, "outer")
    for wrong in (name, "../outer", str(tmp_path / "outer")):
        with pytest.raises(UnknownSearchSpace) as caught:
            Library([inner]).get(wrong)
        assert str(caught.value).encode()


def test_a_users_file_does_not_shadow_another(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    write(first, "q4_grid")
    write(first, "mine")
    write(second, "mine", GOOD.format(name="mine").replace("epochs: 2", "epochs: 3"))
    library = Library([first, second])
    assert library.get("q4_grid").trainable == "torch_feedforward"
    assert library.get("mine").epochs == 2
    assert [(error.path, error.problems[0].code) for error in library.broken()] == [
        (first / "q4_grid.yaml", Code.BAD_FILE),
        (second / "mine.yaml", Code.BAD_FILE),
    ]
    assert "a built-in space" in str(library.broken()[0])


BROKEN: list[tuple[str, str, str]] = [
    ("not YAML", "name: [", "line 1: "),
    ("empty", "", "line 1: null is not an object"),
    ("a list", "- 1\n", "line 1: [1] is not an object"),
    ("a bad value", GOOD.format(name="bad").replace("1e-3", ".nan"), "line 9: NaN is not a finite"),
    ("a missing key", "name: bad\n", "line 1: a search space needs trainable"),
    ("bad epochs", GOOD.format(name="bad").replace(": 2", ": 0"), "line 4: 0 is out of range"),
    ("twice", GOOD.format(name="bad") + "mode: min\n", 'line 10: the key "mode" comes twice'),
    ("another name", "\n" + GOOD.format(name="other"), "line 2: the name other is not that"),
    ("large", "#" * 70_000, "line 1: the file is too large"),
]


@pytest.mark.parametrize(
    ("text", "message"), [row[1:] for row in BROKEN], ids=[r[0] for r in BROKEN]
)
def test_a_broken_file_is_told_with_its_line_and_disturbs_no_other(
    text: str, message: str, tmp_path: Path
) -> None:
    path = write(tmp_path, "bad", text)
    write(tmp_path, "good")
    library = Library([tmp_path])
    assert "good" in names(library)
    assert "bad" not in names(library)
    (error,) = library.broken()
    assert error.path == path
    assert f"{path}, {message}" in str(error)
    with pytest.raises(SpaceFileError) as caught:
        library.get("bad")
    assert caught.value.problems == error.problems
    assert pickle.loads(pickle.dumps(error)).path == path


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: latin\ntitle: caf\xe9\n")
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("not a space", encoding="utf-8")
    write(tmp_path, "Upper")
    write(tmp_path, "short").rename(tmp_path / "short.yml")
    told = {error.path.name: error.problems[0].detail for error in Library([tmp_path]).broken()}
    assert set(told) == {
        "latin.yaml",
        "folder.yaml",
        "pipe.yaml",
        "link.yaml",
        "Upper.yaml",
        "short.yml",
    }
    assert told["latin.yaml"].endswith("line 2: this is not UTF-8")
    assert told["pipe.yaml"].endswith("this is not a regular file")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "marked.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.format(name="marked").encode())
    assert read_space(path).name == "marked"


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    folder = write(tmp_path, "mine")
    (error,) = Library([folder, tmp_path]).broken()
    assert error.path == folder
    assert "the folder cannot be read (Not a directory)" in str(error)
    assert "mine" in names(Library([folder, tmp_path]))
