"""What the network sees: a scene varied, haze laid over it, and the truth about that haze; all from one seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.haze import (
    add_haze,
    add_noise,
    beta_for_median,
    depth_from_disparity,
    random_airlight,
    transmission_from_depth,
    uneven_beta,
)
from rtdehaze.synth.noise import smooth_field
from rtdehaze.train.compression import compress_h264, compress_jpeg
from rtdehaze.train.config import HazeConfig, Range
from rtdehaze.train.decoding import Scene

__all__ = [
    "Sample",
    "draw_airlight",
    "draw_exposure",
    "draw_tone",
    "invented_root",
    "logarithmic",
    "make_sample",
    "placed",
    "recolour",
    "to_bytes",
]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sample:
    """One example."""

    hazy: Bytes
    """(h, w, 3) RGB."""
    clear: Bytes
    """(h, w, 3) RGB."""
    transmission: Floats
    """(h, w), in (0, 1]; all 1 where it is not known."""
    airlight: Floats
    """(3,), RGB in [0, 1]."""
    is_hazy: bool
    known: bool
    """Whether transmission and airlight are the truth."""
    drawn: Mapping[str, float] = field(default_factory=dict)
    """What was drawn for the haze and the camera, by name, where it happened to this sample."""
    left_out: tuple[str, ...] = ()
    """Pictures that were drawn before but could not be used, each with the reason."""


def make_sample(scene: Scene, size: tuple[int, int], rng: np.random.Generator, haze: HazeConfig) -> Sample:
    """Makes one example from a scene; the same generator state gives the same example.

    Args:
        scene: What to look at.
        size: (height, width) of the example.
        rng: Source of all randomness.
        haze: Ranges to draw from.
    """
    pictures, root = _view(scene, size, rng, haze)
    table = draw_tone(rng, haze)
    saturation = rng.uniform(*haze.saturation)
    grey = rng.random() < haze.grey_share
    if grey:
        table, saturation = np.repeat(table.mean(axis=1, keepdims=True), 3, axis=1), 0.0
    if scene.hazy is not None:
        ready = [to_bytes(recolour(picture, table, saturation)) for picture in pictures]
        return Sample(ready[1], ready[0], np.ones(size, np.float32), np.ones(3, np.float32), True, False)
    clear = recolour(pictures[0], table, saturation)
    airlight = draw_airlight(rng, haze)
    if grey:
        airlight = np.full_like(airlight, airlight.mean())
    light = draw_exposure(rng, haze)
    if light != 1.0:
        clear, airlight = np.minimum(clear * light, np.float32(1.0)), np.minimum(airlight * light, np.float32(1.0))
    is_hazy = rng.random() >= haze.clear_share
    drawn: dict[str, float] = {"exposure": float(light)} if light != 1.0 else {}
    transmission = _transmission(root, rng, haze, drawn) if is_hazy else np.ones(size, np.float32)
    if is_hazy and rng.random() < haze.overcast_share:
        clear = _overcast(clear, root, transmission, airlight, rng)
    hazy = _camera(add_haze(clear, transmission, _shaded(airlight, size, rng, haze)), rng, haze, drawn)
    return Sample(hazy, to_bytes(clear), transmission, airlight, is_hazy, True, drawn)


def _view(
    scene: Scene, size: tuple[int, int], rng: np.random.Generator, haze: HazeConfig
) -> tuple[list[Bytes], Floats]:
    """The same random crop, turn and mirror of the pictures and of the disparity's root in [0, 1]."""
    layers = [scene.clear] + ([scene.hazy] if scene.hazy is not None else [])
    root = scene.disparity if scene.disparity is not None else invented_root(scene.clear.shape[:2], rng)
    every: list[NDArray[np.uint8] | NDArray[np.uint16]] = [*layers, root]
    rows, columns = scene.clear.shape[:2]
    if rng.random() < 0.2:
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), rng.uniform(-haze.rotation, haze.rotation), 1.0)
        every = [cv2.warpAffine(x, turn, (columns, rows), borderMode=cv2.BORDER_REFLECT_101) for x in every]  # type: ignore[misc]
    share = rng.uniform(*haze.scale)
    ratio = size[1] / size[0]
    high = min(rows, columns / ratio) * share
    tall, wide = max(2, round(high)), max(2, round(high * ratio))
    top, left = rng.integers(rows - tall + 1), rng.integers(columns - wide + 1)
    mirror = -1 if rng.random() < 0.5 else 1
    how = cv2.INTER_AREA if tall >= size[0] else cv2.INTER_LINEAR
    cut = [x[top : top + tall, left : left + wide] for x in every]
    fitted = [cv2.resize(x, size[::-1], interpolation=how)[:, ::mirror] for x in cut]
    return [np.asarray(x, np.uint8) for x in fitted[:-1]], fitted[-1].astype(np.float32) * np.float32(1 / 65535)


def invented_root(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.uint16]:
    """A disparity for a picture without one: near at the bottom, with soft swells."""
    rows, columns = shape[0], shape[1]
    ramp = np.linspace(0.0, 1.0, rows, dtype=np.float32)[:, None] ** np.float32(rng.uniform(0.7, 2.0))
    field = ramp + np.float32(0.25) * smooth_field(rng, rows, columns)
    return (np.clip(field, 0.0, 1.0) * 65535).astype(np.uint16)


def draw_tone(rng: np.random.Generator, haze: HazeConfig) -> Floats:
    """Exposure, gamma and white balance as a table of 256 levels to RGB in [0, 1], (256, 3)."""
    level = np.linspace(0.0, 1.0, 256)[:, None] ** rng.uniform(*haze.gamma)
    channels = 1.0 + rng.uniform(-haze.balance, haze.balance, 3)
    return np.clip(level * channels * rng.uniform(*haze.gain), 0.0, 1.0).astype(np.float32)


def recolour(picture: Bytes, table: Floats, saturation: float) -> Floats:
    """(h, w, 3) RGB bytes through a table of tones, in [0, 1]; saturation 1 leaves colours as they are."""
    toned = np.stack([table[:, c][picture[..., c]] for c in range(3)], axis=-1)
    grey = toned.mean(axis=2, keepdims=True)
    toned -= grey
    toned *= np.float32(saturation)
    toned += grey
    return np.clip(toned, 0.0, 1.0, out=toned)


def draw_airlight(rng: np.random.Generator, haze: HazeConfig) -> Floats:
    """A colour of haze, (3,) RGB; one in ten has a strong cast."""
    tint = haze.tint * (3.0 if rng.random() < 0.1 else 1.0)
    return random_airlight(rng, haze.airlight[0], haze.airlight[1], tint)


def _shaded(airlight: Floats, size: tuple[int, int], rng: np.random.Generator, haze: HazeConfig) -> Floats:
    """The airlight as it is, or (h, w, 3) where it is uneven."""
    if rng.random() >= haze.shade_share:
        return airlight
    field = smooth_field(rng, *size, cells=float(rng.uniform(1.0, 3.0)))
    field *= np.float32(rng.uniform(0.2, 1.0) * haze.shade)
    return np.asarray(np.minimum((np.float32(1.0) + field)[..., None] * airlight, np.float32(1.0)), np.float32)


_SKY = (0.04, 0.12)
"""Root of the disparity, of 1 for the nearest: up to the first all is sky, from the second on all is picture."""
_FOG_WALL = (0.06, 0.16)
"""Transmission: up to the first all is fog, from the second on all is picture."""


def _overcast(clear: Floats, root: Floats, transmission: Floats, airlight: Floats, rng: np.random.Generator) -> Floats:
    """The clear picture with fog's own colour, uneven as such skies are, for its sky and for what fog hides."""
    field = smooth_field(rng, root.shape[0], root.shape[1], cells=float(rng.uniform(1.0, 2.5)))
    field *= np.float32(rng.uniform(0.0, 0.12))
    field += np.float32(rng.uniform(0.92, 1.06))
    fog = np.minimum(field[..., None] * airlight, np.float32(1.0))
    hidden = np.maximum(_below(root, *_SKY), _below(transmission, *_FOG_WALL))[..., None]
    return np.asarray(clear + hidden * (fog - clear), np.float32)


def _below(values: Floats, full: float, none: float) -> Floats:
    """1 up to `full`, 0 from `none` on, a ramp between."""
    return np.asarray(np.clip((np.float32(none) - values) * np.float32(1 / (none - full)), 0.0, 1.0), np.float32)


def _transmission(root: Floats, rng: np.random.Generator, haze: HazeConfig, drawn: dict[str, float]) -> Floats:
    drawn["far:near"] = logarithmic(rng, haze.far_to_near)
    depth = placed(depth_from_disparity(root * root, drawn["far:near"]), rng, haze)
    beta: float | Floats = beta_for_median(depth, rng.uniform(*haze.median))
    if rng.random() < haze.uneven_share:
        drawn["uneven"] = haze.uneven_spread
        beta = uneven_beta(rng, depth.shape[0], depth.shape[1], float(beta), haze.uneven_spread)
    return np.maximum(transmission_from_depth(depth, beta), np.float32(haze.floor))


def placed(depth: Floats, rng: np.random.Generator, haze: HazeConfig) -> Floats:
    """A depth as it may lie in the haze: farther off, or with a farther background; of a picture or a whole clip."""
    if rng.random() < haze.away_share:
        depth = depth + np.float32(rng.uniform(*haze.away) * np.median(depth))
    if rng.random() < haze.steep_share:
        depth = (depth / depth.min()) ** np.float32(rng.uniform(*haze.steep))
    return depth


def draw_exposure(rng: np.random.Generator, haze: HazeConfig) -> np.float32:
    """What a camera makes of all light, haze and scene alike; mostly 1."""
    return np.float32(logarithmic(rng, haze.exposed) if rng.random() < haze.exposed_share else 1.0)


def logarithmic(rng: np.random.Generator, bounds: Range) -> float:
    """A number drawn evenly on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))


def _camera(picture: Floats, rng: np.random.Generator, haze: HazeConfig, drawn: dict[str, float]) -> Bytes:
    """What a camera adds after the haze: noise, then compression."""
    if rng.random() < haze.noise_share:
        drawn["noise"] = logarithmic(rng, haze.noise)
        picture = add_noise(picture, drawn["noise"], rng)
    seen = to_bytes(picture)
    if rng.random() < haze.jpeg_share:
        drawn["jpeg"] = int(rng.uniform(*haze.jpeg))
        seen = compress_jpeg(seen, int(drawn["jpeg"]))
    # Drawn last, and only where it is asked for: configurations without it keep their samples.
    if haze.h264_share > 0.0 and rng.random() < haze.h264_share:
        seen = _streamed(seen, rng, haze, drawn)
    return seen


def _streamed(seen: Bytes, rng: np.random.Generator, haze: HazeConfig, drawn: dict[str, float]) -> Bytes:
    """The picture as a frame of a video: an intra frame, or one predicted from the moving picture before it."""
    quality = drawn["h264"] = rng.uniform(*haze.h264)
    frames = [seen]
    if rng.random() < 0.5:
        frames.insert(0, np.roll(seen, rng.integers(-4, 5, 2).tolist(), (0, 1)))
    return compress_h264(frames, quality)[-1]


def to_bytes(picture: Floats) -> Bytes:
    """A picture in [0, 1] as bytes, rounded."""
    scaled = picture * np.float32(255)
    scaled += np.float32(0.5)
    return np.clip(scaled, 0.0, 255.0, out=scaled).astype(np.uint8)
