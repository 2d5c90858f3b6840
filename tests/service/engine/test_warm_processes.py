"""What trial processes that are started ahead import; tests/service/whole/ uses them."""

from __future__ import annotations

import subprocess
import sys

from service.engine import warm_processes


def test_a_process_imports_what_the_numpy_trainables_need_and_no_torch() -> None:
    module, _, hook = warm_processes.HOOK.rpartition(".")
    code = (
        f"import sys; from {module} import {hook}; {hook}(); "
        "names = 'ray.tune numba.np.arraymath trainables.numpy_trainables torch'.split(); "
        "print(*(name in sys.modules for name in names))"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed.split() == ["True", "True", "True", "False"]
