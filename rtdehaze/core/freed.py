"""Memory that was freed, given back to the system: for programs that run for weeks."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from functools import lru_cache

__all__ = ["give_back_freed"]


def give_back_freed() -> None:
    """Gives back what nobody uses any more; takes some tens of milliseconds.

    PyAV's containers and streams refer to each other, so that an encoder lives on until the collector of cycles comes
    by, which in a program without much garbage may take hours; and what it then frees the GNU C library keeps. Without
    this, every encoder that is opened anew costs half a megabyte.
    """
    gc.collect()
    trim = _trim()
    if trim is not None:
        trim(0)


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return found
