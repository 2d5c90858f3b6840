"""The command ``argbest``. Each command's module is imported when that command runs.

``argbest --help`` therefore needs nothing but click: the table below repeats the first sentence of
each command's own help, and a test compares the two.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from service.cli.errors import ExitCode, report
from service.cli.target import remember_target
from service.client.errors import ClientError

#: Section -> command -> (module, help); the function has the command's name. A module with a dot is
#: not of this package.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Bring a program": {
        "init": ("init", "Write a commented search space for a program."),
        "try": ("trying", "Run one trial of a program here, without a service."),
        "run": ("running", "Run a whole search with a service of its own."),
        "convert": ("convert", "Write a search space from another system's file."),
    },
    "Run a search": {
        "submit": ("jobs", "Submit a search and print its job's id."),
        "plan": ("jobs", "Show what a search would run, without running it."),
        "watch": ("watch", "Follow a job, trial by trial, until it has finished."),
        "pause": ("jobs", "Pause jobs: running trials end at their next checkpoint."),
        "resume": ("jobs", "Let paused jobs go on."),
        "retry": ("jobs", "Run the failed trials of finished jobs again."),
        "extend": ("jobs", "Let a finished job go on to more trials or epochs."),
        "confirm": ("jobs", "Run a finished job's best configurations again with further seeds."),
        "reproduce": (
            "reproduce",
            "Run one trial of a job again and compare the curves.",
        ),
        "priority": ("jobs", "Give a job another weight in the shares of the cluster."),
        "queue": ("editing", "List the queued jobs in their order, or move one."),
        "tag": ("editing", "Set or take away tags of a job, or print them."),
        "note": ("editing", "Write a note on a job, or print it."),
        "cancel": ("jobs", "Cancel jobs that have not finished."),
        "rm": ("jobs", "Delete finished jobs with their trials and curves."),
        "handin": ("handin.command", "Run all of Q2 to Q4 and write the hand-in as one PDF."),
    },
    "Read its results": {
        "ls": ("reading", "List jobs, newest first."),
        "show": ("reading", "Show a job: state, progress, best trial, error."),
        "request": ("reading", "Print the request that makes a job again."),
        "trials": ("reading", "List a job's trials."),
        "best": ("results", "Show a job's best configuration."),
        "model": ("results", "Fetch the model of a job's best trial."),
        "curve": ("results", "Print a trial's metrics, epoch by epoch."),
        "logs": ("reading", "Print the log of a job's driver and trials."),
        "report": ("results", "Fetch a job's report as HTML, Markdown, JSON or PDF."),
        "export": ("results", "Fetch a job's trials and curves for Optuna, pandas, TensorBoard."),
        "replay": ("replay", "Show what early stopping would have saved and found."),
        "share": ("share", "Print a link that reads one job and nothing else."),
        "compare": (
            "compare",
            "Compare two to eight jobs: results, specifications, best configurations.",
        ),
        "plots": ("results", "List a job's plots, or write them into a folder."),
    },
    "See what there is": {
        "spaces": ("catalog", "List the search spaces, or show one."),
        "trainables": ("catalog", "List the trainables, or show one."),
        "data": ("data", "Add your own data sets, see and fetch those that there are."),
    },
    "Run the service": {
        "serve": ("local", "Run the API, the controller and a local Ray in one."),
        "token": ("token", "Make, list or revoke the tokens of a service."),
        "doctor": ("doctor", "Check that everything argbest needs is here."),
        "version": ("local", "Print the versions of this program and of the server."),
    },
}
_BY_NAME = {name: entry for section in COMMANDS.values() for name, entry in section.items()}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help before it imports them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return all names, in the order of the help."""
        return list(_BY_NAME)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command, None if there is none of that name."""
        if cmd_name not in _BY_NAME:
            return None
        module = _BY_NAME[cmd_name][0]
        path = module if "." in module else f"service.cli.{module}"
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(import_module(path), name)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the commands section by section, from the table."""
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry[1]) for name, entry in section.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command and turn its errors into an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except ClientError as error:
            report(error)
            ctx.exit(ExitCode.of(error))
        except BrokenPipeError:
            # Python flushes stdout once more when it exits, although nobody reads it any longer.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(ExitCode.INTERRUPTED)
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(ExitCode.INTERRUPTED)
        return result


@click.command("argbest", cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="argbest", prog_name="argbest")
@remember_target
def main() -> None:
    """Hyperparameter search as a service.

    Data is printed on stdout, messages and progress on stderr. Exit codes: 0 done, 1 the job
    failed, 2 usage or an invalid request, 3 token missing or wrong, 4 not found or conflict,
    5 server unreachable, 6 wait timed out, 130 interrupted.
    """
