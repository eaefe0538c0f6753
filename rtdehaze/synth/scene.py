"""A place with its traffic: draws any moment of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.camera import CameraPath, Lens
from rtdehaze.synth.cars import paint_car
from rtdehaze.synth.ground import Ground
from rtdehaze.synth.raster import Canvas
from rtdehaze.synth.scenery import Prop, Scenery, Weather, cast_shadow, soft_shadow
from rtdehaze.synth.sky import Backdrop
from rtdehaze.synth.texture import BACKDROP

__all__ = ["Scene"]

_SIGHT = 420.0  # metres; what stands beyond is part of the backdrop
_LANE = 1.75  # metres from the middle of the road to the middle of a lane
_GAP = 95.0  # metres between oncoming cars, on average
_LEADER = BACKDROP + 1
_FIRST_ONCOMING = BACKDROP + 2
_ONCOMING = 200  # numbers for oncoming cars, used in turn; far more than are ever in sight

Places = dict[int, NDArray[np.float64]]


class Scene:
    """A place and everything that moves in it, as a function of time.

    Args:
        seed: The place.
        lens: The camera's lens.
    """

    def __init__(self, seed: int, lens: Lens) -> None:
        rng = np.random.default_rng([seed, 1])
        paved = bool(rng.random() < 0.5)
        sun = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.6, 1.0))
        weather = Weather(sun, float(rng.uniform(0.0, 0.5)), paved)
        self.path = CameraPath(rng, lens, float(rng.uniform(8.5, 11.0) if paved else rng.uniform(13.0, 17.0)))
        self._oncoming_speed = float(rng.uniform(9.0, 12.0) if paved else rng.uniform(15.0, 20.0))
        self._leader = rng.uniform(0, 2 * np.pi, 2)
        self._seed = seed
        self._ground = Ground(rng.spawn(1)[0], lens, paved=paved, season=weather.season)
        self._backdrop = Backdrop(rng.spawn(1)[0], lens, sun, float(rng.uniform(0.25, 0.6)))
        self._scenery = Scenery(seed, lens, weather)
        fine = int(np.clip(0.16 * lens.focal, 24, 220))
        self._ahead = paint_car(rng, fine, oncoming=False)
        self._oncoming = [paint_car(rng, fine, oncoming=True) for _ in range(4)]
        self._shadow = soft_shadow()

    def render(self, time: float, beta: float, far: float, ray_lengths: NDArray[np.float32]) -> Canvas:
        """Draws the place as seen at `time` seconds.

        Args:
            time: Seconds.
            beta: Extinction coefficient of the haze, 1/m.
            far: Metres: the longest way of a ray through the haze.
            ray_lengths: (H, W), see `Lens.ray_lengths`.
        """
        camera = self.path.at(time)
        canvas = Canvas(camera, ray_lengths, beta, far)
        self._backdrop.draw(canvas)
        self._ground.draw(canvas)
        here = float(camera.position[2])
        props = self._scenery.between(here - 14.0, here + _SIGHT)
        props += self._traffic(self.movers(time), float(camera.position[0]))
        props.sort(key=lambda prop: -prop.far_end)
        canvas.draw([quad for prop in props for quad in prop.shadows] + [quad for prop in props for quad in prop.quads])
        return canvas

    def movers(self, time: float) -> Places:
        """Where each car is at `time` seconds, (3,) metres, by its owner's number on the canvas."""
        here = self.path.speed * time
        ahead = here + 21.0 + 5.0 * np.sin(0.31 * time + self._leader[0]) + 2.0 * np.sin(0.83 * time + self._leader[1])
        places: Places = {_LEADER: np.array([_LANE + 0.08 * np.sin(0.6 * time), 0.0, ahead])}
        driven = self._oncoming_speed * time
        first = int(np.floor((here - 10.0 + driven) / _GAP)) - 1
        last = int(np.ceil((here + _SIGHT + driven) / _GAP)) + 1
        for number in range(first, last + 1):
            offset = np.random.default_rng([self._seed, 5, number + 1_000_000]).uniform(-0.4, 0.4)
            z = (number + offset) * _GAP - driven
            if -10.0 < z - here < _SIGHT:
                places[_FIRST_ONCOMING + number % _ONCOMING] = np.array([-_LANE, 0.0, z])
        return places

    def _traffic(self, places: Places, eye: float) -> list[Prop]:
        props = []
        for owner, place in places.items():
            car = self._ahead if owner == _LEADER else self._oncoming[owner % len(self._oncoming)]
            shadow = cast_shadow(self._shadow, float(place[0]), float(place[2]) + 2.2, 1.15, 2.7)
            # Sorted by its near end: nothing else stands on the road.
            props.append(Prop(float(place[2]), car.quads(place, eye, owner), (shadow, shadow)))
        return props
