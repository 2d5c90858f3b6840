"""Commands that read a job's results: best configuration, curves, report, plots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi


def test_curve_epoch_by_epoch(api: FakeApi, job: str) -> None:
    lines = [line.split() for line in run(api, "curve", job, "0").stdout.splitlines()]
    assert lines == [["EPOCH", "TRAIN_LOSS"], ["1", "0.5000"], ["2", "0.2500"]]
    assert run(api, "curve", job, "7").exit_code == 4
    assert run(api, "curve", job, "-1").exit_code == 2


def test_metric_that_was_not_reported_at_an_epoch_is_a_dash(api: FakeApi, job: str) -> None:
    api.canned = [(200, {}, b'{"epoch": [1, 2], "val/loss": [null, 0.25]}')]
    lines = [line.split() for line in run(api, "curve", job, "0").stdout.splitlines()]
    assert lines == [["EPOCH", "VAL/LOSS"], ["1", "-"], ["2", "0.2500"]]


def test_best_in_each_form(api: FakeApi, job: str) -> None:
    assert "learning_rate:" in run(api, "best", job).stdout
    assert run(api, "best", job, "--format", "curl").stdout == "as curl\n"
    assert run(api, "best", job, "--format", "yaml").stdout == "as yaml\n"
    assert json.loads(run(api, "best", job, "--format", "json").stdout)["trial"] == 1


def test_best_of_repeats_is_a_mean_and_of_several_objectives_a_front(
    api: FakeApi, job: str
) -> None:
    assert "mean:" not in run(api, "best", job).stdout
    found = api.jobs[job]["best"] | {"n": 3, "standard_deviation": 0.5, "value": 0.25}
    rows = [
        {**found, "trial": trial, "objectives": {"loss": 0.25, "seconds": seconds}}
        for trial, seconds in ((1, 9.0), (0, 2.0))
    ]
    api.jobs[job]["best"] = {**found, "front": rows}
    text = run(api, "best", job).stdout
    assert "0.2500 ± 0.5000 (n = 3)" in text
    assert "mean:" in text
    front = text.partition("Pareto front")[2].splitlines()[1:]
    assert [line.split()[:3] for line in front] == [
        ["TRIAL", "LOSS", "SECONDS"], ["1", "0.2500", "9.0000"], ["0", "0.2500", "2.0000"],
    ]  # fmt: skip


def test_best_before_there_is_one_is_four(api: FakeApi) -> None:
    api.add_job()
    result = run(api, "best", "j1")
    assert result.exit_code == 4
    assert "Hint: wait for one" in result.stderr


def test_a_model_is_written_whole_or_printed(api: FakeApi, job: str, tmp_path: Path) -> None:
    path = tmp_path / "best.npz"
    result = run(api, "model", job, "-o", str(path))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"wrote {path}\n")
    assert path.read_bytes() == b"model of trial 1"
    assert run(api, "model", job, "-o", "-", "--trial", "0").stdout == "model of trial 0"
    assert run(api, "model", job).exit_code == 2
    nowhere = run(api, "model", job, "-o", str(tmp_path / "none" / "best.npz"))
    assert (nowhere.exit_code, "No such file or directory" in nowhere.stderr) == (2, True)
    api.add_job()
    missing = run(api, "model", "j2", "-o", str(path))
    assert (missing.exit_code, path.read_bytes()) == (4, b"model of trial 1")


def test_an_export_is_written_under_its_name(
    api: FakeApi, job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(api, "export", job, "--format", "optuna")
    path = Path(f"{job}-optuna.log")
    assert (result.exit_code, result.stderr) == (0, f"wrote {path}\n")
    assert path.read_bytes() == b"for optuna"
    assert run(api, "export", job, "--format", "csv", "-o", "a.zip").exit_code == 0
    assert Path("a.zip").read_bytes() == b"for csv"
    assert run(api, "export", job).exit_code == 2


@pytest.mark.parametrize(
    ("file", "content"),
    [("r.pdf", b"%PDF-1.7 report"), ("r.HTML", b"<p>report</p>"), ("r.md", b"# report\n")],
)
def test_report_format_is_the_suffix_s(
    api: FakeApi, job: str, tmp_path: Path, file: str, content: bytes
) -> None:
    path = tmp_path / file
    path.write_text("old", encoding="utf-8")
    result = run(api, "report", job, "-o", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert path.read_bytes() == content
    assert [found.name for found in tmp_path.iterdir()] == [file]


def test_report_format_may_be_said(api: FakeApi, job: str, tmp_path: Path) -> None:
    path = tmp_path / "report"
    refused = run(api, "report", job, "-o", str(path))
    assert refused.exit_code == 2
    assert "--format" in refused.stderr
    assert run(api, "report", job, "-o", str(path), "--format", "pdf").exit_code == 0
    assert path.read_bytes().startswith(b"%PDF")
    assert run(api, "report", job).stdout == "# report\n"
    assert run(api, "report", job, "--format", "pdf").stdout_bytes.startswith(b"%PDF")


def test_file_that_cannot_be_written_is_a_usage_error(
    api: FakeApi, job: str, tmp_path: Path
) -> None:
    result = run(api, "report", job, "-o", str(tmp_path / "missing" / "r.pdf"))
    assert result.exit_code == 2
    assert "cannot write" in result.stderr


@pytest.mark.parametrize("style", ["png", "svg"])
def test_plots_are_written_into_a_folder(
    api: FakeApi, job: str, tmp_path: Path, style: str
) -> None:
    folder = tmp_path / "new" / "plots"
    result = run(api, "plots", job, "-d", str(folder), "--format", style)
    path = folder / f"train_loss.{style}"
    assert result.stdout.splitlines() == [str(path)]
    assert path.read_text(encoding="utf-8") == f"train_loss as {style}"


def test_folder_that_cannot_be_made_is_a_usage_error(
    api: FakeApi, job: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    result = run(api, "plots", job, "-d", str(tmp_path / "file" / "plots"))
    assert result.exit_code == 2
    assert "cannot make the folder" in result.stderr


def plots_called(api: FakeApi, *names: str) -> None:
    """Let the job have plots of these names."""
    items = [{"name": name, "title": "t", "caption": "c"} for name in names]
    api.canned = [(200, {}, json.dumps({"items": items, "next_cursor": None}).encode())]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("val/loss", "val_loss.png"),
        ("top-1 accuracy", "top-1_accuracy.png"),
        ("f1.macro", "f1.macro.png"),
        ("Genauigkeit \u00fc", "Genauigkeit_\u00fc.png"),
        ("../../evil", "_.._evil.png"),
        (".hidden", "hidden.png"),
        ("..", "_.png"),
        ("a\nb", "a_b.png"),
        (1000 * "x", 50 * "x" + ".png"),
    ],
)
def test_plot_of_any_name_is_written_under_a_safe_one(
    api: FakeApi, job: str, tmp_path: Path, name: str, file: str
) -> None:
    plots_called(api, name)
    result = run(api, "plots", job, "-d", str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / file}\n")
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_plots_whose_names_look_alike_have_a_file_each(
    api: FakeApi, job: str, tmp_path: Path
) -> None:
    plots_called(api, "val/loss", "val_loss", "Val_Loss")
    assert run(api, "plots", job, "-d", str(tmp_path)).exit_code == 0
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["Val_Loss_3.png", "val_loss.png", "val_loss_2.png"]


def test_plot_that_cannot_be_had_is_named_and_the_others_are_written(
    api: FakeApi, job: str, tmp_path: Path
) -> None:
    api.broken_plots = {"parameter_dropout"}
    plots_called(api, "train_loss", "parameter_dropout", "test_loss")
    result = run(api, "plots", job, "-d", str(tmp_path))
    assert result.exit_code == 5
    assert result.stdout.splitlines() == [
        str(tmp_path / "train_loss.png"),
        str(tmp_path / "test_loss.png"),
    ]
    assert "plot parameter_dropout:\nError: no data on a log axis" in result.stderr


def test_best_shows_null_parameters_and_names_that_are_also_metrics(api: FakeApi, job: str) -> None:
    api.jobs[job]["best"] |= {"parameters": {"dropout": None, "test_accuracy": 0.5}}
    lines = [line.split() for line in run(api, "best", job).stdout.splitlines()]
    assert ["dropout:", "null"] in lines
    assert [line for line in lines if line[0] == "test_accuracy:"] == [
        ["test_accuracy:", "0.8000"],
        ["test_accuracy:", "0.5"],
    ]
