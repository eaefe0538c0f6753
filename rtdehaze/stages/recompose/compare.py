"""The input and the output in one picture, with a divider and labels, drawn on the planes of the output frame."""

from __future__ import annotations

import numpy as np

from rtdehaze.core.frame import Frame, Layout, PixelFormat, Samples
from rtdehaze.core.options import Compare
from rtdehaze.stages.recompose.stamps import Stamp, label_of, stamps_of

__all__ = ["Comparison"]

_LABELS = "input", "rtdehaze"
_LETTER_SHARE = 1 / 30
"""Height of a label's capitals in heights of the picture, or in widths of its half where that is less."""
_LEAST_LETTER = 7.0
"""Capitals lower than this, in pixels, cannot be read; labels are left out."""
_DIVIDER_SHARE = 1 / 400
"""Width of the divider in heights of the picture."""


class Comparison:
    """Draws what went in beside what came out.

    `split` shows the left half of the input and the right half of the output, so the picture keeps its size;
    `side` shows both in full, in a picture twice as wide. The recomposed picture is written into the output frame
    at column `left` first, then `draw` adds the rest.

    Args:
        kind: `split` or `side`.
    """

    def __init__(self, kind: Compare | str) -> None:
        self._kind = Compare(kind)
        self._stamps: dict[tuple[object, ...], list[Stamp]] = {}

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The (width, height) of the output frame for a picture of that size."""
        return (2 * _even(width), height) if self._kind is Compare.SIDE else (width, height)

    def left(self, width: int) -> int:
        """The column of the output frame at which the recomposed picture of that width begins: even, or 0."""
        return _even(width) if self._kind is Compare.SIDE else 0

    def draw(self, frame: Frame, out: Frame) -> None:
        """Adds the input, the divider and the labels to a frame that holds the recomposed picture.

        Args:
            frame: The input.
            out: A frame of `size(...)` and of the input's pixel format.
        """
        width = frame.width if self._kind is Compare.SIDE else frame.width // 2 // 2 * 2
        for number, (plane, written) in enumerate(zip(frame.planes, out.planes, strict=True)):
            columns = _columns(frame.format, number, width)
            written.samples[:, :columns] = plane.samples[:, :columns]
            if self._kind is Compare.SIDE:
                self._pad(frame.format, number, written.samples, columns)
        key = (frame.format.name, out.width, out.height, frame.colour)
        stamps = self._stamps.get(key)
        if stamps is None:
            stamps = self._stamps[key] = _make_stamps(frame, out, _even(width))
        for stamp in stamps:
            stamp.press(out.planes[stamp.plane].samples)

    def _pad(self, pixels: PixelFormat, number: int, samples: Samples, columns: int) -> None:
        """Repeats the last column of both pictures where an odd width was made even."""
        step = 2 if number > 0 and pixels.layout is Layout.SEMIPLANAR else 1
        half = samples.shape[1] // 2
        for start in (0, half):
            for column in range(start + columns, start + half):
                samples[:, column] = samples[:, column - step]


def _even(number: int) -> int:
    return number + number % 2


def _columns(pixels: PixelFormat, number: int, width: int) -> int:
    """Samples of a plane's line that stand for `width` pixels from the left."""
    if number == 0:
        return width
    columns = -(-width >> pixels.log2_chroma_w)
    return 2 * columns if pixels.layout is Layout.SEMIPLANAR else columns


def _make_stamps(frame: Frame, out: Frame, middle: int) -> list[Stamp]:
    """The divider about column `middle`, and a label in the upper corner of either side."""
    width, height = out.width, out.height
    cover = np.zeros((height, width), np.float32)
    light = np.zeros((height, width), np.float32)
    thickness = min(max(2, round(height * _DIVIDER_SHARE / 2) * 2), width)
    if width >= 4:
        line = slice(max(middle - thickness // 2, 0), middle + thickness // 2)
        cover[:, line] = light[:, line] = 1.0
    half = min(middle, width - middle)
    letter = min(height, 2 * half) * _LETTER_SHARE
    if letter >= _LEAST_LETTER:
        labels = [label_of(text, letter) for text in _LABELS]
        gap = round(letter)
        room = half - 2 * gap - thickness
        if max(label[0].shape[1] for label in labels) <= room:
            for (label_cover, label_light), x in zip(labels, (gap, middle + thickness // 2 + gap), strict=True):
                rows, columns = label_cover.shape
                cover[gap : gap + rows, x : x + columns] = label_cover
                light[gap : gap + rows, x : x + columns] = label_light
    return stamps_of(cover, light, frame.format, frame.colour)
