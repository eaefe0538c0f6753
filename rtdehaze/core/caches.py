"""A place for compiled loops on machines where the program may write nowhere that is usual: containers, services."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

__all__ = ["ensure_place_for_loops"]

_VARIABLE = "NUMBA_CACHE_DIR"


def ensure_place_for_loops(package: Path) -> None:
    """Lets Numba keep its compiled loops for this process where it can keep them nowhere for longer.

    Numba looks beside the sources and in the user's cache, and refuses to cache where it may write in neither. The
    place is new, the process's own and removed at its end: what lies under a known name in a common directory could
    be planted there. Name a lasting one in NUMBA_CACHE_DIR to compile once only.

    Args:
        package: Where the sources are.
    """
    if os.environ.get(_VARIABLE) or "numba" in sys.modules:
        return
    if _writable(package) or _writable(_user_cache()):
        return
    place = tempfile.mkdtemp(prefix="rtdehaze-loops-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    os.environ[_VARIABLE] = place


def _user_cache() -> Path:
    """The user's cache as Numba finds it, or the nearest of its parents that is there."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - no home is no error here
    place = Path(home)
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def _writable(place: Path) -> bool:
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError:
        return False
    return True
