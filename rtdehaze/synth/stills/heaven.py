"""Skies behind still scenes: clear, with clouds, covered, at dusk."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.stills.atlas import atlas
from rtdehaze.synth.stills.palette import Light
from rtdehaze.synth.stills.stage import View, dot

__all__ = ["reflect", "sky"]

Floats = NDArray[np.float32]


def sky(rng: np.random.Generator, view: View, light: Light, cloud: float) -> Floats:
    """Paints the sky of a view, also below the horizon, where other things hide it.

    Args:
        rng: Source of randomness.
        view: The camera.
        light: The light; the sun's glow is where it shines from.
        cloud: Share under cloud, in [0, 1].

    Returns:
        (H, W, 3) linear RGB.
    """
    # Nothing in a sky is so fine that half the samples would not do.
    rays = view.rays[::2, ::2]
    rays = (rays / np.sqrt(dot(rays, rays))[..., None]).astype(np.float32)
    up = np.maximum(rays[..., 1], 0)
    deep = np.array([0.10, 0.26, 0.62]) * rng.uniform([0.5, 0.7, 0.8], [1.5, 1.35, 1.2])
    pale = np.array([0.62, 0.76, 0.95]) * rng.uniform(0.75, 1.15) + rng.uniform(-0.06, 0.06, 3)
    grey = np.array([0.8, 0.83, 0.88]) * rng.uniform(0.45, 1.2)
    blend = np.exp(-rng.uniform(1.5, 6.0) * up)[..., None]
    picture = deep * (1 - blend) + pale * blend
    picture = picture * (1 - cloud**2) + grey * cloud**2
    if rng.random() < 0.15:
        dusk = np.array([1.1, rng.uniform(0.35, 0.75), rng.uniform(0.12, 0.5)])
        picture = picture * rng.uniform(0.35, 0.9) + dusk * (0.8 * np.exp(-6.0 * up))[..., None]
    toward = np.clip(rays @ light.to_sun, 0, 1)[..., None]
    picture = picture + light.sun * (0.04 * toward**4 + 0.25 * toward**64)
    painted = np.maximum(_clouds(rng, picture, rays, light, cloud), 0).astype(np.float32)
    return np.asarray(cv2.resize(painted, view.size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _clouds(rng: np.random.Generator, picture: Floats, rays: Floats, light: Light, cloud: float) -> Floats:
    if cloud < 0.12:
        return picture
    bank = atlas()
    up = np.maximum(rays[..., 1], 0)
    # A layer of cloud overhead: what is seen at height `up` is 1/up away.
    away = np.float32(rng.uniform(0.1, 0.4)) / (up + np.float32(rng.uniform(0.06, 0.25)))
    u = rays[..., 0] * away + np.float32(rng.random())
    v = rays[..., 2] * away + np.float32(rng.random())
    tile = np.full(up.shape, bank.numbers["rough"][4 if rng.random() < 0.6 else 3], np.float32)
    fine = np.full(up.shape, bank.numbers["rough"][2], np.float32)
    still = np.zeros_like(up)
    shape = bank.sample(tile, u, v, still)
    puffs = shape[..., 0] + np.float32(0.3) * bank.sample(fine, 3.1 * u, 3.1 * v, still)[..., 0]
    lit = bank.sample(tile, u + np.float32(0.02 * light.to_sun[0]), v + np.float32(0.02), still)[..., 0]
    edge = np.float32(1.3 - 2.6 * cloud)
    cover = np.clip((puffs - edge) / np.float32(rng.uniform(0.4, 1.6)), 0, 1)
    cover = cover * np.clip(up / np.float32(0.05) + 0.3, 0, 1)
    if cloud > 0.85:
        cover *= np.float32(rng.uniform(0, 1))  # from an even grey to heavy clouds
    bright = np.float32(rng.uniform(0.75, 1.25)) * (1 + 0.22 * (shape[..., 0] - lit) - np.float32(0.18) * cover * puffs)
    bright = np.maximum(bright, 0.25)
    tint = 0.85 * np.array([1.0, 1.0, 1.03]) + 0.05 * light.sun
    return np.asarray(picture + cover[..., None] * (bright[..., None] * tint - picture), np.float32)


def reflect(picture: Floats, horizon: float, where: NDArray[np.bool_], ripple: Floats, share: Floats) -> Floats:
    """Mirrors what stands above the horizon in water below it.

    Args:
        picture: (H, W, 3), linear RGB.
        horizon: Row of the horizon.
        where: (H, W), the water.
        ripple: (H, W), rows by which waves bend the mirrored ray.
        share: (H, W), how much of the light is mirrored.

    Returns:
        (H, W, 3).
    """
    rows, columns = where.shape
    y = np.arange(rows, dtype=np.float32)[:, None]
    source = np.clip(2 * np.float32(horizon) - y + ripple, 0, rows - 1).astype(np.float32)
    x = np.broadcast_to(np.arange(columns, dtype=np.float32)[None, :], source.shape)
    mirrored = cv2.remap(picture, np.ascontiguousarray(x), source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mixed = picture * (1 - share[..., None]) + mirrored * (share[..., None] * np.float32(0.85))
    return np.asarray(np.where(where[..., None], mixed, picture), np.float32)
