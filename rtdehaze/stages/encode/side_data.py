"""What a frame carries beside its picture: captions, timecode, how it was mastered; and what becomes of it."""

from __future__ import annotations

import struct

from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame

from rtdehaze.core.frame import Frame

__all__ = ["carries", "hdr_options", "lost_side_data"]

_CARRIED = frozenset(
    {"A53_CC", "AFD", "S12M_TIMECODE", "GOP_TIMECODE", "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
    | {"DYNAMIC_HDR_PLUS", "AMBIENT_VIEWING_ENVIRONMENT", "STEREO3D", "SPHERICAL", "ICC_PROFILE"}
)
"""Side data that is still true of the picture after dehazing."""

_SPOKEN_OF = {
    "A53_CC": ("closed captions", ("libx264", "libx265", "mpeg2video", "h264_nvenc", "hevc_nvenc", "h264_amf")),
    "S12M_TIMECODE": ("the frames' timecode", ("h264_nvenc", "hevc_nvenc")),
    "DYNAMIC_HDR_PLUS": ("HDR10+ metadata", ("libsvtav1",)),
    "DOVI_METADATA": ("Dolby Vision metadata", ()),
}
"""What a viewer would miss, and the encoders that write it."""

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


def _by_kind(native: object) -> dict[str, bytes]:
    """Returns a frame's side data by FFmpeg's name; kinds that PyAV has no name for (EXIF) are under `?`."""
    if not isinstance(native, VideoFrame):
        return {}
    try:
        # Not `native.side_data`: frame and container would hold each other, and megabytes wait for the collector.
        container = SideDataContainer(native)  # type: ignore[call-arg]
        return {data.type.name: bytes(data) for data in container}
    except ValueError:
        return {"?": b""}


def carries(native: VideoFrame) -> bool:
    """Whether a frame has side data that its dehazed picture should have too."""
    kinds = _by_kind(native).keys()
    return "?" in kinds or not _CARRIED.isdisjoint(kinds)


def lost_side_data(encoder: str, frame: Frame) -> list[str]:
    """Returns, in words, what a frame carries and an encoder does not write."""
    kinds = _by_kind(frame.native)
    return [words for kind, (words, writers) in _SPOKEN_OF.items() if kind in kinds and encoder not in writers]


def hdr_options(encoder: str, options: dict[str, str], frame: Frame) -> dict[str, str]:
    """Returns the encoder's options with the static HDR metadata (SMPTE ST 2086, CTA-861.3) of a frame added.

    As parameters, for PyAV can attach side data neither to a frame nor to a stream.
    """
    if encoder not in _NAMES:
        return options
    option, mastering, light, integers = _NAMES[encoder]
    kinds = _by_kind(frame.native)
    said = [options[option]] if option in options else []
    if len(kinds.get("MASTERING_DISPLAY_METADATA", b"")) >= _MASTERING.size:
        text = _mastering(kinds["MASTERING_DISPLAY_METADATA"], integers=integers)
        said += [f"{mastering}={text}"] if text else []
    if len(kinds.get("CONTENT_LIGHT_LEVEL", b"")) >= _LIGHT.size:
        said.append("{}={},{}".format(light, *_LIGHT.unpack(kinds["CONTENT_LIGHT_LEVEL"][: _LIGHT.size])))
    return {**options, option: ":".join(said)} if said else options


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
