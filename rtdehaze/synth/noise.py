"""Seeded noise with structure: the grain of every texture that the renderer paints, and uneven haze."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["fractal_noise", "ridge_line", "smooth_field"]


def fractal_noise(
    rng: np.random.Generator, height: int, width: int, slope: float = 1.0, stretch: float = 1.0
) -> NDArray[np.float32]:
    """Noise whose amplitude falls as frequency**-slope, made by shaping white noise in the frequency domain.

    Args:
        rng: Source of randomness.
        height: Rows.
        width: Columns.
        slope: 0 is white noise, 1 grain with blotches, 2 soft clouds.
        stretch: Above 1 the structure is longer in y than in x by that factor, below 1 the other way round.

    Returns:
        (height, width) float32, mean 0, standard deviation 1; tiles without a seam.
    """
    white = rng.standard_normal((height, width), dtype=np.float32)
    rows = np.fft.fftfreq(height)[:, None] * height * stretch
    cols = np.fft.rfftfreq(width)[None, :] * width
    frequency = np.hypot(rows, cols)
    frequency[0, 0] = np.inf
    shaped = np.fft.irfft2(np.fft.rfft2(white) / frequency**slope, s=(height, width))
    spread = float(shaped.std())
    return np.asarray((shaped - shaped.mean()) / (spread if spread > 0 else 1.0), np.float32)


def smooth_field(rng: np.random.Generator, height: int, width: int, cells: float = 3.0) -> NDArray[np.float32]:
    """A field without fine structure: random values on a coarse lattice, enlarged by cubic interpolation.

    Args:
        rng: Source of randomness.
        height: Rows.
        width: Columns.
        cells: Lattice cells along the longer side.

    Returns:
        (height, width) float32 in [-1, 1], not tiling.
    """
    longer = max(height, width)
    lattice = (max(2, round(cells * height / longer) + 1), max(2, round(cells * width / longer) + 1))
    coarse = rng.uniform(-1.0, 1.0, lattice).astype(np.float32)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(fine, -1.0, 1.0), np.float32).reshape(height, width)


def ridge_line(rng: np.random.Generator, length: int, slope: float = 1.5) -> NDArray[np.float32]:
    """Returns a fractal skyline, (length,) float32 in [0, 1]; it does not tile."""
    line = fractal_noise(rng, 1, 2 * length, slope)[0, :length]
    low, high = float(line.min()), float(line.max())
    return ((line - low) / max(high - low, 1e-6)).astype(np.float32)
