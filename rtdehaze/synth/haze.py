"""Haze on given pictures: I = J*t + A*(1 - t), t = exp(-beta*d) (Koschmieder 1924; He, Sun, Tang 2009, eq. 1 and 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.noise import smooth_field

__all__ = [
    "add_haze",
    "add_noise",
    "beta_for_median",
    "depth_from_disparity",
    "random_airlight",
    "transmission_from_depth",
    "uneven_beta",
]

FloatArray = NDArray[np.float32]


def add_haze(clear: FloatArray, transmission: FloatArray, airlight: FloatArray) -> FloatArray:
    """Lays haze over a clear picture: I = J*t + A*(1 - t).

    Args:
        clear: (H, W, 3) float32 RGB in [0, 1], the clear picture J.
        transmission: (H, W) float32 in [0, 1], the share of the scene's light that arrives.
        airlight: (3,) or (H, W, 3) float32 RGB in [0, 1], the colour of endless haze.

    Returns:
        (H, W, 3) float32 RGB in [0, 1], the hazy picture I.

    Raises:
        ValueError: The sizes do not agree.
    """
    clear = np.asarray(clear, dtype=np.float32)
    transmission = np.asarray(transmission, dtype=np.float32)
    if clear.ndim != 3 or clear.shape[:2] != transmission.shape:
        raise ValueError(f"a picture of {clear.shape} does not go with a transmission of {transmission.shape}")
    airlight = np.asarray(airlight, dtype=np.float32)
    hazy: FloatArray = (clear - airlight) * transmission[..., None] + airlight
    return hazy


def depth_from_disparity(disparity: FloatArray, far_to_near: float) -> FloatArray:
    """Turns relative disparity into relative depth: d = k / (disp*(1 - k) + k), k = 1 / far_to_near.

    Args:
        disparity: Float array in [0, 1]; 1 is the nearest point, 0 the farthest and the sky.
        far_to_near: Depth of the farthest point over the depth of the nearest, >= 1.

    Returns:
        Depth of the same shape, from `1 / far_to_near` (nearest) to 1 (farthest).

    Raises:
        ValueError: `far_to_near` is below 1.
    """
    if far_to_near < 1.0:
        raise ValueError(f"far_to_near is {far_to_near}; it must be at least 1")
    k = np.float32(1.0 / far_to_near)
    depth: FloatArray = k / (np.asarray(disparity, dtype=np.float32) * (1 - k) + k)
    return depth


def beta_for_median(depth: FloatArray, median_transmission: float) -> float:
    """The extinction coefficient that gives a picture the wanted median transmission.

    Args:
        depth: Distances in any unit; infinite ones count as farther than all others.
        median_transmission: In (0, 1]; 1 is no haze.

    Returns:
        Beta in one over the unit of `depth`.

    Raises:
        ValueError: The transmission is out of range, or the median depth is not a positive finite number.
    """
    if not 0.0 < median_transmission <= 1.0:
        raise ValueError(f"a median transmission of {median_transmission} is not in (0, 1]")
    middle = float(np.median(depth))
    if not 0.0 < middle < np.inf:
        raise ValueError(f"the median depth is {middle}; it must be positive and finite")
    return float(-np.log(median_transmission)) / middle


def transmission_from_depth(depth: FloatArray, beta: float | FloatArray, far: float = np.inf) -> FloatArray:
    """The share of light that arrives: t = exp(-beta * min(d, far)) (Koschmieder).

    Args:
        depth: Distances, infinite for the sky.
        beta: Extinction coefficient, one number or a field of the shape of `depth`.
        far: The longest way that any ray goes through the haze, so the sky keeps exp(-beta * far).

    Returns:
        Transmission of the shape of `depth`, float32 in [0, 1].
    """
    way = np.minimum(np.asarray(depth, dtype=np.float32), np.float32(far))
    # Without haze an endless way still transmits everything; 0 * inf would be NaN.
    thickness = np.multiply(way, beta, where=np.asarray(beta) > 0, out=np.zeros(way.shape, np.float32))
    return np.exp(-thickness)


def uneven_beta(
    rng: np.random.Generator, height: int, width: int, beta: float, spread: float = 0.3, cells: float = 3.0
) -> FloatArray:
    """An extinction coefficient that drifts across the picture, as in drifting fog.

    Args:
        rng: Source of randomness.
        height: Rows.
        width: Columns.
        beta: The coefficient in the middle of the spread.
        spread: The largest relative deviation, in [0, 1).
        cells: Swells along the longer side.

    Returns:
        (height, width) float32 within `beta * (1 +- spread)`.
    """
    return np.float32(beta) * (1 + np.float32(spread) * smooth_field(rng, height, width, cells))


def random_airlight(rng: np.random.Generator, low: float = 0.6, high: float = 0.95, tint: float = 0.05) -> FloatArray:
    """Draws a colour of haze: a grey in [low, high] with a warm or cool cast of at most `tint`; (3,) float32."""
    level = rng.uniform(low, high)
    cast = rng.uniform(-tint, tint)
    green = rng.uniform(-tint, tint) / 4
    return np.clip([level - cast, level + green, level + cast], 0.0, 1.0).astype(np.float32)


def add_noise(picture: FloatArray, sigma: float, rng: np.random.Generator) -> FloatArray:
    """Adds a sensor's noise, which comes after the haze and is therefore blown up when the haze is taken away.

    Args:
        picture: Float32 RGB in [0, 1].
        sigma: Standard deviation of the Gaussian noise in units of the picture's range.
        rng: Source of randomness.

    Returns:
        The noisy picture, clipped to [0, 1].
    """
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    noise *= np.float32(sigma)
    noise += picture
    return np.clip(noise, 0.0, 1.0, out=noise)
