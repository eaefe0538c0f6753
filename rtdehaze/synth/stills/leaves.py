"""Shapes of all sizes hiding each other, which have the statistics of photographs: the dead leaves model.

Source: A. Lee, D. Mumford, J. Huang, "Occlusion models for natural images", IJCV 41, 2001. Here each leaf has a
material, a depth, and a rounding that catches the light.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.noise import smooth_field
from rtdehaze.synth.stills.atlas import atlas
from rtdehaze.synth.stills.palette import FAMILIES, Material, material, pick
from rtdehaze.synth.stills.stage import Part, Stage

__all__ = ["dead_leaves"]

_SMALLEST, _LARGEST = 0.012, 0.5  # radii, shares of the longer side; their density falls as radius**-3
_COMMON = ("leaf", "earth", "stone", "white", "pastel", "paint", "warm", "black", "wood", "sand", "skin", "autumn")


def dead_leaves(stage: Stage, rng: np.random.Generator) -> None:
    """Covers the whole stage with leaves, farthest first.

    Args:
        stage: An empty stage; depths come out between 1 and about 60 metres.
        rng: Source of randomness.
    """
    rows, columns = stage.view.size
    longer = max(rows, columns)
    count = int(rng.integers(150, 700))
    families = rng.choice(_COMMON, int(rng.integers(3, 8)), replace=False)
    made = [_material(rng, str(pick(rng, *families))) for _ in range(24)]
    low, high = 1 / _LARGEST**2, 1 / float(rng.uniform(_SMALLEST, 0.05)) ** 2
    radii = 1 / np.sqrt(rng.uniform(low, high, count)) * longer
    radii[: count // 12] = rng.uniform(0.15, 0.5, count // 12) * longer
    places = rng.uniform(-0.1, 1.1, (count, 2)) * (columns, rows)
    far = _ordered(rng, places, rows, count)
    label = np.zeros(stage.view.size, np.int32)
    slopes = np.zeros((count + 1, 2), np.float32)
    base = np.full(count + 1, np.log(far.max() * 1.1), np.float32)
    stage.parts.append(_part(stage, rng, (columns / 2, rows / 2), 1.0, float(np.exp(base[0])), made[0]))
    for i in np.argsort(-far):
        number = len(stage.parts) - 1
        _draw(label, rng, places[i], radii[i], number)
        stage.parts.append(_part(stage, rng, places[i], radii[i], float(far[i]), made[int(rng.integers(len(made)))]))
        base[number] = np.log(far[i])
        slopes[number] = rng.normal(0, 0.25, 2) * (rng.random() < 0.4) / longer
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    shift = slopes[label]
    depth = base[label] + shift[..., 0] * (x - columns / 2) + shift[..., 1] * (y - rows / 2)
    stage.depth[:] = np.exp(depth + 0.05 * smooth_field(rng, rows, columns))
    stage.part[:] = label + 1


def _ordered(rng: np.random.Generator, places: NDArray[np.float64], rows: int, count: int) -> NDArray[np.float64]:
    """Metres for every leaf: at random, or farther up as on a ground seen from a height, or in few layers."""
    spread = np.exp(rng.uniform(0, np.log(rng.uniform(4, 60)), count))
    way = rng.random()
    if way < 0.35:
        return np.asarray(spread, np.float64)
    if way < 0.85:
        height = np.clip(1 - places[:, 1] / rows, -0.1, 1.1)
        steep = rng.uniform(1.5, 4.0)
        return np.asarray(np.exp(steep * height + rng.normal(0, 0.25, count)) + 0.5, np.float64)
    layers = np.exp(rng.uniform(0, 4, int(rng.integers(2, 5))))
    return np.asarray(rng.choice(layers, count) * rng.uniform(0.95, 1.05, count), np.float64)


def _material(rng: np.random.Generator, family: str) -> Material:
    pattern = pick(rng, *atlas().numbers)
    second = pick(rng, *FAMILIES) if rng.random() < 0.4 else None
    return material(rng, family, pattern, float(np.exp(rng.uniform(-0.5, 2.0))), (0.03, 0.5), second)


def _draw(
    label: NDArray[np.int32], rng: np.random.Generator, place: NDArray[np.float64], radius: float, number: int
) -> None:
    x, y = (int(v) for v in place)
    kind, angle = rng.random(), float(rng.uniform(0, 360))
    wide, tall = max(1, int(radius)), max(1, int(radius * rng.uniform(0.3, 1.0)))
    if kind < 0.35:
        cv2.ellipse(label, (x, y), (wide, tall), angle, 0, 360, number, -1)
        return
    if kind < 0.7:
        corners = cv2.boxPoints(((float(x), float(y)), (2.0 * wide, 2.0 * tall), angle if kind < 0.5 else 0.0))
    else:
        turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 14))))
        away = rng.uniform(0.45, 1.0, len(turns)) * radius
        corners = np.column_stack([x + away * np.cos(turns), y + away * np.sin(turns)])
    cv2.fillPoly(label, [np.rint(corners).astype(np.int32)], number)


def _part(
    stage: Stage,
    rng: np.random.Generator,
    place: NDArray[np.float64] | tuple[float, float],
    radius: float,
    far: float,
    made: Material,
) -> Part:
    view = stage.view
    row, column = np.clip(place[1], 0, view.size[0] - 1), np.clip(place[0], 0, view.size[1] - 1)
    origin = view.eye + view.rays[int(row), int(column)] * np.float32(far)
    turn = float(rng.uniform(0, 2 * np.pi))
    across = (np.cos(turn) * view.right + np.sin(turn) * view.up).astype(np.float32)
    along = (np.sin(turn) * view.right - np.cos(turn) * view.up).astype(np.float32)
    tilt = rng.normal(0, 0.5, 2)
    normal = -view.forward + tilt[0] * view.right + abs(tilt[1]) * view.up
    half = float(radius * far / view.focal)
    bend = float(rng.uniform(0.3, 0.95)) if rng.random() < 0.5 else 0.0
    # A leaf's pattern keeps its size in the picture wherever the leaf is.
    scaled = Material(
        made.first, made.second, made.tile, made.metres * far * 0.12, made.contrast, made.cast, made.blotches
    )
    return Part(
        origin.astype(np.float32),
        across,
        along,
        (normal / np.linalg.norm(normal)).astype(np.float32),
        scaled,
        (half, half),
        (bend, bend),
    )
