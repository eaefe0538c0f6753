"""Colours as they occur: albedos in linear light, and the light that falls on them."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.stills.atlas import atlas

__all__ = ["FAMILIES", "Light", "Material", "colour", "daylight", "material", "pick", "room_light"]

Floats = NDArray[np.float32]
_T = TypeVar("_T")

FAMILIES: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "leaf": ((55, 125), (0.25, 0.8), (0.03, 0.3)),
    "autumn": ((15, 55), (0.5, 0.9), (0.08, 0.5)),
    "earth": ((15, 45), (0.2, 0.6), (0.06, 0.45)),
    "sand": ((25, 48), (0.12, 0.4), (0.35, 0.75)),
    "stone": ((0, 360), (0.0, 0.12), (0.06, 0.6)),
    "asphalt": ((200, 280), (0.0, 0.08), (0.03, 0.18)),
    "white": ((20, 220), (0.0, 0.08), (0.65, 0.95)),
    "pastel": ((0, 360), (0.05, 0.3), (0.45, 0.85)),
    "paint": ((0, 360), (0.35, 0.97), (0.05, 0.75)),
    "warm": ((0, 50), (0.3, 0.85), (0.1, 0.65)),
    "black": ((0, 360), (0.0, 0.4), (0.004, 0.04)),
    "wood": ((15, 38), (0.35, 0.75), (0.06, 0.45)),
    "skin": ((10, 28), (0.3, 0.6), (0.15, 0.65)),
    "brick": ((4, 24), (0.4, 0.75), (0.12, 0.45)),
    "water": ((160, 230), (0.2, 0.7), (0.01, 0.1)),
    "snow": ((200, 230), (0.0, 0.06), (0.75, 0.95)),
}
"""Ranges of hue in degrees, saturation and value."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a surface is made of."""

    first: Floats
    """(3,), linear RGB albedo."""
    second: Floats
    """(3,), the other colour of its pattern."""
    tile: int
    """Number of its pattern in the atlas."""
    metres: float
    """Length of the pattern's side."""
    contrast: float
    """Change of lightness per unit of the pattern's detail."""
    cast: float = 0.06
    """Change of warmth per unit of the pattern's cast."""
    blotches: float = 0.15
    """Change of lightness over several metres."""
    gloss: float = 0.0
    """Share of the light of the sky that it mirrors."""
    glow: float = 0.0
    """Its own light, in units of the albedo."""


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a picture, linear RGB."""

    to_sun: Floats
    """(3,), unit vector; y is up."""
    sun: Floats
    """(3,)."""
    sky: Floats
    """(3,), from above."""
    bounce: Floats
    """(3,), from below."""


def pick(rng: np.random.Generator, *options: _T) -> _T:
    """One of the options, each as likely; NumPy's own choice takes ten times as long."""
    return options[int(rng.integers(len(options)))]


def colour(rng: np.random.Generator, family: str) -> Floats:
    """Draws an albedo, (3,) linear RGB, from one of `FAMILIES`."""
    hue, saturation, value = FAMILIES[family]
    level = float(np.exp(rng.uniform(*np.log(value))))
    rgb = colorsys.hsv_to_rgb(rng.uniform(*hue) / 360 % 1, rng.uniform(*saturation), level)
    return np.array(rgb, np.float32)


def material(
    rng: np.random.Generator,
    family: str,
    pattern: str,
    metres: float,
    contrast: tuple[float, float] = (0.12, 0.55),
    second: str | None = None,
    gloss: float = 0.0,
    glow: float = 0.0,
) -> Material:
    """Draws a material of a family of colours with a pattern.

    Args:
        rng: Source of randomness.
        family: See `FAMILIES`.
        pattern: See `patterns.PATTERNS`.
        metres: About the length of the pattern's side.
        contrast: Range of the pattern's contrast.
        second: Family of the other colour; else a neighbour of the first.
        gloss: See `Material`.
        glow: See `Material`.
    """
    first = colour(rng, family)
    near = np.clip(first * rng.uniform(0.55, 1.5) * (1 + rng.uniform(-0.15, 0.15, 3)), 0.002, 0.95).astype(np.float32)
    return Material(
        first,
        near if second is None else colour(rng, second),
        pick(rng, *atlas().numbers[pattern]),
        float(metres * rng.uniform(0.7, 1.4)),
        float(rng.uniform(*contrast)),
        cast=float(rng.uniform(0.0, 0.12)),
        blotches=float(rng.uniform(0.05, 0.3)),
        gloss=gloss,
        glow=glow,
    )


def daylight(rng: np.random.Generator, cloud: float) -> Light:
    """Light outdoors: sun and blue shade under a clear sky, even and grey under a covered one.

    Args:
        rng: Source of randomness.
        cloud: Share of the sky under cloud, in [0, 1]; above 0.85 there is no sun.
    """
    height = float(np.radians(rng.uniform(8, 70)))
    side = float(rng.uniform(-np.pi, np.pi))
    to_sun = np.array([np.cos(height) * np.sin(side), np.sin(height), np.cos(height) * np.cos(side)], np.float32)
    low = float(np.exp(-height / 0.25))
    strength = float(rng.uniform(2.0, 4.5)) * max(0.0, min(1.0, (0.85 - cloud) / 0.3))
    sun = strength * np.array([1.0, 0.95 - 0.3 * low, 0.88 - 0.55 * low])
    blue = np.array([0.62, 0.8, 1.1]) * (1 - 0.8 * cloud) + 0.8 * cloud * np.array([1.0, 1.02, 1.05])
    sky = blue * rng.uniform(0.3, 0.9)
    bounce = (0.12 * sun * max(0.15, float(to_sun[1])) + 0.15 * sky) * rng.uniform(0.5, 1.3)
    return Light(to_sun, *(np.asarray(part, np.float32) for part in (sun, sky, bounce)))


def room_light(rng: np.random.Generator) -> Light:
    """Light indoors: mostly from one side and above, often warm."""
    side, height = float(rng.uniform(-np.pi, np.pi)), float(np.radians(rng.uniform(15, 80)))
    to_light = np.array([np.cos(height) * np.sin(side), np.sin(height), np.cos(height) * np.cos(side)], np.float32)
    warm = float(rng.uniform(0, 1)) ** 1.5
    tint = np.array([1.0, 1 - 0.22 * warm, 1 - 0.55 * warm])
    sun = tint * rng.uniform(0.3, 1.6)
    sky = tint[::1] * rng.uniform(0.3, 0.8) * np.array([0.97, 1.0, 1.03])
    bounce = sky * rng.uniform(0.3, 0.8) * np.array([1.08, 1.0, 0.88])
    return Light(to_light, *(np.asarray(part, np.float32) for part in (sun, sky, bounce)))
