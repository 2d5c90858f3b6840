"""The commands that the page shows, and whether the command line's own parser takes them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
from playwright.sync_api import Page, expect

import service.page
from service.cli import main

_FILES = Path(service.page.__file__).parent / "files"
#: The words of a command in a list of the page's sources, before its arguments, and in its texts.
_LISTED = re.compile(r'"argbest", "([a-z]+)"(?:, "([a-z]+)")?')
_WRITTEN = re.compile(r"argbest ([a-z]+)(?: ([a-z]+))?")
#: A request with everything that an option of ``argbest submit`` can say.
_REQUEST = {
    "search_space": "q2", "parameters": {"learning_rate": {"low": 0.1, "high": 1}, "layers": 3},
    "epochs": 2, "trials": 3, "seed": 4, "strategy": "tpe", "scheduler": "asha", "repeats": 2,
    "confirm": True, "max_concurrent_trials": 1, "max_failures": 0, "priority": 5, "keep": 1,
    "name": "it's", "resources_per_trial": {"cpu": 0.5, "gpu": 1}, "time_limit_s": 60,
    "objectives": [{"metric": "loss", "mode": "min"}], "budget": {"epochs": 100},
    "constraints": [{"metric": "a", "at_most": 1}, {"metric": "b", "at_least": 2}],
    "enqueue": [{"learning_rate": 0.5}], "warm_start": ["JOB"], "tags": {"team": "vision"},
}  # fmt: skip
#: Returns its commands, and those of lists in each order and of each state.
_COMMANDS = """async (request) => {
  const { optionsOf } = await import("/page/jobs/spec_form.js");
  const { commandsOfList, readList, SORTS, STATES } = await import("/page/jobs/asked.js");
  const { shell } = await import("/page/parts/commands.js");
  const asked = { q: "two words", tag: "team=vision", cursor: "X" };
  const queries = [STATES.map((state) => ["state", state]),
    ...Object.keys(SORTS).map((sort) => ({ ...asked, sort }))];
  const lists = queries.flatMap((query) => commandsOfList(readList(new URLSearchParams(query))));
  const options = optionsOf(request);
  return [...["submit", "plan"].map((verb) => ["argbest", verb, "q2", ...options]),
    ...lists.map(({ command }) => command)].map(shell);
}"""


def of_everything(page: Page) -> set[str]:
    """Return the commands of a request and of lists that have everything there is."""
    return set(page.evaluate(_COMMANDS, _REQUEST))


def shown(page: Page) -> set[str]:
    """Open all that is folded in the view, and return the commands that it then shows."""
    folded = "document.querySelectorAll('details:not([hidden])')"
    page.evaluate(f"{folded}.forEach((one) => {{ one.open = true; }})")
    unwritten = ".commands:not([hidden]):not(:has(pre, form, [role=alert]))"
    expect(page.locator(unwritten)).to_have_count(0)  # some are read from the service
    lines = "\n".join(page.locator(".copyable pre").all_text_contents()).splitlines()
    return {line.split(" > ")[0] for line in lines if line.startswith("argbest ")}


def of_sources() -> set[tuple[str, ...]]:
    """Return the words that name the commands which the page's sources list, ``("data", "ls")``."""
    return {_known(found.groups()) for found in _found(_LISTED)}


def in_texts() -> set[tuple[str, ...]]:
    """Return the words that name the commands which the page's texts speak of."""
    return {_known(found.groups()) for found in _found(_WRITTEN)}


def _found(pattern: re.Pattern[str]) -> list[re.Match[str]]:
    return [found for path in _FILES.rglob("*.js") for found in pattern.finditer(path.read_text())]


def named(line: str) -> tuple[str, ...]:
    """Return the words of a whole command that name it."""
    return _known((*shlex.split(line)[1:3], "")[:2])


def _known(words: tuple[str | None, ...]) -> tuple[str, ...]:
    """Return the first word, with the second one where the first names a group of commands.

    Raises :class:`click.UsageError` for a command that does not exist.
    """
    return tuple(_resolved([word for word in words if word])[1])


def parse(line: str) -> None:
    """Let the command line read a command without running it: raises :class:`click.UsageError`."""
    command, names, rest = _resolved(shlex.split(line)[1:])
    command.make_context(names[-1], rest, parent=click.Context(main, info_name="argbest"))


def _resolved(words: list[str]) -> tuple[click.Command, list[str], list[str]]:
    """Return the command that the words name, the words that do so, and the others."""
    command: click.Command | None = main
    names: list[str] = []
    while isinstance(command, click.Group):
        context = click.Context(command, info_name=" ".join(["argbest", *names]))
        name, command, words = command.resolve_command(context, words)
        names.append(str(name))
    assert command is not None
    return command, names, words
