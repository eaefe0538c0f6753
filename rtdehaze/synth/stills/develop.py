"""From light to a photograph: lens, exposure, colour, curve."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.stills.palette import pick

__all__ = ["develop"]

Floats = NDArray[np.float32]


def develop(rng: np.random.Generator, light: Floats, depth: Floats, focus: float | None = None) -> NDArray[np.uint8]:
    """Makes a photograph of a picture in linear light.

    Args:
        rng: Source of randomness.
        light: (H, W, 3), linear RGB.
        depth: (H, W), metres; where the lens is out of focus the picture is soft.
        focus: Metres in focus; None for all.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    picture = light if focus is None else _defocus(light, depth, focus, float(rng.uniform(0.004, 0.016)))
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.35, 0.75))), np.float32)
    small = picture[::4, ::4].max(axis=2)
    white = float(np.quantile(small, pick(rng, 0.92, 0.97, 0.99, 0.998))) * rng.uniform(0.85, 1.8)
    balance = np.exp(rng.normal(0, 0.05, 3))
    picture = picture * (balance / max(white, 1e-4)).astype(np.float32)
    encoded = np.clip(picture, 0, 1) ** np.float32(1 / rng.uniform(1.9, 2.5))
    # Cameras' curves deepen the shadows and roll off the lights.
    bend = float(rng.uniform(0.1, 1.0))
    curved = encoded * encoded * (3 - 2 * encoded)
    encoded += np.float32(bend) * (curved - encoded)
    # Without haze something in nearly every picture is black in one channel (He, Sun, Tang 2009).
    black = float(np.quantile(encoded.min(axis=2), 0.02) * rng.uniform(0.3, 1.05))
    encoded = (encoded - black) / (1 - black)
    grey = encoded.mean(axis=2, keepdims=True)
    encoded = grey + np.float32(rng.uniform(0.75, 1.3)) * (encoded - grey)
    if rng.random() < 0.5:
        amount = float(rng.uniform(0.1, 0.6))
        encoded += np.float32(amount) * (encoded - cv2.GaussianBlur(encoded, (0, 0), 1.2))
    grain = rng.standard_normal(encoded.shape[:2], dtype=np.float32) * np.float32(rng.uniform(0, 0.008))
    encoded += grain[..., None]
    return np.asarray(np.clip(np.rint(encoded * 255), 0, 255), np.uint8)


def _defocus(light: Floats, depth: Floats, focus: float, aperture: float) -> Floats:
    """Blends three sharpnesses by the circle of confusion, which grows with the difference of the inverse distances."""
    circle = np.abs(1 - focus / np.maximum(depth, 1e-3)) * np.float32(aperture * max(depth.shape))
    circle = np.asarray(cv2.GaussianBlur(np.minimum(circle, 8), (0, 0), 1.5), np.float32)
    soft, softer = cv2.GaussianBlur(light, (0, 0), 2.0), cv2.GaussianBlur(light, (0, 0), 6.0)
    first, second = np.clip(circle / 2, 0, 1)[..., None], np.clip((circle - 2) / 4, 0, 1)[..., None]
    blended = light * (1 - first) + soft * first
    return np.asarray(blended * (1 - second) + softer * second, np.float32)
