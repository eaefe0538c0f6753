"""Pictures of another size fitted into the stream's, their proportions kept."""

from __future__ import annotations

from av.video.frame import VideoFrame

from rtdehaze.core.frame import Layout, PixelFormat
from rtdehaze.stages.capture.planes import plane_views

__all__ = ["fitted_size", "letterboxed"]

_TOLERANCE = 0.02
"""Proportions that differ by less are taken for the same: renditions of one video round their sizes to even ones."""


def fitted_size(width: int, height: int, into_width: int, into_height: int) -> tuple[int, int]:
    """Returns the largest size with the proportions of `width` x `height` inside the other, at least 1x1."""
    scale_x, scale_y = into_width / width, into_height / height
    if abs(scale_x - scale_y) <= _TOLERANCE * max(scale_x, scale_y):
        return into_width, into_height
    scale = min(scale_x, scale_y)
    return (
        max(1, min(into_width, round(width * scale))),
        max(1, min(into_height, round(height * scale))),
    )


def letterboxed(
    picture: VideoFrame, width: int, height: int, pixel_format: PixelFormat, *, full_range: bool
) -> VideoFrame:
    """Returns the picture amid black bars, on whole chroma samples."""
    whole = VideoFrame(width, height, pixel_format.name)
    inner = plane_views(picture, pixel_format)
    left = ((width - picture.width) // 2 >> pixel_format.log2_chroma_w) << pixel_format.log2_chroma_w
    top = ((height - picture.height) // 2 >> pixel_format.log2_chroma_h) << pixel_format.log2_chroma_h
    unit = 1 << (pixel_format.bits - 8 + pixel_format.shift)
    for index, plane in enumerate(plane_views(whole, pixel_format)):
        plane.data[:] = 128 * unit if index else (0 if full_range else 16 * unit)
        x, y = left, top
        if index:
            x, y = x >> pixel_format.log2_chroma_w, y >> pixel_format.log2_chroma_h
        if index and pixel_format.layout is Layout.SEMIPLANAR:
            x *= 2
        samples = inner[index].samples
        plane.samples[y : y + samples.shape[0], x : x + samples.shape[1]] = samples
    whole.color_range, whole.colorspace = picture.color_range, picture.colorspace
    return whole
