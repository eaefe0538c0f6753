"""A video frame as every stage sees it: planes of samples, a timestamp, and how to read its colour."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import Colour

__all__ = ["PIXEL_FORMATS", "Frame", "Layout", "PixelFormat", "Plane", "Samples"]

Samples = NDArray[np.uint8] | NDArray[np.uint16]


class Layout(StrEnum):
    """How the samples of a pixel format lie in its planes."""

    PLANAR = "planar"
    """Three planes: Y, U, V."""
    SEMIPLANAR = "semiplanar"
    """Two planes: Y, and U and V interleaved (nv12, p010)."""
    GRAY = "gray"
    """One plane: Y."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """A pixel format that the frame path handles without conversion."""

    name: str
    """FFmpeg's name."""
    layout: Layout
    bits: int
    """Significant bits of a sample: 8 or 10."""
    shift: int
    """How far a stored sample is shifted left: 6 for p010, 0 otherwise."""
    log2_chroma_w: int
    """Chroma is `ceil(width / 2**log2_chroma_w)` samples wide."""
    log2_chroma_h: int
    """Chroma is `ceil(height / 2**log2_chroma_h)` samples high."""
    full_range: bool = False
    """True where the name itself says full range (yuvj420p and its kin)."""

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        """The type of a stored sample."""
        return np.dtype(np.uint8) if self.bits == 8 else np.dtype(np.uint16)

    def chroma_size(self, width: int, height: int) -> tuple[int, int]:
        """Returns the (width, height) of a chroma plane for a picture of that size."""
        return -(-width >> self.log2_chroma_w), -(-height >> self.log2_chroma_h)


PIXEL_FORMATS: dict[str, PixelFormat] = {
    pixel_format.name: pixel_format
    for pixel_format in (
        PixelFormat("yuv420p", Layout.PLANAR, 8, 0, 1, 1),
        PixelFormat("yuvj420p", Layout.PLANAR, 8, 0, 1, 1, full_range=True),
        PixelFormat("yuv422p", Layout.PLANAR, 8, 0, 1, 0),
        PixelFormat("yuvj422p", Layout.PLANAR, 8, 0, 1, 0, full_range=True),
        PixelFormat("yuv444p", Layout.PLANAR, 8, 0, 0, 0),
        PixelFormat("yuvj444p", Layout.PLANAR, 8, 0, 0, 0, full_range=True),
        PixelFormat("nv12", Layout.SEMIPLANAR, 8, 0, 1, 1),
        PixelFormat("gray", Layout.GRAY, 8, 0, 0, 0),
        PixelFormat("yuv420p10le", Layout.PLANAR, 10, 0, 1, 1),
        PixelFormat("yuv422p10le", Layout.PLANAR, 10, 0, 1, 0),
        PixelFormat("yuv444p10le", Layout.PLANAR, 10, 0, 0, 0),
        PixelFormat("p010le", Layout.SEMIPLANAR, 10, 6, 1, 1),
        PixelFormat("gray10le", Layout.GRAY, 10, 0, 0, 0),
    )
}
"""The formats of the frame path by name; capture converts everything else to the nearest of these."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One plane of samples, a view of the codec's own memory."""

    data: Samples
    """(rows, stride) C-contiguous: whole lines, the codec's padding included, so that a compiled loop sees
    contiguous memory."""
    width: int
    """Samples of a line that are picture; in an interleaved chroma plane both components count."""

    @property
    def samples(self) -> Samples:
        """The picture's part of the lines, (rows, width), a view."""
        return self.data[:, : self.width]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a stream.

    The planes may be shared with a decoder that still refers to them: read them, never write them, unless
    the frame came from `Sink.allocate`.
    """

    planes: tuple[Plane, ...]
    format: PixelFormat
    width: int
    height: int
    colour: Colour
    pts: int
    """Presentation timestamp in units of `time_base`."""
    time_base: Fraction
    """Seconds per unit of `pts`."""
    native: object | None = field(default=None, repr=False, compare=False)
    """The codec library's frame: owns the planes' memory and carries the side data. Opaque to all stages but
    capture and encode."""
    arrival: float | None = field(default=None, compare=False)
    """When its last packet arrived, by `time.monotonic()`; None where it comes from a file."""

    @property
    def time(self) -> float:
        """The presentation time in seconds."""
        return float(self.pts * self.time_base)
