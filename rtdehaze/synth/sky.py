"""The backdrop: sky, clouds and hills, so far away that only the turning of the camera moves it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.camera import Lens
from rtdehaze.synth.noise import fractal_noise, ridge_line, tiled_noise
from rtdehaze.synth.raster import Canvas

__all__ = ["Backdrop"]

_MARGIN = 0.06  # of the longer side: room for the camera to turn
_RIDGES = ((5200.0, 0.105), (2400.0, 0.062), (1150.0, 0.030))  # metres away, height in focal lengths
_TREE_LINE = 620.0  # metres: where the woods and roofs at the end of sight stand


class Backdrop:
    """Paints the backdrop once, then draws it into any canvas by the camera's rotation alone.

    Args:
        rng: Source of randomness.
        lens: The camera.
        sun: Side of the sun, -1 left to 1 right.
        cloud: Share of the sky under cloud, 0 to 1.
    """

    def __init__(self, rng: np.random.Generator, lens: Lens, sun: float, cloud: float) -> None:
        margin = int(np.ceil(_MARGIN * max(lens.width, lens.height))) + 2
        width, height = lens.width + 2 * margin, lens.height + 2 * margin
        self._offset = np.array([[1.0, 0, -margin], [0, 1.0, -margin], [0, 0, 1.0]])
        self._lens = lens
        x = (np.arange(width, dtype=np.float32) - margin - np.float32(lens.centre_x)) / np.float32(lens.focal)
        y = (np.float32(lens.centre_y) + margin - np.arange(height, dtype=np.float32)) / np.float32(lens.focal)
        picture = _sky(rng, x, y, sun, cloud)
        depth = np.full((height, width), np.inf, np.float32)
        for distance, tall in _RIDGES:
            _hills(rng, picture, depth, x, y, distance, tall, sun)
        _trees(rng, picture, depth, x, y)
        self._picture = np.clip(np.rint(picture + rng.uniform(-0.5, 0.5, picture.shape)), 0, 255).astype(np.uint8)
        self._depth = depth

    def draw(self, canvas: Canvas) -> None:
        """Fills the whole canvas; everything else is drawn over it."""
        camera = canvas.camera
        straight = self._lens.matrix @ np.diag([1.0, -1.0, 1.0])
        turn = camera.projection @ np.linalg.inv(straight) @ self._offset
        size = (self._lens.width, self._lens.height)
        canvas.colour = np.asarray(
            cv2.warpPerspective(self._picture, turn, size, borderMode=cv2.BORDER_REPLICATE), np.uint8
        ).reshape(size[1], size[0], 3)
        canvas.depth = np.asarray(
            cv2.warpPerspective(self._depth, turn, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE),
            np.float32,
        ).reshape(size[1], size[0])
        canvas.transmission = canvas.transmit(canvas.depth)


def _sky(
    rng: np.random.Generator, x: NDArray[np.float32], y: NDArray[np.float32], sun: float, cloud: float
) -> NDArray[np.float32]:
    up = np.clip(y, 0, None)[:, None]
    pale, deep = np.array([206, 219, 231], np.float32), np.array([72, 122, 186], np.float32)
    picture = pale + (1 - np.exp(-2.4 * up))[..., None] * (deep - pale)
    glow = np.exp(-(((x[None, :] - 0.75 * sun) / 0.55) ** 2) - ((up - 0.30) / 0.42) ** 2)
    picture = picture + glow[..., None] * np.array([40, 30, 10], np.float32)
    side = 512
    puffs, wisps = fractal_noise(rng, side, side, 1.55), fractal_noise(rng, side, side, 1.1)
    # A layer of cloud overhead: seen at height y it is 1/y away.
    away = 1.0 / (up + 0.09)
    u = (x[None, :] * away * 62 + rng.uniform(0, side)).astype(np.float32) % side
    v = np.broadcast_to((away * 62) % side, u.shape).astype(np.float32)
    density = cv2.remap(puffs + 0.22 * wisps, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    lit = cv2.remap(puffs, (u - 7 * sun - 3) % side, (v + 5) % side, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    density, lit = density.reshape(u.shape), lit.reshape(u.shape)
    cover = np.clip((density - (1.0 - 2.2 * cloud)) / 1.1, 0, 1) ** 1.3 * np.clip(up / 0.10, 0, 1) ** 0.7
    tone = np.clip(232 + 16 * (density - lit) - 9 * density, 170, 255)[..., None] * np.array(
        [1.0, 1.0, 1.012], np.float32
    )
    return np.asarray(picture + (0.94 * cover)[..., None] * (tone - picture), np.float32)


def _hills(
    rng: np.random.Generator,
    picture: NDArray[np.float32],
    depth: NDArray[np.float32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    distance: float,
    tall: float,
    sun: float,
) -> None:
    crest = tall * (0.35 + 0.65 * ridge_line(rng, x, 1.45))
    texture = tiled_noise(rng, depth.shape[0], depth.shape[1], 1.0)
    veil = np.clip(distance / 6000, 0, 1)  # even clear air is not without colour
    wood = np.array([70, 92, 60], np.float32) * (1 - veil) + np.array([150, 172, 196], np.float32) * veil
    slope = np.gradient(crest, x) if len(x) > 1 else np.zeros_like(crest)
    light = 1 - 0.55 * (1 - veil) * np.clip(slope * sun, -0.3, 0.3)
    tone = wood * light[None, :, None] * (1 + 0.09 * (1 - 0.7 * veil) * texture)[..., None]
    _lay(picture, depth, crest, tone, y, distance)


def _trees(
    rng: np.random.Generator,
    picture: NDArray[np.float32],
    depth: NDArray[np.float32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
) -> None:
    crest = 0.011 + 0.013 * ridge_line(rng, x, 0.75)
    texture = tiled_noise(rng, depth.shape[0], depth.shape[1], 0.6)
    shade = np.clip((y[:, None] + 0.004) / crest[None, :], 0.35, 1)
    tone = np.array([62, 82, 44], np.float32) * (shade * (1 + 0.16 * texture))[..., None]
    _lay(picture, depth, crest, tone, y, _TREE_LINE)


def _lay(
    picture: NDArray[np.float32],
    depth: NDArray[np.float32],
    crest: NDArray[np.float32],
    tone: NDArray[np.float32],
    y: NDArray[np.float32],
    distance: float,
) -> None:
    """Lays a ridge over the picture; its edge is a pixel wide."""
    pixel = float(y[0] - y[1]) if len(y) > 1 else 1.0
    cover = np.clip((crest[None, :] - y[:, None]) / pixel + 0.5, 0, 1)
    picture += cover[..., None] * (tone - picture)
    depth[cover >= 0.5] = distance
