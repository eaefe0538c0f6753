"""Planes of samples at the ends of a graph: to floats of one level, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from graphs import Graph

from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import PIXEL_FORMATS, Layout, PixelFormat

__all__ = ["Shot"]


@dataclass(frozen=True)
class Shot:
    """The format and size of the frames that a graph is built for.

    Raises:
        UsageError: Chroma is not 4:2:0, or a side is odd.
    """

    pixels: PixelFormat
    width: int
    height: int

    def __post_init__(self) -> None:
        """Checks."""
        pixels = self.pixels
        if pixels.layout is Layout.GRAY or (pixels.log2_chroma_w, pixels.log2_chroma_h) != (1, 1):
            raise UsageError(f"graphs are built for 4:2:0, not {pixels.name}; convert to yuv420p or nv12 first")
        if self.width % 2 or self.height % 2:
            raise UsageError(f"graphs are built for even sizes, not {self.width}x{self.height}")

    @classmethod
    def of(cls, name: str, width: int, height: int) -> Shot:
        """Takes FFmpeg's name of the format.

        Raises:
            UsageError: There is no format of that name, or no graph is built for such frames.
        """
        if name not in PIXEL_FORMATS:
            raise UsageError(f"format {name!r} is unknown; take yuv420p, yuv420p10le, nv12 or another of 4:2:0")
        return cls(PIXEL_FORMATS[name], width, height)

    @property
    def planes(self) -> dict[str, tuple[int, int]]:
        """Rows and samples of each plane, by the name of the graph's input."""
        height, width = self.height, self.width
        if self.pixels.layout is Layout.SEMIPLANAR:
            return {"y": (height, width), "uv": (height // 2, width)}
        return {"y": (height, width), "u": (height // 2, width // 2), "v": (height // 2, width // 2)}

    @property
    def bytes(self) -> int:
        """Of a frame, without padding."""
        return self.pixels.dtype.itemsize * sum(rows * samples for rows, samples in self.planes.values())

    def read(self, graph: Graph) -> tuple[str, str]:
        """Adds nodes that read the planes: luma (1, 1, H, W) and chroma (1, 2, H/2, W/2), float32, in levels."""
        height, width = self.height, self.width
        floats = {name: graph.cast(name, np.float32) for name in self.planes}
        luma = graph.op("Reshape", floats["y"], graph.whole(1, 1, height, width))
        half = (height // 2, width // 2)
        if self.pixels.layout is Layout.SEMIPLANAR:
            pairs = graph.op("Reshape", floats["uv"], graph.whole(1, *half, 2))
            chroma = graph.op("Transpose", pairs, perm=[0, 3, 1, 2])
        else:
            both = [graph.op("Reshape", floats[name], graph.whole(1, 1, *half)) for name in ("u", "v")]
            chroma = graph.op("Concat", *both, axis=1)
        if self.pixels.shift:
            unit = 1.0 / (1 << self.pixels.shift)
            luma, chroma = graph.op("Mul", luma, unit), graph.op("Mul", chroma, unit)
        return luma, chroma

    def write(self, graph: Graph, luma: str, chroma: str) -> dict[str, str]:
        """Adds nodes that store levels, whole numbers in floats, as planes; by the name of the plane."""
        height, width = self.height, self.width
        if self.pixels.shift:
            unit = float(1 << self.pixels.shift)
            luma, chroma = graph.op("Mul", luma, unit), graph.op("Mul", chroma, unit)
        luma, chroma = graph.cast(luma, self.pixels.dtype), graph.cast(chroma, self.pixels.dtype)
        stored = {"y": graph.op("Reshape", luma, graph.whole(height, width))}
        if self.pixels.layout is Layout.SEMIPLANAR:
            pairs = graph.op("Transpose", chroma, perm=[0, 2, 3, 1])
            return stored | {"uv": graph.op("Reshape", pairs, graph.whole(height // 2, width))}
        both = graph.split("Split", 2, chroma, graph.whole(1, 1), axis=1)
        half = graph.whole(height // 2, width // 2)
        return stored | {name: graph.op("Reshape", one, half) for name, one in zip("uv", both, strict=True)}
