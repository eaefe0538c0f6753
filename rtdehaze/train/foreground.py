"""What a camera sees of its own place before the haze: a dashboard, a bonnet, a mirror, a window's frame.

Pictures with depth show none, and a network that never saw one takes its contrast for a clear day: fog behind a large
dashboard was left alone.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.noise import fractal_noise, smooth_field

__all__ = ["put_before"]

Floats = NDArray[np.float32]

_LEAST_THROUGH = 0.96
"""Transmission of the air before it."""


def put_before(clear: Floats, transmission: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Puts something near before a scene.

    Args:
        clear: (h, w, 3) RGB in [0, 1].
        transmission: (h, w) of the scene.
        rng: Source of all randomness.

    Returns:
        The picture and its transmission, new arrays of the same shapes.
    """
    height, width = transmission.shape
    cover = _below_a_line(rng, height, width)
    if rng.random() < 0.4:
        cover = np.maximum(cover, _mirror(rng, height, width))
    if rng.random() < 0.3:
        cover = np.maximum(cover, _pillar(rng, height, width))
    cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.4, 1.2)).astype(np.float32)
    surface = _surface(clear, rng)
    through = np.float32(rng.uniform(_LEAST_THROUGH, 1.0))
    picture = clear + cover[..., None] * (surface - clear)
    return picture, np.asarray(transmission + cover * (np.maximum(through, transmission) - transmission), np.float32)


def _below_a_line(rng: np.random.Generator, height: int, width: int) -> Floats:
    """A band at the bottom, 8 to 45 % high, its upper edge bent or sloping."""
    across = np.linspace(-1.0, 1.0, width, dtype=np.float32)
    top = 1.0 - rng.uniform(0.08, 0.45)
    edge = top + rng.uniform(-0.05, 0.12) * across**2 + rng.uniform(-0.06, 0.06) * across
    edge += 0.02 * smooth_field(rng, 1, width, cells=float(rng.uniform(2.0, 6.0)))[0]
    rows = (np.arange(height, dtype=np.float32) + 0.5) / height
    return np.asarray(np.clip((rows[:, None] - edge) * height + 0.5, 0.0, 1.0), np.float32)


def _mirror(rng: np.random.Generator, height: int, width: int) -> Floats:
    """A rounded piece that hangs into the picture from above."""
    cover = np.zeros((height, width), np.float32)
    centre = round(rng.uniform(0.1, 0.9) * width), round(rng.uniform(-0.05, 0.12) * height)
    axes = max(1, round(rng.uniform(0.08, 0.3) * width)), max(1, round(rng.uniform(0.06, 0.16) * height))
    cv2.ellipse(cover, centre, axes, rng.uniform(-8.0, 8.0), 0.0, 360.0, 1.0, -1)
    return cover


def _pillar(rng: np.random.Generator, height: int, width: int) -> Floats:
    """A slanting bar along the left or the right side."""
    wide, slant = rng.uniform(0.03, 0.14) * width, rng.uniform(-0.12, 0.12) * width
    corners = np.array([[-width, 0], [wide, 0], [wide + slant, height], [-width, height]], np.float32)
    if rng.random() < 0.5:
        corners[:, 0] = width - corners[:, 0]
    cover = np.zeros((height, width), np.float32)
    cv2.fillPoly(cover, [np.round(corners).astype(np.int32)], 1.0)
    return cover


def _surface(clear: Floats, rng: np.random.Generator) -> Floats:
    """What it looks like: mostly dark, nearly grey, unevenly lit, grained, with a faint image of the scene in it."""
    height, width = clear.shape[:2]
    colour = rng.uniform(0.02, 0.5) * (1.0 + rng.uniform(-0.08, 0.08, 3))
    light = 1.0 + rng.uniform(0.1, 0.6) * smooth_field(rng, height, width, cells=float(rng.uniform(1.0, 4.0)))
    grain = rng.uniform(0.0, 0.15) * fractal_noise(rng, height, width, float(rng.uniform(0.5, 1.5)))
    surface = np.asarray((light + grain)[..., None] * colour, np.float32)
    surface += np.float32(rng.uniform(0.0, 0.25)) * clear[::-1]
    return np.clip(surface, 0.0, 1.0, out=surface)
