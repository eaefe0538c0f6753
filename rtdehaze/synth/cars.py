"""Cars: a body of seven planes, painted, that others drive along the road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.sheet import Sheet
from rtdehaze.synth.texture import Quad, Texture

__all__ = ["Car", "paint_car"]

_LENGTH, _WIDTH, _BELT, _ROOF = 4.4, 1.8, 0.95, 1.46  # metres
_CABIN = 1.42  # metres wide at the roof
_GLASS = np.array([44.0, 52.0, 60.0])
_TYRE = np.array([26.0, 26.0, 28.0])

Colour = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Car:
    """A painted car. Seen from behind or, as `oncoming`, from the front."""

    end: Texture
    lid: Texture
    screen: Texture
    side: Texture
    windows: Texture
    oncoming: bool

    def quads(self, place: NDArray[np.float64], eye: float, owner: int) -> tuple[Quad, ...]:
        """Returns the planes that are seen, from the far ones to the near.

        Args:
            place: (3,) metres: the middle of the end that is seen, on the ground.
            eye: x of the camera, metres: which flank is seen.
            owner: The number that marks its pixels.
        """
        x, _, z = place
        lid = 1.15 if self.oncoming else 0.5
        shoulder, slope = z + lid, 0.75 if self.oncoming else 0.6
        half, cabin = _WIDTH / 2, _CABIN / 2
        flank = float(np.sign(eye - x)) if abs(eye - x) > half else 0.0
        faces: list[
            tuple[Texture, tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
        ] = []
        if flank:
            edge = x + flank * half
            # Painted with the seen end at the left.
            faces.append((self.side, (edge, _BELT, z), (0, 0, _LENGTH), (0, -_BELT, 0)))
            long = _LENGTH - lid - (0.5 if self.oncoming else 1.15)
            inward = flank * (half - cabin)
            faces.append((self.windows, (edge - inward, _ROOF, shoulder), (0, 0, long), (inward, _BELT - _ROOF, 0)))
        faces.append((self.screen, (x - half, _ROOF, shoulder + slope), (_WIDTH, 0, 0), (0, _BELT - _ROOF, -slope)))
        faces.append((self.lid, (x - half, _BELT, shoulder), (_WIDTH, 0, 0), (0, -0.14, -lid)))
        faces.append((self.end, (x - half, _BELT, z), (_WIDTH, 0, 0), (0, -_BELT, 0)))
        return tuple(
            Quad(texture, np.array(a, float), np.array(b, float), np.array(c, float), owner=owner)
            for texture, a, b, c in faces
        )


def paint_car(rng: np.random.Generator, pixels: int, *, oncoming: bool) -> Car:
    """Paints a car in one of six colours.

    Args:
        rng: Source of randomness.
        pixels: Height of the picture of its end.
        oncoming: Whether its front is seen.
    """
    paints = ((178, 30, 34), (36, 62, 118), (212, 214, 216), (58, 62, 66), (150, 156, 160), (34, 84, 62))
    paint = np.array(paints[int(rng.integers(len(paints)))], float)
    return Car(
        _front(pixels, paint) if oncoming else _rear(pixels, paint),
        _lid(pixels // 3 + 2, paint),
        _screen(pixels * 2 // 3, paint, oncoming),
        _side(pixels, paint, oncoming),
        _windows(pixels * 2 // 3, paint, oncoming),
        oncoming,
    )


def _end(pixels: int, paint: Colour) -> tuple[Sheet, float]:
    """The body's outline from before or behind; coordinates in metres times the returned unit."""
    unit = 1 / _BELT
    sheet = Sheet(pixels, _WIDTH * unit, paint * 0.5)
    for left in (0.10, 1.45):
        sheet.box(left * unit, 0.5 * unit, (left + 0.25) * unit, 0.87 * unit, _TYRE)  # the wheels stand farther back
    outline = [
        (0.0, 0.19),
        (0.03, 0.14),
        (1.77, 0.14),
        (1.80, 0.19),
        (1.79, 0.42),
        (1.78, 0.70),
        (1.70, 0.76),
        (0.10, 0.76),
        (0.02, 0.70),
        (0.01, 0.42),
    ]
    sheet.polygon(np.array(outline) * unit, paint)
    rows = sheet.shape[0]
    fall = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    sheet.shade(1.14 - 0.42 * fall + 0.10 * np.exp(-(((fall - 0.42) / 0.05) ** 2)))
    sheet.box(0.10 * unit, 0.64 * unit, 1.70 * unit, 0.77 * unit, (40, 41, 43))
    return sheet, unit


def _rear(pixels: int, paint: Colour) -> Texture:
    sheet, unit = _end(pixels, paint)
    for outer, inner in ((0.05, 0.40), (1.75, 1.40)):
        sheet.polygon(np.array([[outer, 0.27], [inner, 0.25], [inner, 0.38], [outer, 0.44]]) * unit, (168, 22, 26))
        sheet.polygon(np.array([[outer, 0.34], [inner, 0.315], [inner, 0.35], [outer, 0.38]]) * unit, (226, 96, 84))
    sheet.box(0.64 * unit, 0.40 * unit, 1.16 * unit, 0.52 * unit, (226, 226, 220))
    sheet.write("FOG 42", 0.9 * unit, 0.46 * unit, 0.07 * unit, (30, 30, 34))
    sheet.box(0.10 * unit, 0.555 * unit, 1.70 * unit, 0.57 * unit, paint * 0.45)
    sheet.box(0.42 * unit, 0.235 * unit, 1.38 * unit, 0.245 * unit, paint * 0.5)
    return sheet.texture()


def _front(pixels: int, paint: Colour) -> Texture:
    sheet, unit = _end(pixels, paint)
    sheet.polygon(np.array([[0.50, 0.27], [1.30, 0.27], [1.22, 0.43], [0.58, 0.43]]) * unit, (30, 31, 33))
    for bar in (0.31, 0.36, 0.40):
        sheet.box(0.55 * unit, bar * unit, 1.25 * unit, (bar + 0.012) * unit, (104, 106, 108))
    for outer, inner in ((0.05, 0.46), (1.75, 1.34)):
        sheet.polygon(np.array([[outer, 0.24], [inner, 0.29], [inner, 0.41], [outer, 0.40]]) * unit, (150, 156, 160))
        middle = (outer * 0.6 + inner * 0.4) * unit
        sheet.disc(middle, 0.335 * unit, 0.085 * unit, 0.062 * unit, (252, 250, 236))
    sheet.box(0.66 * unit, 0.50 * unit, 1.14 * unit, 0.60 * unit, (226, 226, 220))
    sheet.box(0.40 * unit, 0.66 * unit, 1.40 * unit, 0.73 * unit, (22, 22, 24))
    return sheet.texture()


def _lid(pixels: int, paint: Colour) -> Texture:
    sheet = Sheet(pixels, _WIDTH / 0.6, paint)
    right = sheet.aspect
    sheet.polygon([[0.0, 0.0], [right, 0.0], [right, 1.0], [0.0, 1.0]], paint * 1.12 + 14)
    sheet.polygon(
        [[0.16 * right, 0.0], [0.84 * right, 0.0], [0.80 * right, 1.0], [0.20 * right, 1.0]], paint * 1.2 + 20
    )
    return sheet.texture()


def _screen(pixels: int, paint: Colour, oncoming: bool) -> Texture:
    sheet = Sheet(pixels, _WIDTH / 0.8, paint * 0.6)
    right = sheet.aspect
    top = (_WIDTH - _CABIN) / 2 / _WIDTH * right
    sheet.polygon([[top, 0.0], [right - top, 0.0], [right, 1.0], [0.0, 1.0]], paint * 0.98)
    left, lip = top + 0.035 * right, 0.12
    glass = np.array([[left, lip], [right - left, lip], [right * 0.91, 0.98], [right * 0.09, 0.98]])
    sheet.polygon(glass, _GLASS)
    sheen = np.array(
        [
            [left + 0.02 * right, lip + 0.02],
            [right * 0.62, lip + 0.02],
            [right * 0.36, 0.62],
            [left - 0.02 * right, 0.62],
        ]
    )
    sheet.polygon(sheen, _GLASS * 1.5 + 18)
    heads = ((0.32, 0.5), (0.68, 0.5)) if not oncoming else ((0.34, 0.55), (0.67, 0.55))
    for x, y in heads:  # the people or the head-rests inside
        sheet.disc(x * right, y, 0.045 * right, 0.17, _GLASS * 0.55)
        sheet.box((x - 0.08) * right, y + 0.16, (x + 0.08) * right, 0.96, _GLASS * 0.6)
    return sheet.texture()


def _side(pixels: int, paint: Colour, oncoming: bool) -> Texture:
    """The flank up to the belt, its seen end at the left."""
    unit = 1 / _BELT
    sheet = Sheet(pixels, _LENGTH * unit, paint * 0.5)
    # The bonnet or the boot rises to the belt, which the windows stand on.
    near, far = (1.15, 0.5) if oncoming else (0.5, 1.15)
    outline = [
        (0.0, 0.30),
        (0.04, 0.14),
        (near, 0.0),
        (_LENGTH - far, 0.0),
        (_LENGTH - 0.04, 0.14),
        (_LENGTH, 0.3),
        (_LENGTH - 0.02, 0.70),
        (_LENGTH - 0.15, 0.76),
        (0.12, 0.76),
        (0.0, 0.66),
    ]
    sheet.polygon(np.array(outline) * unit, paint * 0.92)
    rows = sheet.shape[0]
    fall = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    sheet.shade(1.10 - 0.5 * fall + 0.16 * np.exp(-(((fall - 0.28) / 0.05) ** 2)))
    sheet.box(0.15 * unit, 0.69 * unit, 4.25 * unit, 0.77 * unit, (38, 39, 41))
    for seam in (1.35, 2.30, 3.15):
        sheet.box(seam * unit, 0.06 * unit, (seam + 0.012) * unit, 0.70 * unit, paint * 0.4)
        sheet.box((seam + 0.12) * unit, 0.20 * unit, (seam + 0.28) * unit, 0.235 * unit, paint * 0.6)
    for wheel in (0.82, 3.58):
        sheet.disc(wheel * unit, 0.62 * unit, 0.37 * unit, 0.35 * unit, (16, 16, 18))
        sheet.disc(wheel * unit, 0.63 * unit, 0.32 * unit, 0.32 * unit, _TYRE)
        sheet.disc(wheel * unit, 0.63 * unit, 0.20 * unit, 0.20 * unit, (150, 152, 156))
        sheet.disc(wheel * unit, 0.63 * unit, 0.07 * unit, 0.07 * unit, (84, 86, 90))
    return sheet.texture()


def _windows(pixels: int, paint: Colour, oncoming: bool) -> Texture:
    sheet = Sheet(pixels, 2.75 / 0.55, paint * 0.6)
    right = sheet.aspect
    lead, trail = (0.75, 0.55) if oncoming else (0.55, 0.75)
    roof_left, roof_right = lead / 2.75 * right, (1 - trail / 2.75) * right
    sheet.polygon([[roof_left, 0.0], [roof_right, 0.0], [right, 1.0], [0.0, 1.0]], paint * 0.9)
    for start, end in ((0.06, 0.48), (0.53, 0.94)):
        low = np.array([start, end]) * right
        high = roof_left + np.array([start, end]) * (roof_right - roof_left)
        sheet.polygon([[high[0], 0.15], [high[1], 0.15], [low[1], 0.97], [low[0], 0.97]], _GLASS * 1.15)
        sheet.polygon(
            [[high[0], 0.15], [high[1], 0.15], [(low[1] + high[1]) / 2, 0.45], [(low[0] + high[0]) / 2, 0.45]],
            _GLASS * 1.6 + 20,
        )
    return sheet.texture()
