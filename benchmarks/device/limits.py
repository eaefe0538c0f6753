"""What bounds dehazing on a GPU: its bus and its memory, measured by copies."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from device.memory import Cuda

__all__ = ["copy_limits"]

_SIZE = 64 * 2**20
"""Bytes: some frames of 4K; small copies are slower."""
_TIMES = 50


def copy_limits(memory: Cuda) -> dict[str, float]:
    """Gigabytes a second: to the GPU, from it, both at once (each way), and within it (read and written)."""
    up, down = memory.stream(), memory.stream()
    source, target = (memory.pinned((_SIZE,), np.dtype(np.uint8)) for _ in range(2))
    here, there = memory.room(_SIZE), memory.room(_SIZE)

    def both() -> None:
        memory.copy_in(here, source, up)
        memory.copy_out(target, there, down)

    ways: dict[str, tuple[Callable[[], None], int]] = {
        "to_device": (lambda: memory.copy_in(here, source, up), 1),
        "from_device": (lambda: memory.copy_out(target, there, down), 1),
        "both_ways_each": (both, 1),
        "within_device": (lambda: memory.copy_on(there, here, _SIZE, up), 2),
    }
    found = {}
    for name, (copy, factor) in ways.items():
        for repeat in (3, _TIMES):
            begin = time.perf_counter()
            for _ in range(repeat):
                copy()
            memory.wait(up)
            memory.wait(down)
            seconds = time.perf_counter() - begin
        found[f"{name}_gb_s"] = round(factor * repeat * _SIZE / seconds / 1e9, 1)
    return found
