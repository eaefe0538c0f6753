"""Paints houses and blocks: walls with windows, gables and roofs, and stands them beside the road."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.noise import fractal_noise
from rtdehaze.synth.texture import Quad, Texture

__all__ = ["Building", "paint_building"]

_FINE = 48  # pixels a metre while painting
_BRICK = 0.085  # metres, height of a course
_WALLS = ((196, 178, 150), (214, 206, 190), (172, 104, 82), (150, 92, 74), (188, 186, 180), (205, 190, 142))
_ROOFS = ((142, 78, 58), (118, 66, 52), (86, 88, 94), (104, 90, 80))

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Building:
    """A painted building; the road runs along its `side`, and its `front` looks at who comes along."""

    length: float
    """Metres along the road."""
    width: float
    """Metres away from the road."""
    eave: float
    """Metres: height of the walls."""
    ridge: float
    """Metres: height of the roof; equal to `eave` for a flat one."""
    side: Texture
    front: Texture
    roof: Texture

    def quads(self, face: float, start: float) -> tuple[Quad, ...]:
        """Returns the walls and the roof.

        Args:
            face: x of the wall along the road, metres; negative on the left.
            start: z of the front, metres.
        """
        out = float(np.sign(face))
        wall = Quad(
            self.side,
            np.array([face, self.eave, start + self.length]),
            np.array([0.0, 0.0, -self.length]),
            np.array([0.0, -self.eave, 0.0]),
        )
        front = Quad(
            self.front,
            np.array([face, self.ridge, start]),
            np.array([out * self.width, 0.0, 0.0]),
            np.array([0.0, -self.ridge, 0.0]),
        )
        if self.ridge == self.eave:
            return wall, front
        rise, lip = self.ridge - self.eave, 0.35
        slope = np.array([-out * (self.width / 2 + lip), -rise * (1 + 2 * lip / self.width), 0.0])
        roof = Quad(
            self.roof,
            np.array([face + out * self.width / 2, self.ridge, start + self.length + lip]),
            np.array([0.0, 0.0, -self.length - 2 * lip]),
            slope,
        )
        return wall, front, roof


def paint_building(rng: np.random.Generator, pixels_a_metre: float, *, lit: bool, town: bool) -> Building:
    """Paints one building.

    Args:
        rng: Source of randomness.
        pixels_a_metre: Fineness of its textures, at most 48.
        lit: Whether the sun shines on the wall along the road.
        town: A block of three to five floors, mostly flat; else a house.
    """
    floor = rng.uniform(2.8, 3.2)
    floors = int(rng.integers(3, 6)) if town else int(rng.integers(1, 3))
    eave, length, width = floors * floor + 0.6, rng.uniform(9.5, 13.6), rng.uniform(8.0, 10.5)
    flat = town and rng.random() < 0.7
    ridge = eave if flat else eave + rng.uniform(2.2, 3.4)
    base = np.array(_WALLS[int(rng.integers(len(_WALLS)))], np.float32) * rng.uniform(0.92, 1.06)
    brick = bool(base[2] < 100)
    window = (rng.uniform(0.95, 1.25), rng.uniform(1.25, 1.6))
    side = _wall(rng, length, eave, base, brick, floor, window, door=True)
    front = _wall(rng, width, ridge, base, brick, floor, window, door=False, top=ridge - eave)
    if flat:
        _cornice(side)
        _cornice(front)
    light, dim = (1.06, 0.80) if lit else (0.66, 0.86)
    alpha = None if flat else _gable(front.shape[:2], (ridge - eave) / ridge)
    roof = _roof(rng, length, width) * (1.05 if lit else 0.74)
    scale = min(1.0, pixels_a_metre / _FINE)
    return Building(
        length,
        width,
        eave,
        ridge,
        _texture(side * light, None, scale),
        _texture(front * dim, alpha, scale),
        _texture(roof, None, scale),
    )


def _texture(image: Image, alpha: NDArray[np.uint8] | None, scale: float) -> Texture:
    size = (max(2, round(image.shape[1] * scale)), max(2, round(image.shape[0] * scale)))
    small = cv2.resize(np.clip(image, 0, 255).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    cover = None if alpha is None else np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Texture(np.asarray(small, np.uint8), cover)


def _wall(
    rng: np.random.Generator,
    width: float,
    height: float,
    base: Image,
    brick: bool,
    floor: float,
    window: tuple[float, float],
    *,
    door: bool,
    top: float = 0.0,
) -> Image:
    """A wall with its windows; `top` metres of it are gable or parapet."""
    rows, cols = round(height * _FINE), round(width * _FINE)
    wall = _masonry(rng, rows, cols, base, brick)
    ground = np.arange(rows, dtype=np.float32)[:, None] / rows
    wall *= (1 - 0.10 * ground**3)[..., None]  # splashes and soot gather low
    plinth = rows - round(0.45 * _FINE)
    wall[plinth:] = wall[plinth:] * 0.62 + 12
    bays = max(2, int(width // 2.5))
    pitch = width / bays
    entrance = int(rng.integers(bays)) if door else -1
    for level in range(round((height - top - 0.6) / floor)):
        sill = height - 0.6 - level * floor - 0.75
        for bay in range(bays):
            middle = (bay + 0.5) * pitch
            if level == 0 and bay == entrance:
                _door(wall, rng, middle, height)
            else:
                _window(wall, rng, middle - window[0] / 2, sill - window[1], *window)
    eave = round(top * _FINE)
    reach = round(0.5 * _FINE)
    wall[eave : eave + reach] *= np.linspace(0.62, 1.0, reach, dtype=np.float32)[:, None, None]
    return wall


@cache
def _stains(slope: float) -> Image:
    return fractal_noise(np.random.default_rng(11), 512, 512, slope)


def _patch(rng: np.random.Generator, rows: int, cols: int, slope: float) -> Image:
    """A piece of one large stain: shaping noise anew for each wall would take most of the set-up."""
    top, left = rng.integers(512, size=2)
    return _stains(slope)[np.ix_((np.arange(rows) + top) % 512, (np.arange(cols) + left) % 512)]


def _masonry(rng: np.random.Generator, rows: int, cols: int, base: Image, brick: bool) -> Image:
    tone = 1 + 0.035 * _patch(rng, rows, cols, 1.1) + 0.02 * _patch(rng, rows, cols, 0.2)
    wall = base * tone[..., None]
    if brick:
        course = max(2, round(_BRICK * _FINE))
        long = course * 3
        y, x = np.arange(rows)[:, None], np.arange(cols)[None, :]
        row = y // course
        shifted = x + (row % 2) * (long // 2)
        stones = rng.normal(1.0, 0.10, (rows // course + 1, cols // long + 2)).astype(np.float32)
        wall *= stones[row, shifted // long][..., None]
        mortar = (y % course == 0) | (shifted % long == 0)
        wall = np.where(mortar[..., None], wall * 0.55 + np.float32(75), wall)
    return np.asarray(wall, np.float32)


def _cut(wall: Image, left: float, top: float, right: float, bottom: float) -> Image:
    rows, cols = wall.shape[:2]
    return wall[
        max(0, round(top * _FINE)) : min(rows, round(bottom * _FINE)),
        max(0, round(left * _FINE)) : min(cols, round(right * _FINE)),
    ]


def _window(wall: Image, rng: np.random.Generator, left: float, top: float, width: float, height: float) -> None:
    right, bottom = left + width, top + height
    _cut(wall, left - 0.10, top - 0.10, right + 0.10, bottom + 0.06)[:] *= 1.10
    _cut(wall, left - 0.14, bottom + 0.02, right + 0.14, bottom + 0.11)[:] = (198, 194, 186)
    _cut(wall, left - 0.14, bottom + 0.11, right + 0.14, bottom + 0.20)[:] *= 0.72
    _cut(wall, left, top, right, bottom)[:] = (226, 224, 218)
    pane = _cut(wall, left + 0.07, top + 0.07, right - 0.07, bottom - 0.07)
    rows, cols = pane.shape[:2]
    fall = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    across = np.linspace(0, 1, cols, dtype=np.float32)[None, :, None]
    sky, room = np.array([132, 156, 182], np.float32), np.array([38, 44, 52], np.float32)
    mirror = np.clip(0.75 - fall + 0.25 * across + rng.normal(0, 0.12), 0.05, 0.9)
    pane[:] = room + mirror * (sky - room)
    if rng.random() < 0.45:  # curtains
        cloth = np.array([206, 200, 186], np.float32) * rng.uniform(0.75, 1.0)
        folds = 0.9 + 0.1 * np.sin(across * 60)
        drawn = (across < rng.uniform(0.12, 0.3)) | (across > 1 - rng.uniform(0.12, 0.3))
        pane[:] = np.where(drawn, cloth * folds * 0.85, pane)
    _cut(wall, left + width / 2 - 0.03, top, left + width / 2 + 0.03, bottom)[:] = (220, 218, 212)
    _cut(wall, left, top + height * 0.36, right, top + height * 0.36 + 0.05)[:] = (220, 218, 212)
    _cut(wall, left, top, right, top + 0.12)[:] *= 0.55  # the shadow of the reveal


def _door(wall: Image, rng: np.random.Generator, middle: float, height: float) -> None:
    colour = np.array([(84, 58, 40), (40, 62, 58), (96, 34, 32), (52, 56, 70)][int(rng.integers(4))], np.float32)
    top, bottom = height - 2.45, height - 0.12
    _cut(wall, middle - 0.62, top - 0.12, middle + 0.62, bottom)[:] = (206, 202, 194)
    _cut(wall, middle - 0.5, top, middle + 0.5, bottom)[:] = colour
    for row in range(3):
        panel = top + 0.2 + row * 0.72
        _cut(wall, middle - 0.36, panel, middle + 0.36, panel + 0.55)[:] = colour * (0.78 if row else 1.9)
    _cut(wall, middle - 0.5, top, middle + 0.5, top + 0.1)[:] *= 0.55


def _cornice(wall: Image) -> None:
    band = round(0.38 * _FINE)
    wall[:band] = wall[:band] * 0.4 + np.float32(112)
    wall[band : 2 * band] *= np.linspace(0.55, 1.0, band, dtype=np.float32)[:, None, None]


def _gable(shape: tuple[int, ...], share: float) -> NDArray[np.uint8]:
    rows, cols = shape[0], shape[1]
    alpha = np.zeros((rows, cols), np.uint8)
    eave = round(rows * share)
    outline = np.array([[0, eave], [cols // 2, 0], [cols - 1, eave], [cols - 1, rows - 1], [0, rows - 1]], np.int32)
    cv2.fillConvexPoly(alpha, outline, 255, cv2.LINE_AA)
    return alpha


def _roof(rng: np.random.Generator, length: float, width: float) -> Image:
    rows, cols = round(width * 0.7 * _FINE), round(length * _FINE)
    base = np.array(_ROOFS[int(rng.integers(len(_ROOFS)))], np.float32)
    tile, row = round(0.22 * _FINE), round(0.34 * _FINE)
    y, x = np.arange(rows)[:, None], np.arange(cols)[None, :]
    tone = rng.normal(1.0, 0.07, (rows // row + 1, cols // tile + 2)).astype(np.float32)
    roof = base * tone[y // row, (x + (y // row % 2) * (tile // 2)) // tile][..., None]
    roof *= (1.12 - 0.34 * ((y % row) / row) ** 2 - 0.12 * (np.abs((x % tile) / tile - 0.5) * 2) ** 3)[..., None]
    roof *= (1 + 0.06 * _patch(rng, rows, cols, 1.1))[..., None]
    roof[: round(0.2 * _FINE)] *= 0.8
    roof[-round(0.16 * _FINE) :] = 58  # the gutter
    return np.asarray(roof, np.float32)
