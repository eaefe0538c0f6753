"""Recomposition of whole frames: strips of rows over threads, scratch memory kept between frames."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import Matrix
from rtdehaze.core.frame import Frame, Layout, PixelFormat
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.fields import axis, field_maps, levels, rgb_field_maps
from rtdehaze.stages.recompose.kernels import recompose_rows
from rtdehaze.stages.recompose.levels import CHROMA_FIELDS, LUMA_FIELDS, Picture
from rtdehaze.stages.recompose.rgb import RGB_FIELDS, recompose_rgb_rows
from rtdehaze.stages.recompose.rows import Axis, Ramp, Rows, dither_ramp
from rtdehaze.stages.recompose.vectors import MARGIN

__all__ = ["Recomposer"]

_STRIPS_PER_THREAD = 4
"""Strips are handed out as threads come free, so that one slowed thread does not hold up the frame."""
_LEAST_ROWS = 16
"""Below this many block rows a strip costs more in the handing out than it saves."""

_LINE = 16
"""Numbers of 32 bits in a cache line."""

_Scratch = tuple[Rows, Rows, Rows, Rows, Rows, Ramp]


class Recomposer:
    """Takes the haze out of frames, straight from the planes of one frame into those of another.

    Used by one thread at a time. The loops are compiled at the first frame (some seconds, once per machine where
    the result can be cached).

    Args:
        threads: How many threads share a frame; 1 works in the caller's.
    """

    def __init__(self, threads: int = 1) -> None:
        self._threads = max(1, threads)
        self._pool = ThreadPoolExecutor(self._threads, "recompose") if threads > 1 else None
        self._scratch: list[_Scratch] = []
        self._scratch_size = (0, 0, 0)
        none = np.zeros((0, 0, 0), np.float32)
        self._maps = none, none
        self._rgb_size = (0, 0)
        self._rgb_scratch: list[tuple[Rows, Rows, Rows, Ramp]] = []

    def apply(self, frame: Frame, removal: Removal | None, out: Frame, *, left: int = 0) -> None:
        """Writes the recomposed picture of `frame` into the planes of `out`.

        Args:
            frame: What the camera saw.
            removal: What is to be done about its haze, at any size up to the frame's; None copies the picture.
            out: A frame with the same chroma subsampling; its sample depth and layout may differ.
            left: Column of `out` at which the picture begins, a multiple of the chroma step.

        Raises:
            ValueError: The output frame has another height or chroma subsampling, or is not wide enough.
        """
        _check(frame, out, left)
        if removal is None:
            if frame.format == out.format:
                _copy(frame, out, left)
                return
            removal = _nothing()
        pixels = frame.format
        across, down = _axes(frame.width, frame.height, pixels, removal.luma.shape)
        to = levels(pixels, out.format, frame.colour, removal.guide is not None)
        shape = removal.luma.shape
        if self._maps[0].shape[1:] != shape:
            self._maps = np.zeros((LUMA_FIELDS, *shape), np.float32), np.zeros((CHROMA_FIELDS, *shape), np.float32)
        luma, chroma = self._maps
        edges = field_maps(removal, frame.colour, pixels, to, frame.width * frame.height, self._maps)
        block = (1 << pixels.log2_chroma_w, 1 << pixels.log2_chroma_h)
        strips = self._strips(-(-frame.height // block[1]))
        self._reserve(len(strips), frame.width, frame.height, across[1].before.size)
        source, target = _picture(frame, 0), _picture(out, left)

        def strip(number: int) -> None:
            rows, scratch = strips[number], self._scratch[number]
            recompose_rows(source, target, luma, chroma, across, down, block, rows, scratch, edges, to)

        self._share(strip, len(strips))

    def apply_rgb(
        self,
        picture: NDArray[np.uint8],
        removal: Removal | None,
        *,
        order: Literal["rgb", "bgr"] = "rgb",
        matrix: Matrix = Matrix.BT709,
    ) -> NDArray[np.uint8]:
        """Recomposes a picture of interleaved RGB, by the same mathematics.

        Args:
            picture: (H, W, 3), uint8, full range; left as it is.
            removal: What is to be done about its haze; None copies the picture.
            order: Order of the channels, in and out.
            matrix: Whose luma it is that is held when colours are clipped.

        Returns:
            A new picture of the same shape.
        """
        if removal is None:
            return picture.copy()
        picture = np.ascontiguousarray(picture)
        height, width = picture.shape[:2]
        map_height, map_width = removal.luma.shape
        across, down = axis(width, width, 1, map_width), axis(height, height, 1, map_height)
        fields, to = rgb_field_maps(removal, order, matrix, width * height)
        strips = self._strips(height)
        if len(self._rgb_scratch) != len(strips) or self._rgb_size != (width, height):
            self._rgb_size = width, height
            dither = dither_ramp(width, height)
            self._rgb_scratch = [(_rows(4, RGB_FIELDS, width + MARGIN), _rows(3, width), *dither) for _ in strips]
        out = np.empty_like(picture)

        def strip(number: int) -> None:
            recompose_rgb_rows(picture, out, fields, across, down, strips[number], *self._rgb_scratch[number], to)

        self._share(strip, len(strips))
        return out

    def close(self) -> None:
        """Ends the threads; safe to call twice."""
        if self._pool is not None:
            self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _share(self, work: Callable[[int], None], count: int) -> None:
        """Does numbered pieces of work, in the caller's thread or over the pool's."""
        if self._pool is None or count == 1:
            for number in range(count):
                work(number)
        else:
            for _ in self._pool.map(work, range(count)):
                pass

    def _strips(self, block_rows: int) -> list[tuple[int, int]]:
        wanted = 1 if self._pool is None else self._threads * _STRIPS_PER_THREAD
        count = max(1, min(wanted, block_rows // _LEAST_ROWS))
        bounds = [block_rows * number // count for number in range(count + 1)]
        return list(pairwise(bounds))

    def _reserve(self, count: int, width: int, height: int, chroma_width: int) -> None:
        if self._scratch_size != (width, height, chroma_width):
            self._scratch.clear()
            self._scratch_size = (width, height, chroma_width)
        while len(self._scratch) < count:
            self._scratch.append(
                (
                    _rows(3, LUMA_FIELDS, width + MARGIN),
                    _rows(3, CHROMA_FIELDS, chroma_width + MARGIN),
                    _rows(4, width),
                    _rows(7, chroma_width),
                    *dither_ramp(width, height),
                )
            )


def _rows(*shape: int) -> Rows:
    """Zeros whose rows begin at the beginning of a cache line: vectors that straddle two take twice as long."""
    row = -(-shape[-1] // _LINE) * _LINE
    count = math.prod(shape[:-1])
    room = np.zeros(count * row + _LINE, np.float32)
    start = -room.ctypes.data % (4 * _LINE) // 4
    return room[start : start + count * row].reshape(*shape[:-1], row)


@lru_cache(maxsize=1)
def _nothing() -> Removal:
    """Maps that leave the picture as it is."""
    return Removal(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), np.zeros((3, 1, 1), np.float32))


def _check(frame: Frame, out: Frame, left: int) -> None:
    def subsampling(pixels: PixelFormat) -> tuple[bool, int, int]:
        return pixels.layout is Layout.GRAY, pixels.log2_chroma_w, pixels.log2_chroma_h

    if frame.height != out.height or left < 0 or left + frame.width > out.width:
        picture = f"a picture of {frame.width}x{frame.height} at column {left}"
        raise ValueError(f"{picture} does not fit a frame of {out.width}x{out.height}")
    if left % (1 << frame.format.log2_chroma_w):
        raise ValueError(f"column {left} lies within a chroma sample of {frame.format.name}")
    if subsampling(frame.format) != subsampling(out.format):
        raise ValueError(f"{frame.format.name} cannot be recomposed into {out.format.name}")


def _copy(frame: Frame, out: Frame, left: int) -> None:
    pixels = frame.format
    for number, (plane, written) in enumerate(zip(frame.planes, out.planes, strict=True)):
        start = left >> pixels.log2_chroma_w if number > 0 and pixels.layout is Layout.PLANAR else left
        written.samples[:, start : start + plane.width] = plane.samples


def _axes(
    width: int, height: int, pixels: PixelFormat, map_shape: tuple[int, ...]
) -> tuple[tuple[Axis, Axis], tuple[Axis, Axis]]:
    """The horizontal and the vertical axes, each of luma and of chroma."""
    chroma = (0, 0) if pixels.layout is Layout.GRAY else pixels.chroma_size(width, height)
    across = axis(width, width, 1, map_shape[1]), axis(width, chroma[0], 1 << pixels.log2_chroma_w, map_shape[1])
    down = axis(height, height, 1, map_shape[0]), axis(height, chroma[1], 1 << pixels.log2_chroma_h, map_shape[0])
    return across, down


def _picture(frame: Frame, left: int) -> Picture:
    planes = [plane.data for plane in frame.planes]
    chroma_left = left >> frame.format.log2_chroma_w
    if frame.format.layout is Layout.PLANAR:
        return Picture(planes[0], planes[1], planes[2], False, left, chroma_left)
    if frame.format.layout is Layout.SEMIPLANAR:
        return Picture(planes[0], planes[1], planes[1], True, left, chroma_left)
    none = planes[0][:0]
    return Picture(planes[0], none, none, False, left, chroma_left)
