"""One suite over every built-in trainable: its states resume to the same curve, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainables.synthetic import image_data, regression_data
from trainables import registry, state_files
from trainables.contract import State, accepts_resume
from trainables.datasets.types import ClassificationData, RegressionData
from trainables.state_files import StateError

pytestmark = pytest.mark.usefixtures("one_thread")

EPOCHS = 4
#: Configurations to resume; a trainable without a row here fails the first test.
CASES: dict[str, list[dict[str, Any]]] = {
    "numpy_linear_regression": [{}],
    "numpy_neural_regression": [{"hidden_size": 5}, {"hidden_size": 8}],
    "numpy_perceptron": [{}],
    "numpy_logistic_regression": [{"learning_rate": 0.05}],
    "numpy_mlp": [{"hidden_size": 5}, {"hidden_size": 17, "learning_rate": 0.1}],
    "torch_logistic_regression": [
        {"device": "cpu", "optimizer": "sgd"},
        {"device": "cpu", "optimizer": "adam", "batch_size": 7},
    ],
    "torch_feedforward": [
        {"device": "cpu", "hidden_size": 5, "dropout": 0.3, "batch_size": 1},
        {"device": "cpu", "hidden_size": 5, "layers": 2, "optimizer": "adam", "dropout": 0.2,
         "activation": "tanh", "l2_decay": 0.01, "batch_size": 7},
    ],
}  # fmt: skip
EACH = [pytest.param(name, config, id=f"{name}-{i}")
        for name, configs in CASES.items() for i, config in enumerate(configs)]  # fmt: skip
#: Names that a model has beside its weights.
NOT_WEIGHTS = {
    "trainable",
    "epoch",
    "order",
    "random",
    "steps",
    "activation",
    "moments",
    "generator",
}

Reports = list[tuple[int, dict[str, float], str]]


def data_of(name: str) -> ClassificationData | RegressionData:
    return regression_data() if "regression" in registry.get(name).kinds else image_data()


def train(
    name: str,
    config: Mapping[str, Any],
    data: Any,
    keep: Callable[[State], object] | None = None,
    **options: Any,
) -> Reports:
    """Return what was reported; ``keep`` gets each epoch's state, inside of ``report``."""
    reports: Reports = []

    def report(
        epoch: int, metrics: Mapping[str, float], *, engine: str, state: Callable[[], State]
    ) -> None:
        reports.append((epoch, dict(metrics), engine))
        if keep:
            keep(state())

    arguments = {"epochs": EPOCHS, "seed": 3} | options
    registry.get(name).resolve()(config, data, report, **arguments)
    return reports


def saved(
    name: str, config: Mapping[str, Any], folder: Path, data: Any
) -> tuple[Reports, list[Path]]:
    """Train with a file after every epoch; return the reports and the files."""
    files: list[Path] = []

    def keep(state: State) -> None:
        files.append(folder / f"{state['epoch']}.npz")
        state_files.save(files[-1], state)

    return train(name, config, data, keep), files


def load(file: Path) -> dict[str, Any]:
    return state_files.load(file, max_bytes=10**7)


def test_every_built_in_trainable_is_tried() -> None:
    built_in = [n for n, t in registry.trainables().items() if t.entry.startswith("trainables.")]
    assert sorted(CASES) == sorted(built_in)
    assert all(accepts_resume(registry.get(name).resolve()) for name in CASES)
    assert all(registry.get(name).resumes for name in CASES)


@pytest.mark.parametrize(("name", "config"), EACH)
def test_a_run_resumed_after_any_epoch_equals_the_uninterrupted_one(
    name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    data = data_of(name)
    uninterrupted = train(name, config, data)
    reports, files = saved(name, config, tmp_path, data)
    assert reports == uninterrupted
    assert [epoch for epoch, *_ in reports] == [1, 2, 3, 4]
    assert len({str(metrics) for _, metrics, _ in reports}) > 1
    for done in range(1, EPOCHS + 1):
        again: list[bytes] = []

        def keep(state: State, again: list[bytes] = again) -> None:
            state_files.save(tmp_path / "again.npz", state)
            again.append((tmp_path / "again.npz").read_bytes())

        resumed = train(name, config, data, keep, resume=load(files[done - 1]), seed=99)
        assert resumed == uninterrupted[done:]
        assert again == [file.read_bytes() for file in files[done:]]


@pytest.mark.parametrize(("name", "config"), EACH)
def test_more_epochs_continue_the_curve(name: str, config: dict[str, Any], tmp_path: Path) -> None:
    data = data_of(name)
    _, files = saved(name, config, tmp_path, data)
    extended = train(name, config, data, epochs=EPOCHS + 2, resume=load(files[-1]))
    assert extended == train(name, config, data, epochs=EPOCHS + 2)[EPOCHS:]


@pytest.mark.parametrize(("name", "config"), EACH)
def test_a_state_is_small_and_has_the_weights_by_name(
    name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    data = data_of(name)
    _, files = saved(name, config, tmp_path, data)
    state = load(files[-1])
    assert state["trainable"] == name
    assert state["epoch"] == EPOCHS
    weights = {key: value for key, value in state.items() if key not in NOT_WEIGHTS}
    assert all(isinstance(value, np.ndarray) for value in weights.values())
    with np.load(files[-1]) as file:
        assert all(np.array_equal(file[key], value) for key, value in weights.items())
    copies = 3 if config.get("optimizer") == "adam" else 1
    numbers = sum(value.nbytes for value in weights.values()) * copies
    # Beside them: the order of the samples, a generator, and some hundred bytes for each member.
    assert files[-1].stat().st_size < numbers + 2 * len(data.y_train) + 16_000


@pytest.mark.parametrize(("name", "config"), EACH)
def test_no_state_is_made_where_none_is_wanted(
    name: str, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwanted(*_: Any) -> State:
        raise AssertionError("a state was made")

    monkeypatch.setattr("trainables.numpy_run.Run._state", unwanted)
    monkeypatch.setattr("trainables.torch_trainables.to_state", unwanted)
    assert len(train(name, config, data_of(name))) == EPOCHS
    with pytest.raises(AssertionError, match="a state was made"):
        train(name, config, data_of(name), keep=lambda _: None)


# --- states that do not fit ------------------------------------------------------------------


def state_of(name: str, config: dict[str, Any], folder: Path) -> dict[str, Any]:
    _, files = saved(name, config, folder, data_of(name))
    return load(files[1])


def refuse(name: str, config: dict[str, Any], state: State, message: str) -> None:
    with pytest.raises(StateError, match=message):
        train(name, config, data_of(name), resume=state)


@pytest.mark.parametrize(("name", "config"), EACH)
def test_a_state_that_lacks_something_or_has_more_is_refused(
    name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    state = state_of(name, config, tmp_path)
    for key in state:
        if key == "trainable":
            continue
        rest = {other: value for other, value in state.items() if other != key}
        refuse(name, config, rest, f"the state to resume lacks '{key}': it is of another conf")
    refuse(name, config, state | {"w9": 1}, "the state to resume has 'w9': it is of another conf")
    refuse(name, config, {}, f"is of trainable None, not '{name}'")
    refuse(name, config, state | {"trainable": "other"}, f"of trainable 'other', not '{name}'")


@pytest.mark.parametrize(("name", "config"), EACH)
def test_weights_of_another_shape_or_type_are_refused(
    name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    state = state_of(name, config, tmp_path)
    for key in state.keys() - NOT_WEIGHTS:
        for value in (state[key][:-1], state[key].astype("f2"), state[key].tolist()[0]):
            refuse(name, config, state | {key: value}, f"'{key}' of the state to resume is .*, but")


@pytest.mark.parametrize(("name", "config"), EACH)
@pytest.mark.parametrize("epoch", [-1, EPOCHS + 1, 2.0, True, None, "2", np.int64(2)])
def test_an_epoch_that_cannot_be_is_refused(
    name: str, config: dict[str, Any], epoch: Any, tmp_path: Path
) -> None:
    state = state_of(name, config, tmp_path) | {"epoch": epoch}
    refuse(name, config, state, "'epoch' of the state to resume is .*, but must be 0 to 4")


@pytest.mark.parametrize(
    ("name", "made", "resumed", "message"),
    [
        ("numpy_mlp", {"hidden_size": 5}, {"hidden_size": 6}, r"'w1' .*\(5, 16\).*\(6, 16\)"),
        ("torch_feedforward", {"layers": 1}, {"layers": 2}, "lacks 'b3', 'w3'"),
        ("torch_feedforward", {"layers": 2}, {"layers": 1}, "has 'b3', 'w3'"),
        ("torch_feedforward", {"optimizer": "sgd"}, {"optimizer": "adam"}, "lacks 'moments'"),
        ("torch_feedforward", {"optimizer": "adam"}, {"optimizer": "sgd"}, "has 'moments'"),
        (
            "torch_feedforward",
            {"activation": "relu"},
            {"activation": "tanh"},
            "has activation 'relu', not 'tanh'",
        ),
    ],
)
def test_a_state_of_another_configuration_is_refused(
    name: str, made: dict[str, Any], resumed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    small = {"hidden_size": 5} | ({"device": "cpu"} if name.startswith("torch") else {})
    refuse(name, small | resumed, state_of(name, small | made, tmp_path), message)


def test_a_state_of_other_data_is_refused(tmp_path: Path) -> None:
    state = state_of("numpy_perceptron", {}, tmp_path)
    with pytest.raises(StateError, match=r"'order' .* shape \(60,\), but .* shape \(59,\)"):
        train("numpy_perceptron", {}, image_data(train=59), resume=state)


# --- the compiled engine and the GPU ---------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(900)  # the first compilation of a run, and the machine may be busy
@pytest.mark.usefixtures("short_blocks")
@pytest.mark.parametrize(
    ("chosen", "engine"),
    [
        pytest.param(
            {"optimizer": "adam", "layers": 2, "activation": "tanh", "batch_size": 7},
            "compiled scan",
            marks=pytest.mark.long,
        ),
        ({"optimizer": "sgd"}, "block-delayed scan"),
    ],
    ids=["adam", "sgd"],
)
def test_compiled_training_resumes_to_the_same_curve(
    chosen: dict[str, Any],
    engine: str,
    monkeypatch: pytest.MonkeyPatch,
    code_folder: Path,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("ARGBEST_CACHE_DIR", str(code_folder))
    monkeypatch.setattr("trainables.torch_engines.FEWEST_COMPILED_STEPS", 100)
    # The sizes of graphs that test_torch_compiled.py compiles too.
    data, epochs = image_data(train=503, pixels=12, classes=4), 4
    config = {"device": "cpu", "hidden_size": 8, "dropout": 0.3, **chosen}
    states: list[dict[str, Any]] = []

    def keep(state: State) -> None:
        state_files.save(tmp_path / "state.npz", state)
        states.append(load(tmp_path / "state.npz"))

    whole = train("torch_feedforward", config, data, keep, epochs=epochs)
    assert {named for *_, named in whole} == {engine}
    for done in (1, 3):
        state = states[done - 1]
        assert train("torch_feedforward", config, data, epochs=epochs, resume=state) == whole[done:]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_state_of_a_gpu_is_on_the_cpu_and_resumes_there_and_here(
    optimizer: str, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    config = {"optimizer": optimizer, "batch_size": 7, "hidden_size": 12, "dropout": 0.3}
    data, name = image_data(), "torch_feedforward"
    reports, files = saved(name, config | {"device": "cuda"}, tmp_path, data)
    for device in ("cuda", "cpu"):
        resumed = train(name, config | {"device": device}, data, resume=load(files[1]))
        for (_, found, _), (_, expected, _) in zip(resumed, reports[2:], strict=True):
            assert found["train_loss"] == pytest.approx(expected["train_loss"], rel=1e-4)
