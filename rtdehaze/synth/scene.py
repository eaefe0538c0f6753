"""A place: what stands along an endless road, chosen stretch by stretch from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.camera import Camera, CameraPath, Lens
from rtdehaze.synth.ground import Ground
from rtdehaze.synth.plants import Plant, paint_bush, paint_plants
from rtdehaze.synth.raster import Canvas, Quad, Texture
from rtdehaze.synth.sky import Backdrop

__all__ = ["Scene"]

_STRETCH = 14.0  # metres of road laid out at a time
_SIGHT = 420.0  # metres; what stands beyond is part of the backdrop


@dataclass(frozen=True, slots=True)
class _Prop:
    """Quads that are drawn together, and how far along the road their farthest point is."""

    far_end: float
    quads: tuple[Quad, ...]


class Scene:
    """A place and everything that moves in it, as a function of time.

    Args:
        seed: The place.
        lens: The camera's lens.
    """

    def __init__(self, seed: int, lens: Lens) -> None:
        rng = np.random.default_rng([seed, 1])
        self._seed = seed
        self.lens = lens
        self._sun = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.6, 1.0))
        self._paved = bool(rng.random() < 0.5)
        season = float(rng.uniform(0.05, 0.45))
        self.path = CameraPath(rng, lens, speed=float(rng.uniform(9.0, 12.0) if self._paved else rng.uniform(13, 17)))
        self._ground = Ground(rng, lens, paved=self._paved, season=season)
        self._backdrop = Backdrop(rng, lens, self._sun, float(rng.uniform(0.25, 0.6)))
        detail = int(np.clip(1.1 * max(lens.height, lens.width / 1.8), 96, 1024))
        self._plants = paint_plants(rng, detail, self._sun, season)
        self._bushes = [paint_bush(rng, detail // 2, self._sun, season, aspect) for aspect in (1.3, 1.8, 3.2)]
        self._shadow = _soft_shadow()
        self._stretch = lru_cache(maxsize=128)(self._lay_out)

    def render(self, time: float, beta: float, far: float, ray_lengths: NDArray[np.float32]) -> Canvas:
        """Draws the place as seen at `time` seconds through haze of extinction `beta` (1/m)."""
        camera = self.path.at(time)
        canvas = Canvas(camera, ray_lengths, beta, far)
        self._backdrop.draw(canvas)
        self._ground.draw(canvas)
        props = self._props(camera)
        for prop in props:
            for quad in prop.quads:
                if quad.decal:
                    canvas.draw(quad)
        for prop in props:
            for quad in prop.quads:
                if not quad.decal:
                    canvas.draw(quad)
        return canvas

    def movers(self, time: float) -> dict[int, NDArray[np.float64]]:
        """Where each moving thing is at `time` seconds, (3,) metres, by its owner's number on the canvas."""
        del time
        return {}

    def _props(self, camera: Camera) -> list[_Prop]:
        here = float(camera.position[2])
        first, last = int(np.floor(here / _STRETCH)) - 1, int(np.floor((here + _SIGHT) / _STRETCH))
        props = [prop for number in range(first, last + 1) for prop in self._stretch(number)]
        return sorted(props, key=lambda prop: -prop.far_end)

    def _lay_out(self, number: int) -> tuple[_Prop, ...]:
        rng = np.random.default_rng([self._seed, 2, number + 1_000_000])
        start = number * _STRETCH
        props: list[_Prop] = []
        for side in (-1.0, 1.0):
            for _ in range(int(rng.integers(1, 4))):
                plant = self._plants[int(rng.integers(len(self._plants)))]
                props.append(self._plant(plant, side * rng.uniform(8, 30), start + rng.uniform(0, _STRETCH), rng))
            for _ in range(int(rng.integers(0, 3))):
                bush = self._bushes[int(rng.integers(len(self._bushes)))]
                props.append(self._plant(bush, side * rng.uniform(7, 12), start + rng.uniform(0, _STRETCH), rng))
        return tuple(props)

    def _plant(self, plant: Plant, x: float, z: float, rng: np.random.Generator) -> _Prop:
        size = rng.uniform(0.85, 1.2)
        flip = -1.0 if rng.random() < 0.5 and plant.crown < plant.width * 0.7 else 1.0
        width, height = plant.width * size, plant.height * size
        upright = Quad(
            plant.texture,
            np.array([x - flip * width / 2, height - 0.05, z]),
            np.array([flip * width, 0.0, 0.0]),
            np.array([0.0, -height, 0.0]),
        )
        return _Prop(z, (self._cast(x, z, plant.crown * size, 0.5 * plant.crown * size), upright))

    def _cast(self, x: float, z: float, width: float, depth: float) -> Quad:
        """A soft shadow on the ground, away from the sun."""
        centre = x - 0.35 * self._sun * width
        return Quad(
            self._shadow,
            np.array([centre - 0.7 * width, 0.0, z + depth]),
            np.array([1.4 * width, 0.0, 0.0]),
            np.array([0.0, 0.0, -2 * depth]),
            opacity=0.55,
            decal=True,
        )


def _soft_shadow() -> Texture:
    span = np.linspace(-1, 1, 64, dtype=np.float32)
    radius = np.hypot(span[None, :], span[:, None])
    cover = np.clip((1.0 - radius) / 0.75, 0, 1)
    rgb = np.full((64, 64, 3), (26, 28, 30), np.uint8)
    return Texture(rgb, np.rint(255 * cover).astype(np.uint8))
