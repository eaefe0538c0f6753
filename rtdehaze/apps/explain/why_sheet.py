"""The picture with what an answer rests on drawn over it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.explain.ink import DIM, Sheet
from rtdehaze.apps.explain.scales import Scale, signed
from rtdehaze.apps.explain.views import ViewLayout
from rtdehaze.apps.explain.why import Question, Why

__all__ = ["draw_why"]

Bytes = NDArray[np.uint8]

_LEAST_REACH = 1e-4
"""An answer that nothing moves has a scale, too."""
_NAMES = {
    Question.DENSITY: ("haze density", "density"),
    Question.AIRLIGHT: ("luma of the airlight", "airlight"),
    Question.TRANSMISSION: ("transmission at the cross", "transmission"),
}
_UNIT = 18
"""Pixels of a line of text."""
_LEAST_WIDTH = 26.0
"""Units of width that the words above a picture need."""
_FOOT = 5.2
"""Units below the pictures."""


def draw_why(why: Why, picture: Bytes, width: int) -> Sheet:
    """Draws the picture and, beside it or below, what the answer rests on.

    Args:
        why: The explanation.
        picture: RGB (h, w, 3), the picture that was asked about.
        width: Of each of the two drawings in pixels, about.

    Returns:
        The sheet.
    """
    scale = _scale(why)
    layout = _fitted(picture, width)
    (across, down), unit = layout.picture, layout.unit
    gap, head = round(0.6 * unit), round(2.6 * unit)
    beside = layout.width <= 1.5 * down or across < 1.9 * down
    sheet_width = (2 * layout.width if beside else layout.width) + 3 * gap
    step = (layout.width + gap, 0) if beside else (0, head + down + gap)
    foot_y = gap + head + down + step[1]
    sheet = Sheet(sheet_width, foot_y + round(_FOOT * unit), unit)
    shown = np.asarray(cv2.resize(picture, layout.picture, interpolation=cv2.INTER_AREA), np.uint8)
    drawings = (
        ("Input", f"{_NAMES[why.question][0]}: {why.answer:.3f}", shown),
        (
            f"Why this {_NAMES[why.question][1]}",
            "red parts raise it, blue parts lower it",
            _over(why, shown, scale),
        ),
    )
    for number, (title, caption, drawn) in enumerate(drawings):
        x, y = gap + number * step[0], gap + number * step[1]
        sheet.text(title, x, y, layout.width, bold=True)
        sheet.text(caption, x, y + unit, layout.width, size=0.85, colour=DIM)
        left = x + (layout.width - across) // 2
        sheet.picture(drawn, left, y + head)
        if why.place is not None:
            _cross(sheet, left + round(why.place[0] * across), y + head + round(why.place[1] * down))
    _draw_foot(sheet, why, scale, gap, foot_y + gap)
    return sheet


def _fitted(picture: Bytes, width: int) -> ViewLayout:
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    if height > width:  # portrait: the height is what counts
        width, height = max(1, round(picture.shape[1] * width / picture.shape[0])), width
    return ViewLayout(_UNIT, (width, height), max(width, round(_LEAST_WIDTH * _UNIT)))


def _scale(why: Why) -> Scale:
    reach = _round_up(max(float(np.abs(why.effects).max()), _LEAST_REACH))
    return signed("Effect", f"what a part adds to the {_NAMES[why.question][0]}", reach)


def _round_up(value: float) -> float:
    """The next number of one digit, or one and a half: what ticks read well."""
    power = 10.0 ** math.floor(math.log10(value))
    return power * next(
        step for step in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0) if step * power >= value * 0.999
    )


def _over(why: Why, shown: Bytes, scale: Scale) -> Bytes:
    """The picture in grey, the parts that count coloured by their effect, the more the stronger."""
    height, width = shown.shape[:2]
    # 0 stands for all parts whose effect may be chance.
    parts = np.where(why.sure[why.labels], why.labels + 1, 0).astype(np.float32)
    labels = cv2.resize(parts, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.int32)
    effect = np.concatenate([[0.0], why.effects]).astype(np.float32)[labels]
    grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    strength = np.abs(scale.position(effect) - np.float32(0.5)) * 2
    cover = np.where(labels > 0, 0.3 + 0.5 * strength, 0.0)[..., None]
    mixed = np.rint(cover * scale.colours(effect) + (1 - cover) * grey).astype(np.uint8)
    border = cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
    mixed[border] = (mixed[border] * 0.5).astype(np.uint8)
    return np.asarray(mixed, np.uint8)


def _cross(sheet: Sheet, x: int, y: int) -> None:
    arm, stroke = max(8, sheet.unit // 2), max(2, sheet.unit // 10)
    for colour, wider in (((0, 0, 0), 1), ((255, 255, 255), 0)):
        cv2.drawMarker(sheet.pixels, (x, y), colour, cv2.MARKER_CROSS, 2 * arm + 2 * wider, stroke + 2 * wider)


def _draw_foot(sheet: Sheet, why: Why, scale: Scale, x: int, y: int) -> None:
    unit, room = sheet.unit, sheet.pixels.shape[1] - 2 * x
    sheet.text(f"{scale.title}: {scale.caption}, compared with other parts of the picture in its place", x, y, room)
    sheet.bar(scale, x, y + round(1.2 * unit), room)
    words = f"{len(why.effects)} parts, {why.samples} altered pictures; the sum of effects explains {why.fit:.0%}"
    half = room // 2
    sheet.text("left grey: within two standard errors of nothing", x, y + round(3.2 * unit), half, size=0.9, colour=DIM)
    sheet.text(words.replace("%", " %"), x + half, y + round(3.2 * unit), half, size=0.9, colour=DIM, align=1.0)
