"""Makes the repository's root importable: ``benchmarks`` is no part of the distribution."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
