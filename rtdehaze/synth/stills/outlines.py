"""Outlines of things: tree crowns, bushes, people, stones, made once from a fixed seed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.noise import fractal_noise, ridge_line
from rtdehaze.synth.stills.palette import pick

__all__ = ["OUTLINES", "outline"]

_SIDE = 160
_VARIANTS = 8
_SEED = 20012

Mask = NDArray[np.uint8]


def _grid() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32)
    return (x + 0.5) / _SIDE * 2 - 1, (y + 0.5) / _SIDE * 2 - 1


def _bytes(inside: NDArray[np.bool_]) -> Mask:
    return inside.astype(np.uint8) * 255


def _crown(rng: np.random.Generator) -> Mask:
    """A leafy crown with gaps, on a trunk."""
    x, y = _grid()
    noise = fractal_noise(rng, _SIDE, _SIDE, 1.0)
    middle = rng.uniform(-0.4, -0.15)
    radius = np.hypot(x / rng.uniform(0.65, 0.85), (y - middle) / (1 + middle - 0.12))
    trunk = (np.abs(x) < rng.uniform(0.025, 0.06) * (1.2 + 0.5 * y)) & (y > middle)
    return _bytes((radius + 0.22 * noise < 0.85) | trunk)


def _fir(rng: np.random.Generator) -> Mask:
    x, y = _grid()
    wave = 0.1 * np.sin((y + 1) * rng.uniform(18, 30)) + 0.06 * fractal_noise(rng, _SIDE, _SIDE, 0.8)
    width = (y + 0.95) * rng.uniform(0.22, 0.4)
    return _bytes(((np.abs(x) < width + wave * (y + 1) * 0.4) & (y < 0.82)) | ((np.abs(x) < 0.05) & (y > 0)))


def _bare(rng: np.random.Generator) -> Mask:
    """A tree without leaves, grown branch by branch."""
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    tips = [(0.0, 1.0, -np.pi / 2, 0.62, 7.0)]
    while tips:
        x, y, angle, length, thick = tips.pop()
        ends = (x + length * np.cos(angle), y + length * np.sin(angle))
        pixels = [tuple(int((c + 1) / 2 * _SIDE) for c in point) for point in ((x, y), ends)]
        cv2.line(mask, pixels[0], pixels[1], 255, max(1, round(thick)))
        if length > 0.09:
            for side in rng.uniform(0.2, 0.75, int(rng.integers(2, 4))) * rng.choice([-1, 1], 1):
                turn = angle + side * rng.choice([-1, 1])
                tips.append((*ends, turn, length * rng.uniform(0.6, 0.82), thick * 0.66))
    return mask


def _bush(rng: np.random.Generator) -> Mask:
    x, y = _grid()
    noise = fractal_noise(rng, _SIDE, _SIDE, 1.1)
    return _bytes(np.hypot(x, np.minimum(y - 0.5, 0) / 1.4) + 0.2 * noise < 0.82)


def _blob(rng: np.random.Generator) -> Mask:
    """A stone or a cloth: smooth, uneven."""
    x, y = _grid()
    angle = np.arctan2(y, x)
    radius = 0.72 + sum(rng.normal(0, 0.16 / k) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in range(1, 6))
    return _bytes(np.hypot(x, y) < np.clip(radius, 0.3, 1.0))


def _ellipse(rng: np.random.Generator) -> Mask:
    x, y = _grid()
    power = pick(rng, 2.0, 2.0, 4.0, 1.2)
    return _bytes(np.abs(x) ** power + np.abs(y) ** power < 0.98)


def _person(rng: np.random.Generator) -> Mask:
    """Someone standing or walking, front or side, as seen from some way off."""
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    s, wide = _SIDE, float(rng.uniform(0.75, 1.15))

    def at(x: float, y: float) -> tuple[int, int]:
        return int(s * (0.5 + x * wide)), int(s * y)

    stride, lean = float(rng.uniform(0.02, 0.2)), float(rng.uniform(-0.03, 0.03))
    cv2.ellipse(mask, at(lean, 0.09), (int(0.13 * s * wide), int(0.078 * s)), 0, 0, 360, 255, -1)
    body = [at(-0.26, 0.2), at(-0.1 + lean, 0.16), at(0.1 + lean, 0.16), at(0.26, 0.2), at(0.2, 0.55), at(-0.2, 0.55)]
    cv2.fillPoly(mask, [np.array(body, np.int32)], 255)
    for side in (-1, 1):
        foot = side * (0.1 + stride)
        leg = [at(side * 0.21, 0.5), at(side * 0.01, 0.52), at(foot - 0.06, 0.98), at(foot + 0.08, 0.99)]
        cv2.fillPoly(mask, [cv2.convexHull(np.array(leg, np.int32)).reshape(-1, 2)], 255)
        cv2.line(
            mask,
            at(side * 0.24, 0.22),
            at(side * float(rng.uniform(0.26, 0.42)), 0.52),
            255,
            max(3, int(0.1 * s * wide)),
        )
    return mask


def _frond(rng: np.random.Generator) -> Mask:
    """Twigs with leaves that hang into the picture."""
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    for _ in range(int(rng.integers(4, 9))):
        start, turn = rng.uniform(0.1, 0.9, 2) * _SIDE, float(rng.uniform(0, 2 * np.pi))
        for step in np.linspace(0, rng.uniform(0.4, 0.8) * _SIDE, 12):
            x, y = start + step * np.array([np.cos(turn), np.sin(turn)])
            for side in (-1, 1):
                place = (int(x + side * 6 * np.sin(turn)), int(y - side * 6 * np.cos(turn)))
                cv2.ellipse(
                    mask,
                    place,
                    (int(rng.integers(6, 13)), int(rng.integers(2, 6))),
                    float(rng.uniform(0, 180)),
                    0,
                    360,
                    255,
                    -1,
                )
    return mask


def _ridge(rng: np.random.Generator) -> Mask:
    """Hills or the tops of a wood, over the whole width."""
    x, y = _grid()
    crest = ridge_line(rng, x[0], float(rng.uniform(0.9, 1.9)))
    return _bytes(y > 0.9 - 1.7 * crest[None, :])


OUTLINES: dict[str, Callable[[np.random.Generator], Mask]] = {
    "bare": _bare,
    "blob": _blob,
    "bush": _bush,
    "crown": _crown,
    "ellipse": _ellipse,
    "fir": _fir,
    "frond": _frond,
    "person": _person,
    "ridge": _ridge,
}


@lru_cache(maxsize=1)
def _masks() -> dict[str, list[Mask]]:
    return {
        kind: [make(np.random.default_rng([_SEED, i, number])) for number in range(_VARIANTS)]
        for i, (kind, make) in enumerate(OUTLINES.items())
    }


def outline(rng: np.random.Generator, kind: str) -> Mask:
    """Draws one of the outlines of a kind, mirrored half of the time.

    Returns:
        (160, 160) uint8 coverage, the top of the thing in the first row.
    """
    mask = _masks()[kind][int(rng.integers(_VARIANTS))]
    return np.ascontiguousarray(mask[:, ::-1]) if rng.random() < 0.5 else mask
