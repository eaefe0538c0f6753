"""Views of a decoded frame's planes, without a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtdehaze.core.frame import Layout, PixelFormat, Plane

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = ["plane_views"]


def plane_views(frame: VideoFrame, pixel_format: PixelFormat) -> tuple[Plane, ...]:
    """Returns the planes of a frame in system memory.

    The views share the decoder's memory and keep it alive; lines are as wide as the codec made them. A frame whose
    lines run upwards (a negative line size) is the exception: its lines are put in order, in a copy.
    """
    chroma_width, _ = pixel_format.chroma_size(frame.width, frame.height)
    if pixel_format.layout is Layout.SEMIPLANAR:
        chroma_width *= 2
    views = []
    for index, plane in enumerate(frame.planes):
        samples = np.frombuffer(plane, pixel_format.dtype).reshape(plane.height, -1)  # type: ignore[call-overload]
        if plane.line_size < 0:
            samples = np.ascontiguousarray(samples[::-1])
        views.append(Plane(samples, frame.width if index == 0 else chroma_width))
    return tuple(views)
