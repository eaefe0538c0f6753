"""Seeded noise with structure: the grain of every texture that the renderer paints, and uneven haze."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["fractal_noise", "ridge_line", "smooth_field", "tiled_noise"]

_TILE = 512
_SKYLINE = 4096  # samples of a skyline


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
    rows = (np.fft.fftfreq(height)[:, None] * height * stretch).astype(np.float32)
    cols = (np.fft.rfftfreq(width)[None, :] * width).astype(np.float32)
    frequency = np.hypot(rows, cols)
    frequency[0, 0] = np.inf
    shaped = np.fft.irfft2(np.fft.rfft2(white) / frequency ** np.float32(slope), s=(height, width))
    spread = float(shaped.std())
    return np.asarray((shaped - shaped.mean()) / (spread if spread > 0 else 1.0), np.float32)


def tiled_noise(rng: np.random.Generator, height: int, width: int, slope: float) -> NDArray[np.float32]:
    """As `fractal_noise` for large pictures: one tile of 512 repeated, since shaping odd sizes is slow."""
    tile = fractal_noise(rng, _TILE, _TILE, slope)
    return tile[np.ix_(np.arange(height) % _TILE, np.arange(width) % _TILE)]


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


def ridge_line(rng: np.random.Generator, places: NDArray[np.float32], slope: float = 1.5) -> NDArray[np.float32]:
    """A fractal skyline that is the same however finely it is sampled.

    Args:
        rng: Source of randomness.
        places: Where to sample it, in [-1, 1]; it does not tile.
        slope: As for `fractal_noise`.

    Returns:
        Heights of the shape of `places`, float32 in [0, 1].
    """
    line = fractal_noise(rng, 1, 2 * _SKYLINE, slope)[0, :_SKYLINE]
    low, high = float(line.min()), float(line.max())
    heights = np.interp(places, np.linspace(-1, 1, _SKYLINE), (line - low) / (high - low))
    return np.asarray(heights, np.float32)
