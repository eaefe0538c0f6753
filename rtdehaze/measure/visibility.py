"""What can be said of a dehazed picture where nobody knows the truth: visible edges, gradients, saturation, haze left.

None of these says that a picture is good: noise and over-enhancement raise contrast as well. Read them together, beside
the untouched picture's own, and look at the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["Appearance", "Gain", "appearance", "visibility_gain", "visible_edges"]

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LONG_SIDE = 512
"""Samples. Larger pictures are shrunk to it: edges are what is seen when the whole picture is looked at."""

VISIBLE = 0.05
"""The contrast that is just seen in daylight (CIE 1987)."""

WINDOW, STRIDE = 7, 4
"""Samples: the window in which a threshold is looked for, and the step from one to the next."""

DARK_PATCH = 15
"""Samples across the dark channel's neighbourhood, as in He, Sun, Tang 2009."""

_CHUNK = 4096
"""Windows that are worked on at once: 256 thresholds each, so some tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """What a picture looks like by itself."""

    grey: Picture = field(repr=False)
    """(h, w): luma of the picture, its long side at most `LONG_SIDE`."""
    on_edge: Mask = field(repr=False)
    """(h, w): the pixels on a visible edge."""
    dark_channel: float
    """Mean dark channel in [0, 1] (He, Sun, Tang 2009): near 0 without haze, less is clearer; sky and white walls
    raise it."""
    colourfulness: float
    """M of Hasler and Suesstrunk 2003, eq. 4: 0 grey, 15 slightly, 45 quite, 80 highly colourful. Haze lowers it."""

    @property
    def edges(self) -> float:
        """Share of the pixels that lie on a visible edge. Haze hides edges: more is clearer."""
        return float(self.on_edge.mean())

    @property
    def brightness(self) -> float:
        """Mean luma in [0, 255]: a result far below its input is dim."""
        return float(self.grey.mean())


@dataclass(frozen=True, slots=True)
class Gain:
    """What a picture gained over the untouched one (Hautiere, Tarel, Aubert, Dumont 2008)."""

    new_edges: float
    """e: visible edges gained, as a share of those there were; NaN where there were none. More is clearer."""
    gradient_ratio: float
    """r: geometric mean of the growth of the gradients on visible edges. 1 is unchanged, more is clearer."""
    saturated: float
    """sigma: share of the pixels that became black or white and were not. Less is better."""


def appearance(picture: Picture) -> Appearance:
    """Looks at one picture, (H, W, 3) RGB."""
    scale = LONG_SIDE / max(picture.shape[:2])
    if scale < 1.0:
        size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    darkest = cv2.erode(picture.min(axis=2), np.ones((DARK_PATCH, DARK_PATCH), np.uint8))
    return Appearance(grey, visible_edges(grey), float(darkest.mean() / 255.0), _colourfulness(picture))


def visibility_gain(result: Appearance, untouched: Appearance) -> Gain:
    """Compares a dehazed picture with the untouched one.

    Raises:
        ValueError: The pictures are of different sizes.
    """
    if result.grey.shape != untouched.grey.shape:
        raise ValueError(f"pictures of {result.grey.shape} and {untouched.grey.shape} cannot be compared")
    steeper, flatter = (_gradient(look.grey)[result.on_edge] for look in (result, untouched))
    # Where nothing was, growth has no measure.
    counted = (steeper > 0) & (flatter > 0)
    ratios = np.log(steeper[counted] / flatter[counted])
    return Gain(
        new_edges=result.edges / untouched.edges - 1.0 if untouched.edges else float("nan"),
        gradient_ratio=float(np.exp(ratios.mean())) if ratios.size else float("nan"),
        saturated=float((_extreme(result.grey) & ~_extreme(untouched.grey)).mean()),
    )


def visible_edges(grey: Picture) -> Mask:
    """Finds the pixels on edges of at least 5 % contrast (Hautiere, Aubert, Jourlin 2006, after Koehler 1981).

    In each window the threshold s is sought that separates neighbours x, y with the largest mean contrast
    C(s) = mean over the pairs that s separates of min(|s - x| / max(s, x), |s - y| / max(s, y)); where 2 C > 5 %, the
    pixels that it separates are on a visible edge.

    Args:
        grey: (H, W).

    Returns:
        (H, W).
    """
    height, width = grey.shape
    # Whole windows for the last rows and columns; the picture goes on by reflection.
    padded = cv2.copyMakeBorder(grey, 0, WINDOW, 0, WINDOW, cv2.BORDER_REFLECT)
    index = np.arange(padded.size, dtype=np.int32).reshape(padded.shape)
    found = np.zeros(padded.size, np.bool_)
    levels, places = (_windows(array, height, width) for array in (padded, index))
    low, high = np.minimum(*levels), np.maximum(*levels)
    # At its best threshold, the root of low * high, a pair has the contrast 1 - sqrt(low / high).
    candidates = np.flatnonzero((low < (1.0 - VISIBLE / 2) ** 2 * high).any(axis=1))
    for at in range(0, len(candidates), _CHUNK):
        some = candidates[at : at + _CHUNK]
        threshold, contrast = _best_threshold(low[some], high[some])
        split = (low[some] <= threshold[:, None]) & (high[some] > threshold[:, None])
        split &= (2.0 * contrast > VISIBLE)[:, None]
        for side in places:
            found[side[some][split]] = True
    return found.reshape(padded.shape)[:height, :width]


def _windows(padded: NDArray[Any], height: int, width: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The pairs of neighbours within each window: the first and the second of each, (windows, pairs)."""
    sides = []
    for beside, below in ((padded[:, :-1], padded[:-1]), (padded[:, 1:], padded[1:])):
        tiles = []
        for array, shape in ((beside, (WINDOW, WINDOW - 1)), (below, (WINDOW - 1, WINDOW))):
            views = sliding_window_view(array, shape)[:height:STRIDE, :width:STRIDE]
            tiles.append(views.reshape(-1, shape[0] * shape[1]))
        sides.append(np.concatenate(tiles, axis=1))
    return sides[0], sides[1]


def _best_threshold(low: Picture, high: Picture) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each window (row) the threshold with the largest mean contrast, and that contrast.

    A pair contributes 1 - low / s up to s = sqrt(low high) and 1 - s / high above, so three sums over the pairs,
    each kept as its steps from one s to the next, give all thresholds at once.
    """
    count, levels = len(low), 257
    start = np.arange(count)[:, None] * levels
    turn = np.minimum(np.sqrt(low.astype(np.float64) * high).astype(np.int64) + 1, high)

    def sums(steps: list[tuple[NDArray[Any], NDArray[Any] | None, float]]) -> NDArray[np.float64]:
        total = np.zeros(count * levels)
        for places, weights, sign in steps:
            flat = None if weights is None else weights.ravel()
            total += sign * np.bincount((start + places).ravel(), flat, minlength=count * levels)
        return np.cumsum(total.reshape(count, levels), axis=1)

    inverse = 1.0 / np.maximum(high, 1)
    separated = sums([(low, None, 1.0), (high, None, -1.0)])
    lower = sums([(low, low, 1.0), (turn, low, -1.0)])
    upper = sums([(turn, inverse, 1.0), (high, inverse, -1.0)])
    s = np.arange(levels, dtype=np.float64)
    contrast = separated - lower / np.maximum(s, 1.0) - upper * s
    # At s = 0 nothing is darker than the threshold: no contrast.
    contrast[:, 0] = 0.0
    mean = np.where(separated > 0.5, contrast / np.maximum(separated, 1.0), 0.0)
    best = mean.argmax(axis=1)
    return best, mean[np.arange(count), best]


def _gradient(grey: Picture) -> NDArray[np.float32]:
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3, borderType=cv2.BORDER_REFLECT)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _colourfulness(picture: Picture) -> float:
    red, green, blue = (picture[..., channel].astype(np.float64) for channel in range(3))
    first, second = red - green, 0.5 * (red + green) - blue
    spread = np.hypot(first.std(), second.std())
    return float(spread + 0.3 * np.hypot(first.mean(), second.mean()))


def _extreme(grey: Picture) -> Mask:
    return np.asarray((grey == 0) | (grey == 255))
