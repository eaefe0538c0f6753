"""Drawing on a sheet: text that stays within its place, colour bars, hatching, marks."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.explain.scales import Scale

__all__ = ["BACKGROUND", "BRIGHT", "DIM", "Sheet", "hatched"]

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
RGB = tuple[int, int, int]

BACKGROUND: RGB = (22, 24, 28)
BRIGHT: RGB = (240, 240, 240)
DIM: RGB = (170, 174, 180)

_CAPITALS = 21.0
"""Height of the fonts' capitals at scale 1, in pixels."""
_CAPITAL_SHARE = 0.66
"""Height of capitals in heights of a line."""


class Sheet:
    """An RGB picture to draw on, in lines of `unit` pixels.

    Args:
        width: Pixels, made even.
        height: Pixels, made even.
        unit: Height of a line of text in pixels.
    """

    def __init__(self, width: int, height: int, unit: int) -> None:
        self.unit = unit
        self.pixels: Bytes = np.empty((height + height % 2, width + width % 2, 3), np.uint8)
        self.pixels[:] = BACKGROUND
        self.texts: list[tuple[str, int, int, int, int]] = []
        """What was written and where: text, x, y, width, height."""

    def text(
        self, words: str, x: int, y: int, room: int, *, size: float = 1.0, colour: RGB = BRIGHT, bold: bool = False,
        align: float = 0.0,
    ) -> int:  # fmt: skip
        """Writes a line, smaller where it would not fit.

        Args:
            words: ASCII, which all versions of OpenCV's fonts have.
            x: Left edge of its place.
            y: Upper edge of its line.
            room: Width of its place in pixels.
            size: Height of the line in units.
            colour: RGB.
            bold: Heavier letters.
            align: 0 left, 0.5 middle, 1 right within its place.

        Returns:
            The width that was written.
        """
        font = cv2.FONT_HERSHEY_DUPLEX if bold else cv2.FONT_HERSHEY_SIMPLEX
        line = self.unit * size
        scale = line * _CAPITAL_SHARE / _CAPITALS
        width = _width(words, font, scale)
        if width > room > 0:
            scale *= room / width
            width = min(_width(words, font, scale), room)
        left = x + round((room - width) * align)
        base = y + round(line * (0.5 + _CAPITAL_SHARE / 2))
        cv2.putText(self.pixels, words, (left, base), font, scale, colour, 1, cv2.LINE_AA)
        self.texts.append((words, left, y, width, round(line)))
        return width

    def picture(self, rgb: Bytes, x: int, y: int) -> None:
        """Puts a picture at a place."""
        self.pixels[y : y + rgb.shape[0], x : x + rgb.shape[1]] = rgb

    def box(self, x: int, y: int, width: int, height: int, colour: RGB) -> None:
        """Fills a rectangle."""
        self.pixels[y : y + height, x : x + width] = colour

    def bar(self, scale: Scale, x: int, y: int, width: int) -> None:
        """Draws a colour bar over a line and the labels of its ticks on the next; two lines in all."""
        height = max(4, round(self.unit * 0.7))
        along = np.linspace(0.0, 1.0, width, dtype=np.float32)
        self.picture(np.repeat(scale.table[np.rint(along * 255).astype(int)][None], height, axis=0), x, y)
        places = scale.position(np.array([value for value, _ in scale.ticks], np.float32))
        self.ticks([(float(at), label) for at, (_, label) in zip(places, scale.ticks, strict=True)], x, y, width)

    def ticks(self, marks: list[tuple[float, str]], x: int, y: int, width: int) -> None:
        """Draws tick marks under a bar at `y`, given as shares of its width, and their labels."""
        height = max(4, round(self.unit * 0.7))
        each = width // max(len(marks) - 1, 1)
        for place, label in marks:
            at = x + round(place * (width - 1))
            self.box(min(at, x + width - 1), y + height, 1, max(2, self.unit // 5), BRIGHT)
            room = min(each, 2 * min(at - x, x + width - at)) if 0.0 < place < 1.0 else each // 2
            left = at - room // 2 if 0.0 < place < 1.0 else (x if place <= 0.0 else x + width - room)
            align = 0.5 if 0.0 < place < 1.0 else (0.0 if place <= 0.0 else 1.0)
            self.text(label, left, y + round(self.unit * 0.95), room, size=0.8, colour=DIM, align=align)

    def key(self, words: str, x: int, y: int, room: int, *, rising: bool = True) -> None:
        """Draws a hatched swatch and what it means."""
        side = round(self.unit * 0.9)
        swatch = np.full((side, 2 * side, 3), 90, np.uint8)
        hatched(swatch, np.ones((side, 2 * side), np.bool_), self.unit, rising=rising)
        self.picture(swatch, x, y)
        gap = 2 * side + self.unit // 3
        self.text(words, x + gap, y, room - gap, size=0.9, colour=DIM)


def hatched(rgb: Bytes, where: Mask, unit: int, *, rising: bool = True) -> None:
    """Draws slanted lines, white beside black so that they show on any colour, where a mask says; in place."""
    if not where.any():
        return
    height, width = where.shape
    across, down = np.arange(width)[None], np.arange(height)[:, None]
    period = max(8, round(unit * 0.8))
    stroke = max(1, unit // 12)
    phase = (across + down if rising else across - down) % period
    rgb[where & (phase < stroke)] = (255, 255, 255)
    rgb[where & (phase >= stroke) & (phase < 2 * stroke)] = (0, 0, 0)


@lru_cache(maxsize=4096)
def _width(words: str, font: int, scale: float) -> int:
    return int(cv2.getTextSize(words, font, scale, 1)[0][0])
