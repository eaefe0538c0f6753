"""Files as outlets: one, or many that are cut by time, each complete as soon as the next has begun."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from rtdehaze.stages.encode.destination import Destination, check_folder
from rtdehaze.stages.encode.file_sink import plays
from rtdehaze.stages.encode.live.bytes_out import FileBytes
from rtdehaze.stages.encode.live.feed import Feed, Parcel
from rtdehaze.stages.encode.live.names import free_names, is_pattern
from rtdehaze.stages.encode.live.retention import Retention
from rtdehaze.stages.encode.live.writing import Writing

__all__ = ["FileOpener", "NewFile", "OneName", "TimedNames"]

_log = logging.getLogger("rtdehaze.encode")

_SOUND_LAG = Fraction(1)
"""Seconds of video after a cut at which the file before it is completed, should its sound not have come as far."""


class NewFile:
    """A file that was created, and how it comes to its name."""

    def __init__(self, data: FileBytes, destination: Destination | None = None) -> None:
        self.bytes = data
        self._destination = destination

    def keep(self) -> None:
        """Closes it, complete."""
        self.bytes.shut()
        if self._destination is not None:
            self._destination.commit()

    def rescue(self) -> None:
        """Closes it after a failure: what plays stays, the rest is removed."""
        self.bytes.shut()
        if self._destination is not None:
            self._destination.discard()
        elif not plays(str(self.bytes.path)):
            with suppress(OSError):
                self.bytes.path.unlink()


class Names(Protocol):
    """Where the files of one output come from."""

    def create(self) -> NewFile:
        """Creates the next file; OSError and SinkError pass through."""


class OneName:
    """One file; after a failure or a change of the video's make the next one has a number."""

    def __init__(self, location: str, *, overwrite: bool) -> None:
        """Checks the place.

        Raises:
            OutputExistsError: There is a file and `overwrite` is false.
            UsageError: It is a directory.
            SinkError: The directory is missing or not writable.
        """
        self._location = location
        self._overwrite = overwrite
        self._destination: Destination | None = Destination(location, "", overwrite=overwrite)

    def create(self) -> NewFile:
        """Creates the file itself the first time, a numbered one beside it later."""
        destination, self._destination = self._destination, None
        if destination is not None and (destination.replaces or destination.special):
            if destination.special:
                self._destination = destination
            return NewFile(FileBytes(destination.working, new=False), destination)
        return NewFile(_create_free(self._location))


class TimedNames:
    """Files named by the local time at which each begins; folders in the pattern are made as they are needed."""

    def __init__(self, pattern: str, retention: Retention) -> None:
        """Checks the place.

        Raises:
            SinkError: The folder that holds it all is missing or not writable.
        """
        self._pattern = pattern
        self._retention = retention
        folder = Path(pattern).parent
        while is_pattern(str(folder)):
            folder = folder.parent
        check_folder(pattern, folder)
        self._latest: list[Path] = []

    def create(self) -> NewFile:
        """Creates the next file and deletes what is past the limits."""
        name = time.strftime(self._pattern)
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        made = NewFile(_create_free(name))
        self._latest = [*self._latest[-1:], made.bytes.path]
        self._retention.apply(self._latest)
        return made


def _create_free(name: str) -> FileBytes:
    for path in free_names(name):
        with suppress(FileExistsError):
            return FileBytes(path, new=True)
    raise AssertionError  # there is no end of names


class _Part:
    """One file at work."""

    def __init__(self, names: Names, feed: Feed, origin: Fraction | None) -> None:
        self._file = names.create()
        try:
            self._writing = Writing(self._file.bytes, feed, origin)
        except BaseException:
            self._file.rescue()
            raise

    @property
    def copied(self) -> frozenset[int]:
        return self._writing.copied

    def write(self, parcel: Parcel) -> None:
        self._writing.write(parcel)

    def close(self) -> None:
        self._writing.close()
        self._file.keep()

    def abandon(self) -> None:
        with suppress(Exception):
            self._writing.abandon()
        self._file.rescue()


class _Files:
    """The files of one feed: the one that is written, and for a moment the one before the cut."""

    def __init__(self, names: Names, feed: Feed, origin: Fraction | None) -> None:
        self._names, self._feed, self._origin = names, feed, origin
        self._part: _Part | None = None
        self._former: _Part | None = None
        self._segment = 0
        self._cut = Fraction(0)
        self._behind: set[int] = set()

    def write(self, parcel: Parcel) -> None:
        part = self._part
        if part is None or (parcel.video and parcel.segment != self._segment):
            part = self._begin(parcel)
        elif self._former is not None:
            if not parcel.video and parcel.time < self._cut:
                part = self._former
            else:
                self._let_go_of_former(parcel)
        part.write(parcel)

    def _begin(self, parcel: Parcel) -> _Part:
        self._complete_former()
        self._segment, self._cut = parcel.segment, parcel.time
        self._former, self._part = self._part, None
        self._part = _Part(self._names, self._feed, self._origin)
        if self._former is not None:
            self._behind = set(self._former.copied)
            if not self._behind:
                self._complete_former()
        return self._part

    def _let_go_of_former(self, parcel: Parcel) -> None:
        """Completes the file before the cut once every sound has come as far, or has had its time."""
        if parcel.stream is not None:
            self._behind.discard(parcel.stream)
        if not self._behind or parcel.time > self._cut + _SOUND_LAG:
            self._complete_former()

    def _complete_former(self) -> None:
        former, self._former = self._former, None
        if former is not None:
            try:
                former.close()
            except BaseException:
                former.abandon()
                raise

    def close(self) -> None:
        self._complete_former()
        if self._part is not None:
            self._part.close()

    def abandon(self) -> None:
        with suppress(Exception):  # the failure was not its
            self._complete_former()
        if self._part is not None:
            self._part.abandon()


class FileOpener:
    """Opens files once their first frame is there."""

    prompt = False

    def __init__(self, names: Names, origin: Fraction | None = None) -> None:
        self._names = names
        self._origin = origin

    def open(self, feed: Feed, stop: threading.Event) -> _Files:  # noqa: ARG002 - nothing here waits
        """Returns what creates the files."""
        return _Files(self._names, feed, self._origin)

    def end(self) -> None:
        """Nothing is left to do."""
