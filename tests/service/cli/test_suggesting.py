from __future__ import annotations

import re

import pytest

from service.cli.suggesting import suggestion


@pytest.mark.parametrize(
    ("line", "shown", "name", "value"),
    [
        ("step=5 error=0.05261", "error=0.05261", "error", "0.05261"),
        ("Epoch 3: val loss: 1e-3 (best)", "val loss: 1e-3", "val_loss", "1e-3"),
        ("speed: 7", "speed: 7", "speed", "7"),
    ],
)
def test_a_number_with_a_label_gets_a_pattern_that_finds_it(
    line: str, shown: str, name: str, value: str
) -> None:
    text = suggestion(["begin", line])
    assert text.startswith(f"it printed {shown}, which ")
    written = re.search(r"patterns: \{(\w+): '(.+)'\}", text)
    assert written is not None
    assert written[1] == name
    assert re.search(written[2], line)[1] == value  # type: ignore[index]


def test_nothing_is_suggested_for_text() -> None:
    assert suggestion(["hello", "12:30", "done"]) == ""
