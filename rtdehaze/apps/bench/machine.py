"""The machine that figures come from: processor, memory, GPU, versions."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["Gpu", "find_gpus", "gpu_memory_mib", "machine"]

_LIBRARIES = (
    "av",
    "numba",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-python",
    "opencv-python-headless",
    "tensorrt",
)

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")

_PATIENCE_S = 20.0
"""For nvidia-smi, which wakes the driver."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """An NVIDIA GPU as its driver describes it."""

    name: str
    driver: str
    memory_mib: int


def machine() -> dict[str, Any]:
    """Describes this machine in plain values for JSON; no host name, no path.

    Returns:
        `processor`, `cores` (that this process may use), `governor` (None where it cannot be read), `memory_gib`,
        `gpus`, `system`, `python`, `libraries` (by name, those that are installed), `revision` (of the code, None
        outside a git checkout).
    """
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "governor": _governor(),
        "memory_gib": _memory_gib(),
        "gpus": [asdict(gpu) for gpu in find_gpus()],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
        "revision": _revision(),
    }


def find_gpus() -> list[Gpu]:
    """The NVIDIA GPUs that the driver lists; empty without one."""
    return [Gpu(name, driver, int(memory)) for name, driver, memory in _ask("name,driver_version,memory.total")]


def gpu_memory_mib() -> int | None:
    """Memory in use on the first GPU, by all programs, in MiB; None without a GPU."""
    rows = _ask("memory.used")
    return int(rows[0][0]) if rows else None


def _ask(what: str) -> list[list[str]]:
    """Asks nvidia-smi, which comes with every driver; a cell a word, a row a GPU."""
    command = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits"]
    said = _output(command)
    return [[cell.strip() for cell in line.split(",")] for line in said.splitlines()] if said else []


def _output(command: list[str], folder: Path | None = None) -> str | None:
    """What a program says; None where it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, cwd=folder, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _governor() -> str | None:
    try:
        return _GOVERNOR.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    """Of the checkout that this package is in; a checkout around an installed package is not ours to describe."""
    folder = Path(__file__).resolve().parents[3]
    if not (folder / ".git").exists():
        return None
    return _output(["git", "describe", "--always", "--dirty"], folder)
