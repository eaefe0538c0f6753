"""How sample levels are to be read, from the tags that a stream carries or, without tags, from its size and kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtdehaze.core.colour import Colour, ColourTags, Matrix
from rtdehaze.core.errors import UnsupportedVideoError

if TYPE_CHECKING:
    from av import VideoFrame

    from rtdehaze.stages.capture.options import CaptureOptions

__all__ = ["HLG", "PQ", "frame_tags", "refuse_hdr", "resolve", "rgb_target"]

PQ = 16
"""Transfer characteristics of SMPTE ST 2084 (ITU-T H.273)."""
HLG = 18
"""Transfer characteristics of ARIB STD-B67 (ITU-T H.273)."""

_FULL = 2
_UNSPECIFIED = 2

_MATRICES = {
    1: Matrix.BT709,
    4: Matrix.BT601,  # FCC: within half a percent of BT.601.
    5: Matrix.BT601,
    6: Matrix.BT601,
    7: Matrix.BT709,  # SMPTE 240M: the weights of BT.709 to the second digit.
    9: Matrix.BT2020,
    10: Matrix.BT2020,
}
_SPACES = {Matrix.BT601: 6, Matrix.BT709: 1, Matrix.BT2020: 9}

_LIMITED_GRAY_CODECS = frozenset({"h264", "hevc", "av1", "vvc"})
"""Codecs whose specification reads untagged monochrome as limited range; elsewhere gray is full range."""


def frame_tags(frame: VideoFrame) -> ColourTags:
    """Returns the tags of a decoded frame as they are in the file."""
    return ColourTags(frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)


def resolve(tags: ColourTags, pixel_format: str, codec: str, width: int, height: int) -> Colour:
    """Returns how to read samples of a YUV or gray format.

    Untagged pictures are BT.709 from HD on (width >= 1280 or height > 576) and BT.601 below, limited range, except
    for JPEG (full range BT.601, JFIF) and gray (full range).
    """
    matrix = _MATRICES.get(tags.space)
    if matrix is None:
        hd = (width >= 1280 or height > 576) and not pixel_format.startswith("yuvj")
        matrix = Matrix.BT709 if hd else Matrix.BT601
    full = tags.range == _FULL or pixel_format.startswith("yuvj")
    if tags.range == 0 and pixel_format.startswith(("gray", "ya", "mono")):
        full = codec not in _LIMITED_GRAY_CODECS
    return Colour(matrix, full, tags)


def refuse_hdr(location: str, transfer: int, options: CaptureOptions) -> None:
    """Lets only pictures pass that can be dehazed, or all if the caller said so.

    Raises:
        UnsupportedVideoError: PQ or HLG.
    """
    if transfer in {PQ, HLG} and not options.hdr_passthrough:
        name = "PQ" if transfer == PQ else "HLG"
        raise UnsupportedVideoError(
            f"{location!r} is {name} (HDR) video, which cannot be dehazed faithfully yet; "
            "--hdr passthrough copies its pictures without dehazing"
        )


def rgb_target(tags: ColourTags, *, picture: bool) -> Colour:
    """Returns the YUV that RGB is turned into: full range, BT.601 for pictures (as in JPEG), BT.709 for video."""
    matrix = Matrix.BT601 if picture else Matrix.BT709
    return Colour(matrix, True, ColourTags(_FULL, _SPACES[matrix], tags.primaries, tags.transfer))
