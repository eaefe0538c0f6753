"""The patterns that surfaces carry: small tiles without seams, made once from a fixed seed.

A tile has three channels: detail (lightness about the mean), mix (which of a material's two colours) and cast
(warmer or cooler).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.noise import fractal_noise

__all__ = ["PATTERNS", "SIDE", "Tile", "make_tiles"]

SIDE = 256
"""Texels of a tile's side."""

Floats = NDArray[np.float32]
Tile = tuple[Floats, Floats, Floats]
"""Detail (about 0, spread about 1), mix in [0, 1], cast (about 0, spread about 1)."""


def _noise(rng: np.random.Generator, slope: float, stretch: float = 1.0) -> Floats:
    return fractal_noise(rng, SIDE, SIDE, slope, stretch)


def _share(values: Floats, sharpness: float = 1.5) -> Floats:
    """Squeezes noise into [0, 1]."""
    return np.asarray(0.5 + 0.5 * np.tanh(sharpness * values), np.float32)


def _lattice(values: Floats, across: int, down: int, shift: bool = False) -> Floats:
    """A value for every cell of a lattice of the tile; every second row moved by half a cell if wanted."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    row = y * down // SIDE
    column = (x * across / SIDE + (0.5 * (row % 2) if shift else 0.0)).astype(int) % across
    return np.asarray(values[row, column], np.float32)


def _joints(across: int, down: int, width: float, shift: bool = False) -> Floats:
    """1 in the joints between the cells of a lattice, 0 inside; `width` is a share of a cell's height."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    row = np.floor(y * down / SIDE)
    v = y * down / SIDE - row
    u = (x * across / SIDE + (0.5 * (row % 2) if shift else 0.0)) % 1.0
    narrow = width * across / down
    edge = np.maximum(np.abs(2 * v - 1) - (1 - width), (np.abs(2 * u - 1) - (1 - narrow)) * down / across)
    return np.asarray(np.clip(edge * SIDE / down / 2 + 0.5, 0, 1), np.float32)


def _fractal(rng: np.random.Generator, slope: float, stretch: float = 1.0) -> Tile:
    return _noise(rng, slope, stretch), _share(_noise(rng, slope + 0.2, stretch)), _noise(rng, slope)


def _masonry(rng: np.random.Generator, across: int, down: int, width: float, shift: bool) -> Tile:
    joints = _joints(across, down, width, shift)
    cell = _lattice(rng.standard_normal((down, across), dtype=np.float32), across, down, shift)
    other = _lattice(rng.standard_normal((down, across), dtype=np.float32), across, down, shift)
    detail = 0.6 * cell * (1 - joints) + 0.5 * _noise(rng, 0.7)
    return detail.astype(np.float32), joints, (other + 0.3 * _noise(rng, 1.0)).astype(np.float32)


def _planks(rng: np.random.Generator, count: int) -> Tile:
    grain = _noise(rng, 0.9, 0.06)
    cell = _lattice(rng.standard_normal((count, 1), dtype=np.float32), 1, count)
    y = np.arange(SIDE, dtype=np.float32) * count / SIDE % 1.0
    gap = np.broadcast_to((np.abs(2 * y - 1) > 0.94)[:, None], (SIDE, SIDE))
    detail = 0.7 * cell + 0.6 * grain - 2.0 * gap
    return detail.astype(np.float32), _share(grain + cell), (0.5 * cell + 0.5 * grain).astype(np.float32)


def _windows(rng: np.random.Generator, across: int, down: int, wide: float, tall: float) -> Tile:
    """A front with windows: mix is 1 in the panes."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    u, v = np.abs(2 * (x * across / SIDE % 1.0) - 1), np.abs(2 * (y * down / SIDE % 1.0) - 1)
    pane = ((u < wide) & (v < tall)).astype(np.float32)
    frame = ((u < wide + 0.09) & (v < tall + 0.07)).astype(np.float32) - pane
    cross = pane * (((u < 0.05) | (np.abs(v - 0.2) < 0.04)) if rng.random() < 0.6 else 0.0)
    bright = _lattice(rng.standard_normal((down, across), dtype=np.float32), across, down)
    detail = 0.25 * _noise(rng, 1.0) + 1.1 * frame + pane * (0.9 * bright + 0.7 * _noise(rng, 1.3)) + 1.5 * cross
    sill = ((v > tall + 0.07) & (v < tall + 0.16) & (u < wide + 0.12)).astype(np.float32)
    return (detail - 0.8 * sill).astype(np.float32), pane * (1 - cross), (pane * bright).astype(np.float32)


def _stripes(rng: np.random.Generator, count: int, both: bool) -> Tile:
    bars = np.repeat(rng.random(count).astype(np.float32), -(-SIDE // count))[:SIDE]
    other = np.repeat(rng.random(count).astype(np.float32), -(-SIDE // count))[:SIDE]
    mix = (bars[None, :] + other[:, None]) / 2 if both else np.broadcast_to(bars[None, :], (SIDE, SIDE))
    cast = np.broadcast_to((other - 0.5)[None, :] * 3, (SIDE, SIDE))
    return 0.5 * _noise(rng, 0.5), np.ascontiguousarray(mix), np.ascontiguousarray(cast)


def _pebbles(rng: np.random.Generator, count: int, depth: float) -> Tile:
    points = rng.random((count, 2)) * SIDE
    seeds = np.full((3 * SIDE, 3 * SIDE), 255, np.uint8)
    for dx in range(3):
        for dy in range(3):
            seeds[(points[:, 1] + dy * SIDE).astype(int), (points[:, 0] + dx * SIDE).astype(int)] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    middle = labels[SIDE : 2 * SIDE, SIDE : 2 * SIDE]
    # The same stone has nine labels, one in each copy of the tile; the stone is what they share.
    stone = np.zeros(int(labels.max()) + 1, int)
    for dx in range(3):
        for dy in range(3):
            y, x = (points[:, 1] + dy * SIDE).astype(int), (points[:, 0] + dx * SIDE).astype(int)
            stone[labels[y, x]] = np.arange(count)
    cell = stone[middle]
    edge = (cell != np.roll(cell, 1, 0)) | (cell != np.roll(cell, 1, 1))
    groove = cv2.GaussianBlur(edge.astype(np.float32), (0, 0), max(0.8, 0.05 * SIDE / np.sqrt(count)))
    detail = 0.8 * rng.standard_normal(count)[cell] - depth * groove + 0.3 * _noise(rng, 0.8)
    return (
        detail.astype(np.float32),
        rng.random(count).astype(np.float32)[cell],
        rng.standard_normal(count).astype(np.float32)[cell],
    )


def _foliage(rng: np.random.Generator, size: float, count: int) -> Tile:
    """Leaves upon leaves, the deeper the darker (dead leaves model: Lee, Mumford, Huang 2001)."""
    detail = np.full((SIDE, SIDE), -1.6, np.float32)
    mix, cast = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)
    for i in range(count):
        x, y = rng.integers(0, SIDE, 2)
        axes = (max(1, int(size * rng.uniform(0.6, 1.5))), max(1, int(size * rng.uniform(0.25, 0.7))))
        angle = float(rng.uniform(0, 180))
        values = (-1.3 + 2.6 * i / count + 0.5 * rng.standard_normal(), rng.random(), rng.standard_normal())
        for dx in (-SIDE, 0, SIDE):
            for dy in (-SIDE, 0, SIDE):
                centre = (int(x + dx), int(y + dy))
                if all(-2 * size < c < SIDE + 2 * size for c in centre):
                    for plane, value in zip((detail, mix, cast), values, strict=True):
                        cv2.ellipse(plane, centre, axes, angle, 0, 360, float(value), -1)
    return detail + 0.2 * _noise(rng, 0.6), mix, cast


def _patches(rng: np.random.Generator, count: int) -> Tile:
    """A picture on a wall, a poster, goods on a shelf: shapes of all sizes on a ground."""
    detail, mix, cast = 0.4 * _noise(rng, 1.4), _share(_noise(rng, 1.8), 1.0), 0.5 * _noise(rng, 1.5)
    for _ in range(count):
        x, y = rng.integers(0, SIDE - 8, 2)
        w, h = (int(v) for v in np.exp(rng.uniform(np.log(6), np.log(110), 2)))
        box = (slice(y, min(SIDE, y + h)), slice(x, min(SIDE, x + w)))
        detail[box] = rng.standard_normal() + 0.3 * detail[box]
        mix[box], cast[box] = rng.random(), 1.5 * rng.standard_normal()
    return detail, mix, cast


def _books(rng: np.random.Generator, shelves: int) -> Tile:
    detail, mix, cast = (np.zeros((SIDE, SIDE), np.float32) for _ in range(3))
    rows = np.linspace(0, SIDE, shelves + 1).astype(int)
    for top, bottom in pairwise(rows):
        x = 0
        while x < SIDE:
            wide, short = int(rng.integers(5, 18)), int(rng.integers(2, max(3, (bottom - top) // 3)))
            box = (slice(top + short, bottom - 4), slice(x, x + wide - 1))
            detail[top:bottom, x : x + wide] = -2.0
            detail[box], mix[box], cast[box] = rng.standard_normal(), rng.random(), 1.5 * rng.standard_normal()
            x += wide
        detail[bottom - 4 : bottom], mix[bottom - 4 : bottom] = 0.3, 0.5
    return detail + 0.2 * _noise(rng, 0.6), mix, cast


def _grass(rng: np.random.Generator, stretch: float) -> Tile:
    blades = _noise(rng, 0.45, stretch)
    return (
        (0.8 * blades + 0.5 * _noise(rng, 1.2)).astype(np.float32),
        _share(_noise(rng, 1.3) + 0.4 * blades),
        _noise(rng, 1.2),
    )


Maker = Callable[[np.random.Generator], Tile]

PATTERNS: dict[str, tuple[Maker, ...]] = {
    "rough": tuple(lambda rng, s=s: _fractal(rng, s) for s in (0.5, 0.8, 1.0, 1.2, 1.5)),  # type: ignore[misc]
    "smooth": tuple(lambda rng, s=s: _fractal(rng, s) for s in (1.7, 2.1)),  # type: ignore[misc]
    "grain": tuple(lambda rng, s=s: _fractal(rng, 0.9, s) for s in (0.08, 0.3, 4.0, 12.0)),  # type: ignore[misc]
    "brick": (
        lambda rng: _masonry(rng, 6, 16, 0.16, True),
        lambda rng: _masonry(rng, 10, 24, 0.14, True),
        lambda rng: _masonry(rng, 4, 8, 0.08, True),
    ),
    "tiles": (
        lambda rng: _masonry(rng, 4, 4, 0.05, False),
        lambda rng: _masonry(rng, 8, 8, 0.08, False),
        lambda rng: _masonry(rng, 3, 6, 0.06, True),
    ),
    "planks": (lambda rng: _planks(rng, 5), lambda rng: _planks(rng, 12)),
    "windows": (
        lambda rng: _windows(rng, 4, 4, 0.45, 0.6),
        lambda rng: _windows(rng, 6, 5, 0.5, 0.55),
        lambda rng: _windows(rng, 5, 6, 0.85, 0.5),
        lambda rng: _windows(rng, 8, 6, 0.7, 0.8),
        lambda rng: _windows(rng, 3, 4, 0.35, 0.65),
        lambda rng: _windows(rng, 4, 8, 0.95, 0.45),
    ),
    "stripes": (
        lambda rng: _stripes(rng, 16, False),
        lambda rng: _stripes(rng, 24, True),
        lambda rng: _stripes(rng, 48, False),
    ),
    "pebbles": (
        lambda rng: _pebbles(rng, 60, 2.5),
        lambda rng: _pebbles(rng, 250, 3.0),
        lambda rng: _pebbles(rng, 900, 3.0),
    ),
    "foliage": (
        lambda rng: _foliage(rng, 5, 3500),
        lambda rng: _foliage(rng, 8, 1500),
        lambda rng: _foliage(rng, 14, 700),
    ),
    "patches": tuple(lambda rng, n=n: _patches(rng, n) for n in (8, 14, 25, 40, 70)),  # type: ignore[misc]
    "books": (lambda rng: _books(rng, 4), lambda rng: _books(rng, 7)),
    "grass": (lambda rng: _grass(rng, 0.25), lambda rng: _grass(rng, 0.6)),
}
"""What there is, by kind; several variants each."""


def make_tiles(seed: int) -> tuple[dict[str, tuple[int, ...]], list[Tile]]:
    """Makes all tiles.

    Returns:
        For each kind the numbers of its tiles, and the tiles.
    """
    numbers: dict[str, tuple[int, ...]] = {}
    tiles: list[Tile] = []
    for kind, makers in PATTERNS.items():
        numbers[kind] = tuple(range(len(tiles), len(tiles) + len(makers)))
        tiles += [make(np.random.default_rng([seed, len(tiles) + i])) for i, make in enumerate(makers)]
    return numbers, tiles
