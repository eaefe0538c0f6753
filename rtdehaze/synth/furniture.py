"""Paints what stands beside roads: lamps, telegraph poles, marker posts and signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.sheet import Sheet
from rtdehaze.synth.texture import Quad, Texture

__all__ = ["Upright", "paint_lamp", "paint_marker", "paint_pole", "paint_signs"]


@dataclass(frozen=True, slots=True)
class Upright:
    """A flat thing that stands on the ground and faces the traffic."""

    texture: Texture
    width: float
    """Metres."""
    height: float
    """Metres."""
    foot: float
    """Where it stands: share of the width from its left edge."""

    def quad(self, x: float, z: float, *, mirrored: bool = False) -> Quad:
        """Returns it standing at (x, z)."""
        way = -1.0 if mirrored else 1.0
        return Quad(
            self.texture,
            np.array([x - way * self.foot * self.width, self.height, z]),
            np.array([way * self.width, 0.0, 0.0]),
            np.array([0.0, -self.height, 0.0]),
        )


def _post(sheet: Sheet, x: float, top: float, half: float, colour: NDArray[np.float64], sun: float) -> None:
    """A round post down to the ground in strips from light to dark."""
    for strip in range(5):
        left = x - half + strip * half * 2 / 5
        side = (strip - 2) / 2 * np.sign(sun)
        sheet.box(left, top, left + half * 2 / 5, 1.0, colour * (0.86 + 0.28 * side - 0.12 * side**2))


def paint_lamp(pixels: int, sun: float) -> Upright:
    """A street lamp 7.4 m high whose arm reaches 1.9 m to the left, over the road when it stands on the right."""
    height, width = 7.4, 2.4
    unit = 1 / height
    sheet = Sheet(pixels, width / height, (110, 114, 116))
    steel = np.array([128.0, 134.0, 136.0])
    foot = 2.1 * unit
    _post(sheet, foot, 0.6 * unit, 0.075 * unit, steel, sun)
    _post(sheet, foot, 1 - 1.1 * unit, 0.12 * unit, steel * 0.92, sun)
    bend = np.linspace(0, np.pi / 2, 9)
    xs, ys = foot - 0.9 * unit * (1 - np.cos(bend)), 0.6 * unit - 0.42 * unit * np.sin(bend)
    for i in range(8):
        thick = 0.055 * unit
        corners = [
            [xs[i] - thick, ys[i]],
            [xs[i] + thick, ys[i]],
            [xs[i + 1] + thick, ys[i + 1]],
            [xs[i + 1] - thick, ys[i + 1]],
        ]
        sheet.polygon(corners, steel * 1.05)
        sheet.disc(xs[i], ys[i], thick, thick, steel * 1.05)
    sheet.box(foot - 1.4 * unit, 0.14 * unit, foot - 0.8 * unit, 0.23 * unit, steel)
    sheet.polygon(
        np.array(
            [
                [foot - 2.0 * unit, 0.21 * unit],
                [foot - 1.85 * unit, 0.10 * unit],
                [foot - 1.25 * unit, 0.12 * unit],
                [foot - 1.2 * unit, 0.24 * unit],
            ]
        ),
        (94, 98, 100),
    )
    sheet.box(foot - 1.95 * unit, 0.21 * unit, foot - 1.28 * unit, 0.26 * unit, (236, 234, 214))
    return Upright(sheet.texture(), width, height, foot * height / width)


def paint_pole(rng: np.random.Generator, pixels: int, sun: float) -> Upright:
    """A wooden telegraph pole, 8.2 m, with two cross-arms and insulators."""
    height, width = 8.2, 2.2
    unit = 1 / height
    sheet = Sheet(pixels, width / height, (84, 72, 62))
    wood, middle = np.array([98.0, 84.0, 72.0]) * rng.uniform(0.9, 1.1), width / 2 * unit
    _post(sheet, middle, 0.05 * unit, 0.12 * unit, wood, sun)
    for y in (0.42, 1.05):
        sheet.box(middle - 0.95 * unit, y * unit, middle + 0.95 * unit, (y + 0.11) * unit, wood * 0.92)
        for x in (-0.85, -0.45, 0.45, 0.85):
            sheet.box(
                middle + (x - 0.03) * unit, (y - 0.15) * unit, middle + (x + 0.03) * unit, y * unit, (186, 196, 196)
            )
    return Upright(sheet.texture(), width, height, 0.5)


def paint_marker(pixels: int) -> Upright:
    """A white marker post, 1.05 m, with its slanted black band and reflector."""
    height, width = 1.05, 0.16
    sheet = Sheet(pixels, width / height, (220, 220, 216))
    right = width / height
    sheet.polygon([[0.02, 0.03], [right - 0.02, 0.0], [right - 0.005, 1.0], [0.005, 1.0]], (226, 226, 222))
    sheet.polygon([[0.02, 0.03], [0.06, 0.02], [0.05, 1.0], [0.005, 1.0]], (188, 188, 186))
    sheet.polygon([[0.015, 0.20], [right - 0.015, 0.15], [right - 0.012, 0.36], [0.012, 0.41]], (34, 34, 36))
    sheet.box(0.05, 0.22, right - 0.05, 0.35, (214, 128, 62))
    return Upright(sheet.texture(), width, height, 0.5)


def paint_signs(pixels: int, sun: float) -> list[Upright]:
    """A speed limit, a warning of animals and a direction board; each 2.6 m high on its post."""
    return [
        _speed_limit(pixels, sun, "50"),
        _speed_limit(pixels, sun, "70"),
        _warning(pixels, sun),
        _board(pixels, sun),
    ]


def _blank(pixels: int, width: float, sun: float) -> tuple[Sheet, float]:
    unit = 1 / 2.6
    sheet = Sheet(pixels, width * unit, (150, 152, 154))
    _post(sheet, width / 2 * unit, 0.1 * unit, 0.035 * unit, np.array([150.0, 154.0, 156.0]), sun)
    return sheet, unit


def _speed_limit(pixels: int, sun: float, number: str) -> Upright:
    width = 0.9
    sheet, unit = _blank(pixels, width, sun)
    middle, centre = width / 2 * unit, 0.42 * unit
    sheet.disc(middle, centre, 0.40 * unit, 0.40 * unit, (226, 226, 224))
    sheet.disc(middle, centre, 0.385 * unit, 0.385 * unit, (186, 30, 34))
    sheet.disc(middle, centre, 0.285 * unit, 0.285 * unit, (236, 236, 232))
    sheet.write(number, middle, centre, 0.22 * unit, (24, 24, 26))
    return Upright(sheet.texture(), width, 2.6, 0.5)


def _warning(pixels: int, sun: float) -> Upright:
    width = 1.0
    sheet, unit = _blank(pixels, width, sun)
    middle = width / 2
    for grow, colour in ((0.0, (226, 226, 224)), (0.02, (186, 30, 34)), (0.12, (236, 236, 232))):
        half, top, bottom = 0.46 - 1.15 * grow, 0.06 + 1.3 * grow, 0.84 - 0.7 * grow
        points = np.array([[middle, top], [middle + half, bottom], [middle - half, bottom]])
        sheet.polygon(points * unit, colour)
    sheet.box((middle - 0.04) * unit, 0.36 * unit, (middle + 0.04) * unit, 0.58 * unit, (24, 24, 26))
    sheet.disc(middle * unit, 0.66 * unit, 0.045 * unit, 0.045 * unit, (24, 24, 26))
    return Upright(sheet.texture(), width, 2.6, 0.5)


def _board(pixels: int, sun: float) -> Upright:
    width = 2.2
    sheet, unit = _blank(pixels, width, sun)
    sheet.box(0.02 * unit, 0.05 * unit, (width - 0.02) * unit, 1.05 * unit, (232, 234, 236))
    sheet.box(0.06 * unit, 0.09 * unit, (width - 0.06) * unit, 1.01 * unit, (28, 74, 140))
    sheet.write("HARBOUR 4", 1.06 * unit, 0.36 * unit, 0.20 * unit, (236, 238, 240))
    sheet.write("OLD MILL 11", 1.10 * unit, 0.76 * unit, 0.20 * unit, (236, 238, 240))
    return Upright(sheet.texture(), width, 2.6, 0.5)
