"""Smoothing of the haze over time against frame by frame and a plain average, on a generated drive with its truth.

    python benchmarks/smoothing.py --models cap,dcp --noise 0.01,0.02 --frames 40 --seeds 1,2

The drive is rendered at the thumbnail's size. Edge errors are within 16 px of depth edges of a 1024 pixels wide frame:
4 samples of a 256 wide map. Jitter is the mean change of t along the true motion; "beyond" leaves out what the truth
itself changes. PSNR is of the thumbnail as seen (noise and 8 bits included), solved for the clear picture.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import cv2
import numpy as np
from arguments import any_number, duration, listed, run_script, whole
from numpy.typing import NDArray
from results import add_out, save, settings_of

from rtdehaze.core.haze import Haze
from rtdehaze.measure.fidelity import band_around_edges, mean_absolute_error, psnr
from rtdehaze.measure.flicker import jitter, warp_backward
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.stages.smooth.smoother import HazeSmoother
from rtdehaze.synth.drive import DriveFrame, FoggyDrive

Array = NDArray[np.float32]

_WIDTH, _HEIGHT, _FPS = 256, 144, 25.0
_EDGE_RADIUS = 16 * _WIDTH / 1024
_SETTLING = 5
"""Frames before measuring: nothing can be smooth from the first."""


class Method(Protocol):
    """What is compared."""

    def update(self, haze: Haze, thumbnail: Array, time: float) -> Haze:
        """Takes the next frame's haze."""


class FrameByFrame:
    """No smoothing."""

    def update(self, haze: Haze, thumbnail: Array, time: float) -> Haze:
        """Returns the haze as it came."""
        del thumbnail, time
        return haze


class PlainAverage:
    """An exponential average over time of the map in place, without motion."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._frames, self._time = seconds, 0.0, 0.0
        self._mean: Haze | None = None

    def update(self, haze: Haze, thumbnail: Array, time: float) -> Haze:
        """Averages."""
        del thumbnail
        self._frames = self._frames * float(np.exp(-(time - self._time) / self._seconds)) + 1.0
        self._time, mean, share = time, self._mean or haze, np.float32(1.0 / self._frames)
        self._mean = Haze(
            mean.transmission + share * (haze.transmission - mean.transmission),
            mean.airlight + share * (haze.airlight - mean.airlight),
            haze.density,
        )
        return self._mean


class EveryNth:
    """The smoothing as it runs where not every picture is estimated: the others get what is moved along."""

    def __init__(self, seconds: float, every: int) -> None:
        self._smoother, self._every, self._count = HazeSmoother(seconds), every, 0

    def update(self, haze: Haze, thumbnail: Array, time: float) -> Haze:
        """Takes the estimate only when it is the turn of one."""
        self._smoother.follow(thumbnail, time)
        moved = self._smoother.carry() if self._count % self._every else None
        self._count += 1
        return self._smoother.smooth(haze) if moved is None else moved


@dataclass
class Score:
    """Figures of one method on one clip, a value a frame."""

    jitter: list[float] = field(default_factory=list)
    beyond: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    edge_error: list[float] = field(default_factory=list)
    psnr: list[float] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)

    def means(self) -> dict[str, float]:
        """Means over the frames; the median for the time."""
        figures = {name: round(statistics.fmean(values), 5) for name, values in vars(self).items() if name != "ms"}
        return figures | {"ms": round(statistics.median(self.ms), 3)}


@dataclass(frozen=True)
class Shot:
    """A frame of the clip, its haze as estimated, and the true motion."""

    truth: DriveFrame
    thumbnail: Array
    haze: Haze
    flow: Array
    valid: NDArray[np.bool_]


def noisy_truth(frame: DriveFrame) -> Haze:
    """The true haze with an estimator's faults: blotches, grain, flicker of the whole frame and of the airlight."""
    rng = np.random.default_rng(frame.index)
    shape = frame.transmission.shape
    blotches = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 2.0)
    fault = 0.05 * blotches / blotches.std() + rng.normal(0, 0.02, shape)
    transmission = frame.transmission * (1.0 + rng.normal(0, 0.05)) + fault
    airlight = frame.airlight + rng.normal(0, 0.02, 3)
    return Haze(np.clip(transmission, 0.02, 1).astype(np.float32), np.clip(airlight, 0, 1).astype(np.float32), 0.5)


def shoot(
    estimate: Callable[[DriveFrame, Array], Haze], noise: float, frames: int, seed: int, transmission: float
) -> list[Shot]:
    """Renders a clip and estimates its haze."""
    drive = FoggyDrive(_WIDTH, _HEIGHT, _FPS, frames / _FPS, seed, noise=noise, median_transmission=transmission)
    shots = []
    for frame in drive:
        thumbnail = np.ascontiguousarray(np.moveaxis(frame.hazy, 2, 0)).astype(np.float32) / np.float32(255)
        shots.append(Shot(frame, thumbnail, estimate(frame, thumbnail), *drive.motion(frame.index)))
    return shots


def judge(shots: list[Shot], method: Method) -> Score:
    """Runs one method over a clip."""
    score, last = Score(), None
    for shot in shots:
        begun = time.thread_time()
        haze = method.update(shot.haze, shot.thumbnail, shot.truth.time)
        taken = time.thread_time() - begun
        truth = shot.truth
        t = np.asarray(cv2.resize(haze.transmission, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_LINEAR), np.float32)
        if shot.truth.index >= _SETTLING and last is not None:
            before, true_before = last
            change = truth.transmission - warp_backward(true_before, shot.flow)
            seen = np.moveaxis(shot.thumbnail, 0, 2)
            clear = (seen - haze.airlight) / np.maximum(t, np.float32(0.1))[:, :, None] + haze.airlight
            score.ms.append(taken * 1e3)
            score.jitter.append(jitter(t, before, shot.flow, shot.valid))
            score.beyond.append(jitter(t - change, before, shot.flow, shot.valid))
            score.error.append(mean_absolute_error(t, truth.transmission))
            band = band_around_edges(truth.transmission, _EDGE_RADIUS)
            score.edge_error.append(mean_absolute_error(t, truth.transmission, band))
            score.psnr.append(psnr(np.clip(clear, 0, 1).astype(np.float32), truth.clear_float))
        last = t, truth.transmission
    return score


def methods(seconds: float) -> dict[str, Method]:
    """What is compared, new for each clip."""
    return {
        "frame by frame": FrameByFrame(),
        "plain average": PlainAverage(seconds),
        "smoothed": HazeSmoother(seconds),
        "every 2nd": EveryNth(seconds, 2),
        "every 4th": EveryNth(seconds, 4),
    }


def main() -> None:
    """Measures, prints a table and saves the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="cap,dcp", help="estimators, beside the truth with noise")
    parser.add_argument(
        "--noise", type=listed(any_number(0)), default="0.01,0.02", help="standard deviations of the picture's noise"
    )
    parser.add_argument("--frames", type=whole(2), default=40)
    parser.add_argument("--seeds", type=listed(whole(0)), default="1,2")
    parser.add_argument(
        "--transmission", type=any_number(0.01, 1), default=0.6, help="median of the drive's first frame"
    )
    parser.add_argument("--seconds", type=duration, default=0.5, help="time constant of the smoothing")
    add_out(parser)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    sources: dict[str, Callable[[DriveFrame, Array], Haze]] = {"truth+noise": lambda frame, _: noisy_truth(frame)}
    for name in filter(None, options.models.split(",")):
        estimator = open_estimator(name, provider="cpu")
        sources[name] = lambda _, thumbnail, estimator=estimator: estimator.estimate(thumbnail)
    figures: list[dict[str, Any]] = []
    print(f"{'estimate':12} noise seed {'method':14}  jitter  beyond  |t err|  at edges    PSNR      ms")
    for name, estimate in sources.items():
        for noise in options.noise:
            for seed in options.seeds:
                shots = shoot(estimate, noise, options.frames, seed, options.transmission)
                for method, instance in methods(options.seconds).items():
                    row = judge(shots, instance).means()
                    figures.append({"estimate": name, "noise": noise, "seed": seed, "method": method} | row)
                    print(
                        f"{name:12} {noise:5} {seed:4} {method:14} {row['jitter']:7.4f} {row['beyond']:7.4f} "
                        f"{row['error']:8.4f} {row['edge_error']:9.4f} {row['psnr']:7.2f} {row['ms']:7.2f}",
                        flush=True,
                    )
    print(f"saved {save('smoothing', figures, options.out, settings_of(options))}")


if __name__ == "__main__":
    run_script(main)
