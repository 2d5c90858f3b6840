"""What can be wrong with a user's data, and the limits that it must keep to."""

from __future__ import annotations

from collections.abc import Iterable

from search_spaces import Problem, pointer_to
from search_spaces.text import printable
from trainables.contract import TrainableError

MAX_COLUMNS = 2_000
MAX_ROWS = 10_000_000
#: Of a data set once its categories are 0/1 columns: features, and numbers in all (400 MB).
MAX_FEATURES = 10_000
MAX_NUMBERS = 50_000_000
#: Cells of a table, used or not.
MAX_CELLS = 100_000_000
MAX_NAME = 100
MAX_CLASSES = 1_000
#: Different values of a column of categories that the user asked for.
MAX_CATEGORIES = 2_000
#: Numbers beyond overflow when they are squared and added.
LARGEST = 1e100

_SHOWN = 40


class BadData(TrainableError):
    """A file cannot become a data set; ``problems`` says where, why and what to do."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def bad(pointer: str, detail: str, code: str, hint: str) -> BadData:
    """Return the error of a single problem."""
    return BadData([Problem(pointer, detail, code, hint)])


def of_column(name: str, detail: str, code: str, hint: str) -> Problem:
    """Return the problem of a column."""
    return Problem(pointer_to("columns", name), f"column {shown(name)} {detail}", code, hint)


def shown(text: str) -> str:
    """Return a cell or a name in quotes, cut and printable."""
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"'{printable(cut)}'"
