"""Cameras of Linux, asked by the kernel's own calls: FFmpeg lists sizes, but not rates.

Structures and numbers: linux/videodev2.h.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from rtdehaze.stages.capture.live.cameras import Camera, CameraMode

__all__ = ["Ask", "modes_of", "v4l2_cameras"]

_QUERYCAP = 0x80685600
_ENUM_FMT = 0xC0405602
_ENUM_FRAMESIZES = 0xC02C564A
_ENUM_FRAMEINTERVALS = 0xC034564B

_CAPABILITY = struct.Struct("16s32s32sIII12x")
_FORMAT = struct.Struct("III32sI16x")
_SIZE = struct.Struct("III6I8x")
_INTERVAL = struct.Struct("IIIII6I8x")

_CAPTURE, _CAPTURE_PLANES = 0x1, 0x1000
_DEVICE_CAPS = 0x80000000
_BUFFER_CAPTURE, _BUFFER_CAPTURE_PLANES = 1, 9
_DISCRETE = 1

_NAMES = {
    "MJPG": "mjpeg",
    "JPEG": "mjpeg",
    "H264": "h264",
    "HEVC": "hevc",
    "YUYV": "yuyv422",
    "UYVY": "uyvy422",
    "NV12": "nv12",
    "NV21": "nv21",
    "YU12": "yuv420p",
    "YV12": "yuv420p",
    "422P": "yuv422p",
    "GREY": "gray",
    "Y16 ": "gray16le",
    "RGB3": "rgb24",
    "BGR3": "bgr24",
    "AR24": "bgra",
    "XR24": "bgr0",
}
"""FFmpeg's names of the kernel's formats; others are left out, since FFmpeg's device does not take them."""

Ask = Callable[[int, bytes], bytes]
"""An ioctl of an open camera: number and structure, returns the structure as the kernel filled it, raises OSError."""


def v4l2_cameras(folder: Path = Path("/dev")) -> list[Camera]:
    """Returns the cameras of Linux, by number; devices of other kinds under the same names are left out."""
    found = []
    for path in sorted(folder.glob("video*"), key=lambda path: (len(path.name), path.name)):
        number = re.fullmatch(r"video(\d+)", path.name)
        if number is None:
            continue
        try:
            camera = _camera(path, f"camera:{number[1]}")
        except OSError as error:
            remedy = "; join the group video" if error.errno == errno.EACCES else ""
            trouble = f"{path} cannot be opened: {(error.strerror or str(error)).lower()}{remedy}"
            camera = Camera(f"camera:{number[1]}", "", (), trouble)
        if camera is not None:
            found.append(camera)
    return found


def _camera(path: Path, location: str) -> Camera | None:
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def ask(number: int, structure: bytes) -> bytes:
        return fcntl.ioctl(descriptor, number, structure)

    try:
        _, card, _, _, capabilities, own = _CAPABILITY.unpack(ask(_QUERYCAP, bytes(_CAPABILITY.size)))
        able = own if capabilities & _DEVICE_CAPS else capabilities
        if not able & (_CAPTURE | _CAPTURE_PLANES):
            return None
        kind = _BUFFER_CAPTURE if able & _CAPTURE else _BUFFER_CAPTURE_PLANES
        name = card.split(b"\0")[0].decode(errors="replace")
        return Camera(location, name, tuple(modes_of(ask, kind)))
    finally:
        os.close(descriptor)


def modes_of(ask: Ask, kind: int = _BUFFER_CAPTURE) -> Iterator[CameraMode]:
    """Yields what a camera can do, format by format, in its own order.

    Args:
        ask: Of the open camera.
        kind: Of its buffers (V4L2_BUF_TYPE_*).
    """
    for filled in _listed(ask, _ENUM_FMT, _FORMAT, kind):
        code = filled[4]
        name = _NAMES.get(struct.pack("<I", code).decode("ascii", errors="replace"))
        if name is None:
            continue
        for size in _listed(ask, _ENUM_FRAMESIZES, _SIZE, code):
            # Of sizes in steps the largest.
            width, height = (size[3], size[4]) if size[2] == _DISCRETE else (size[4], size[7])
            yield CameraMode(name, width, height, _rates(ask, code, width, height))
            if size[2] != _DISCRETE:
                break


def _rates(ask: Ask, code: int, width: int, height: int) -> tuple[float, ...]:
    rates: set[float] = set()
    for filled in _listed(ask, _ENUM_FRAMEINTERVALS, _INTERVAL, code, width, height):
        # A fraction of seconds each; of intervals in steps the shortest and the longest.
        fractions = [filled[5:7]] if filled[4] == _DISCRETE else [filled[5:7], filled[7:9]]
        rates |= {round(below / above, 3) for above, below in fractions if above}
        if filled[4] != _DISCRETE:
            break
    return tuple(sorted(rates, reverse=True))


def _listed(ask: Ask, number: int, form: struct.Struct, *wanted: int) -> Iterator[tuple[int, ...]]:
    """Yields the structures of a list, whose first field is the place in it and the next ones what it is of."""
    with suppress(OSError):  # the end of the list is an error: EINVAL
        for index in range(1000):
            head = struct.pack(f"{1 + len(wanted)}I", index, *wanted)
            yield form.unpack(ask(number, head.ljust(form.size, b"\0")))
