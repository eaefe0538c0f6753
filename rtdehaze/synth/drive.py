"""A foggy drive with the truth beside every frame: clear picture, transmission, airlight, depth and motion."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.camera import Camera, Lens
from rtdehaze.synth.haze import beta_for_median, random_airlight
from rtdehaze.synth.motion import View, backward_motion
from rtdehaze.synth.scene import Scene

__all__ = ["DriveFrame", "FoggyDrive", "forget_places"]

Density = float | Callable[[float], float]
_LONGEST = 150.0  # metres: what the sky counts as when the haze is set
_FAR = 4.0  # median ways: the longest way through the haze
_KEPT = 3  # renderings kept, so that a frame and its motion are drawn once


@dataclass(frozen=True, slots=True)
class DriveFrame:
    """One frame of the drive and everything that is true about it."""

    index: int
    time: float
    """Seconds since the first frame."""
    hazy: NDArray[np.uint8]
    """(H, W, 3) RGB: what the camera delivers; clear * t + A * (1 - t), then noise, then rounding."""
    clear: NDArray[np.uint8]
    """(H, W, 3) RGB: the same moment without haze or noise."""
    transmission: NDArray[np.float32]
    """(H, W) in (0, 1]; where surfaces share a pixel, the mean of theirs by coverage."""
    airlight: NDArray[np.float32]
    """(3,) RGB in [0, 1]."""
    depth: NDArray[np.float32]
    """(H, W) metres along the ray to the surface that covers most of the pixel; infinite for the sky."""

    @property
    def clear_float(self) -> NDArray[np.float32]:
        """(H, W, 3) float32 in [0, 1]: `clear` exactly."""
        return self.clear.astype(np.float32) / np.float32(255)

    @property
    def hazy_float(self) -> NDArray[np.float32]:
        """(H, W, 3) float32 in [0, 1]: the haze before noise and rounding; solves back to `clear_float`."""
        return _haze(self.clear_float, self.transmission, self.airlight)


@dataclass(frozen=True, slots=True)
class _Take:
    """A stretch of the drive without a cut."""

    scene: Scene
    start: int
    """Its first frame."""
    airlight: NDArray[np.float32]
    middle: float
    """Metres: the median way through the haze in its first frame."""
    far: float
    """Metres: the longest way through the haze."""
    median: Callable[[float], float]


@dataclass(frozen=True, slots=True)
class _Rendering:
    take: _Take
    clear: NDArray[np.uint8]
    transmission: NDArray[np.float32]
    view: View


class FoggyDrive:
    """A road seen from a moving car, in haze. The same arguments give the same bytes, frame by frame, in any order.

    Haze is I = J*t + A*(1 - t), pixel by pixel, with t = exp(-beta * min(d, far)): d is the length of the way from
    the camera to the surface, and no ray crosses more than `far` metres of haze, so the sky keeps a little light of
    its own. J and A are the picture's gamma-encoded RGB, as in the dehazing literature. Where surfaces share a pixel
    J and t are both mixed by coverage, so the model holds there too; for the physically right order see `edges`.

    Args:
        width: Pixels, 1 or more.
        height: Pixels, 1 or more.
        fps: Frames a second.
        seconds: Length; `len(drive)` is `round(fps * seconds)`, at least 1.
        seed: The place, the weather and the noise.
        median_transmission: Median of t over the first frame, in (0, 1]; 1 is a clear day. A function of the time in
            seconds makes the haze thicken or lift.
        airlight: RGB in [0, 1]; by default drawn from the seed.
        airlight_drift: Amplitude of a slow swell of the airlight (period 10 s), in units of the picture's range.
        noise: Standard deviation of the sensor's noise after the haze, in units of the picture's range.
        cut_at: Seconds; from there on another place in another haze, by a hard cut.
        cut_median_transmission: Median of t after the cut; by default thin after thick, thick after thin.
        far: Metres, see above; by default four times the median way in the first frame, so that the sky keeps the
            fourth power of the median transmission.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        width: int = 960,
        height: int = 540,
        fps: float = 25.0,
        seconds: float = 8.0,
        seed: int = 0,
        *,
        median_transmission: Density = 0.35,
        airlight: tuple[float, float, float] | NDArray[np.float32] | None = None,
        airlight_drift: float = 0.0,
        noise: float = 0.0,
        cut_at: float | None = None,
        cut_median_transmission: Density | None = None,
        far: float | None = None,
    ) -> None:
        if width < 1 or height < 1 or fps <= 0 or noise < 0 or (far is not None and far <= 0):
            raise ValueError(
                f"a drive of {width}x{height} at {fps} fps with noise {noise} and far {far} cannot be made"
            )
        self.width, self.height, self.fps, self.seed = width, height, float(fps), seed
        self._count = max(1, round(fps * seconds))
        self._noise, self._drift = noise, airlight_drift
        self._lens = Lens.wide(width, height)
        self._ray_lengths = self._lens.ray_lengths()
        self._renderings: OrderedDict[int, _Rendering] = OrderedDict()
        median = _as_function(median_transmission)
        self._takes = [self._take(seed, 0, airlight, median, far)]
        if cut_at is not None:
            before = median(cut_at)
            after = cut_median_transmission if cut_median_transmission is not None else 0.7 if before < 0.5 else 0.25
            self._takes.append(self._take(seed + 7919, max(1, round(cut_at * fps)), None, _as_function(after), far))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[DriveFrame]:
        return (self.frame(index) for index in range(self._count))

    @property
    def cut(self) -> int | None:
        """Number of the first frame after the cut, None without one."""
        return self._takes[1].start if len(self._takes) > 1 else None

    def frame(self, index: int) -> DriveFrame:
        """Returns a frame by its number.

        Raises:
            IndexError: There is no such frame.
        """
        drawn = self._render(index)
        time = index / self.fps
        airlight = self._airlight(drawn.take, time)
        hazy = _haze(drawn.clear.astype(np.float32), drawn.transmission, airlight * np.float32(255))
        if self._noise > 0:
            rng = np.random.default_rng([self.seed, 3, index])
            grain = rng.standard_normal(hazy.shape, dtype=np.float32)
            grain *= np.float32(255 * self._noise)
            hazy += grain
        levels = np.clip(np.rint(hazy, out=hazy), 0, 255, out=hazy).astype(np.uint8)
        return DriveFrame(index, time, levels, drawn.clear, drawn.transmission, airlight, drawn.view.depth)

    def motion(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The true motion from frame `index - 1` to frame `index`.

        Returns:
            `(flow, valid)`: flow (H, W, 2) float32 in pixels, x then y, leads from each pixel to where its surface
            point was in the frame before (a backward flow, as `measure.flicker.warp_backward` takes it); valid
            (H, W) bool is false where that point was hidden or out of view, and everywhere in the first frame and
            in the first after a cut.

        Raises:
            IndexError: There is no such frame.
        """
        drawn = self._render(index)
        if index == drawn.take.start:
            return np.zeros((self.height, self.width, 2), np.float32), np.zeros((self.height, self.width), np.bool_)
        return backward_motion(drawn.view, self._render(index - 1).view, self._ray_lengths)

    def camera(self, index: int) -> Camera:
        """Returns the camera of a frame: its place, direction and projection.

        Raises:
            IndexError: There is no such frame.
        """
        take, moment = self._at(index)
        return take.scene.path.at(moment)

    def movers(self, index: int) -> dict[int, NDArray[np.float64]]:
        """Returns where the cars are in a frame: (3,) metres, the middle of the end that is seen, on the ground.

        Raises:
            IndexError: There is no such frame.
        """
        take, moment = self._at(index)
        return take.scene.movers(moment)

    def _take(
        self,
        seed: int,
        start: int,
        airlight: tuple[float, float, float] | NDArray[np.float32] | None,
        median: Callable[[float], float],
        far: float | None,
    ) -> _Take:
        scene = _scene(seed, self._lens)
        colour = random_airlight(np.random.default_rng([seed, 0]), 0.72, 0.92, 0.03) if airlight is None else airlight
        depth = scene.render(0.0, 0.0, _LONGEST, self._ray_lengths).depth
        middle = float(np.median(np.minimum(depth, _LONGEST if far is None else far)))
        return _Take(scene, start, np.asarray(colour, np.float32), middle, far or _FAR * middle, median)

    def _airlight(self, take: _Take, time: float) -> NDArray[np.float32]:
        swell = self._drift * np.sin(2 * np.pi * time / 10.0 + np.array([0.0, 0.3, 0.6]))
        return np.clip(take.airlight + swell, 0, 1).astype(np.float32)

    def _at(self, index: int) -> tuple[_Take, float]:
        """The take that a frame belongs to, and the seconds since its start."""
        if not 0 <= index < self._count:
            raise IndexError(f"frame {index} of a drive of {self._count} frames")
        take = max((take for take in self._takes if take.start <= index), key=lambda take: take.start)
        return take, (index - take.start) / self.fps

    def _render(self, index: int) -> _Rendering:
        if index in self._renderings:
            return self._renderings[index]
        take, moment = self._at(index)
        beta = beta_for_median(np.array([take.middle], np.float32), take.median(index / self.fps))
        canvas = take.scene.render(moment, beta, take.far, self._ray_lengths)
        view = View(canvas.camera, canvas.depth, canvas.owner, take.scene.movers(moment))
        drawn = _Rendering(take, canvas.colour, canvas.transmission, view)
        self._renderings[index] = drawn
        while len(self._renderings) > _KEPT:
            self._renderings.popitem(last=False)
        return drawn


@lru_cache(maxsize=2)
def _scene(seed: int, lens: Lens) -> Scene:
    """Places are painted once for all drives through them: they hold no state but what they painted."""
    return Scene(seed, lens)


def forget_places() -> None:
    """Lets go of the places that are kept for the next drive through them: at 4K one holds some hundred MiB."""
    _scene.cache_clear()


def _as_function(density: Density) -> Callable[[float], float]:
    if callable(density):
        return density
    level = float(density)
    if not 0.0 < level <= 1.0:
        raise ValueError(f"a median transmission of {level} is not in (0, 1]")
    return lambda _time: level


def _haze(
    clear: NDArray[np.float32], transmission: NDArray[np.float32], airlight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """I = J*t + A*(1 - t) on a whole frame."""
    light = cv2.merge([transmission, transmission, transmission]).reshape(clear.shape)
    veil = np.empty_like(clear)
    veil[:] = airlight
    hazy: NDArray[np.float32] = clear - veil
    hazy *= light
    hazy += veil
    return hazy
