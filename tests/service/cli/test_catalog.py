"""Commands that list search spaces and trainables."""

from __future__ import annotations

from pathlib import Path

from tests.service.cli.commands import run
from tests.service.fake_api import BROKEN_SPACE, BROKEN_TRAINABLE, FakeApi


def test_spaces_and_the_files_that_hold_none(api: FakeApi) -> None:
    api.broken["search_spaces"] = [BROKEN_SPACE]
    result = run(api, "spaces")
    assert result.stdout.splitlines()[1].split() == ["q3_mlp", "MLP", "numpy_mlp", "single", "20"]
    assert result.stderr == "not usable: bad.yaml: line 3: a tab; indent\n"


def test_one_space_is_yaml_that_can_be_submitted(api: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(run(api, "spaces", "q3_mlp").stdout, encoding="utf-8")
    assert run(api, "submit", str(path)).exit_code == 0
    assert api.requests[-1][3]["search_space"]["title"] == "MLP"


def test_trainable_shows_its_limits(api: FakeApi) -> None:
    text = run(api, "trainables", "numpy_mlp").stdout
    assert "number > 0 <= 10" in text
    assert "sgd | adam" in text
    assert run(api, "trainables", "nothing").exit_code == 4
    rows = [line.split() for line in text.splitlines()]
    assert [row[:4] for row in rows if row[:1] == ["dropout"]] == [
        ["dropout", "null", "number", ">="]
    ]
    assert "number >= 0 | null" in text
    assert ["hidden_size", "-", "integer"] in rows


def test_trainables_and_the_packages_that_do_not_load(api: FakeApi) -> None:
    api.broken["trainables"] = [BROKEN_TRAINABLE]
    result = run(api, "trainables")
    assert "numpy_mlp" in result.stdout
    assert result.stderr == (
        "not usable: mine = others:MINE of others 1.0: no module named 'jax'; install it\n"
    )
