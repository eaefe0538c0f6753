"""The camera of the drive: a pinhole on a moving car, with a pose for every moment."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Camera", "CameraPath", "Lens"]

_WORLD_TO_CAMERA = np.diag([1.0, -1.0, 1.0])  # the world's y points up, the picture's down


@dataclass(frozen=True, slots=True)
class Lens:
    """A pinhole: picture size, focal length and principal point in pixels; pixel centres at whole numbers."""

    width: int
    height: int
    focal: float
    centre_x: float
    centre_y: float

    @classmethod
    def wide(cls, width: int, height: int) -> Lens:
        """A dashboard camera's lens: 60 degrees along the longer side, the horizon a little above the middle."""
        return cls(width, height, 0.866 * max(width, height), (width - 1) / 2, 0.47 * (height - 1))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The camera matrix K, (3, 3)."""
        return np.array([[self.focal, 0, self.centre_x], [0, self.focal, self.centre_y], [0, 0, 1.0]])

    def ray_lengths(self) -> NDArray[np.float32]:
        """(H, W): metres along the ray per metre along the optical axis, >= 1."""
        x = (np.arange(self.width, dtype=np.float32) - np.float32(self.centre_x)) / np.float32(self.focal)
        y = (np.arange(self.height, dtype=np.float32) - np.float32(self.centre_y)) / np.float32(self.focal)
        lengths: NDArray[np.float32] = np.sqrt(1 + x[None, :] ** 2 + y[:, None] ** 2)
        return lengths


@dataclass(frozen=True, slots=True)
class Camera:
    """A lens at a place, looking somewhere. World axes: x right, y up, z along the road, metres."""

    lens: Lens
    position: NDArray[np.float64]
    """(3,), metres."""
    yaw: float = 0.0
    """Radians, to the right; pitch upwards; roll clockwise."""
    pitch: float = 0.0
    roll: float = 0.0
    projection: NDArray[np.float64] = field(init=False, repr=False)
    """(3, 3), K @ R: from metres relative to the camera to homogeneous pixels, whose third number is depth."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "projection", self.lens.matrix @ self.rotation())

    def rotation(self) -> NDArray[np.float64]:
        """R, (3, 3): from world directions to camera directions (x right, y down, z forward)."""
        cy, sy = np.cos(self.yaw), np.sin(self.yaw)
        cp, sp = np.cos(self.pitch), np.sin(self.pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        yaw = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
        pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        rotation: NDArray[np.float64] = roll @ pitch @ yaw @ _WORLD_TO_CAMERA
        return rotation

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Projects world points (..., 3) to (..., 3): x and y in pixels, and depth along the optical axis in metres."""
        homogeneous = (points - self.position) @ self.projection.T
        depth = homogeneous[..., 2:]
        return np.concatenate([homogeneous[..., :2] / depth, depth], axis=-1)


class CameraPath:
    """A car's way along the road: steady speed, the slow wander of a driver, the small shake of a road."""

    def __init__(self, rng: np.random.Generator, lens: Lens, speed: float) -> None:
        self._lens = lens
        self.speed = speed
        self._phases = rng.uniform(0, 2 * np.pi, (5, 2))
        self._rates = rng.uniform(0.8, 1.25, (5, 2)) * np.array(
            [[0.5, 1.3], [5.0, 9.0], [0.7, 1.9], [2.6, 6.1], [0.9, 3.1]]
        )

    def _sway(self, channel: int, time: float, slow: float, quick: float) -> float:
        waves = np.sin(self._phases[channel] + self._rates[channel] * time)
        return float(waves[0] * slow + waves[1] * quick)

    def at(self, time: float) -> Camera:
        """Returns the camera at `time` seconds."""
        position = np.array(
            [1.75 + self._sway(0, time, 0.10, 0.02), 1.38 + self._sway(1, time, 0.008, 0.004), self.speed * time]
        )
        return Camera(
            self._lens,
            position,
            yaw=self._sway(2, time, 0.006, 0.0015),
            pitch=self._sway(3, time, 0.0022, 0.0012) - 0.008,
            roll=self._sway(4, time, 0.004, 0.001),
        )
