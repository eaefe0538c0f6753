"""Paints trees, bushes and hedges as pictures with coverage, leaf by leaf."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.sheet import Sheet
from rtdehaze.synth.texture import Texture

__all__ = ["Plant", "paint_bare", "paint_bush", "paint_leafy", "paint_plants"]

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plant:
    """A painted plant and its usual size in metres."""

    texture: Texture
    width: float
    height: float
    crown: float
    """Width of what casts a shadow, metres."""


def paint_plants(rng: np.random.Generator, pixels: int, sun: float, season: float) -> list[Plant]:
    """Paints the trees of one place.

    Args:
        rng: Source of randomness.
        pixels: Height of the pictures.
        sun: Side of the sun, -1 left to 1 right.
        season: 0 is lush, 1 autumn.

    Returns:
        Five leafy trees, two poplars, two conifers and a bare tree, in that order.
    """
    light = np.array([0.75 * sun, -0.62, 0.35])
    plants = []
    # Each paints from a source of its own: larger pictures draw more leaves, and the next tree must not notice.
    for number, own in enumerate(rng.spawn(10)):
        if number < 5:
            size = own.uniform(7.0, 11.5)
            plants.append(Plant(paint_leafy(own, pixels, light, season, 0.92, 0.5), 0.92 * size, size, 0.75 * size))
        elif number < 7:
            size = own.uniform(11.0, 14.0)
            plants.append(Plant(paint_leafy(own, pixels, light, season, 0.36, 0.16), 0.36 * size, size, 0.3 * size))
        elif number < 9:
            size = own.uniform(9.0, 14.0)
            plants.append(Plant(_conifer(own, pixels, light), 0.5 * size, size, 0.4 * size))
        else:
            plants.append(Plant(paint_bare(own, pixels, light), 1.1 * 8.5, 8.5, 5.0))
    return plants


def paint_bush(rng: np.random.Generator, pixels: int, sun: float, season: float, aspect: float) -> Plant:
    """Paints a bush, or with a large `aspect` a stretch of hedge; 1.6 m high."""
    light = np.array([0.75 * sun, -0.62, 0.35])
    hue = _foliage_colour(rng, season)
    sheet = Sheet(pixels, aspect, 0.7 * hue)
    lumps = max(4, int(5 * aspect))
    centres = np.column_stack(
        [rng.uniform(0.16, aspect - 0.16, lumps), rng.uniform(0.5, 0.78, lumps), rng.uniform(-0.3, 0.3, lumps)]
    )
    radii = rng.uniform(0.2, 0.32, lumps)
    radii = np.minimum(radii, np.minimum(centres[:, 0], aspect - centres[:, 0]))
    _leaves(
        sheet, rng, centres, radii, hue, light, int(_leaf_count(pixels)[0] * 0.3 * aspect), 2.2 * _leaf_count(pixels)[1]
    )
    return Plant(sheet.texture(), 1.6 * aspect, 1.6, 1.5 * aspect)


def _foliage_colour(rng: np.random.Generator, season: float) -> Points:
    green = np.array([rng.uniform(66, 104), rng.uniform(102, 128), rng.uniform(38, 58)])
    autumn = np.array([rng.uniform(160, 200), rng.uniform(105, 140), rng.uniform(34, 60)])
    share = float(np.clip(season * rng.uniform(0.2, 1.3) - 0.15, 0, 1))
    return np.asarray(green + share * (autumn - green))


def paint_leafy(
    rng: np.random.Generator, pixels: int, light: Points, season: float, aspect: float, half_width: float
) -> Texture:
    """Paints a tree in leaf.

    Args:
        rng: Source of randomness.
        pixels: Height of the picture.
        light: (3,) direction to the light: right, down, towards the viewer.
        season: 0 is lush, 1 autumn.
        aspect: Width of the picture over its height.
        half_width: Half the crown's width, in heights of the picture.
    """
    hue = _foliage_colour(rng, season)
    sheet = Sheet(pixels, aspect, 0.65 * hue)
    root = np.array([aspect / 2, 1.0])
    fork = rng.uniform(0.70, 0.80)
    _limb(sheet, root, np.array([aspect / 2, fork]), 0.020, 0.013, light)
    tips: list[Points] = []
    top = np.array([aspect / 2, fork])
    spread, reach = (0.75, 1.0) if half_width > 0.3 else (0.22, 0.6)
    for angle in np.linspace(-spread, spread, 5) + rng.normal(0, 0.08, 5):
        _branch(sheet, rng, top, angle, reach * rng.uniform(0.15, 0.20), 0.010, 3, light, tips)
    lumps = 26
    centre_y, tall = 0.40, 0.31
    turn, lift = rng.uniform(0, 2 * np.pi, lumps), np.linspace(-1, 1, lumps) + rng.normal(0, 0.06, lumps)
    out = rng.uniform(0.45, 0.8, lumps) * np.sqrt(np.clip(1 - 0.8 * lift**2, 0.1, 1))
    centres = np.column_stack(
        [
            aspect / 2 + out * np.cos(turn) * half_width * 0.86,
            centre_y + lift * tall * 0.8,
            out * np.sin(turn) * half_width,
        ]
    )
    radii = rng.uniform(0.24, 0.40, lumps) * min(half_width * 0.75, 0.3)
    radii = np.minimum(radii, 0.95 * np.minimum(centres[:, 0], aspect - centres[:, 0]))
    centres = np.vstack([centres, [[*tip, 0.0] for tip in tips if 0.06 < tip[0] < aspect - 0.06 and tip[1] > 0.06]])
    radii = np.concatenate([radii, np.full(len(centres) - lumps, 0.055)])
    _leaves(sheet, rng, centres, radii, hue, light, *_leaf_count(pixels))
    return sheet.texture()


def _leaf_count(pixels: int) -> tuple[int, float]:
    """How many leaves make a crown, and their size in picture heights: small pictures need fewer, larger ones."""
    count = int(np.clip(11.0 * pixels, 1000, 9000))
    return count, 0.0105 * (6500 / count) ** 0.5


def _leaves(
    sheet: Sheet,
    rng: np.random.Generator,
    centres: Points,
    radii: Points,
    hue: Points,
    light: Points,
    count: int,
    size: float,
) -> None:
    """Strews leaves over lumps; those behind first; lit by the lump's own shape and the whole crown's."""
    lump = rng.choice(len(centres), count, p=radii**2 / np.sum(radii**2))
    normals = rng.standard_normal((count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    shell = radii[lump] * rng.uniform(0.45, 1.05, count) ** 0.5
    places = centres[lump] + normals * shell[:, None]
    middle, extent = centres.mean(axis=0), np.ptp(places, axis=0) / 2 + 1e-3
    whole = (places - middle) / extent
    facing = np.array([light[0], light[1], -light[2]])
    lit = 0.55 * normals @ facing + 0.45 * whole @ facing
    tone = np.clip(0.70 + 0.62 * lit - 0.14 * whole[:, 2] + rng.normal(0, 0.10, count), 0.26, 1.5)
    warm = rng.normal(0, 0.05, count)
    colours = hue * tone[:, None] * (1 + np.outer(warm, [1.0, 0.2, -1.0]))
    # Sunlit leaves are yellower, shaded ones lit by the blue of the sky.
    colours += np.outer(np.clip(tone - 0.95, 0, None), [40.0, 34.0, 4.0]) + np.outer(
        np.clip(0.7 - tone, 0, None), [0.0, 6.0, 14.0]
    )
    angles, lengths = rng.uniform(0, np.pi, count), size * rng.uniform(0.6, 1.3, count)
    along = np.column_stack([np.cos(angles), np.sin(angles)]) * lengths[:, None]
    across = np.column_stack([-np.sin(angles), np.cos(angles)]) * (lengths * rng.uniform(0.3, 0.7, count))[:, None]
    corners = places[:, None, :2] + np.stack([along, across, -along, -across], axis=1)
    for i in np.argsort(-places[:, 2]):
        sheet.polygon(corners[i], colours[i])


def _limb(sheet: Sheet, start: Points, end: Points, wide: float, narrow: float, light: Points) -> None:
    """A tapering piece of wood in three strips, shaded like a cylinder."""
    way = end - start
    across = np.array([-way[1], way[0]]) / (np.hypot(*way) + 1e-9)
    if across[0] < 0:
        across = -across
    bark = np.array([92.0, 80.0, 68.0])
    edges = (-1.0, -0.35, 0.35, 1.0)
    for left, right in pairwise(edges):
        tone = 0.72 + 0.34 * (left + right) / 2 * np.sign(light[0] or 1.0)
        corners = [
            start + across * left * wide,
            start + across * right * wide,
            end + across * right * narrow,
            end + across * left * narrow,
        ]
        sheet.polygon(np.array(corners), bark * tone)


def _branch(
    sheet: Sheet,
    rng: np.random.Generator,
    start: Points,
    angle: float,
    length: float,
    wide: float,
    forks: int,
    light: Points,
    tips: list[Points],
) -> None:
    end = start + length * np.array([np.sin(angle), -np.cos(angle)])
    _limb(sheet, start, end, wide, wide * 0.68, light)
    if forks == 0:
        tips.append(end)
        return
    for turn in (-1, 0, 1) if forks > 1 and rng.random() < 0.35 else (-1, 1):
        bend = angle + turn * rng.uniform(0.25, 0.6) + rng.normal(0, 0.08)
        _branch(sheet, rng, end, bend, length * rng.uniform(0.62, 0.8), wide * 0.62, forks - 1, light, tips)


def _conifer(rng: np.random.Generator, pixels: int, light: Points) -> Texture:
    aspect = 0.5
    hue = np.array([rng.uniform(38, 56), rng.uniform(70, 86), rng.uniform(46, 56)])
    sheet = Sheet(pixels, aspect, 0.7 * hue)
    _limb(sheet, np.array([aspect / 2, 1.0]), np.array([aspect / 2, 0.05]), 0.014, 0.003, light)
    side = np.sign(light[0] or 1.0)
    rows = np.linspace(0.93, 0.03, 46)
    for y in rows:
        reach = 0.235 * ((y - 0.015) / 0.93) ** 0.85
        for x in np.sort(rng.uniform(-1, 1, 26))[rng.permutation(26)]:
            length = reach * rng.uniform(0.35, 1.0)
            tone = 0.62 + 0.30 * x * side + 0.22 * abs(x) + rng.normal(0, 0.09)
            tip = np.array([aspect / 2 + x * length, y + 0.055 * abs(x) * (length / 0.2) + rng.normal(0, 0.006)])
            root = np.array([aspect / 2 + 0.25 * x * length, y - 0.02 - 0.015 * (1 - abs(x))])
            thick = np.array([0.0, 0.010 + 0.008 * (1 - abs(x))])
            sheet.polygon(np.array([root, tip, (root + tip) / 2 + thick]), hue * max(tone, 0.3))
    return sheet.texture()


def paint_bare(rng: np.random.Generator, pixels: int, light: Points) -> Texture:
    """Paints a tree without leaves, 1.1 times as wide as high; arguments as for `paint_leafy`."""
    aspect = 1.1
    sheet = Sheet(pixels, aspect, (88.0, 78.0, 68.0))
    fork = np.array([aspect / 2 + rng.normal(0, 0.01), 0.70])
    _limb(sheet, np.array([aspect / 2, 1.0]), fork, 0.018, 0.013, light)
    for angle in np.linspace(-0.85, 0.85, 6) + rng.normal(0, 0.08, 6):
        _branch(sheet, rng, fork, angle, rng.uniform(0.15, 0.2), 0.0085, 6, light, [])
    return sheet.texture()
