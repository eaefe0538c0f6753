"""Old files of segments are deleted: by age, by size in all, and only those that this output's pattern makes."""

from __future__ import annotations

import glob
import logging
import stat
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from rtdehaze.stages.encode.live.names import matcher, wildcard

__all__ = ["Retention"]

_log = logging.getLogger("rtdehaze.encode")


class Retention:
    """Keeps the files of a strftime pattern within limits.

    Args:
        pattern: Where the files are and how they are named.
        seconds: Age past which they go, counted from when they were last written; None keeps them.
        size: Bytes in all past which the oldest go; None keeps them.
    """

    def __init__(self, pattern: str, *, seconds: float | None, size: int | None) -> None:
        self._wildcard = wildcard(pattern)
        self._matcher = matcher(pattern)
        self._seconds, self._size = seconds, size
        self._told = False

    def apply(self, in_use: Collection[Path]) -> None:
        """Deletes what is past the limits, oldest first; never what is in use. Never raises."""
        if self._seconds is None and self._size is None:
            return
        files = sorted(self._files(), key=lambda entry: entry[0])
        total = sum(size for _, size, _ in files)
        oldest = time.time() - (self._seconds if self._seconds is not None else float("inf"))
        for written, size, path in files:
            too_much = self._size is not None and total > self._size
            if path not in in_use and (written < oldest or too_much) and self._delete(path):
                total -= size

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for name in glob.iglob(self._wildcard):  # noqa: PTH207 - Path.glob takes no absolute pattern
            if not self._matcher.fullmatch(name):
                continue
            with suppress(OSError):
                state = Path(name).lstat()
                if stat.S_ISREG(state.st_mode):
                    found.append((state.st_mtime, state.st_size, Path(name)))
        return found

    def _delete(self, path: Path) -> bool:
        try:
            path.unlink()
        except OSError as error:
            if not self._told:
                self._told = True
                _log.warning("%s: cannot be deleted, although it is past what is kept: %s", path, error.strerror)
            return False
        _log.info("%s: deleted, past what is kept", path)
        return True
