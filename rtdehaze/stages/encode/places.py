"""Where pictures go: one file, or numbered files in a folder, each complete or not there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from rtdehaze.core.errors import OutputExistsError, SinkError, UsageError
from rtdehaze.stages.encode.destination import Destination, same_file
from rtdehaze.stages.encode.translate import sink_errors

__all__ = ["FIRST_NUMBER", "OnePlace", "PicturePlaces", "RowOfPlaces", "write_atomically"]

FIRST_NUMBER = 1
"""The number of the first picture of a row, as FFmpeg counts."""

_NUMBER = re.compile(r"%(?:0(\d+))?d")


class PicturePlaces(Protocol):
    """The names of pictures, and how they come to them."""

    @property
    def replaces(self) -> bool:
        """Whether files that were there before are replaced at the end."""

    def place(self, index: int) -> Path:
        """Returns the path to write the picture of that index to, counted from 0."""

    def commit(self) -> None:
        """Gives what was written its names."""

    def discard(self) -> None:
        """Removes what was written; never raises."""


class OnePlace:
    """A single photograph."""

    def __init__(self, location: str, source: str, *, overwrite: bool) -> None:
        """Checks the place as `Destination` does."""
        self._location = location
        self._destination = Destination(location, source, overwrite=overwrite)

    @property
    def replaces(self) -> bool:
        """Whether a file that was there before is replaced."""
        return self._destination.replaces

    def place(self, index: int) -> Path:
        """Returns the one path.

        Raises:
            SinkError: There is a second picture.
        """
        if index:
            message = f"{self._location}: one name cannot hold several pictures; use a pattern such as frames/%05d.png"
            raise SinkError(message)
        return self._destination.working

    def commit(self) -> None:
        """Puts the picture in its place."""
        self._destination.commit()

    def discard(self) -> None:
        """Removes it."""
        self._destination.discard()


class RowOfPlaces:
    """Numbered pictures in a folder, which is created when the first one comes."""

    def __init__(self, location: str, source: str, *, overwrite: bool) -> None:
        """Checks the pattern and the folder without touching them.

        Raises:
            UsageError: The pattern has no single number, or the folder is the input's.
            OutputExistsError: There are such pictures already and `overwrite` is false.
            SinkError: The folder cannot be made or written.
        """
        pattern = Path(location)
        self._folder, self._name = pattern.parent, pattern.name
        if len(_NUMBER.findall(self._name)) != 1 or "%" in str(self._folder):
            message = f"{location}: a row of pictures needs one number in its name, as in frames/%05d.png"
            raise UsageError(message)
        self._check_source(location, source)
        self._replaces = next(self._existing(), None) is not None
        if self._replaces and not overwrite:
            message = f"{location}: such pictures exist already; name another folder or pass --overwrite"
            raise OutputExistsError(message)
        self._check_folder(location)
        self._made: list[Path] = []
        self._written: list[Path] = []
        self._staging = self._folder / f".{os.getpid()}.part" if self._replaces else self._folder

    @property
    def replaces(self) -> bool:
        """Whether pictures that were there before are replaced."""
        return self._replaces

    def place(self, index: int) -> Path:
        """Returns the path of a picture; makes the folder for the first."""
        if not self._written:
            self._make(self._staging)
        width = _NUMBER.search(self._name)
        digits = int(width.group(1) or 0) if width else 0
        path = self._staging / _NUMBER.sub(f"{index + FIRST_NUMBER:0{digits}d}", self._name)
        self._written.append(path)
        return path

    def commit(self) -> None:
        """Puts staged pictures over the old ones.

        Raises:
            SinkError: The system refuses.
        """
        if self._staging != self._folder:
            with sink_errors(f"{self._folder}: cannot be filled"):
                for path in self._written:
                    path.replace(self._folder / path.name)
                self._staging.rmdir()

    def discard(self) -> None:
        """Removes the pictures and the folders that were made for them."""
        for path in self._written:
            with suppress(OSError):
                path.unlink()
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()

    def _make(self, folder: Path) -> None:
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir()
            self._made.append(parent)

    def _existing(self) -> Iterator[Path]:
        before, after = _NUMBER.split(self._name)[0], _NUMBER.split(self._name)[-1]
        matching = re.compile(re.escape(before) + r"\d+" + re.escape(after))
        if self._folder.is_dir():
            yield from (path for path in self._folder.iterdir() if matching.fullmatch(path.name))

    def _check_source(self, location: str, source: str) -> None:
        origin = Path(source)
        in_folder = same_file(self._folder, origin)
        if in_folder or (origin.name == self._name and same_file(self._folder, origin.parent)):
            message = f"{location}: is where the input's own pictures are; name another folder"
            raise UsageError(message)

    def _check_folder(self, location: str) -> None:
        folder = next((parent for parent in (self._folder, *self._folder.parents) if parent.exists()), self._folder)
        if not folder.is_dir():
            message = f"{location}: '{folder}' is no directory"
            raise SinkError(message)
        if not os.access(folder, os.W_OK | os.X_OK):
            message = f"{location}: the directory '{folder}' is not writable; choose another"
            raise SinkError(message)


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file under a hidden name and then gives it its own, so that nobody sees half of it."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
