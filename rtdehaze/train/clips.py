"""Clips for training a network with a memory: clip number i of a run is a pure function of the seed and i."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from rtdehaze.core.errors import SourceError
from rtdehaze.synth.haze import (
    add_haze,
    add_noise,
    beta_for_median,
    depth_from_disparity,
    transmission_from_depth,
    uneven_beta,
)
from rtdehaze.train.clip_config import ClipConfig
from rtdehaze.train.compression import compress_h264, compress_jpeg
from rtdehaze.train.config import Config, HazeConfig
from rtdehaze.train.data import Batch, Motion, stream
from rtdehaze.train.decoding import Scene, UnreadableError
from rtdehaze.train.films import Film, found_motion
from rtdehaze.train.panning import Views, pan_over
from rtdehaze.train.samples import (
    draw_airlight,
    draw_exposure,
    draw_tone,
    invented_root,
    logarithmic,
    placed,
    recolour,
    to_bytes,
)

__all__ = ["Clip", "ClipSamples", "clip_batches"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Key = tuple[int, int, int]

DRAWS = 100
"""Stills drawn for one scene until one can be used: pairs, whose haze is ready-made, cannot."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One example of t frames."""

    hazy: Bytes
    """(t, h, w, 3) RGB."""
    clear: Bytes
    """(t, h, w, 3) RGB."""
    transmission: Floats
    """(t, h, w), in (0, 1]."""
    airlight: Floats
    """(t, 3), RGB in [0, 1]."""
    is_hazy: NDArray[np.bool_]
    """(t,)."""
    fresh: NDArray[np.bool_]
    """(t,): where the network is told that a scene begins."""
    flow: Floats
    """(t, h/2, w/2, 2), see `Views`."""
    valid: NDArray[np.bool_]
    """(t, h/2, w/2), see `Views`; false across a cut."""
    left_out: tuple[str, ...] = ()
    """Pictures that were drawn before but could not be used, each with the reason."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """Frames of one scene in haze, as light before it falls into the camera."""

    hazy: list[Floats]
    clear: list[Bytes]
    transmission: list[Floats]
    airlight: Floats
    is_hazy: bool
    flow: Floats
    valid: NDArray[np.bool_]


@dataclass(frozen=True)
class ClipSamples(Dataset[Clip]):
    """The endless sequence of clips of a run."""

    scenes: Sequence[Scene]
    drives: list[Film]
    videos: list[Film]
    config: Config

    def __getitem__(self, key: Key) -> Clip:
        """Makes the clip; two calls with the same key give the same bytes.

        Raises:
            SourceError: So many pictures in a row cannot be made clips of that something is wrong with all of them.
        """
        number, height, width = key
        rng = np.random.default_rng((self.config.seed, number, 2))
        clips, size, haze = self.config.clips, (height, width), self.config.weather(rng)
        counts, told = [clips.frames], True
        if rng.random() < clips.cut_share and clips.frames > 1:
            first = int(rng.integers(1, clips.frames))
            counts, told = [first, clips.frames - first], bool(rng.random() >= clips.missed_cuts)
        unusable: list[str] = []
        scenes = [_hazed(self._views(size, count, rng, haze, unusable), rng, haze, clips) for count in counts]
        clip = _filmed(scenes, rng, haze, told=told)
        return dataclasses.replace(clip, left_out=tuple(unusable)) if unusable else clip

    def _views(
        self, size: tuple[int, int], frames: int, rng: np.random.Generator, haze: HazeConfig, unusable: list[str]
    ) -> Views:
        kind, clips = rng.random(), self.config.clips
        if self.drives and kind < clips.drive_share:
            return _window(self.drives[int(rng.integers(len(self.drives)))], size, frames, rng, haze)
        if self.videos and kind < clips.drive_share + clips.video_share:
            return _window(self.videos[int(rng.integers(len(self.videos)))], size, frames, rng, haze)
        return self._still(size, frames, rng, haze, unusable)

    def _still(
        self, size: tuple[int, int], frames: int, rng: np.random.Generator, haze: HazeConfig, unusable: list[str]
    ) -> Views:
        scene = self._draw(rng, unusable)
        stored = scene.disparity if scene.disparity is not None else invented_root(scene.clear.shape[:2], rng)
        root = np.asarray(stored, np.float32) * np.float32(1 / 65535)
        pictures, roots, flow, valid = pan_over(scene.clear, root, size, haze.scale, rng, self.config.clips, frames)
        ratio = logarithmic(rng, haze.far_to_near)
        return Views(pictures, [depth_from_disparity(one * one, ratio) for one in roots], flow, valid)

    def _draw(self, rng: np.random.Generator, unusable: list[str]) -> Scene:
        for _ in range(DRAWS):
            try:
                scene = self.scenes[int(rng.integers(len(self.scenes)))]
            except UnreadableError as error:
                unusable.append(str(error))
                continue
            if scene.hazy is None:
                return scene
        raise SourceError(
            f"{DRAWS} pictures in a row cannot be made clips of: unreadable, or pairs with haze of their own"
        )


def _window(film: Film, size: tuple[int, int], frames: int, rng: np.random.Generator, haze: HazeConfig) -> Views:
    """A stretch and a part of a film."""
    start = int(rng.integers(max(1, len(film.clear) - frames + 1)))
    numbers = [min(start + i, len(film.clear) - 1) for i in range(frames)]
    rows, columns = film.clear[0].shape[:2]
    scale = min(rows / size[0], columns / size[1]) * rng.uniform(max(0.7, haze.scale[0]), 1.0)
    tall, wide = min(rows, round(size[0] * scale)), min(columns, round(size[1] * scale))
    top, left = int(rng.integers(rows - tall + 1)), int(rng.integers(columns - wide + 1))
    part = (slice(top, top + tall), slice(left, left + wide))
    how = cv2.INTER_AREA if scale >= 1.0 else cv2.INTER_LINEAR
    clear = [np.asarray(cv2.resize(film.clear[n][part], size[::-1], interpolation=how), np.uint8) for n in numbers]
    if film.depth is None or film.flow is None or film.valid is None:
        root = invented_root(size, rng).astype(np.float32) * np.float32(1 / 65535)
        depth = [depth_from_disparity(root * root, logarithmic(rng, haze.far_to_near))] * frames
        found = [found_motion(clear[max(0, i - 1)], clear[i]) for i in range(frames)]
        flow, valid = [one for one, _ in found], [one for _, one in found]
    else:
        depth = [_fitted(film.depth[n][part], size) for n in numbers]
        ratio = np.array([size[1] / wide, size[0] / tall], np.float32)
        flow = [_fitted(film.flow[n][part], size) * ratio for n in numbers]
        valid = [_fitted(film.valid[n][part], size) > 0.99 for n in numbers]
    half = (size[0] // 2, size[1] // 2)
    holds = np.stack([_fitted(one, half) > 0.99 for one in valid])
    holds[0] = False
    # A film that ends before the clip does stands still.
    still = [i for i in range(1, frames) if numbers[i] == numbers[i - 1]]
    maps = np.stack([_fitted(one, half) * np.float32(0.5) for one in flow])
    maps[still] = 0.0
    return Views(clear, depth, maps, holds)


def _fitted(values: NDArray[np.generic], size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(values.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _hazed(views: Views, rng: np.random.Generator, haze: HazeConfig, clips: ClipConfig) -> _Scene:
    """Haze over a clear clip: its density, its colour and the exposure drift slowly."""
    count, size = len(views.clear), views.clear[0].shape[:2]
    mirror = -1 if rng.random() < 0.5 else 1
    table, saturation = draw_tone(rng, haze), rng.uniform(*haze.saturation)
    colour, light = draw_airlight(rng, haze), draw_exposure(rng, haze)
    is_hazy = bool(rng.random() >= haze.clear_share)
    depth = placed(np.stack([one[:, ::mirror] for one in views.depth]), rng, haze)
    beta: float | Floats = beta_for_median(depth[0], rng.uniform(*haze.median)) if is_hazy else 0.0
    if rng.random() < haze.uneven_share:
        beta = uneven_beta(rng, size[0], size[1], float(beta), haze.uneven_spread)
    way = np.linspace(0.0, 1.0, count)
    denser = 1.0 + clips.density_drift * rng.uniform(-1, 1) * way
    wander = np.sin(rng.uniform(0, 2 * np.pi) + 3.0 * way)
    lights = (light * (1.0 + clips.exposure_drift * rng.uniform(-1, 1) * wander)).astype(np.float32)
    drifting = colour + clips.airlight_drift * rng.uniform(-1, 1, 3) * way[:, None]
    airlights = np.clip(drifting * lights[:, None], 0.0, 1.0).astype(np.float32)
    bright = [recolour(np.ascontiguousarray(picture[:, ::mirror]), table, saturation) for picture in views.clear]
    bright = [np.minimum(picture * exposure, np.float32(1.0)) for picture, exposure in zip(bright, lights, strict=True)]
    ways = [one * np.float32(k) for one, k in zip(depth, denser, strict=True)]
    transmission = [np.maximum(transmission_from_depth(one, beta), np.float32(haze.floor)) for one in ways]
    return _Scene(
        hazy=[add_haze(*frame) for frame in zip(bright, transmission, airlights, strict=True)],
        clear=[to_bytes(picture) for picture in bright],
        transmission=transmission,
        airlight=airlights,
        is_hazy=is_hazy,
        flow=views.flow[:, :, ::mirror] * np.array([mirror, 1], np.float32),
        valid=views.valid[:, :, ::mirror],
    )


def _filmed(scenes: list[_Scene], rng: np.random.Generator, haze: HazeConfig, *, told: bool) -> Clip:
    """The scenes one after the other, through one camera: noise of its own in each frame, then compression."""
    frames = [frame for scene in scenes for frame in scene.hazy]
    if rng.random() < haze.noise_share:
        sigma = logarithmic(rng, haze.noise)
        frames = [add_noise(frame, sigma, rng) for frame in frames]
    seen = [to_bytes(frame) for frame in frames]
    if rng.random() < haze.jpeg_share:
        quality = int(rng.uniform(*haze.jpeg))
        seen = [compress_jpeg(frame, quality) for frame in seen]
    elif rng.random() < haze.h264_share:
        seen = compress_h264(seen, rng.uniform(*haze.h264))
    begins = np.concatenate([np.arange(len(scene.hazy)) == 0 for scene in scenes])
    if not told:
        begins[1:] = False
    return Clip(
        hazy=np.stack(seen),
        clear=np.stack([picture for scene in scenes for picture in scene.clear]),
        transmission=np.stack([t for scene in scenes for t in scene.transmission]),
        airlight=np.concatenate([scene.airlight for scene in scenes]),
        is_hazy=np.repeat([scene.is_hazy for scene in scenes], [len(scene.hazy) for scene in scenes]),
        fresh=begins,
        flow=np.concatenate([scene.flow for scene in scenes]),
        valid=np.concatenate([scene.valid for scene in scenes]),
    )


def clip_batches(
    samples: ClipSamples, first: int, completed: Callable[[int], float], note: Callable[[Iterable[str]], None]
) -> Iterator[Batch]:
    """Yields the batches of steps `first`, `first + 1`, ..., as `data.batches` does, frame after frame, clip by clip.

    Args:
        samples: What to draw from.
        first: Steps already done.
        completed: The share of the run that is done before a step.
        note: Is told which pictures were left out.

    Raises:
        SourceError: No picture can be made a clip of.
    """
    return stream(samples, _pack, samples.config, first, completed, note)


def _pack(clips: list[Clip]) -> Batch:
    def flat(name: str) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([getattr(clip, name) for clip in clips]))

    def stacked(name: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([getattr(clip, name) for clip in clips]))

    is_hazy = flat("is_hazy").float()
    motion = Motion(stacked("fresh").float(), stacked("flow"), stacked("valid"))
    return Batch(
        flat("hazy"), flat("clear"), flat("transmission")[:, None], flat("airlight"), is_hazy, torch.ones_like(is_hazy),
        motion,
    )  # fmt: skip
