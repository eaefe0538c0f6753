"""What stands beside an endless road, laid out stretch by stretch from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rtdehaze.synth.buildings import Building, paint_building
from rtdehaze.synth.camera import Lens
from rtdehaze.synth.furniture import paint_lamp, paint_marker, paint_pole, paint_signs
from rtdehaze.synth.plants import Plant, paint_bush, paint_plants
from rtdehaze.synth.texture import Quad, Texture

__all__ = ["Prop", "Scenery", "Weather", "cast_shadow", "soft_shadow"]

_STRETCH = 14.0  # metres of road laid out at a time
_CONIFERS = 7  # number of the first in the list of plants; the leafy ones and the poplars come before


@dataclass(frozen=True, slots=True)
class Weather:
    """What a place looks like everywhere."""

    sun: float
    """Side of the sun, -1 left to 1 right."""
    season: float
    """0 is lush, 1 autumn."""
    paved: bool
    """A street with pavements and houses, else a country road."""


@dataclass(frozen=True, slots=True)
class Prop:
    """Quads that are drawn together."""

    far_end: float
    """z of their farthest point, metres: things are drawn in its falling order."""
    quads: tuple[Quad, ...]
    shadows: tuple[Quad, ...] = ()


class Scenery:
    """Paints the things of one place once and says what stands where.

    Args:
        seed: The place.
        lens: The camera, for the fineness of the pictures.
        weather: Light and season.
    """

    def __init__(self, seed: int, lens: Lens, weather: Weather) -> None:
        rng = np.random.default_rng([seed, 4])
        self._seed, self._weather = seed, weather
        detail = int(np.clip(0.62 * lens.focal, 64, 1024))
        self._plants = paint_plants(rng, detail, weather.sun, weather.season)
        self._bushes = [
            paint_bush(own, detail // 2, weather.sun, weather.season, wide)
            for own, wide in zip(rng.spawn(3), (1.3, 1.8, 3.2), strict=True)
        ]
        fine = float(np.clip(lens.focal / 14, 4, 48))
        self._buildings = {
            side: [
                paint_building(rng, fine, lit=side * weather.sun < 0, town=weather.paved and i % 2 == 0)
                for i in range(5 if weather.paved else 2)
            ]
            for side in (-1.0, 1.0)
        }
        self._lamp = paint_lamp(detail, weather.sun)
        self._pole = paint_pole(rng, detail, weather.sun)
        self._marker = paint_marker(max(24, detail // 4))
        self._signs = paint_signs(max(48, detail // 2), weather.sun)
        self._pole_side = float(rng.choice([-1.0, 1.0]))
        self._shadow = soft_shadow()
        self._stretch = lru_cache(maxsize=160)(self._lay_out)

    def between(self, near: float, far: float) -> list[Prop]:
        """Returns what stands between two distances along the road, in no particular order."""
        first, last = int(np.floor(near / _STRETCH)), int(np.floor(far / _STRETCH))
        return [prop for number in range(first, last + 1) for prop in self._stretch(number)]

    def _lay_out(self, number: int) -> tuple[Prop, ...]:
        rng = np.random.default_rng([self._seed, 2, number + 1_000_000])
        start = number * _STRETCH
        props: list[Prop] = []
        for side in (-1.0, 1.0):
            built = rng.random() < (0.8 if self._weather.paved else 0.10)
            if built:
                props += self._plot(side, start, rng)
            else:
                props += self._green(side, start, rng)
            props += self._roadside(side, number, start, rng)
        return tuple(props)

    def _plot(self, side: float, start: float, rng: np.random.Generator) -> list[Prop]:
        houses = self._buildings[side]
        house = houses[int(rng.integers(len(houses)))]
        face = side * (rng.uniform(8.0, 10.0) if self._weather.paved else rng.uniform(13.0, 19.0))
        front = start + rng.uniform(0.0, _STRETCH - house.length)
        props = [Prop(front + house.length, house.quads(face, front), self._building_shadow(house, face, front))]
        if rng.random() < 0.7:
            plant = self._plants[int(rng.integers(5))]
            behind = self._plant(plant, face + side * rng.uniform(13, 20), front + house.length, rng)
            props.append(Prop(front + house.length + 0.1, behind.quads))
        if not self._weather.paved:
            for _ in range(2):
                x, z = face - side * rng.uniform(1.5, 4.0), front + rng.uniform(0, house.length)
                props.append(self._plant(self._bushes[int(rng.integers(3))], x, z, rng))
        return props

    def _green(self, side: float, start: float, rng: np.random.Generator) -> list[Prop]:
        props = []
        nearest = 9.0 if self._weather.paved else 7.5
        for _ in range(int(rng.integers(1, 4))):
            last = len(self._plants) if not self._weather.paved else _CONIFERS
            plant = self._plants[int(rng.integers(last))]
            x = side * (nearest + rng.gamma(1.3, 7.0))
            props.append(self._plant(plant, x, start + rng.uniform(0, _STRETCH), rng))
        for _ in range(int(rng.integers(0, 3))):
            bush = self._bushes[int(rng.integers(len(self._bushes)))]
            props.append(self._plant(bush, side * rng.uniform(nearest, 14), start + rng.uniform(0, _STRETCH), rng))
        return props

    def _roadside(self, side: float, number: int, start: float, rng: np.random.Generator) -> list[Prop]:
        props = []
        if self._weather.paved:
            if number % 2 == (side > 0):
                lamp = self._lamp.quad(side * 4.6, start + 3.0, mirrored=side < 0)
                props.append(Prop(start + 3.0, (lamp,), (self._cast(side * 4.6, start + 3.0, 0.7, 0.35),)))
            if rng.random() < 0.3:
                props.append(self._plant(self._plants[int(rng.integers(5))], side * 6.4, start + 9.5, rng, 0.72))
        else:
            props.append(Prop(start + 5.0, (self._marker.quad(side * 4.75, start + 5.0),)))
            if side == self._pole_side and number % 3 == 0:
                x, z = side * 7.0, start + 1.0
                props.append(Prop(z, (self._pole.quad(x, z),), (self._cast(x, z, 0.9, 0.4),)))
        if rng.random() < 0.13:
            sign = self._signs[int(rng.integers(len(self._signs)))]
            props.append(Prop(start + 11.0, (sign.quad(side * (5.3 + sign.width / 2), start + 11.0),)))
        return props

    def _plant(self, plant: Plant, x: float, z: float, rng: np.random.Generator, scale: float = 1.0) -> Prop:
        size = scale * rng.uniform(0.85, 1.2)
        width, height = plant.width * size, plant.height * size
        upright = Quad(
            plant.texture,
            np.array([x - width / 2, height - 0.06, z]),
            np.array([width, 0.0, 0.0]),
            np.array([0.0, -height, 0.0]),
        )
        return Prop(z, (upright,), (self._cast(x, z, plant.crown * size, 0.4 * plant.crown * size),))

    def _cast(self, x: float, z: float, width: float, depth: float) -> Quad:
        return cast_shadow(self._shadow, x - 0.3 * self._weather.sun * width, z, 0.75 * width, depth)

    def _building_shadow(self, house: Building, face: float, front: float) -> tuple[Quad, ...]:
        out = float(np.sign(face))
        if out * self._weather.sun < 0:  # it falls away from the road
            return (cast_shadow(self._shadow, face, front + house.length / 2, 0.8, house.length / 2),)
        reach = 0.45 * house.eave
        return (
            cast_shadow(self._shadow, face - out * reach * 0.35, front + house.length / 2, reach, 0.6 * house.length),
        )


def cast_shadow(texture: Texture, x: float, z: float, half_width: float, half_length: float) -> Quad:
    """Returns a soft shadow on the ground about (x, z)."""
    return Quad(
        texture,
        np.array([x - half_width, 0.0, z + half_length]),
        np.array([2 * half_width, 0.0, 0.0]),
        np.array([0.0, 0.0, -2 * half_length]),
        opacity=0.58,
        decal=True,
    )


def soft_shadow() -> Texture:
    """A dark blot that fades towards its edge."""
    span = np.linspace(-1, 1, 64, dtype=np.float32)
    radius = np.power(np.abs(span[None, :]) ** 3 + np.abs(span[:, None]) ** 3, 1 / 3)
    cover = np.clip((1.0 - radius) / 0.7, 0, 1)
    rgb = np.full((64, 64, 3), (24, 26, 30), np.uint8)
    return Texture(rgb, np.rint(255 * cover).astype(np.uint8))
