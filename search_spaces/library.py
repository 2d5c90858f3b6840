"""The declared spaces: those that come with the package and those in the user's folders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from search_spaces.errors import (
    Code,
    Problem,
    SearchSpaceError,
    SpaceFileError,
    UnknownSearchSpace,
    YamlError,
    did_you_mean,
)
from search_spaces.space import SPACE_NAME, SearchSpace
from search_spaces.text import printable
from search_spaces.values import shown


class Library:
    """Declared spaces by name, from ``<name>.yaml`` files.

    The users' ``folders`` are read anew at each call, so that a file counts as soon as it is
    saved; a folder that does not exist is empty. The built-in spaces come first, then the folders
    in order. A file that repeats a name or cannot be read is left out and listed by :meth:`broken`.
    """

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = tuple(folders)

    def all(self) -> tuple[SearchSpace, ...]:
        """Return all usable spaces, sorted by name."""
        spaces, _ = self._read()
        return tuple(spaces[name] for name in sorted(spaces))

    def broken(self) -> tuple[SpaceFileError, ...]:
        """Return the reason for each of the users' files that is left out."""
        return self._read()[1]

    def get(self, name: str, *, pointer: str = "") -> SearchSpace:
        """Return the space called ``name``, which is a name and never a path.

        Raises :class:`UnknownSearchSpace`, its problem at ``pointer``, with the close names as a
        hint; where the name is that of a file that cannot be used, :class:`SpaceFileError`.
        """
        if name in _built_in():
            return _built_in()[name]
        spaces, broken = self._read()
        if name in spaces:
            return spaces[name]
        for error in broken:
            if error.path.stem == name:
                raise error
        detail = f"no search space is called {shown(name)}"
        hint = did_you_mean(name, sorted(spaces))
        raise UnknownSearchSpace([Problem(pointer, detail, Code.UNKNOWN_SEARCH_SPACE, hint)])

    def _read(self) -> tuple[dict[str, SearchSpace], tuple[SpaceFileError, ...]]:
        spaces = dict(_built_in())
        broken: list[SpaceFileError] = []
        for folder in self._folders:
            try:
                paths = sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml"))
            except FileNotFoundError:
                continue
            except OSError as error:
                detail = f"the folder cannot be read ({error.strerror})"
                broken.append(_file_error(folder, detail, "name a readable folder"))
                continue
            for path in paths:
                try:
                    space = read_space(path)
                    if space.name in spaces:
                        raise _shadowing(path)
                    spaces[space.name] = space
                except SpaceFileError as error:
                    broken.append(error)
        return spaces, tuple(broken)


def read_space(path: Path) -> SearchSpace:
    """Return the space that the file at ``path`` declares.

    Raises :class:`SpaceFileError`, which names the file and, for each problem, the line.
    """
    # Importing PyYAML takes longer than all else here, and only files need it.
    from search_spaces.yaml_files import LARGEST_TEXT, load_yaml

    if path.suffix != ".yaml" or not SPACE_NAME.fullmatch(path.stem):
        detail = "a space's file is called <name>.yaml, its name of a-z, 0-9, _ and - only"
        raise _file_error(path, detail, "rename the file")
    try:
        document = load_yaml(_text_of(path, LARGEST_TEXT))
    except YamlError as error:
        problem = error.problems[0]
        raise _file_error(path, problem.detail, problem.hint, error.line) from None
    try:
        space = SearchSpace.from_json(document.value)
    except SearchSpaceError as error:
        located = [_located(path, document.line(p.pointer), p) for p in error.problems]
        raise SpaceFileError(located, path) from None
    if space.name != path.stem:
        detail = f"the name {space.name} is not that of the file"
        hint = f"rename the file to {space.name}.yaml, or the space to {path.stem}"
        raise _file_error(path, detail, hint, document.line("/name"))
    return space


@cache
def _built_in() -> dict[str, SearchSpace]:
    spaces = map(read_space, sorted(Path(__file__).parent.glob("*.yaml")))
    return {space.name: space for space in spaces}


def _text_of(path: Path, most: int) -> str:
    if not path.is_file():
        raise _file_error(path, "this is not a regular file", "replace it by a text file")
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        detail = f"the file cannot be read ({error.strerror})"
        raise _file_error(path, detail, "make it readable for the service") from None
    if len(content) > most:
        raise _file_error(path, "the file is too large", f"use at most {most} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _file_error(path, "this is not UTF-8", "save the file as UTF-8", line) from None


def _shadowing(path: Path) -> SpaceFileError:
    other = "a built-in space" if path.stem in _built_in() else "a space of another folder"
    hint = "give the space another name, and its file with it"
    return _file_error(path, f"{other} has the name {path.stem} already", hint)


def _file_error(path: Path, detail: str, hint: str, line: int = 1) -> SpaceFileError:
    return SpaceFileError([_located(path, line, Problem("", detail, Code.BAD_FILE, hint))], path)


def _located(path: Path, line: int, problem: Problem) -> Problem:
    return replace(problem, detail=f"{printable(str(path))}, line {line}: {problem.detail}")
