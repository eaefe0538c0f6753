"""Mastering display and light level, as encoders take them: as parameters, for PyAV cannot attach them to a stream."""

from __future__ import annotations

import struct
from typing import cast

from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame

from rtdehaze.core.frame import Frame

__all__ = ["hdr_options"]

_MASTERING = struct.Struct("=20i2i")
"""FFmpeg's AVMasteringDisplayMetadata: x and y of R, G, B and white, min and max luminance as rationals, two flags."""
_LIGHT = struct.Struct("=2I")
"""FFmpeg's AVContentLightMetadata: MaxCLL and MaxFALL in cd/m2."""

_NAMES = {
    "libx264": ("x264-params", "mastering-display", "cll", True),
    "libx265": ("x265-params", "master-display", "max-cll", True),
    "libsvtav1": ("svtav1-params", "mastering-display", "content-light", False),
}
"""Encoder -> its option, the words for both within it, and whether it wants the integer units of SMPTE ST 2086."""


def hdr_options(encoder: str, options: dict[str, str], frame: Frame) -> dict[str, str]:
    """Returns the encoder's options with the static HDR metadata (SMPTE ST 2086, CTA-861.3) of a frame added."""
    if encoder not in _NAMES or not isinstance(frame.native, VideoFrame):
        return options
    option, mastering, light, integers = _NAMES[encoder]
    said = []
    try:
        side_data = cast(SideDataContainer, frame.native.side_data)
        for data in side_data:
            if data.type.name == "MASTERING_DISPLAY_METADATA":
                text = _mastering(bytes(data), integers=integers)
                said += [f"{mastering}={text}"] if text else []
            elif data.type.name == "CONTENT_LIGHT_LEVEL":
                said.append("{}={},{}".format(light, *_LIGHT.unpack(bytes(data)[: _LIGHT.size])))
    except (ValueError, struct.error):
        return options  # a kind of side data that PyAV does not know
    if not said:
        return options
    return {**options, option: ":".join([*filter(None, [options.get(option)]), *said])}


def _mastering(data: bytes, *, integers: bool) -> str | None:
    values = _MASTERING.unpack(data[: _MASTERING.size])
    numbers = [num / den if den else 0.0 for num, den in zip(values[0:20:2], values[1:20:2], strict=True)]
    if not (values[20] and values[21]):
        return None
    red, green, blue, white = (numbers[0:2], numbers[2:4], numbers[4:6], numbers[6:8])
    lowest, highest = numbers[8:10]

    def pair(point: list[float]) -> str:
        # ST 2086 counts chromaticity in 0.00002.
        return ",".join(str(round(value * 50_000)) if integers else f"{value:.5f}" for value in point)

    # and luminance in 0.0001 cd/m2.
    light = f"{round(highest * 10_000)},{round(lowest * 10_000)}" if integers else f"{highest:.4f},{lowest:.4f}"
    return f"G({pair(green)})B({pair(blue)})R({pair(red)})WP({pair(white)})L({light})"
