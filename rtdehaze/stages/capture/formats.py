"""The pixel format of the frame path that loses least of any other."""

from __future__ import annotations

from av.video.format import VideoFormat

from rtdehaze.core.frame import PIXEL_FORMATS, PixelFormat

__all__ = ["is_rgb", "nearest_format", "says_alpha"]

_PROBE = 64
"""A size that every chroma subsampling divides."""


def is_rgb(name: str) -> bool:
    """Whether samples of the format are red, green and blue (or index, mosaic or XYZ of these), not luma and chroma."""
    described = VideoFormat(name)
    return described.is_rgb or described.has_palette or described.is_bayer or name.startswith("xyz")


def says_alpha(name: str) -> bool:
    """Whether the format has a channel of transparency."""
    return any(component.is_alpha for component in VideoFormat(name).components)


def nearest_format(name: str) -> PixelFormat:
    """Returns the format itself if the frame path has it, else the nearest that does.

    More than 8 bits become 10, chroma keeps its resolution or gets the next finer one, RGB becomes 4:4:4, alpha goes.
    """
    if name in PIXEL_FORMATS:
        return PIXEL_FORMATS[name]
    described = VideoFormat(name, _PROBE, _PROBE)
    colours = [component for component in described.components if not component.is_alpha]
    suffix = "10le" if max(component.bits for component in colours) > 8 else ""
    if is_rgb(name):
        return PIXEL_FORMATS["yuv444p" + suffix]
    if len(colours) == 1:
        return PIXEL_FORMATS["gray" + suffix]
    width, height = described.chroma_width(_PROBE), described.chroma_height(_PROBE)
    if width == _PROBE:
        family = "yuv444p"
    elif height > _PROBE // 2:
        family = "yuv422p"
    else:
        family = "yuv420p"
    return PIXEL_FORMATS[family + suffix]
