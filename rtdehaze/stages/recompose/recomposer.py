"""Recomposition of whole frames: strips of rows over threads, scratch memory kept between frames."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.frame import Frame, Layout, PixelFormat
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.fields import axis, field_maps, levels
from rtdehaze.stages.recompose.kernels import CHROMA_FIELDS, LUMA_FIELDS, MARGIN, Axis, Picture, recompose_rows

__all__ = ["Recomposer"]

_STRIPS_PER_THREAD = 4
"""Strips are handed out as threads come free, so that one slowed thread does not hold up the frame."""
_LEAST_ROWS = 16
"""Below this many block rows a strip costs more in the handing out than it saves."""

_Scratch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


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
        self._scratch_size = (0, 0)

    def apply(self, frame: Frame, removal: Removal | None, out: Frame) -> None:
        """Writes the recomposed picture of `frame` into the planes of `out`.

        Args:
            frame: What the camera saw.
            removal: What is to be done about its haze, at any size up to the frame's; None copies the picture.
            out: A frame of the same size and chroma subsampling; its sample depth and layout may differ.

        Raises:
            ValueError: The frames do not agree in size or chroma subsampling.
        """
        _check(frame, out)
        if removal is None:
            if frame.format == out.format:
                for plane, written in zip(frame.planes, out.planes, strict=True):
                    np.copyto(written.samples, plane.samples)
                return
            removal = _nothing()
        pixels = frame.format
        across, down = _axes(frame.width, frame.height, pixels, removal.luma.shape)
        luma, chroma = field_maps(removal, frame.colour, pixels.bits)
        to = levels(pixels, out.format, frame.colour, removal.guide is not None)
        block = (1 << pixels.log2_chroma_w, 1 << pixels.log2_chroma_h)
        strips = self._strips(-(-frame.height // block[1]))
        self._reserve(len(strips), frame.width, across[1].before.size)
        source, target = _picture(frame), _picture(out)

        def strip(number: int) -> None:
            rows, scratch = strips[number], self._scratch[number]
            recompose_rows(source, target, luma, chroma, across, down, block, rows, scratch, to)

        if self._pool is None or len(strips) == 1:
            for number in range(len(strips)):
                strip(number)
        else:
            list(self._pool.map(strip, range(len(strips))))

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

    def _strips(self, block_rows: int) -> list[tuple[int, int]]:
        wanted = 1 if self._pool is None else self._threads * _STRIPS_PER_THREAD
        count = max(1, min(wanted, block_rows // _LEAST_ROWS))
        bounds = [block_rows * number // count for number in range(count + 1)]
        return list(pairwise(bounds))

    def _reserve(self, count: int, width: int, chroma_width: int) -> None:
        if self._scratch_size != (width, chroma_width):
            self._scratch.clear()
            self._scratch_size = (width, chroma_width)
        while len(self._scratch) < count:
            self._scratch.append(
                (
                    np.zeros((3, LUMA_FIELDS, width + MARGIN), np.float32),
                    np.zeros((3, CHROMA_FIELDS, chroma_width + MARGIN), np.float32),
                    np.zeros((2, width + MARGIN), np.float32),
                    np.zeros((3, chroma_width + MARGIN), np.float32),
                )
            )


@lru_cache(maxsize=1)
def _nothing() -> Removal:
    """Maps that leave the picture as it is."""
    return Removal(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), np.zeros((3, 1, 1), np.float32))


def _check(frame: Frame, out: Frame) -> None:
    def subsampling(pixels: PixelFormat) -> tuple[bool, int, int]:
        return pixels.layout is Layout.GRAY, pixels.log2_chroma_w, pixels.log2_chroma_h

    if (frame.width, frame.height) != (out.width, out.height):
        message = f"the output frame is {out.width}x{out.height}, the input frame {frame.width}x{frame.height}"
        raise ValueError(message)
    if subsampling(frame.format) != subsampling(out.format):
        raise ValueError(f"{frame.format.name} cannot be recomposed into {out.format.name}")


def _axes(
    width: int, height: int, pixels: PixelFormat, map_shape: tuple[int, ...]
) -> tuple[tuple[Axis, Axis], tuple[Axis, Axis]]:
    """The horizontal and the vertical axes, each of luma and of chroma."""
    chroma = (0, 0) if pixels.layout is Layout.GRAY else pixels.chroma_size(width, height)
    across = axis(width, width, 1, map_shape[1]), axis(width, chroma[0], 1 << pixels.log2_chroma_w, map_shape[1])
    down = axis(height, height, 1, map_shape[0]), axis(height, chroma[1], 1 << pixels.log2_chroma_h, map_shape[0])
    return across, down


def _picture(frame: Frame) -> Picture:
    planes = [plane.data for plane in frame.planes]
    if frame.format.layout is Layout.PLANAR:
        return Picture(planes[0], planes[1], planes[2], interleaved=False)
    if frame.format.layout is Layout.SEMIPLANAR:
        return Picture(planes[0], planes[1], planes[1], interleaved=True)
    none = planes[0][:0]
    return Picture(planes[0], none, none, interleaved=False)
