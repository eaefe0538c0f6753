"""Frames and maps at the size that they are shown at, upright; and drawings as frames again."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.frames import rgb_of
from rtdehaze.core.colour import Colour, ColourTags, Matrix, rgb_to_levels
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, PixelFormat, Plane
from rtdehaze.core.haze import Map
from rtdehaze.core.stream import VideoInfo
from rtdehaze.stages.estimate.thumbnail import thumbnail_of

__all__ = [
    "SHEET_COLOUR",
    "enlarged",
    "frame_of_rgb",
    "picture_of",
    "sheet_video",
    "turns_of",
    "upright_size",
    "write_rgb",
]

Bytes = NDArray[np.uint8]

SHEET_COLOUR = Colour(Matrix.BT709, full_range=False, tags=ColourTags(range=1, space=1, primaries=1, transfer=1))
"""Of what is drawn: what players expect of video of any size that is tagged so."""

_PICTURE_COLOUR = Colour(Matrix.BT601, full_range=True)
"""What capture turns pictures into."""


def upright_size(video: VideoInfo) -> tuple[int, int]:
    """The (width, height) of a video as it is seen: turned as its display matrix says, its pixels square."""
    ratio = float(video.sample_aspect_ratio or 1)
    width, height = video.width * max(ratio, 1.0), video.height / min(ratio, 1.0)
    size = max(1, round(width)), max(1, round(height))
    return size[::-1] if turns_of(video) % 2 else size


def turns_of(video: VideoInfo) -> int:
    """Quarter turns, counter-clockwise, that make the picture upright."""
    return round(video.rotation / 90) % 4


def picture_of(frame: Frame, width: int, height: int, turns: int = 0) -> Bytes:
    """A frame as an upright RGB picture (height, width, 3): averaged where it shrinks, interpolated where it grows."""
    size = (height, width) if turns % 2 else (width, height)
    if size[0] <= frame.width and size[1] <= frame.height and size != (frame.width, frame.height):
        small = thumbnail_of(frame, *size)
        rgb = np.rint(small.transpose(1, 2, 0) * 255).astype(np.uint8)
    else:
        rgb = rgb_of(frame)
        if size != (frame.width, frame.height):
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    return np.ascontiguousarray(np.rot90(rgb, turns))


def enlarged(values: Map, width: int, height: int) -> Map:
    """A map (h, w), or a mask, at another size."""
    smooth = np.ascontiguousarray(values, np.float32)
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def frame_of_rgb(rgb: Bytes) -> Frame:
    """An RGB picture (H, W, 3) as the frame that capture makes of a picture file: 4:4:4, full range."""
    height, width = rgb.shape[:2]
    pixels = PIXEL_FORMATS["yuv444p"]
    planes = tuple(Plane(np.empty((height, width), np.uint8), width) for _ in range(3))
    frame = Frame(planes, pixels, width, height, _PICTURE_COLOUR, 0, Fraction(1, 25))
    write_rgb(rgb, frame)
    return frame


def write_rgb(rgb: Bytes, out: Frame) -> None:
    """Writes an RGB picture into the planes of a planar frame of 8 bits and the same size."""
    matrix, offset = rgb_to_levels(out.colour, 8)
    levels = cv2.transform(rgb, np.hstack([matrix / 255.0, offset[:, None]]).astype(np.float32))
    out.planes[0].samples[:] = levels[..., 0]
    for number in (1, 2):
        chroma = out.planes[number].samples
        chroma[:] = cv2.resize(levels[..., number], chroma.shape[::-1], interpolation=cv2.INTER_AREA)


def sheet_video(video: VideoInfo, width: int, height: int, pixels: PixelFormat) -> VideoInfo:
    """The stream that drawings of that size make of a video."""
    return replace(
        video, width=width, height=height, format=pixels, colour=SHEET_COLOUR, native_format=pixels.name, rotation=0,
        sample_aspect_ratio=None, interlaced=False, native=None, bit_rate=None,
    )  # fmt: skip
