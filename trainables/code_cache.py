"""Where machine code that was compiled for the trainables is kept for later processes."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def code_folder(compiler: str) -> Path:
    """Return the folder for one compiler's code; it need not exist.

    It lies in ``ARGBEST_CACHE_DIR`` or, where that is not set, in the user's cache folder.
    """
    root = os.environ.get("ARGBEST_CACHE_DIR") or platformdirs.user_cache_dir("argbest")
    return Path(root) / compiler
