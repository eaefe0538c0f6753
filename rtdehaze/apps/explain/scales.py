"""Scales that a person reads values off: colour tables, ranges, ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.haze import Map

__all__ = ["DEPTH", "GAIN", "TRANSMISSION", "Scale", "Table", "sequential", "signed"]

Table = NDArray[np.uint8]
"""256 colours, RGB, (256, 3)."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What colour stands for which value."""

    title: str
    caption: str
    """What the value means, in words."""
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    """Values within the range and what is written beside them."""
    table: Table
    log: bool = False
    """Equal ratios take equal lengths; `low` is above 0."""

    def position(self, values: Map) -> Map:
        """Where values lie between the ends, clipped to [0, 1]."""
        low, high = np.float32(self.low), np.float32(self.high)
        if self.log:
            low, high = np.log(low), np.log(high)
            values = np.log(np.maximum(values, np.float32(1e-6)))
        place: Map = np.clip((values - low) / (high - low), 0.0, 1.0).astype(np.float32)
        return place

    def colours(self, values: Map) -> NDArray[np.uint8]:
        """Colours for values of any shape, RGB in a new last axis."""
        return self.table[np.rint(self.position(values) * 255).astype(np.uint8)]


def _of_opencv(number: int) -> Table:
    ramp = np.arange(256, dtype=np.uint8)[None]
    return np.ascontiguousarray(np.asarray(cv2.applyColorMap(ramp, number), np.uint8)[0, :, ::-1])


def _diverging() -> Table:
    """Blue over grey to red in CIELAB: lightness falls evenly from the middle to both ends, chroma rises."""
    side = np.linspace(-1.0, 1.0, 256, dtype=np.float32)
    far = np.abs(side)
    red = side[:, None] > 0
    a_b = np.where(red, np.array([[62.0, 48.0]]), np.array([[6.0, -62.0]])) * far[:, None]
    lab = np.concatenate([(90.0 - 48.0 * far)[:, None], a_b], axis=1).astype(np.float32)
    rgb = np.asarray(cv2.cvtColor(lab[None], cv2.COLOR_LAB2RGB), np.float32)[0]
    return np.asarray(np.rint(np.clip(rgb, 0, 1) * 255), np.uint8)


# Perceptually uniform, readable without colour too: viridis, magma, inferno (Smith, van der Walt 2015).
_VIRIDIS, _INFERNO = _of_opencv(cv2.COLORMAP_VIRIDIS), _of_opencv(cv2.COLORMAP_INFERNO)
_NEAR_IS_BRIGHT = np.ascontiguousarray(_of_opencv(cv2.COLORMAP_MAGMA)[::-1])
_DIVERGING = _diverging()


def _ticks(values: Sequence[float], form: str = "{:g}") -> tuple[tuple[float, str], ...]:
    return tuple((value, form.format(value)) for value in values)


TRANSMISSION = Scale(
    "Transmission t", "share of the scene's light that arrives", 0.0, 1.0,
    tuple((value / 100, f"{value} %") for value in (0, 20, 40, 60, 80, 100)), _VIRIDIS,
)  # fmt: skip

DEPTH = Scale(
    "Relative depth", "-ln t: at 1 light has fallen to 37 %", 0.0, 3.0, _ticks((0, 0.5, 1, 1.5, 2, 2.5, 3)),
    _NEAR_IS_BRIGHT,
)  # fmt: skip
"""To 3: estimators say no transmission below 0.05, and -ln 0.05 is 3.0."""

GAIN = Scale(
    "Gain", "by what luma's contrast is multiplied", 0.5, 16.0, _ticks((0.5, 1, 2, 4, 8, 16), "x{:g}"), _INFERNO,
    log=True,
)  # fmt: skip
"""To 16: the cap of 10, and exposure that lifts it."""


def signed(title: str, caption: str, reach: float, *, halves: bool = True) -> Scale:
    """A scale from `-reach` to `reach`: blue lowers, red raises, pale grey is nothing; ticks at the halves, too."""
    shares = (-1.0, -0.5, 0.0, 0.5, 1.0) if halves else (-1.0, 0.0, 1.0)
    ticks = tuple((share * reach, f"{share * reach:+.2g}" if share else "0") for share in shares)
    return Scale(title, caption, -reach, reach, ticks, _DIVERGING)


def sequential(title: str, low: float, high: float) -> Scale:
    """A scale between two values that are written at its ends."""
    return Scale(title, "", low, high, ((low, f"{low:.2g}"), (high, f"{high:.2g}")), _VIRIDIS)
