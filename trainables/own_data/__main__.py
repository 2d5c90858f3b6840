"""Makes a data set of a file, in a process of its own: ``python -m trainables.own_data``.

A JSON object on standard input has ``file``, ``out`` (where to write the content), ``max_memory``
in bytes and the members of :class:`~trainables.own_data.options.Options` as text. The answer, one
on standard output, has ``digest`` and ``card``, or ``problems``.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search_spaces import Problem
from trainables.own_data.problems import BadData


def main() -> None:
    """Read the request and print the answer."""
    request = json.load(sys.stdin)
    limit = request["max_memory"]
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    json.dump(answer(request), sys.stdout, allow_nan=False)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return what becomes of the file."""
    try:
        return _made(request)
    except BadData as error:
        return {"problems": [asdict(problem) for problem in error.problems]}
    except MemoryError:
        detail = f"reading the file needs more than {request['max_memory'] // 2**20} MB of memory"
        problem = Problem("", detail, "too_large", "send fewer rows or columns")
        return {"problems": [asdict(problem)]}


def _made(request: dict[str, Any]) -> dict[str, Any]:
    # Under the limit of memory, and after it is set.
    from trainables.own_data import making, stored
    from trainables.own_data.options import Options

    options = Options.from_text(**request["options"])
    made = making.make(Path(request["file"]), options)
    digest = stored.write(Path(request["out"]), making.tree_of(made.prepared))
    return {"digest": digest, "card": made.card}


if __name__ == "__main__":
    main()
