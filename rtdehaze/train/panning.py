"""A camera that moves over a still picture with depth: views, and the motion between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.train.clip_config import ClipConfig

__all__ = ["Views", "pan_over"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_SAME_SURFACE = 0.08
"""Difference of the root of the disparity, in [0, 1], from which on two samples are of two surfaces."""


@dataclass(frozen=True, slots=True)
class Views:
    """A clear clip of t frames of h x w without a cut."""

    clear: list[Bytes]
    """(h, w, 3) RGB each."""
    depth: list[Floats]
    """(h, w) each, > 0, in any unit, the same for all frames; finite."""
    flow: Floats
    """(t, h/2, w/2, 2): from each sample of a map to where its surface was in the frame before, (x, y) in samples of
    the map; 0 for the first frame."""
    valid: NDArray[np.bool_]
    """(t, h/2, w/2): where that is known; nowhere in the first frame."""


@dataclass(frozen=True, slots=True)
class _Camera:
    """Where the view lies on the still picture."""

    centre: Floats
    """(2,), x and y in the still picture's pixels."""
    scale: float
    """The still picture's pixels to one of the view."""
    aside: Floats
    """(2,), pixels that the nearest point is moved by."""


def pan_over(
    picture: Bytes, root: Floats, size: tuple[int, int], share: tuple[float, float], rng: np.random.Generator,
    clips: ClipConfig, frames: int,
) -> tuple[list[Bytes], list[Floats], Floats, NDArray[np.bool_]]:  # fmt: skip
    """Moves a camera over a still picture.

    Args:
        picture: (H, W, 3) RGB.
        root: (H, W), square root of the disparity in [0, 1].
        size: (height, width) of the views, even.
        share: Share of the picture's side that a view shows, at least and at most.
        rng: Source of randomness.
        clips: The speeds.
        frames: Number of views.

    Returns:
        The pictures, their roots of disparity, and flow and valid as in `Views`.
    """
    path = _path(picture.shape[:2], size, share, rng, clips, frames)
    # Averaged first where views are smaller than what they show, or they would sparkle.
    shrink = max(1.0, path[len(path) // 2].scale)
    if shrink > 1.1:
        small = (max(2, round(picture.shape[1] / shrink)), max(2, round(picture.shape[0] / shrink)))
        shrink = picture.shape[1] / small[0]
        picture = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
        root = np.asarray(cv2.resize(root, small, interpolation=cv2.INTER_AREA), np.float32)
        path = [_Camera(one.centre / shrink, one.scale / shrink, one.aside / shrink) for one in path]
    # Depth maps are blurred at edges anyway; a little more keeps the warp from tearing.
    soft = np.asarray(cv2.GaussianBlur(root, (0, 0), 1.5), np.float32)
    places = [_places(camera, soft, size) for camera in path]
    pictures = [np.asarray(_sampled(picture, place), np.uint8) for place in places]
    roots = [np.asarray(_sampled(root, place), np.float32) for place in places]
    flow, valid = _motion(path, soft, roots, size)
    return pictures, roots, flow, valid


def _path(
    shape: tuple[int, ...], size: tuple[int, int], share: tuple[float, float], rng: np.random.Generator,
    clips: ClipConfig, frames: int,
) -> list[_Camera]:  # fmt: skip
    """A straight way at an even speed, with trembling; both ends within the picture."""
    rows, columns = shape[0], shape[1]
    whole = min(rows / size[0], columns / size[1])
    first = whole * rng.uniform(*share)
    last = min(whole, first * (1.0 + rng.uniform(-clips.zoom, clips.zoom)) ** frames)
    ends = []
    for scale in (first, last):
        room = np.array([columns - scale * size[1], rows - scale * size[0]])
        ends.append((scale, 0.5 * room))
    middle = np.array([columns - 1, rows - 1]) / 2
    begin = rng.uniform(-1, 1, 2) * ends[0][1]
    way = rng.uniform(-1, 1, 2) * clips.pan * frames * first * size[1]
    finish = np.clip(begin + way, -ends[1][1], ends[1][1])
    aside = rng.uniform(-1, 1, 2) * np.array([1.0, 0.4]) * clips.parallax * first * size[1]
    path = []
    for number in range(frames):
        done = number / max(1, frames - 1)
        shake = rng.standard_normal(2) * clips.shake * first * size[1]
        centre = middle + begin + done * (finish - begin) + shake
        moved = aside * (number - (frames - 1) / 2)
        path.append(_Camera(centre.astype(np.float32), first + done * (last - first), moved.astype(np.float32)))
    return path


def _straight(camera: _Camera, size: tuple[int, int], step: int) -> Floats:
    """Where the samples of a view lie on the still picture if all of it were far, (h, w, 2)."""
    height, width = size
    y, x = np.mgrid[0:height:step, 0:width:step].astype(np.float32) + np.float32((step - 1) / 2)
    grid = np.dstack([x - np.float32((width - 1) / 2), y - np.float32((height - 1) / 2)])
    return np.asarray(camera.centre + camera.scale * grid, np.float32)


def _places(camera: _Camera, soft: Floats, size: tuple[int, int], step: int = 1) -> Floats:
    """Where the samples of a view lie on the still picture, what is near moved aside, (h, w, 2)."""
    straight = _straight(camera, size, step)
    near = _sampled(soft, straight)[..., None]
    return np.asarray(straight + camera.aside * near, np.float32)


def _sampled(picture: NDArray[Any], places: Floats) -> NDArray[Any]:
    return cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)  # type: ignore[call-overload,no-any-return]


def _motion(
    path: list[_Camera], soft: Floats, roots: list[Floats], size: tuple[int, int]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Flow and valid as in `Views`: each sample's place on the still picture, found again in the view before."""
    half = (size[0] // 2, size[1] // 2)
    flow, valid = np.zeros((len(path), *half, 2), np.float32), np.zeros((len(path), *half), np.bool_)
    small = [np.asarray(cv2.resize(root, half[::-1], interpolation=cv2.INTER_AREA), np.float32) for root in roots]
    own = np.dstack(np.meshgrid(np.arange(half[1]), np.arange(half[0]))).astype(np.float32)
    for number in range(1, len(path)):
        now, before = path[number], path[number - 1]
        straight = _straight(now, size, 2)
        near = _sampled(soft, straight)[..., None]
        there = straight + (now.aside - before.aside) * near
        # In pixels of the view before, then in samples of its maps: two pixels to one sample, centres between them.
        pixels = (there - before.centre) / before.scale + np.array([(size[1] - 1) / 2, (size[0] - 1) / 2], np.float32)
        source = ((pixels - 0.5) / 2).astype(np.float32)
        flow[number] = source - own
        inside = np.all((source >= 0) & (source <= np.array([half[1] - 1, half[0] - 1])), axis=-1)
        valid[number] = inside & (np.abs(_sampled(small[number - 1], source) - small[number]) < _SAME_SURFACE)
    return flow, valid
