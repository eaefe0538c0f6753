"""The cameras of this machine and what they can do."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import av

from rtdehaze.stages.capture.live.devices import device_format

__all__ = ["Camera", "CameraMode", "cameras", "modes_in_log"]

_DSHOW = re.compile(r"(?:vcodec|pixel_format)=(\S+)\s+min s=\d+x\d+ fps=([\d.]+) max s=(\d+)x(\d+) fps=([\d.]+)")
_AVFOUNDATION = re.compile(r"(\d+)x(\d+)@\[([\d.]+) ([\d.]+)\]fps")

_IMPOSSIBLE_RATE = "100000"
"""Frames per second that no camera has: asked for them, AVFoundation's device tells what there is."""


@dataclass(frozen=True, slots=True)
class CameraMode:
    """A size that a camera delivers in one format, and how often."""

    format: str
    """FFmpeg's name of the pixel format or codec, as `--input-format` takes it; empty where it is not told."""
    width: int
    height: int
    rates: tuple[float, ...]
    """Frames per second, fastest first; where the camera takes any between two, these two."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as the system lists it."""

    location: str
    """What `rtdehaze run` takes."""
    name: str
    modes: tuple[CameraMode, ...]
    trouble: str = ""
    """Why it cannot be asked for its modes."""


def cameras(platform: str = sys.platform) -> list[Camera]:
    """Returns the cameras of this machine.

    Raises:
        UsageError: The platform is not supported.
    """
    device = device_format(platform)
    if device == "v4l2":
        from rtdehaze.stages.capture.live.v4l2 import v4l2_cameras

        return v4l2_cameras()
    found = []
    for number, listed in enumerate(one for one in av.enumerate_input_devices(device) if "video" in one.media_types):
        target = f"video={listed.name}" if device == "dshow" else f"{listed.name}:none"
        modes = modes_in_log(_log_of(target, device))
        found.append(Camera(f"camera:{number}", listed.description or listed.name, tuple(modes)))
    return found


def modes_in_log(lines: Iterable[str]) -> list[CameraMode]:
    """Returns the modes that FFmpeg's DirectShow or AVFoundation device lists in its log, each once."""
    modes: dict[CameraMode, None] = {}
    for line in lines:
        for word, low, width, height, high in _DSHOW.findall(line):
            modes[CameraMode(word, int(width), int(height), _rates(low, high))] = None
        for width, height, low, high in _AVFOUNDATION.findall(line):
            modes[CameraMode("", int(width), int(height), _rates(low, high))] = None
    return list(modes)


def _rates(low: str, high: str) -> tuple[float, ...]:
    return tuple(sorted({float(low), float(high)}, reverse=True))


def _log_of(target: str, device: str) -> list[str]:
    """Returns what the device says when it is asked to list its modes, which it does in its log only."""
    options = {"list_options": "true"} if device == "dshow" else {"framerate": _IMPOSSIBLE_RATE}
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        # Listing ends with an error, always.
        with av.logging.Capture() as log, suppress(av.FFmpegError, OSError):
            av.open(target, format=device, options=options).close()
        return [message for _, _, message in log]
    finally:
        av.logging.set_level(level)
