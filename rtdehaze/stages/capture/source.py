"""The one place that decides what a location is and opens it."""

from __future__ import annotations

import os
import re
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rtdehaze.core.errors import SourceError
from rtdehaze.core.secrets import redacted
from rtdehaze.stages.capture.base import BaseSource
from rtdehaze.stages.capture.container import ContainerSource
from rtdehaze.stages.capture.options import DEFAULT_PICTURE_RATE, CaptureOptions
from rtdehaze.stages.capture.pictures import (
    PICTURE_SUFFIXES,
    PictureSource,
    files_of_folder,
    files_of_pattern,
    is_pattern,
)
from rtdehaze.stages.capture.problems import source_error

__all__ = ["local_path", "open_source"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def open_source(
    location: str | os.PathLike[str],
    *,
    start: float | None = None,
    duration: float | None = None,
    threads: int = 0,
    hwaccel: str | None = None,
    hdr: str = "refuse",
    deinterlace: bool = False,
    fps: float | Fraction = DEFAULT_PICTURE_RATE,
) -> BaseSource:
    """Opens a video file, a photograph, numbered pictures (`frames/%05d.png`) or a folder of pictures.

    Args:
        location: Path, pattern or `file://` URL.
        start: Seconds from the first frame where reading starts; timestamps, packets and chapters are moved so that
            this becomes 0. Exact to the frame.
        duration: Seconds to read.
        threads: Decoder threads; 0 leaves it to the codec.
        hwaccel: Device that decodes, for example `cuda`; None is the CPU.
        hdr: `refuse` PQ and HLG video, or `passthrough`.
        deinterlace: Make interlaced video progressive, one frame for one.
        fps: Rate of pictures in a row.

    Returns:
        The open source; close it, or use it as a context manager.

    Raises:
        UsageError: An option is out of its range.
        SourceError: The input is not there, not readable, or has nothing to dehaze.
        UnsupportedVideoError: It is PQ or HLG video.
    """
    options = CaptureOptions.checked(
        start=start, duration=duration, threads=threads, hwaccel=hwaccel, hdr=hdr, deinterlace=deinterlace, fps=fps
    )
    path = local_path(os.fspath(location))
    try:
        return _open_path(path, options)
    except OSError as error:
        raise source_error(path, error) from error


def _open_path(path: str, options: CaptureOptions) -> BaseSource:
    if Path(path).is_dir():
        return PictureSource(path, files_of_folder(path), options, still=False)
    if is_pattern(path):
        return PictureSource(path, files_of_pattern(path), options, still=False)
    if Path(path).suffix.lower() in PICTURE_SUFFIXES:
        return PictureSource(path, [Path(path)], options, still=True)
    return ContainerSource(path, options)


def local_path(location: str) -> str:
    """Returns the path that a location names.

    Raises:
        SourceError: It is a URL of another kind than `file://`.
    """
    if not _SCHEME.match(location):
        return location
    parts = urlsplit(location)
    if parts.scheme.lower() == "file":
        return unquote(parts.path)
    raise SourceError(
        f"{redacted(location)!r} is an address, and this reads files; `rtdehaze run` takes live inputs, "
        "or save it as a file first"
    )
