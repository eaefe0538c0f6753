"""Models with and without a memory on the same hazy clips, each with and without smoothing.

    python benchmarks/video.py --models base.onnx,base-video.onnx --stills data/val/outdoor --videos clips --drives 4

The clips are made as for training, from other seeds: generated drives, a camera that moves over still pictures whose
transmission is known (a validation folder with `clear` and `t`), and clear videos. "alone" takes every frame by itself,
"memory" goes on from the frame before, "smoothed" adds 0.5 s of smoothing. Jitter is the mean change of the error of
-ln t along the true motion, from frame to frame. Warping error is that of the restored clip (Lai et al. 2018) over the
clear clip's own: 1 is as steady as the truth. All figures leave out the first five frames. `--clean` leaves out the
camera's noise and compression, which are not the haze's: what is left of the warping error is the map's. "beside alone"
is the difference in PSNR on the same clips, with its standard error: a few clips differ by more than ways do.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from arguments import listed, model_word, run_script, whole
from numpy.typing import NDArray
from results import add_out, save, settings_of

from rtdehaze.core.colour import Matrix, luma_weights
from rtdehaze.core.haze import Haze, Removal
from rtdehaze.measure.fidelity import mean_absolute_error, psnr
from rtdehaze.measure.flicker import jitter, warping_error
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.estimate.memory import Memory
from rtdehaze.stages.smooth.smoother import HazeSmoother
from rtdehaze.train.clip_config import ClipConfig
from rtdehaze.train.clips import Clip, ClipSamples
from rtdehaze.train.config import Config, HazeConfig
from rtdehaze.train.decoding import Scene, root_of_depth
from rtdehaze.train.films import read_films, render_drive
from rtdehaze.train.validate import read_validation

Array = NDArray[np.float32]

_SIZE = (144, 256)
_FPS = 25.0
_SETTLING = 5
_SECONDS = 0.5
_SLOW = ClipConfig(frames=40, pan=0.006, zoom=0.004, parallax=0.004, cut_share=0.0)
"""A camera as people move it: a still picture is crossed in seconds, not in a third of one."""
_HAZE = HazeConfig(
    scale=(0.5, 1.0), gain=(0.8, 1.2), gamma=(0.75, 1.3), saturation=(0.7, 1.3), balance=0.04, clear_share=0.0,
    away_share=0.1, steep_share=0.35, median=(0.25, 0.7), uneven_share=0.25, airlight=(0.5, 1.0), exposed_share=0.4,
    noise_share=1.0, jpeg_share=0.0, h264_share=0.5,
)  # fmt: skip
"""Written out: figures are not to follow what networks are trained on."""


def clips_of(kind: str, options: argparse.Namespace) -> list[Clip]:
    """The clips of one kind, the same for every model."""
    clips = dataclasses.replace(_SLOW, frames=options.frames)
    scenes, drives, videos = [], [], []
    if kind == "drives":
        drives = [render_drive(5000 + i, options.frames / _FPS) for i in range(options.drives)]
        clips, count = dataclasses.replace(clips, drive_share=1.0), options.drives
    elif kind == "videos":
        videos = read_films([options.videos])
        clips, count = dataclasses.replace(clips, video_share=1.0), options.count
    else:
        pairs = [pair for pair in read_validation(Path(options.stills)) if pair.transmission is not None]
        depths = [-np.log(np.maximum(pair.transmission, 1e-3)) for pair in pairs]
        scenes = [Scene(p.name, p.clear, root_of_depth(depth)) for p, depth in zip(pairs, depths, strict=True)]
        count = options.count
    haze = dataclasses.replace(_HAZE, noise_share=0.0, h264_share=0.0) if options.clean else _HAZE
    samples = ClipSamples(scenes, drives, videos, Config(seed=77, haze=haze, fog_share=0.0, clips=clips))
    return [samples[number, *_SIZE] for number in range(count)]


def restored(picture: Array, haze: Haze) -> Array:
    """The picture (h, w, 3) without the haze, by the model's maps."""
    t = haze.transmission
    removal = haze.removal or Removal(t, t, haze.airlight[:, None, None] * (1 - t))
    size = picture.shape[1::-1]
    luma, chroma, *veil = (cv2.resize(m, size) for m in (removal.luma, removal.chroma, *removal.veil))
    bare = picture - np.dstack(veil)
    grey = bare @ luma_weights(Matrix.BT709).astype(np.float32)
    clear = (grey / luma)[..., None] + (bare - grey[..., None]) / chroma[..., None]
    return np.clip(clear, 0.0, 1.0).astype(np.float32)


def judge(estimator: Estimator, clip: Clip, *, remember: bool, seconds: float) -> dict[str, float]:
    """Runs a model over a clip; means over its frames."""
    memory, smoother = Memory(), HazeSmoother(seconds)
    figures: dict[str, list[float]] = defaultdict(list)
    half = (_SIZE[1] // 2, _SIZE[0] // 2)
    last: tuple[Array, Array, Array] | None = None
    for number, seen in enumerate(clip.hazy):
        thumbnail = np.ascontiguousarray(seen.transpose(2, 0, 1)).astype(np.float32) / np.float32(255)
        if smoother.follow(thumbnail, number / _FPS):
            memory.forget()
        haze = smoother.smooth(estimator.estimate(thumbnail, memory if remember else None))
        truth = clip.clear[number].astype(np.float32) / np.float32(255)
        picture = restored(thumbnail.transpose(1, 2, 0), haze)
        t, true_t = (
            cv2.resize(m, half, interpolation=cv2.INTER_AREA) for m in (haze.transmission, clip.transmission[number])
        )
        error = np.log(true_t) - np.log(t)
        small = [cv2.resize(image, half, interpolation=cv2.INTER_AREA) for image in (picture, truth)]
        flow, valid = clip.flow[number], clip.valid[number]
        if last is not None and number >= _SETTLING:
            figures["t error"].append(mean_absolute_error(t, true_t))
            figures["psnr"].append(psnr(picture, truth, peak=1.0))
            figures["jitter"].append(jitter(error, last[0], flow, valid))
            figures["warping"].append(warping_error(small[0], last[1], flow, valid))
            figures["own"].append(warping_error(small[1], last[2], flow, valid))
        last = (error.astype(np.float32), small[0], small[1])
    means = {name: float(np.nanmean(values)) for name, values in figures.items()}
    means["warping"] /= max(means.pop("own"), 1e-6)
    return means


def beside(reached: list[float], alone: list[float]) -> dict[str, float]:
    """The mean difference in PSNR on the same clips, dB, and its standard error."""
    differences = np.subtract(reached, alone)
    error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else 0.0
    return {"gained": round(float(differences.mean()), 3), "gained_error": round(float(error), 3)}


def line_of(row: dict[str, Any]) -> str:
    """A row of the table."""
    return (
        f"{row['clips']:8} {row['model']:16} {row['way']:18} {row['t error']:7.4f} {row['psnr']:7.2f} "
        f"{row['jitter']:8.4f} {row['warping']:8.3f}  {row['gained']:+.2f} +- {row['gained_error']:.2f}"
    )


def main() -> None:
    """Measures, prints a table and saves the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--models", type=listed(model_word), required=True, help="estimators, names or paths, separated by commas"
    )
    parser.add_argument("--stills", help="validation folder with `clear` and `t`")
    parser.add_argument("--videos", help="clear video, or folder of them")
    parser.add_argument("--drives", type=whole(0), default=4, help="generated drives; 0 leaves them out")
    parser.add_argument("--frames", type=whole(2), default=40, help="of each clip")
    parser.add_argument("--clean", action="store_true", help="no noise, no compression")
    parser.add_argument("--count", type=whole(1), default=12, help="clips over still pictures, and from videos")
    add_out(parser)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    wanted = {"drives": options.drives, "stills": options.stills, "videos": options.videos}
    rows: list[dict[str, Any]] = []
    print(f"{'clips':8} {'model':16} {'way':18} t error    PSNR   jitter  warping  beside alone")
    for kind in (kind for kind, given in wanted.items() if given):
        clips = clips_of(kind, options)
        for name in options.models:
            estimator = open_estimator(name, provider="cpu")
            ways = {"alone": (False, 0.0), "smoothed": (False, _SECONDS)}
            if estimator.card.state:
                ways |= {"memory": (True, 0.0), "memory, smoothed": (True, _SECONDS)}
            alone: list[float] = []
            for way, (remember, seconds) in ways.items():
                found = [judge(estimator, clip, remember=remember, seconds=seconds) for clip in clips]
                reached = [one["psnr"] for one in found]
                alone = alone or reached
                means = {key: round(float(np.mean([one[key] for one in found])), 5) for key in found[0]}
                means |= beside(reached, alone)
                what = {"clips": kind, "clean": options.clean, "count": len(clips), "model": estimator.name, "way": way}
                rows.append(what | means)
                print(line_of(rows[-1]), flush=True)
    print(f"saved {save('video', rows, options.out, settings_of(options))}")


if __name__ == "__main__":
    run_script(main)
