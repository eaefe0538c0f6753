"""Where benchmarks put their figures: JSON in benchmarks/results, with the day and the machine they came from."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["machine", "save"]

RESULTS = Path(__file__).parent / "results"

LIBRARIES = ("av", "numba", "numpy", "onnxruntime", "onnxruntime-gpu", "opencv-python")


def machine() -> dict[str, Any]:
    """Describes the machine: processor, cores, memory, system, versions, revision of the code."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
        "revision": _revision(),
    }


def save(name: str, figures: Any) -> Path:
    """Writes figures to benchmarks/results/NAME.json beside the day and the machine.

    Args:
        name: Of the benchmark; its file's name.
        figures: Anything that JSON can hold; no paths of this machine.

    Returns:
        The file.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    day = datetime.now(UTC).date().isoformat()
    path.write_text(json.dumps({"date": day, "machine": machine(), "figures": figures}, indent=2) + "\n")
    return path


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError):
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    return done.stdout.strip() or None
