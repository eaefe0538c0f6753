"""Where compiled loops are kept when nothing usual can be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import rtdehaze

_SCRIPT = """
import os, sys, tempfile
from pathlib import Path
from rtdehaze.core import caches
allowed = sys.argv[1:]
real = tempfile.TemporaryFile
def picky(*a, dir=None, **k):
    if dir is not None and not any(str(dir).startswith(place) for place in allowed):
        raise PermissionError(13, "read-only", str(dir))
    return real(*a, dir=dir, **k)
caches.tempfile.TemporaryFile = picky
caches.ensure_place_for_loops(Path({package!r}))
print(os.environ.get("NUMBA_CACHE_DIR", "usual"))
"""


def place_of(*writable: str, **variables: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"} | variables
    package = str(Path(rtdehaze.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(package=package), *writable],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_usual_places_are_left_as_they_are(tmp_path: Path) -> None:
    assert place_of(str(Path(rtdehaze.__file__).parent)) == "usual"
    assert place_of(str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "not" / "yet")) == "usual"


def test_a_process_that_may_write_nowhere_gets_a_place_of_its_own_and_leaves_nothing(tmp_path: Path) -> None:
    place = place_of(str(tmp_path / "elsewhere"), HOME="/nonexistent", TMPDIR=str(tmp_path))
    assert Path(place).parent == tmp_path
    assert not Path(place).exists()


def test_the_users_own_choice_stays() -> None:
    assert place_of("/nonexistent", NUMBA_CACHE_DIR="/somewhere") == "/somewhere"
