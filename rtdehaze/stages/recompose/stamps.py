"""Letters drawn onto the planes of a frame, whatever its pixel format."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import Colour, rgb_to_levels
from rtdehaze.core.frame import Layout, PixelFormat, Samples

__all__ = ["Stamp", "label_of", "stamps_of"]

_FONT = cv2.FONT_HERSHEY_DUPLEX
_FONT_CAPITALS = 21.0
"""Height of the font's capitals at scale 1, in pixels."""
_SUPERSAMPLING = 4


@dataclass(frozen=True, slots=True)
class Stamp:
    """Something drawn onto a plane: levels become `levels * through + ink`."""

    plane: int
    rows: slice
    columns: slice
    through: NDArray[np.float32]
    ink: NDArray[np.float32]
    shift: int

    def press(self, plane: Samples) -> None:
        """Draws it onto the plane's picture, (rows, width)."""
        part = plane[self.rows, self.columns]
        levels = np.rint((part >> self.shift) * self.through + self.ink)
        np.copyto(part, levels.astype(plane.dtype) << self.shift)


def label_of(text: str, letter: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
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
    # By distance: a dilation by a pen of that size takes a hundred times as long.
    distance = cv2.distanceTransform((letters < 128).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    outlined = (distance <= border).astype(np.uint8) * np.uint8(255)
    layers = [
        cv2.resize(layer, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
        for layer in (outlined, letters)
    ]
    return layers[0], layers[1]


def stamps_of(
    cover: NDArray[np.float32],
    light: NDArray[np.float32],
    pixels: PixelFormat,
    colour: Colour,
    *,
    place: tuple[int, int] = (0, 0),
) -> list[Stamp]:
    """Cuts a drawing of black and white into stamps for every plane, each as small as its drawing.

    Args:
        cover: (h, w), in [0, 1]: how far the drawing covers what is beneath.
        light: (h, w), in [0, 1]: how far it is white there.
        pixels: Of the frame that is drawn onto.
        colour: Likewise.
        place: x and y of the drawing in the frame, multiples of the chroma step.
    """
    matrix, offset = rgb_to_levels(colour, pixels.bits)
    boxes = cv2.connectedComponentsWithStats((cover > 0).astype(np.uint8), connectivity=8)[2][1:, :4]
    stamps = []
    step_x, step_y = 1 << pixels.log2_chroma_w, 1 << pixels.log2_chroma_h
    for x, y, width, height in boxes.tolist():
        inside = slice(y, y + height), slice(x, x + width)
        ink = cover[inside] * offset[0] + light[inside] * matrix[0].sum()
        stamps.append(_stamp(0, y + place[1], x + place[0], cover[inside], ink, pixels.shift))
        if pixels.layout is Layout.GRAY:
            continue
        # Chroma is neutral as far as any of a sample's pixels is covered.
        left, top, right, bottom = x // step_x, y // step_y, -(-(x + width) // step_x), -(-(y + height) // step_y)
        area = cover[top * step_y : bottom * step_y, left * step_x : right * step_x]
        area = np.pad(area, ((0, -area.shape[0] % step_y), (0, -area.shape[1] % step_x)))
        part = area.reshape(bottom - top, step_y, right - left, step_x).max(axis=(1, 3))
        row, column = top + place[1] // step_y, left + place[0] // step_x
        if pixels.layout is Layout.SEMIPLANAR:
            part = part.repeat(2, axis=1)
            stamps.append(_stamp(1, row, 2 * column, part, part * offset[1], pixels.shift))
        else:
            stamps += [_stamp(number, row, column, part, part * offset[1], pixels.shift) for number in (1, 2)]
    return stamps


def _stamp(plane: int, top: int, left: int, cover: NDArray[np.float32], ink: NDArray[np.floating], shift: int) -> Stamp:
    rows, columns = slice(top, top + cover.shape[0]), slice(left, left + cover.shape[1])
    return Stamp(plane, rows, columns, 1.0 - cover, ink.astype(np.float32), shift)
