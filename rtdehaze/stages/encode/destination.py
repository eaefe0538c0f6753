"""Where an output goes: never over the input, never over another file unasked, and complete or not at all."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from rtdehaze.core.errors import OutputExistsError, SinkError, UsageError
from rtdehaze.stages.encode.translate import sink_errors

__all__ = ["Destination", "check_folder", "same_file"]


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, through symbolic and hard links too."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def check_folder(location: str, folder: Path) -> None:
    """Checks that a file can be made in a folder.

    Raises:
        SinkError: It is missing or not writable.
    """
    if not folder.is_dir():
        message = f"{location}: there is no directory '{folder}'; create it first"
        raise SinkError(message)
    if not os.access(folder, os.W_OK | os.X_OK):
        message = f"{location}: the directory '{folder}' is not writable; choose another"
        raise SinkError(message)


class Destination:
    """One output file: where it is written, and how it comes to its name.

    A new file is written under its own name, so that a killed run leaves what it had. Where a file is to be
    replaced, the new one grows beside it under a hidden name and takes its place when it is complete.
    """

    def __init__(self, location: str, source: str, *, overwrite: bool) -> None:
        """Checks the place without touching it.

        Raises:
            OutputExistsError: There is a file and `overwrite` is false.
            UsageError: It is the input.
            SinkError: The directory is missing or not writable.
        """
        self.path = Path(location)
        self._check(location, source, overwrite=overwrite)
        self.special = self.path.exists() and not stat.S_ISREG(self.path.stat().st_mode)
        """Whether it is a device such as /dev/null, which is written, never replaced or removed."""
        self._replaces = self.path.exists() and not self.special
        # What replaces a link's target, so that the link stays a link.
        self._final = self.path.resolve() if self._replaces else self.path
        self.working = self._final
        if self._replaces:
            self.working = self._final.with_name(f".{self._final.stem}.{os.getpid()}.part{self._final.suffix}")

    def _check(self, location: str, source: str, *, overwrite: bool) -> None:
        if self.path.is_dir():
            message = f"{location}: is a directory; name a file in it"
            raise UsageError(message)
        if same_file(self.path, Path(source)):
            message = f"{location}: is the input itself; name another output"
            raise UsageError(message)
        if os.path.lexists(self.path) and not overwrite:
            message = f"{location}: exists already; name another output or pass --overwrite"
            raise OutputExistsError(message)
        check_folder(location, self.path.parent)

    @property
    def replaces(self) -> bool:
        """Whether a file that was there before is replaced at the end."""
        return self._replaces

    def commit(self) -> None:
        """Gives the finished file its name.

        Raises:
            SinkError: The system refuses.
        """
        if self._replaces:
            with sink_errors(f"{self.path}: cannot be put in its place"):
                self.working.chmod(stat.S_IMODE(self._final.stat().st_mode))
                self.working.replace(self._final)

    def discard(self) -> None:
        """Removes what was written; never raises."""
        if not self.special:
            with suppress(OSError):
                self.working.unlink()
