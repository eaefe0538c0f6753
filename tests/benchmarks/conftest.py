from __future__ import annotations

import sys
from pathlib import Path

# Benchmarks are scripts: they find each other beside themselves.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
