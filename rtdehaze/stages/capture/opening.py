"""Containers opened with what must hold for every input: local files only, bounded pictures, one kind of error."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer

from rtdehaze.core.errors import SourceError, UsageError
from rtdehaze.core.secrets import redacted
from rtdehaze.stages.capture.options import MAX_PIXELS
from rtdehaze.stages.capture.problems import source_error

__all__ = ["hardware_device", "open_container"]

_OPTIONS = {
    # A playlist may name other inputs; a file must not make the program call out.
    "protocol_whitelist": "file,crypto,data",
    "max_pixels": str(MAX_PIXELS),
}

_TEXT = "tty"
"""The demuxer that would draw any .txt file as a film of a terminal."""

_LISTS = {
    "hls": frozenset({".m3u8", ".m3u"}),
    "concat": frozenset({".ffconcat", ".txt"}),
    "sdp": frozenset({".sdp"}),
    "dash": frozenset({".mpd"}),
    "imf": frozenset({".xml"}),
}
"""Demuxers of lists that name other files, and what such lists are called by those who know what they open."""


def open_container(location: str, *, stream: IO[bytes] | None = None, hwaccel: str | None = None) -> InputContainer:
    """Opens a local file for demuxing.

    Args:
        location: The path, also what messages name.
        stream: Read this instead of the path, so that nothing in the name is taken for a pattern.
        hwaccel: A device to decode on, by FFmpeg's name.

    Raises:
        SourceError: Not there, not readable, not media, or the device does not open.
        UsageError: There is no such device type.
    """
    device = None if hwaccel is None else hardware_device(hwaccel)
    _assert_readable(location)
    try:
        # An absolute path cannot be mistaken for the name of a protocol.
        target = str(Path(location).absolute()) if stream is None else stream
        container = av.open(target, "r", options=_OPTIONS, metadata_errors="replace", hwaccel=device)
    except (av.FFmpegError, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        if device is not None and not isinstance(error, av.error.InvalidDataError):
            raise SourceError(
                f"{redacted(location)!r} cannot be decoded by hwaccel {hwaccel!r} ({error}); "
                "choose another, or leave the option out to decode on the CPU"
            ) from error
        raise source_error(location, error) from error
    if container.format.name == _TEXT:
        container.close()
        raise SourceError(f"{redacted(location)!r} is text, not a video or a picture")
    names = _LISTS.get(container.format.name.split(",")[0])
    if names is not None and Path(location).suffix.lower() not in names:
        container.close()
        raise SourceError(
            f"{redacted(location)!r} is no video but a list of other files ({container.format.name}); "
            f"if you trust it, name it {' or '.join(sorted(names))}"
        )
    return container


def hardware_device(name: str) -> HWAccel:
    """Returns a device to decode on.

    Raises:
        UsageError: There is no such device type.
    """
    known = hwdevices_available()
    if name not in known:
        raise UsageError(f"unknown hwaccel {name!r}: this build knows {', '.join(known) or 'none'}")
    return HWAccel(device_type=name, allow_software_fallback=False)


def _assert_readable(location: str) -> None:
    path = Path(location)
    try:
        if path.stat().st_size == 0 and path.is_file():
            raise SourceError(f"{location!r} is empty (0 bytes): nothing was ever recorded or copied into it")
        if path.is_file():  # and not a pipe, which can be opened only once
            path.open("rb").close()
    except OSError as error:
        raise source_error(location, error) from error
