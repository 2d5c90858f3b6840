"""What `argbest serve` does for its controller."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.engine.controller import heartbeat_file
from service.engine.supervisor import HANG_SECONDS, Supervisor
from service.settings import Settings
from tests.service.running import until
from tests.service.stand_ins import listening, opened, settings_in


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with listening() as ray:
        found = settings_in(tmp_path, ray)
        with opened(found):
            yield found


def test_a_controller_that_ends_or_hangs_is_replaced(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    supervisor = Supervisor(settings, None, lambda _: None, clock=lambda: now)
    supervisor.start()
    try:
        first = supervisor._controller
        first.kill()
        until(lambda: supervisor._controller is not first, within_s=60, what="another controller")
        second = supervisor._controller
        touched = heartbeat_file(settings).stat().st_mtime
        until(
            lambda: heartbeat_file(settings).stat().st_mtime > touched, within_s=60, what="a step"
        )
        second.send_signal(signal.SIGSTOP)

        def replaced() -> bool:
            nonlocal now
            now += HANG_SECONDS / 10
            return supervisor._controller is not second

        until(replaced, within_s=60, what="a third one")
        assert second.poll() == -signal.SIGKILL
    finally:
        supervisor.end()
    # Told to stop while it starts another one, or looks after Ray, it starts none.
    supervisor.check()
    assert caplog.text.count("starting it") == 2
    assert "ended with -9; starting it" in caplog.text
    assert "has hung for 60 s" in caplog.text
    assert supervisor._controller.poll() is not None
