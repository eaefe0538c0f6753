"""Open country: fractal hills, woods, lakes, snow, something near in front."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.noise import fractal_noise
from rtdehaze.synth.stills.palette import Material, material, pick
from rtdehaze.synth.stills.props import building, person, pole, tree
from rtdehaze.synth.stills.stage import Part, Stage

__all__ = ["Country", "open_country"]

_GRID = 256  # samples along a side of the map of heights, which repeats
_STEPS = 220  # distances at which the ground is cut

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Country:
    """The ground of a landscape."""

    heights: Floats
    """(256, 256), metres; repeats."""
    cell: float
    """Metres between two samples."""
    flat: float
    """Metres around the eye that are flattened, so that nothing hides the view."""
    level: float
    """Height of the water, metres; below all heights where there is none."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Country:
        """Draws flat, hilly or mountainous ground."""
        kind = rng.random()
        tall = float(
            rng.uniform(2, 15) if kind < 0.25 else rng.uniform(15, 120) if kind < 0.6 else rng.uniform(150, 900)
        )
        cell = tall * float(rng.uniform(0.02, 0.09)) + float(rng.uniform(0.3, 1.5))
        noise = fractal_noise(rng, _GRID, _GRID, float(rng.uniform(1.6, 2.3)))
        if rng.random() < 0.4:
            noise = np.float32(1.2) - np.float32(1.6) * np.abs(noise)  # sharp crests
        level = float(rng.uniform(-0.6, 0.1)) * tall if rng.random() < 0.4 else -np.inf
        return cls((noise * tall * 0.5).astype(np.float32), cell, float(rng.uniform(10, 60)) + 0.6 * tall, level)

    def at(self, x: Floats, z: Floats) -> Floats:
        """Heights at places in metres, the water's surface included."""
        u, v = (x / self.cell) % _GRID, (z / self.cell) % _GRID
        shape = u.shape
        flat = cv2.remap(
            self.heights,
            u.reshape(shape[0], -1).astype(np.float32),
            v.reshape(shape[0], -1).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        ).reshape(shape)
        away = np.hypot(x, z)
        eased = flat * np.clip((away - 0.2 * self.flat) / self.flat, 0, 1)
        return np.asarray(np.maximum(eased, np.float32(max(self.level, -1e6))), np.float32)


def open_country(stage: Stage, rng: np.random.Generator, season: str) -> NDArray[np.bool_]:
    """Draws the ground and what stands on it.

    Returns:
        (H, W), where there is water.
    """
    country = Country.draw(rng)
    cover = [_cover(rng, season) for _ in range(2)]
    far = float(np.exp(rng.uniform(np.log(1200), np.log(12000))))
    depth, normals = _march(stage, country, far)
    steep = normals[..., 1] < rng.uniform(0.55, 0.9)
    rock = material(rng, pick(rng, "stone", "earth", "snow"), "rough", 30.0, (0.2, 0.5))
    _lay(stage, depth, normals, cover[0], np.ones_like(steep))
    place_y = stage.view.rays[..., 1] * np.where(np.isfinite(depth), depth, 0) + stage.view.eye[1]
    line = country.heights.max() * rng.uniform(0.3, 1.5)
    _lay(stage, depth * np.float32(0.9999), normals, cover[1], _meadow(stage, rng, depth))
    _lay(stage, depth * np.float32(0.9998), normals, rock, steep | (place_y > line))
    water = np.isfinite(depth) & (place_y < country.level + 0.02 * abs(country.level) + 0.05) & (normals[..., 1] > 0.97)
    if water.any():
        _lay(stage, depth * np.float32(0.9997), normals, material(rng, "water", "grain", 8.0, (0.05, 0.2)), water)
    _furnish(stage, rng, country, season)
    return np.asarray(water & (stage.depth <= depth), np.bool_)


def _cover(rng: np.random.Generator, season: str) -> Material:
    family = pick(rng, season, season, "earth", "sand", "leaf", "autumn")
    return material(
        rng, family, pick(rng, "grass", "rough", "foliage", "pebbles"), float(rng.uniform(1.0, 6.0)), (0.15, 0.5)
    )


def _march(stage: Stage, country: Country, far: float) -> tuple[Floats, Floats]:
    """Depth and normals of the ground: each picture column is cut at growing distances, the highest seen so far hides.

    The pitch must be small and the roll is left out: columns stay upright.
    """
    view = stage.view
    rows, columns = view.size
    steps = np.geomspace(1.2, far, _STEPS).astype(np.float32)
    slope = (np.arange(columns, dtype=np.float32) - (columns - 1) / 2) / np.float32(view.focal)
    flat = float(np.cos(np.arcsin(view.forward[1])))
    x = (steps[:, None] * slope[None, :] / flat).astype(np.float32)
    z = np.broadcast_to(steps[:, None], (_STEPS, columns))
    rise = (country.at(x, np.ascontiguousarray(z)) - view.eye[1]) / steps[:, None]
    pitch = np.arcsin(view.forward[1])
    seen = np.arctan(rise) - pitch
    row = (rows - 1) / 2 - np.tan(np.clip(seen, -1.5, 1.5)) * np.float32(view.focal)
    highest = np.minimum.accumulate(row, axis=0)
    first = np.clip(np.ceil(highest), 0, rows).astype(np.int64)
    counts = np.zeros((rows + 1, columns), np.int32)
    np.add.at(counts, (first, np.broadcast_to(np.arange(columns), first.shape)), 1)
    # At a row, the steps that reach it start above it: the nearest of them is what is seen there.
    index = _STEPS - np.cumsum(counts[:rows], axis=0)
    hit = index < _STEPS
    index = np.clip(index, 0, _STEPS - 1)
    before = np.maximum(index - 1, 0)
    column = np.broadcast_to(np.arange(columns), index.shape)
    top, low = row[index, column], highest[before, column]
    share = np.clip((low - np.arange(rows)[:, None]) / np.maximum(low - top, 1e-3), 0, 1)
    way = steps[before] ** (1 - share) * steps[index] ** share
    # `way` runs along z; the ray's share along the optical axis turns it into depth.
    depth = np.where(hit, way / np.maximum(view.rays[..., 2], 0.05), np.inf).astype(np.float32)
    return depth, _ground_normals(country, view.rays, np.where(hit, depth, 1).astype(np.float32))


def _ground_normals(country: Country, rays: Floats, depth: Floats) -> Floats:
    x, z = rays[..., 0] * depth, rays[..., 2] * depth
    step = np.maximum(np.float32(country.cell * 0.5), 0.01 * depth)
    here = country.at(x, z)
    normal = np.stack(
        [(here - country.at(x + step, z)) / step, np.ones_like(x), (here - country.at(x, z + step)) / step], -1
    )
    return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True), np.float32)


def _lay(stage: Stage, depth: Floats, normals: Floats, made: Material, where: NDArray[np.bool_]) -> None:
    axes = np.eye(3, dtype=np.float32)
    part = Part(np.zeros(3, np.float32), axes[0], axes[2], axes[1], made)
    stage.surface(np.where(where, depth, np.float32(np.inf)), normals, part)


def _meadow(stage: Stage, rng: np.random.Generator, depth: Floats) -> NDArray[np.bool_]:
    """Fields and woods: patches in the world, not in the picture."""
    noise = fractal_noise(rng, 256, 256, 1.4)
    reach = float(np.exp(rng.uniform(np.log(60), np.log(1500))))
    at = np.where(np.isfinite(depth), depth, 0)[..., None] * stage.view.rays
    u, v = (at[..., 0] / reach * 256) % 256, (at[..., 2] / reach * 256) % 256
    found = cv2.remap(noise, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(found > rng.uniform(-0.8, 0.8))


def _furnish(stage: Stage, rng: np.random.Generator, country: Country, season: str) -> None:
    """Trees by the hundred or none, some houses, someone in front."""
    kind = pick(rng, "crown", "fir", "crown", "bush")
    reach, view = float(np.exp(rng.uniform(np.log(80), np.log(900)))), stage.view
    count = pick(rng, 0, 8, 25, 60)
    for _ in range(count):
        z = reach * float(rng.uniform(0.03, 1)) ** 1.2 + 4
        x = z * float(rng.uniform(-0.7, 0.7)) * max(view.size) / view.focal
        foot = _ground(country, x, z)
        if foot[1] > country.level + 0.1:
            tree(stage, rng, foot, float(rng.uniform(3, 14)), kind if rng.random() < 0.8 else None, season)
    for _ in range(pick(rng, 0, 0, 1, 4)):
        z = float(rng.uniform(25, 200))
        foot = _ground(country, z * float(rng.uniform(-0.5, 0.5)), z)
        building(stage, rng, foot, tuple(rng.uniform((6, 3, 6), (14, 8, 16))), float(rng.uniform(0, 3)))
    for _ in range(pick(rng, 0, 0, 1, 2, 4)):
        z = float(rng.uniform(3, 25))
        foot = _ground(country, z * float(rng.uniform(-0.5, 0.5)), z)
        if rng.random() < 0.6:
            person(stage, rng, foot)
        else:
            tree(stage, rng, foot, float(rng.uniform(0.5, 2.5)), "bush", season)
    if rng.random() < 0.2:
        made = material(rng, pick(rng, "wood", "stone", "white"), "grain", 1.0)
        for i in range(8):
            pole(stage, rng, _ground(country, float(rng.uniform(3, 5)), 4.0 + 3 * i), 1.1, 0.06, made)


def _ground(country: Country, x: float, z: float) -> tuple[float, float, float]:
    height = country.at(np.array([[x]], np.float32), np.array([[z]], np.float32))
    return x, float(height[0, 0]) - 0.05, z
