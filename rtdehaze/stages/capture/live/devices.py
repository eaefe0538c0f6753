"""Cameras and screens of this machine in the words of its platform's FFmpeg device."""

from __future__ import annotations

import os
import sys

from rtdehaze.core.errors import UsageError
from rtdehaze.core.live import LiveOptions

__all__ = ["camera_plan", "device_format", "screen_plan"]

_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


def device_format(platform: str = sys.platform) -> str:
    """Returns FFmpeg's name of the platform's cameras.

    Raises:
        UsageError: There is none for this platform.
    """
    if platform not in _FORMATS:
        raise UsageError(f"cameras are not supported on {platform}: only on Linux, macOS and Windows")
    return _FORMATS[platform]


def camera_plan(name: str, options: LiveOptions, platform: str = sys.platform) -> tuple[str, str, dict[str, str]]:
    """Returns what to open, the format and its options for a camera.

    Args:
        name: Its number, its name, or on Linux its path.
        options: `input_size`, `input_rate` and `input_format` are used.
        platform: As `sys.platform`.
    """
    device = device_format(platform)
    words = _common(options)
    if device == "v4l2":
        if options.input_format is not None:
            # One option of this device for both: `input_format` takes pixel formats and codecs.
            words["input_format"] = options.input_format
        return (f"/dev/video{name}" if name.isdecimal() else name), device, words
    if options.input_format is not None:
        compressed = device == "dshow" and options.input_format in {"mjpeg", "h264", "hevc"}
        words["vcodec" if compressed else "pixel_format"] = options.input_format
    if device == "avfoundation":
        return f"{name}:none", device, words
    # DirectShow numbers only cameras of the same name.
    words["rtbufsize"] = "64M"
    if name.isdecimal():
        name = _numbered(int(name), device)
    return f"video={name}", device, words


def screen_plan(display: str, options: LiveOptions, platform: str = sys.platform) -> tuple[str, str, dict[str, str]]:
    """Returns what to open, the format and its options for a screen.

    Args:
        display: As X11 names it, for example `:0.0+100,200`; empty is the default one. On macOS a screen's number.
        options: `input_size` and `input_rate` are used.
        platform: As `sys.platform`.

    Raises:
        UsageError: There is no screen, or none can be captured on this platform.
    """
    words = _common(options)
    if platform == "linux":
        target = display or os.environ.get("DISPLAY", "")
        if not target:
            raise UsageError("screen: needs a display, and DISPLAY is not set; write for example screen::0.0")
        return target, "x11grab", words
    if platform == "darwin":
        return f"Capture screen {display or 0}:none", "avfoundation", words
    if platform == "win32":
        return display or "desktop", "gdigrab", words
    raise UsageError(f"screens are not supported on {platform}: only on Linux, macOS and Windows")


def _common(options: LiveOptions) -> dict[str, str]:
    words = {}
    if options.input_size is not None:
        words["video_size"] = "{}x{}".format(*options.input_size)
    if options.input_rate is not None:
        words["framerate"] = f"{options.input_rate:g}"
    return words


def _numbered(number: int, device: str) -> str:
    import av

    cameras = [found.name for found in av.enumerate_input_devices(device) if "video" in found.media_types]
    if number >= len(cameras):
        raise UsageError(f"there is no camera {number}; `rtdehaze devices` lists those that there are")
    return cameras[number]
