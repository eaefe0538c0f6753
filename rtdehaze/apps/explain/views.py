"""One map over the whole picture, with its legend below."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.explain.belief import Belief
from rtdehaze.apps.explain.ink import DIM, Sheet
from rtdehaze.apps.explain.panels import (
    CAP_KEY,
    CHROMA_KEY,
    FLOOR_KEY,
    coloured,
    draw_airlight,
    draw_gauge,
    say_nothing_done,
)
from rtdehaze.apps.explain.scales import DEPTH, GAIN, TRANSMISSION, Scale
from rtdehaze.apps.explain.showing import enlarged

__all__ = ["ViewLayout", "draw_view", "over_picture"]

Bytes = NDArray[np.uint8]

_SCALES: dict[str, Scale] = {"transmission": TRANSMISSION, "depth": DEPTH, "gain": GAIN, "overlay": TRANSMISSION}

_LINES = 52.0
"""Lines of text in the square root of a picture's area: 28 pixels at 1080p."""
_LEAST_UNIT = 14
_LEAST_WIDTH = 30.0
"""Units: the legend's words need as much."""
_WIDE = 64.0
"""Units from which on the legend's two halves stand beside each other."""
_BLOCK = 6.0
"""Units of height of one half of the legend."""
_SURROUNDINGS = 8
"""A place's surroundings are this part of the longer side."""
_DETAIL = 1.3
"""How much of the picture's detail is drawn: haze has taken much of it."""
_STEP = 0.2
"""Transmission from one contour line to the next."""


@dataclass(frozen=True, slots=True)
class ViewLayout:
    """Where the picture and its legend lie, in pixels."""

    unit: int
    picture: tuple[int, int]
    width: int

    @classmethod
    def of(cls, width: int, height: int) -> ViewLayout:
        """For pictures of that size as they are seen."""
        unit = max(_LEAST_UNIT, round(math.sqrt(width * height) / _LINES))
        unit = max(_LEAST_UNIT, min(unit, round(width / _LEAST_WIDTH)))
        return cls(unit, (width, height), max(width, round(_LEAST_WIDTH * unit)))

    @property
    def beside(self) -> bool:
        """Whether the legend's halves stand beside each other."""
        return self.width >= _WIDE * self.unit

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet, both even."""
        height = self.picture[1] + round((_BLOCK if self.beside else 2 * _BLOCK) * self.unit)
        return self.width + self.width % 2, height + height % 2


def draw_view(view: str, layout: ViewLayout, hazy: Bytes, belief: Belief) -> Sheet:
    """Draws one map and its legend.

    Args:
        view: `transmission`, `depth`, `gain` or `overlay`.
        layout: For pictures of this size.
        hazy: What went in, RGB of `layout.picture`.
        belief: What is believed and done.
    """
    unit, (width, height) = layout.unit, layout.picture
    sheet = Sheet(*layout.size, unit)
    picture = over_picture(hazy, belief, unit) if view == "overlay" else coloured(belief, width, height, unit)[view]
    left = (layout.width - width) // 2
    sheet.picture(picture, left, 0)
    if view == "gain" and belief.nothing_done:
        say_nothing_done(sheet, left, 0, width, height)
    gap, scale = round(0.6 * unit), _SCALES[view]
    half = layout.width // 2 if layout.beside else layout.width
    room, y = half - 2 * gap, height + gap
    sheet.text(scale.title, gap, y, room, bold=True)
    sheet.text(scale.caption, gap, y + unit, room, size=0.85, colour=DIM)
    sheet.bar(scale, gap, y + 2 * unit, room)
    if view == "gain":
        sheet.key(CAP_KEY, gap, y + 4 * unit, room // 2)
        sheet.key(CHROMA_KEY, gap + room // 2, y + 4 * unit, room // 2, rising=False)
    elif view == "overlay":
        sheet.text("white lines: 20, 40, 60 and 80 %", gap, y + 4 * unit, room, size=0.9, colour=DIM)
    else:
        sheet.key(FLOOR_KEY, gap, y + 4 * unit, room)
    _draw_frame_facts(sheet, layout, belief, gap, room)
    return sheet


def _draw_frame_facts(sheet: Sheet, layout: ViewLayout, belief: Belief, gap: int, room: int) -> None:
    """The second half of the legend: density and airlight."""
    unit = layout.unit
    left = layout.width // 2 + gap if layout.beside else gap
    top = layout.picture[1] + gap + (0 if layout.beside else round((_BLOCK - 0.6) * unit))
    sheet.text(f"Haze density {belief.density:.2f}: {belief.verdict}", left, top, room, size=0.9)
    part = round(room * 0.48)
    draw_gauge(sheet, belief, left, top + round(1.4 * unit), part)
    draw_airlight(sheet, belief, left + room - part, top + round(1.4 * unit), part)


def over_picture(hazy: Bytes, belief: Belief, unit: int) -> Bytes:
    """Draws a picture's detail in the colours of its transmission, with lines of equal transmission.

    Only what is lighter or darker than its surroundings is taken from the picture, so that flat parts keep exactly
    the colour of the bar, and a bright haze does not pale it.
    """
    height, width = hazy.shape[:2]
    transmission = enlarged(belief.transmission, width, height)
    lab = cv2.cvtColor(TRANSMISSION.colours(transmission), cv2.COLOR_RGB2LAB)
    light = cv2.extractChannel(cv2.cvtColor(hazy, cv2.COLOR_RGB2LAB), 0).astype(np.float32)
    detail = light - cv2.blur(light, (max(width, height) // _SURROUNDINGS | 1,) * 2)
    lab[..., 0] = np.clip(lab[..., 0] + _DETAIL * detail, 0, 255).astype(np.uint8)
    mixed = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)
    # Smoothed, or every leaf would have a line of its own.
    bands = np.floor(cv2.blur(transmission, (unit, unit)) / np.float32(_STEP)).astype(np.uint8)
    edge = cv2.morphologyEx(bands, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
    if unit >= 2 * _LEAST_UNIT:
        edge = cv2.dilate(edge.astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
    mixed[edge] = 255
    return mixed
