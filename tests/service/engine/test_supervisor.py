"""What `argbest serve` does for its controller."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.engine import supervisor as watch
from service.settings import Settings
from tests.service.running import until
from tests.service.stand_ins import listening, opened, settings_in


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with listening() as ray:
        found = settings_in(tmp_path, ray)
        with opened(found):
            yield found


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGKILL, "ended with -9"), (signal.SIGSTOP, "has hung for 5 s")]
)
def test_a_controller_that_ends_or_hangs_is_replaced(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: signal.Signals,
    words: str,
) -> None:
    monkeypatch.setattr(watch, "HANG_SECONDS", 5.0)
    controllers = watch.Controllers(settings, None, lambda _: None)
    first = controllers._child
    controllers.start()
    try:
        first.send_signal(number)
        until(lambda: controllers._child is not first, within_s=60, what="another controller")
        assert first.poll() == -signal.SIGKILL
    finally:
        controllers.end()
    assert words in caplog.text
    assert controllers._child.poll() is not None
