"""The true motion between two rendered frames, from their depths and cameras."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.camera import Camera
from rtdehaze.synth.texture import BACKDROP

__all__ = ["View", "backward_motion"]

_TOLERANCE = 0.02  # relative difference of depths up to which two views show the same surface
_ROWS = 1.5  # and rows of road that two pixels may lie apart: near the horizon a row is many metres
_EYE_LEVEL = 1.38  # metres


@dataclass(frozen=True, slots=True)
class View:
    """What the motion of a rendered frame follows from."""

    camera: Camera
    depth: NDArray[np.float32]
    """(H, W) metres along the ray; infinite for the sky."""
    owner: NDArray[np.uint8]
    """(H, W): STATIC, BACKDROP, or the number of a moving thing."""
    movers: dict[int, NDArray[np.float64]]
    """Where each moving thing is, (3,) metres."""


def backward_motion(
    now: View, before: View, ray_lengths: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """From each pixel to where its surface point was in the view before.

    Args:
        now: The present frame.
        before: The previous frame.
        ray_lengths: (H, W), see `Lens.ray_lengths`.

    Returns:
        `(flow, valid)`, (H, W, 2) float32 in pixels and (H, W) bool; see `FoggyDrive.motion`.
    """
    height, width = now.depth.shape
    xs, ys = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    backdrop = now.owner == BACKDROP
    # The backdrop rides with the camera: one metre along its ray is as good as any distance.
    reach = np.where(backdrop, 1.0, now.depth / ray_lengths).astype(np.float32)
    turn = before.camera.projection @ np.linalg.inv(now.camera.projection)
    shift = before.camera.projection @ (now.camera.position - before.camera.position)
    moved = _displacements(now, before)
    where = []
    for row in range(3):
        a, b, c = turn[row].astype(np.float32)
        value = (a * xs + b * ys + c) * reach
        value += np.where(backdrop, np.float32(0), np.float32(shift[row]))
        for owner, way in moved.items():
            value[now.owner == owner] -= np.float32(before.camera.projection[row] @ way)
        where.append(value)
    depth = np.maximum(where[2], np.float32(1e-3))
    x, y = where[0] / depth, where[1] / depth
    flow = np.stack([x - xs, y - ys], axis=-1)
    valid = _seen(x, y, where[2], now, before, ray_lengths)
    for owner in np.unique(now.owner):
        if owner > BACKDROP and int(owner) not in moved:
            valid &= now.owner != owner
    return flow, valid


def _displacements(now: View, before: View) -> dict[int, NDArray[np.float64]]:
    return {owner: place - before.movers[owner] for owner, place in now.movers.items() if owner in before.movers}


def _seen(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    depth: NDArray[np.float32],
    now: View,
    before: View,
    ray_lengths: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Whether all four pixels that a bilinear look-up would touch show the same surface."""
    height, width = depth.shape
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    column = np.floor(np.clip(x, 0, width - 1))
    row = np.floor(np.clip(y, 0, height - 1))
    there = np.where(before.owner == BACKDROP, np.float32(0), ray_lengths / before.depth).astype(np.float32)
    kernel, anchor = np.ones((2, 2), np.uint8), (0, 0)
    least, most = cv2.erode(there, kernel, anchor=anchor), cv2.dilate(there, kernel, anchor=anchor)
    # Compared by nearness, 1 / depth, which is linear over a plane.
    nearness = np.where(now.owner == BACKDROP, np.float32(0), 1 / np.maximum(depth, np.float32(1e-3)))
    slack = _TOLERANCE * nearness + np.float32(_ROWS / (now.camera.lens.focal * _EYE_LEVEL))
    same: NDArray[np.bool_] = cv2.remap(least, column, row, cv2.INTER_NEAREST) >= nearness - slack
    same &= cv2.remap(most, column, row, cv2.INTER_NEAREST) <= nearness + slack
    return np.asarray(inside & same)
