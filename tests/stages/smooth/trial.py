"""A generated drive with noise, its haze as estimated, and what a way of smoothing makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.haze import Haze
from rtdehaze.measure.fidelity import band_around_edges, mean_absolute_error, psnr
from rtdehaze.measure.flicker import jitter
from rtdehaze.synth.drive import DriveFrame, FoggyDrive

Array = NDArray[np.float32]

WIDTH, HEIGHT, FPS = 256, 144, 25.0
# 16 px of a frame 1024 pixels wide, whose map this is.
EDGE_RADIUS = 16 * WIDTH / 1024
SETTLING = 5


class Method(Protocol):
    def update(self, haze: Haze, thumbnail: Array, time: float) -> Haze: ...


class FrameByFrame:
    def update(self, haze: Haze, thumbnail: Array, time: float) -> Haze:
        return haze


class PlainAverage:
    """The counter-example: an exponential average over time that does not follow the motion."""

    def __init__(self, seconds: float = 0.5) -> None:
        self._seconds, self._frames, self._time = seconds, 0.0, 0.0
        self._mean: Haze | None = None

    def update(self, haze: Haze, thumbnail: Array, time: float) -> Haze:
        self._frames = self._frames * float(np.exp(-(time - self._time) / self._seconds)) + 1.0
        self._time, mean, share = time, self._mean or haze, np.float32(1.0 / self._frames)
        self._mean = Haze(
            mean.transmission + share * (haze.transmission - mean.transmission),
            mean.airlight + share * (haze.airlight - mean.airlight),
            haze.density,
        )
        return self._mean


@dataclass(frozen=True)
class Shot:
    truth: DriveFrame
    thumbnail: Array
    flow: Array
    valid: NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    jitter: float
    error: float
    edge_error: float
    psnr: float

    def is_steadier_and_no_worse_than(self, other: Score, slack: float = 0.0) -> bool:
        """`slack`: relative for the errors, in units of 2 dB for the PSNR."""
        return (
            self.jitter <= 0.5 * other.jitter
            and self.error <= (1.0 + slack) * other.error
            and self.edge_error <= (1.0 + slack) * other.edge_error
            and self.psnr >= other.psnr - 2.0 * slack
        )


def shoot(frames: int, noise: float = 0.02, seed: int = 1, **drive_options: float) -> list[Shot]:
    drive = FoggyDrive(WIDTH, HEIGHT, FPS, frames / FPS, seed, noise=noise, median_transmission=0.6, **drive_options)
    return [
        Shot(
            frame,
            np.ascontiguousarray(np.moveaxis(frame.hazy, 2, 0)).astype(np.float32) / np.float32(255),
            *drive.motion(frame.index),
        )
        for frame in drive
    ]


def noisy_truth(frame: DriveFrame) -> Haze:
    """The true haze with an estimator's faults: blotches, grain, flicker of the whole map and of the airlight."""
    rng = np.random.default_rng(frame.index)
    shape = frame.transmission.shape
    blotches = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 2.0)
    fault = 0.05 * blotches / blotches.std() + rng.normal(0, 0.02, shape)
    transmission = frame.transmission * (1.0 + rng.normal(0, 0.05)) + fault
    airlight = frame.airlight + rng.normal(0, 0.02, 3)
    return Haze(np.clip(transmission, 0.02, 1).astype(np.float32), np.clip(airlight, 0, 1).astype(np.float32), 0.5)


def judge(shots: list[Shot], hazes: list[Haze], method: Method) -> Score:
    figures, before = [], None
    for shot, haze in zip(shots, hazes, strict=True):
        smoothed = method.update(haze, shot.thumbnail, shot.truth.time)
        t, true_t = smoothed.transmission, shot.truth.transmission
        if before is not None and shot.truth.index >= SETTLING:
            seen = np.moveaxis(shot.thumbnail, 0, 2)
            clear = (seen - smoothed.airlight) / np.maximum(t, np.float32(0.1))[:, :, None] + smoothed.airlight
            figures.append(
                (
                    jitter(t, before, shot.flow, shot.valid),
                    mean_absolute_error(t, true_t),
                    mean_absolute_error(t, true_t, band_around_edges(true_t, EDGE_RADIUS)),
                    psnr(np.clip(clear, 0, 1).astype(np.float32), shot.truth.clear_float),
                )
            )
        before = t
    return Score(*np.mean(figures, axis=0).tolist())
