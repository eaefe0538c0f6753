"""Where benchmarks put their figures: JSON in benchmarks/results, with the day and the machine they came from."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rtdehaze.apps.bench.machine import machine

__all__ = ["save"]

RESULTS = Path(__file__).parent / "results"


def save(name: str, figures: Any, folder: Path = RESULTS) -> Path:
    """Writes figures to benchmarks/results/NAME.json beside the day and the machine.

    Args:
        name: Of the benchmark; its file's name.
        figures: Anything that JSON can hold; no paths of this machine.
        folder: Another place than benchmarks/results.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    day = datetime.now(UTC).date().isoformat()
    path.write_text(json.dumps({"date": day, "machine": machine(), "figures": figures}, indent=2) + "\n")
    return path
