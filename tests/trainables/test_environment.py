"""What user code may see of the service's environment."""

from __future__ import annotations

from service.settings import Settings
from trainables.environment import passed_on


def test_only_listed_variables_are_passed_on() -> None:
    listed = {"PATH": "/bin", "LC_ALL": "C", "ARGBEST_DRIVER": "x", "CUDA_VISIBLE_DEVICES": "0"}
    others = {"AWS_SECRET_ACCESS_KEY": "x", "RAY_ADDRESS": "x", "MY_TOKEN": "x", "path": "x"}
    assert passed_on({**listed, **others}) == listed


def test_of_our_settings_only_the_cache_is_passed_on() -> None:
    names = {f"ARGBEST_{name.upper()}": "x" for name in Settings.model_fields}
    assert set(passed_on(names)) == {"ARGBEST_CACHE_DIR"}
