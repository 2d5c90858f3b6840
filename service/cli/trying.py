"""`argbest try`: one trial here, without a service."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from results.formatting import count, duration, number
from service.cli.body import assignments_option, read_space
from service.cli.errors import ExitCode, report_problems
from service.cli.options import machine_settings
from service.cli.output import note
from service.cli.signals import interrupted_by_signals
from service.cli.text import clean, pairs, setting

if TYPE_CHECKING:
    from search_spaces import SearchSpace
    from service.cli.trial_reports import Reports
    from service.code.pack import Archive
    from trainables.workplace import Workplace

#: Lines of our own in the program's output begin with this; its own are shown behind a bar.
_OURS = b"argbest: "
#: Among so many last lines of a program that reported nothing a metric is looked for.
_LINES_READ = 50


@click.command("try")
@click.argument("file", metavar="FILE")
@assignments_option
@click.option(
    "--trial", type=click.IntRange(min=0), help="Number of the configuration. [default: defaults]"
)
@click.option("--epochs", type=click.IntRange(min=1), help="Epochs, in place of the file's.")
@click.option("--seed", type=int, default=42, show_default=True, help="Seed of the trial.")
@click.option("--keep", metavar="DIR", help="Keep the trial's folder as DIR, which must be new.")
def try_(
    file: str,
    *,
    parameters: dict[str, Any],
    trial: int | None,
    epochs: int | None,
    seed: int,
    keep: str | None,
) -> None:
    """Run one trial of a program here, without a service.

    Shows what is run, what it prints and every report as it is understood. Exits with 1 if the
    trial would fail in a search, and says what to do.
    """
    from service.cli.apart import run_apart
    from service.cli.choosing import configuration

    space, folder = _declared(file, parameters, epochs)
    try:
        config = configuration(space, trial, seed)
    except IndexError as error:
        raise click.UsageError(str(error)) from None
    if keep is not None and Path(keep).exists():
        raise click.UsageError(f"{keep} exists; name a new folder")
    archive = _packed(space, folder)

    def work() -> int:
        with interrupted_by_signals(), _folder(keep) as place:
            return _run(space, archive, place, config, seed)

    raise SystemExit(run_apart(work))


def _declared(
    file: str, parameters: Mapping[str, Any], epochs: int | None
) -> tuple[SearchSpace, Path]:
    """Return the space of a file, and the folder that its paths start in."""
    folder = Path.cwd() if file == "-" else Path(file).resolve().parent
    raw = read_space(file)
    space = _read(file, raw, parameters, epochs)
    if space.program is None:
        raise click.UsageError(
            f"{file} trains {space.trainable}, which comes with argbest: `try` is for a program "
            f"(command, or trainable: my_model.py:train); `argbest run {file}` runs the search"
        )
    if space.program.is_function and (folder / space.program.code).is_dir():
        from service.cli.parameter_model import with_parameters

        raw = with_parameters(raw, folder / space.program.code)
        space = _read(file, raw, parameters, epochs)
    return space, folder


def _read(
    file: str, raw: Mapping[str, Any], parameters: Mapping[str, Any], epochs: int | None
) -> SearchSpace:
    """Return a space whose parameters are what its function takes, where that is known."""
    from search_spaces import SearchSpace, SearchSpaceError
    from search_spaces.errors import raise_any
    from service.cli.convert.fitting import problems

    try:
        space = SearchSpace.from_json(raw).with_overrides(parameters, epochs=epochs)
        wrong = [p for p in problems(space.to_json()) if p.pointer.startswith("/parameters/")]
        raise_any(wrong)
    except SearchSpaceError as error:
        report_problems(f"{file} is not a search that can be run", error.problems)
        raise SystemExit(ExitCode.USAGE) from None
    return space


@contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    """Yield a folder for the trial, which is removed unless it is to be kept."""
    with tempfile.TemporaryDirectory(prefix="argbest-try-", ignore_cleanup_errors=True) as made:
        place = Path(made) / "trial"
        place.mkdir()
        try:
            yield place
        finally:
            if keep is not None:
                shutil.move(place, keep)
                note(f"kept {keep}: code/, checkpoint/, config.json")


def _run(
    space: SearchSpace,
    archive: Archive | None,
    folder: Path,
    config: Mapping[str, Any],
    seed: int,
) -> int:
    """Run the trial in ``folder`` and show it; return the exit code."""
    from service.cli.trial_reports import Reports
    from trainables.workplace import Workplace

    place = Workplace(folder)
    _lay_out(archive, place)
    note(f"configuration: {pairs(config, setting)}")
    note(f"folder: {place.code}, a copy that only this trial has")
    for name, value in space.program.environment.items() if space.program else ():
        note(f"environment: {name}={value}")
    reports = Reports(space, lambda line: click.echo(clean(line)))
    failure, seconds = _train(space, place, config, reports, seed)
    problems = [*([failure] if failure else []), *reports.problems(has_failed=bool(failure))]
    for problem in problems:
        click.secho(clean(f"Error: {problem}"), err=True, fg="red")
    if problems:
        return ExitCode.JOB_FAILED
    program = space.program
    if program is not None and not program.is_function:
        for line in reports.advice(resumes=program.resumes):
            note(f"Hint: {line}")
    _conclude(space, reports, seconds)
    return ExitCode.DONE


def _packed(space: SearchSpace, source: Path) -> Archive | None:
    """Return the code as it would be sent, None where there is none."""
    from service.code.pack import PackError, pack

    program = space.program
    if program is None or not program.code:
        note("code: none is sent along; the program starts in an empty folder")
        return None
    if program.is_packed:
        raise click.UsageError("code is a digest: `try` needs the folder itself, code: . say")
    try:
        archive = pack(source / program.code)
    except PackError as error:
        raise click.UsageError(str(error)) from None
    note(f"code: {count(archive.files, 'file')} of {(source / program.code).resolve()}")
    return archive


def _lay_out(archive: Archive | None, place: Workplace) -> None:
    """Give the trial its copy of the code, as a service would."""
    import io

    from service.code.archive import Limits
    from service.code.unpack import unpack

    place.code.mkdir()
    if archive is not None:
        unpack(io.BytesIO(archive.content), place.code, Limits())


def _train(
    space: SearchSpace, place: Workplace, config: Mapping[str, Any], reports: Reports, seed: int
) -> tuple[str, float]:
    """Train; return why that failed, "" where it did not, and how long it took in seconds."""
    from service.cli.suggesting import suggestion
    from trainables.contract import TrainableError
    from trainables.program_errors import TRY_IT, NoMetricSeen
    from trainables.programs import train_of

    began = time.monotonic()
    printed: deque[str] = deque(maxlen=_LINES_READ)

    def log(data: bytes) -> None:
        for line in data.decode("utf-8", "replace").splitlines():
            ours = line.startswith(_OURS.decode())
            printed.extend([] if ours else [line])
            note(line.removeprefix(_OURS.decode()) if ours else f"| {line.expandtabs()}")

    try:
        data, train = _data(space), train_of(space, place, log)
        began = time.monotonic()
        train(config, data, reports, epochs=space.epochs, seed=seed)
    except TrainableError as error:
        text = str(error).removesuffix(TRY_IT)
        hint = suggestion(printed) if isinstance(error, NoMetricSeen) else ""
        return f"{text}; {hint}" if hint else text, time.monotonic() - began
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's function may raise anything
        traceback.print_exc(limit=-5, file=sys.stderr)
        return f"the function raised {type(error).__name__}: {error}", time.monotonic() - began
    return "", time.monotonic() - began


def _data(space: SearchSpace) -> Any:
    """Return the data set that a function trains on, None where a program brings its own."""
    from search_spaces import NO_DATASET

    if space.dataset == NO_DATASET:
        return None
    from trainables import datasets

    settings = machine_settings(None)
    folder, source = settings.datasets_dir, settings.fashion_mnist_dir
    return datasets.load(space.dataset, folder, source=source)


def _conclude(space: SearchSpace, reports: Reports, seconds: float) -> None:
    import search_spaces
    from service.cli.convert.fitting import problems

    shown = {one.metric: reports.last[one.metric] for one in space.objectives
             if one.metric in reports.last}  # fmt: skip
    epochs = count(len(reports.curve), "epoch")
    note(f"ok: {epochs} in {duration(seconds)}; {pairs(shown, number)}")
    if wrong := problems(space.to_json()):
        report_problems("the trial went well, but the search cannot run", wrong)
        raise SystemExit(ExitCode.JOB_FAILED)
    trials = search_spaces.count(space) * space.repeats
    total = duration(trials * seconds)
    note(f"the search has {count(trials, 'trial')}, about {total} of training one after the other")
