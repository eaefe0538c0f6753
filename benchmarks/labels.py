"""Where the names of dots stand in a picture, so that none covers a dot or another name."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

__all__ = ["Box", "overlap", "place"]

Box = tuple[float, float, float, float]
"""Left, bottom, right and top in pixels."""

_DIRECTIONS = ((1, 0), (1, 1), (1, -1), (-1, 0), (-1, 1), (-1, -1), (0, 1), (0, -1))
"""Right and left of the dot, above and below it; right is where names are looked for."""
_STEPS = (0.0, 10.0, 22.0, 36.0, 52.0)
"""Pixels further away, where all places that are nearer are taken."""
_GAP = 4.0
"""Pixels between a dot and its name."""


def overlap(a: Box, b: Box) -> float:
    """Area that two boxes share."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)


def place(
    dots: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    bounds: Box,
    *,
    radius: float,
    taken: Iterable[Box] = (),
) -> list[Box]:
    """Finds a place for each name, one after the other: the nearest that is free, or else the freest.

    Args:
        dots: Their middles.
        sizes: Width and height of their names.
        bounds: What names should not leave.
        radius: Of the dots.
        taken: What else must not be covered.
    """
    full = [*taken, *((x - radius, y - radius, x + radius, y + radius) for x, y in dots)]
    found: list[Box] = []
    for dot, size in zip(dots, sizes, strict=True):
        candidates = (
            _beside(dot, size, radius + _GAP + step, way) for step, way in itertools.product(_STEPS, _DIRECTIONS)
        )
        costs = ((_cost(box, full, bounds), box) for box in candidates)
        best = min(costs, key=lambda one: one[0])[1]
        found.append(best)
        full.append(best)
    return found


def _beside(dot: tuple[float, float], size: tuple[float, float], away: float, way: tuple[int, int]) -> Box:
    (x, y), (width, height), (across, up) = dot, size, way
    left = x - width / 2 + across * (away + width / 2)
    bottom = y - height / 2 + up * (away + (height / 2 if not across else 0.0))
    return left, bottom, left + width, bottom + height


def _cost(box: Box, full: Sequence[Box], bounds: Box) -> float:
    area = (box[2] - box[0]) * (box[3] - box[1])
    return sum(overlap(box, other) for other in full) + area - overlap(box, bounds)
