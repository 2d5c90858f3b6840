"""What the tests of the trainables share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """As in a trial: threads would cost more than they bring on matrices this small."""
    import torch  # only for the tests that ask for it

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def code_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for compiled code that all tests share: compiling a graph takes 20 s."""
    return tmp_path_factory.mktemp("code")


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let blocks of few steps be compiled, which takes a fraction of the time.

    A graph of ``code_folder`` is compiled with short blocks by all tests that share it, or by none.
    """
    monkeypatch.setattr("trainables.torch_loops._STEPS", 2)
    monkeypatch.setattr("trainables.torch_loops._DELAYED_STEPS", 4)
