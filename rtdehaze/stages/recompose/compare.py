"""The input and the output in one picture, with a divider and labels, drawn on the planes of the output frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import rgb_to_levels
from rtdehaze.core.frame import Frame, Layout, PixelFormat, Samples
from rtdehaze.core.options import Compare

__all__ = ["Comparison"]

_LABELS = "input", "rtdehaze"
_FONT = cv2.FONT_HERSHEY_DUPLEX
_FONT_CAPITALS = 21.0
"""Height of the font's capitals at scale 1, in pixels."""
_LETTER_SHARE = 1 / 30
"""Height of a label's capitals in heights of the picture, or in widths of its half where that is less."""
_LEAST_LETTER = 7.0
"""Capitals lower than this, in pixels, cannot be read; labels are left out."""
_SUPERSAMPLING = 4
_DIVIDER_SHARE = 1 / 400
"""Width of the divider in heights of the picture."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """Something drawn onto a plane: levels become `levels * through + ink`."""

    plane: int
    rows: slice
    columns: slice
    through: NDArray[np.float32]
    ink: NDArray[np.float32]
    shift: int

    def press(self, plane: Samples) -> None:
        part = plane[self.rows, self.columns]
        levels = np.rint((part >> self.shift) * self.through + self.ink)
        np.copyto(part, levels.astype(plane.dtype) << self.shift)


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
        self._stamps: dict[tuple[object, ...], list[_Stamp]] = {}

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


def _make_stamps(frame: Frame, out: Frame, middle: int) -> list[_Stamp]:
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
        labels = [_label(text, letter) for text in _LABELS]
        gap = round(letter)
        room = half - 2 * gap - thickness
        if max(label[0].shape[1] for label in labels) <= room:
            for (label_cover, label_light), x in zip(labels, (gap, middle + thickness // 2 + gap), strict=True):
                rows, columns = label_cover.shape
                cover[gap : gap + rows, x : x + columns] = label_cover
                light[gap : gap + rows, x : x + columns] = label_light
    return _stamps_of(cover, light, frame)


def _label(text: str, letter: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """White letters with a dark outline.

    Args:
        text: What it says.
        letter: Height of the capitals in pixels.

    Returns:
        How far the label covers what is beneath, and how far it is white there, both (h, w) in [0, 1].
    """
    scale = letter * _SUPERSAMPLING / _FONT_CAPITALS
    stroke = max(1, round(scale * 1.6))
    (width, height), below = cv2.getTextSize(text, _FONT, scale, stroke)
    # The outline is the letters widened, not drawn with a thicker pen: OpenCV 5 draws with a font of fixed weight.
    border = max(2, round(letter * _SUPERSAMPLING / 7))
    columns, rows = (-(-(size + 4 * border) // _SUPERSAMPLING) for size in (width, height + below))
    letters = np.zeros((rows * _SUPERSAMPLING, columns * _SUPERSAMPLING), np.uint8)
    cv2.putText(letters, text, (2 * border, 2 * border + height), _FONT, scale, 255, stroke, cv2.LINE_AA)
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * border + 1, 2 * border + 1))
    layers = [
        cv2.resize(layer, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
        for layer in (cv2.dilate(letters, pen), letters)
    ]
    return layers[0], layers[1]


def _stamps_of(cover: NDArray[np.float32], light: NDArray[np.float32], frame: Frame) -> list[_Stamp]:
    """Cuts a drawing of black and white into stamps for every plane, each as small as its drawing."""
    pixels = frame.format
    matrix, offset = rgb_to_levels(frame.colour, pixels.bits)
    boxes = cv2.connectedComponentsWithStats((cover > 0).astype(np.uint8), connectivity=8)[2][1:, :4]
    stamps = []
    step_x, step_y = 1 << pixels.log2_chroma_w, 1 << pixels.log2_chroma_h
    for x, y, width, height in boxes.tolist():
        inside = slice(y, y + height), slice(x, x + width)
        ink = cover[inside] * offset[0] + light[inside] * matrix[0].sum()
        stamps.append(_stamp(0, y, x, cover[inside], ink, pixels.shift))
        if pixels.layout is Layout.GRAY:
            continue
        # Chroma is neutral as far as any of a sample's pixels is covered.
        left, top, right, bottom = x // step_x, y // step_y, -(-(x + width) // step_x), -(-(y + height) // step_y)
        area = cover[top * step_y : bottom * step_y, left * step_x : right * step_x]
        area = np.pad(area, ((0, -area.shape[0] % step_y), (0, -area.shape[1] % step_x)))
        part = area.reshape(bottom - top, step_y, right - left, step_x).max(axis=(1, 3))
        if pixels.layout is Layout.SEMIPLANAR:
            stamps.append(
                _stamp(1, top, 2 * left, part.repeat(2, axis=1), part.repeat(2, axis=1) * offset[1], pixels.shift)
            )
        else:
            stamps += [_stamp(number, top, left, part, part * offset[1], pixels.shift) for number in (1, 2)]
    return stamps


def _stamp(
    plane: int, top: int, left: int, cover: NDArray[np.float32], ink: NDArray[np.floating], shift: int
) -> _Stamp:
    rows, columns = slice(top, top + cover.shape[0]), slice(left, left + cover.shape[1])
    return _Stamp(plane, rows, columns, 1.0 - cover, ink.astype(np.float32), shift)
