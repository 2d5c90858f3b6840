"""Users' trainables are found by their entry points, and a broken one disturbs no other."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trainables import registry
from trainables.contract import UnknownTrainable

BUILT_IN = {
    "numpy_linear_regression",
    "numpy_logistic_regression",
    "numpy_mlp",
    "numpy_neural_regression",
    "numpy_perceptron",
    "torch_feedforward",
    "torch_logistic_regression",
}
GOOD = """
from argbest import Metric, Parameters, Trainable

class P(Parameters):
    x: float = 1.0

METRICS = (Metric("score", "Score", "max", "validation"),)
PROBE = Trainable("probe", "Probe", "probe:train", ("ames",), METRICS, P)
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package with one module and one entry point, by default ``probe = probe:PROBE``."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(source: str, module: str = "probe", entry: str = "") -> None:
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.5\n")
        line = entry or f"{module} = {module}:PROBE"
        (info / "entry_points.txt").write_text(f"[{registry.ENTRY_POINT_GROUP}]\n{line}\n")
        clear()

    yield write
    clear()
    for module in ("probe", "other"):
        sys.modules.pop(module, None)


def clear() -> None:
    registry._load.cache_clear()
    registry._of_entry_point.cache_clear()


def only_broken() -> registry.Broken:
    """Return the one broken entry point; all built-in trainables must be there."""
    assert set(registry.trainables()) >= BUILT_IN
    assert "probe" not in registry.trainables()
    (broken,) = registry.broken()
    assert (broken.package, broken.entry_point) == ("probe 1.5", "probe = probe:PROBE")
    return broken


def test_the_built_in_trainables() -> None:
    assert set(registry.trainables()) == BUILT_IN
    assert registry.broken() == ()


def test_a_users_trainable_is_found(install: Install) -> None:
    install(GOOD)
    assert registry.get("probe").title == "Probe"
    assert registry.broken() == ()


def test_a_module_that_imports_something_missing(install: Install) -> None:
    install("import not_installed_anywhere")
    broken = only_broken()
    assert broken.reason == "ModuleNotFoundError: No module named 'not_installed_anywhere'"
    assert broken.hint == (
        "install not_installed_anywhere into the environment that argbest runs in, then restart it"
    )


def test_a_module_without_the_attribute(install: Install) -> None:
    install(GOOD.replace("PROBE = ", "OTHER = "))
    broken = only_broken()
    assert broken.reason == "AttributeError: module 'probe' has no attribute 'PROBE'"
    assert (
        broken.hint
        == "correct the package, then restart argbest; `python -c 'import probe'` shows more"
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("raise BaseException('panic')", "BaseException: panic"),
        (
            "class E(Exception):\n def __str__(self): raise E\nraise E",
            "<exception str() failed>",
        ),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("PROBE = 3", "it names an object of type int, not a Trainable"),
        (GOOD.replace('"max"', '"maximize"'), "metric 'score': mode is 'maximize'"),
        (GOOD.replace("1.0", "object()").replace("float", "object"), "P has no JSON Schema"),
        (
            GOOD.replace('Trainable("probe"', 'Trainable("numpy_mlp"'),
            "is called 'numpy_mlp' already",
        ),
    ],
    ids=["exit", "panic", "no text", "syntax", "type", "metric", "schema", "name taken"],
)
def test_other_broken_packages(install: Install, source: str, reason: str) -> None:
    install(source)
    assert reason in only_broken().reason


def test_a_reason_has_a_bounded_length(install: Install) -> None:
    install("raise ValueError('x' * 100_000)")
    assert len(only_broken().reason) == 500


def test_ctrl_c_while_packages_load_is_not_taken_for_a_broken_one(install: Install) -> None:
    install("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        registry.trainables()


def test_a_broken_package_disturbs_no_other(install: Install) -> None:
    install("import sys; sys.exit()")
    install(GOOD.replace('"probe"', '"second"'), module="other")
    assert registry.get("second").name == "second"
    assert len(registry.broken()) == 1


def test_asking_for_one_trainable_imports_no_other_package(install: Install) -> None:
    install("raise RuntimeError('imported')")
    install(GOOD.replace('"probe"', '"other"'), module="other", entry="other = other:PROBE")
    assert registry.get("numpy_mlp").name == "numpy_mlp"
    assert "other" not in sys.modules
    assert registry.get("other").name == "other"
    assert registry._load.cache_info().currsize == 0
    assert registry.is_built_in("numpy_mlp")
    assert not registry.is_built_in("other")


def test_an_entry_point_may_be_called_otherwise_than_its_trainable(install: Install) -> None:
    install(GOOD, entry="short = probe:PROBE")
    assert registry.get("probe").name == "probe"
    with pytest.raises(UnknownTrainable, match="no trainable is called 'short'"):
        registry.get("short")


def test_a_broken_package_is_logged_once(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("import sys; sys.exit(2)")
    with caplog.at_level(logging.WARNING):
        registry.broken()
        registry.trainables()
    assert caplog.messages == [
        "a trainable is left out: probe = probe:PROBE of package probe 1.5: SystemExit: 2; "
        "the module must not call sys.exit() when it is imported"
    ]


def test_asking_for_a_broken_one_says_why_it_is_left_out(install: Install) -> None:
    install("import not_installed_anywhere")
    with pytest.raises(UnknownTrainable, match=r"'probe' is left out: .* not_installed_anywhere"):
        registry.get("probe")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownTrainable, match=r"called 'mlp'; there are: numpy_linear_regression"):
        registry.get("mlp")
