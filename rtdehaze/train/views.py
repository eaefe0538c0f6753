"""Views of pictures without truth: a weak one for the teacher, a strong one for the student, and what lies between.

Everything that the student's view adds is known exactly, whatever haze the picture already has. With the picture's own
haze I = J t + A (1 - t), exposure, white balance and saturation are one matrix M, so M I = (M J) t + (M A) (1 - t);
and more haze in front, I' = (M I) s + B (1 - s), has the transmission t s and the veil (M A) (1 - t) s + B (1 - s).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.haze import (
    add_haze,
    add_noise,
    beta_for_median,
    random_airlight,
    transmission_from_depth,
    uneven_beta,
)
from rtdehaze.synth.noise import smooth_field

__all__ = ["Known", "View", "make_view"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

CROP = (0.55, 1.0)
"""Share of the picture that the teacher sees of either side, at least and at most."""
INNER = (0.6, 1.0)
"""Share of the teacher's view that the student sees."""
GAIN = (0.75, 1.1)
"""Exposure; not much above 1, or bright haze would be clipped and the truth about it lost."""
BALANCE = 0.04
SATURATION = (0.7, 1.3)
HAZE_SHARE = 0.6
"""Share of the views that get more haze."""
ADDED = (0.3, 0.9)
"""Median transmission of the haze that is added."""
FROM_PICTURE = 0.5
"""Share of the added hazes whose colour is the picture's own."""
LEAST = 0.05
"""Least transmission of the haze that is added."""
NOISE_SHARE, NOISE = 0.5, (0.002, 0.02)
JPEG_SHARE, JPEG = 0.5, (35, 95)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a picture before it is learned from: what a network once said of it, to make haze of."""

    picture: Bytes
    """(H, W, 3) RGB."""
    depth: Floats
    """(h, w), relative, median 1: only places more haze, and no target depends on it."""
    airlight: Floats
    """(3,), RGB in [0, 1]."""


@dataclass(frozen=True, slots=True)
class View:
    """Two views of one picture and how they hang together."""

    weak: Bytes
    """(h, w, 3) RGB, what the teacher sees."""
    clean: Bytes
    """(h, w, 3) RGB, the student's part of it, before anything was done to it."""
    strong: Bytes
    """(h, w, 3) RGB, what the student sees."""
    place: Floats
    """(2, 3), from the student's coordinates to the teacher's, both in [-1, 1]; the second may be mirrored."""
    tone: Floats
    """(3, 3), the matrix M on RGB."""
    added: Floats
    """(h, w), the transmission s of the haze in front; 1 where none was added."""
    colour: Floats
    """(3,), its airlight B."""
    is_hazy: bool
    """Whether haze was added, so that the view is hazy for certain."""


def make_view(known: Known, size: tuple[int, int], rng: np.random.Generator) -> View:
    """Draws a pair of views; the same generator state gives the same bytes.

    Args:
        known: What to look at.
        size: (height, width) of both views.
        rng: Source of all randomness.
    """
    outer = _box(known.picture.shape[:2], size, rng.uniform(*CROP), rng)
    inner, place = _inside(outer, rng)
    mirror = bool(place[0, 0] < 0)
    weak, clean = _cut(known.picture, outer, size, False), _cut(known.picture, inner, size, mirror)
    depth = cv2.resize(known.depth, known.picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    part = _cut(depth, inner, size, mirror)
    tone = _tone(rng)
    is_hazy = bool(rng.random() < HAZE_SHARE)
    added = _added(part, rng) if is_hazy else np.ones(size, np.float32)
    colour = _colour(tone @ known.airlight, rng)
    toned = clean.astype(np.float32) @ (tone.T / np.float32(255))
    strong = _camera(np.clip(add_haze(toned, added, colour), 0.0, 1.0), rng)
    return View(weak, clean, strong, place, tone, added, colour, is_hazy)


def _box(shape: tuple[int, ...], size: tuple[int, int], share: float, rng: np.random.Generator) -> Floats:
    """A random crop of the shape of `size`: (top, left, height, width) in pixels."""
    rows, columns, ratio = shape[0], shape[1], size[1] / size[0]
    height = min(rows, columns / ratio) * share
    width = height * ratio
    return np.array([rng.uniform(0, rows - height), rng.uniform(0, columns - width), height, width], np.float32)


def _inside(outer: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A crop of the crop, and the map from its coordinates to the outer one's, mirrored half of the times."""
    share = rng.uniform(*INNER)
    down, right = rng.uniform(share - 1.0, 1.0 - share, 2)
    top, left, height, width = outer
    inner = [top + (1 + down - share) / 2 * height, left + (1 + right - share) / 2 * width]
    across = -share if rng.random() < 0.5 else share
    place = np.array([[across, 0.0, right], [0.0, share, down]], np.float32)
    return np.array([*inner, share * height, share * width], np.float32), place


def _cut(picture: NDArray[Any], box: Floats, size: tuple[int, int], mirror: bool) -> NDArray[Any]:
    """The box at the given size: averaged where it shrinks, between the samples where it grows."""
    top, left, height, width = (float(value) for value in box)
    scale = (width / size[1], height / size[0])
    if max(scale) > 1.0:
        picture = cv2.blur(picture, (max(1, round(scale[0])), max(1, round(scale[1]))))
    move = np.array([[scale[0], 0, left + scale[0] / 2 - 0.5], [0, scale[1], top + scale[1] / 2 - 0.5]], np.float32)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(picture, move, size[::-1], flags=how, borderMode=cv2.BORDER_REFLECT_101)
    return np.ascontiguousarray(cut[:, ::-1] if mirror else cut)


def _tone(rng: np.random.Generator) -> Floats:
    """Exposure, white balance and saturation as one matrix on RGB."""
    balance = np.diag(rng.uniform(*GAIN) * (1.0 + rng.uniform(-BALANCE, BALANCE, 3)))
    saturation = rng.uniform(*SATURATION)
    mix = saturation * np.eye(3) + (1.0 - saturation) / 3.0
    return np.asarray(mix @ balance, np.float32)


def _added(depth: Floats, rng: np.random.Generator) -> Floats:
    """The transmission of more haze: deeper where the picture is, with swells."""
    uneven = np.maximum(depth + np.float32(0.3) * smooth_field(rng, *depth.shape), np.float32(0.02))
    beta = uneven_beta(rng, depth.shape[0], depth.shape[1], beta_for_median(uneven, rng.uniform(*ADDED)))
    return np.maximum(transmission_from_depth(uneven, beta), np.float32(LEAST))


def _colour(airlight: Floats, rng: np.random.Generator) -> Floats:
    if rng.random() < FROM_PICTURE:
        return np.clip(airlight, 0.0, 1.0)
    return random_airlight(rng)


def _camera(picture: Floats, rng: np.random.Generator) -> Bytes:
    """What a camera adds after the haze: noise, then compression."""
    if rng.random() < NOISE_SHARE:
        picture = add_noise(picture, float(np.exp(rng.uniform(*np.log(NOISE)))), rng)
    seen = np.round(picture * 255).astype(np.uint8)
    if rng.random() < JPEG_SHARE:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(*JPEG))]
        seen = np.asarray(cv2.imdecode(cv2.imencode(".jpg", seen[..., ::-1], quality)[1], cv2.IMREAD_COLOR), np.uint8)
        seen = seen[..., ::-1]
    return np.ascontiguousarray(seen)
