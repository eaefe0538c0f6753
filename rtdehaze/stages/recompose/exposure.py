"""Exposure given back: what the haze model restores comes out dim where the camera had exposed for the haze."""

from __future__ import annotations

import math
from dataclasses import replace

import numba
import numpy as np

from rtdehaze.core.colour import Matrix, luma_weights
from rtdehaze.core.haze import Map, Removal
from rtdehaze.stages.recompose.fields import resized

__all__ = ["ExposureKeeper"]

_SHARE = 0.7
"""How much of the hazy picture's mean luma the clear one shall have at least: where the truth is known, clear pictures
have about 0.74 of it, so that 0.8 brightened many that were right."""
_ENOUGH = 0.40
"""Mean luma in [0, 1] that is bright enough for any picture: about that of a well exposed clear day."""
_STEEPEST = 1.5
"""Largest lift: the curve's slope at black is 1 + this, and at 3 it would stop rising."""

_WEIGHTS = luma_weights(Matrix.BT709).astype(np.float32)

_compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "arcp", "nsz", "reassoc"})


class ExposureKeeper:
    """Lifts the dark parts of a picture that turned out dim, by a tone curve that changes slowly.

    The curve is f(J) = J * (1 + k * (1 - J)**2): it rises everywhere for k < 3, leaves black and white where they
    are and bright parts nearly so. Its ratio f(J) / J goes into the maps, so luma and chroma grow alike, hue holds,
    and recomposition costs nothing more.

    Args:
        seconds: Time constant of k; 0 takes every frame by itself.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        """As given; may be changed between two frames."""
        self._lift: float | None = None
        self._time = 0.0

    def reset(self) -> None:
        """Forgets the scene; the next frame decides at once."""
        self._lift = None

    def give_back(self, removal: Removal, time: float) -> Removal:
        """Brightens what is about to be recomposed.

        Args:
            removal: With its guide; without one nothing is known of the picture and nothing is changed.
            time: Presentation time in seconds; one that stands still or goes back counts as no step.

        Returns:
            The maps with the curve in them, or `removal` itself where nothing is to be lifted.
        """
        if removal.guide is None:
            return removal
        guide, dark = resized(removal.guide, removal.luma.shape), np.empty(removal.luma.shape, np.float32)
        hazy, clear, per_lift = _look(guide, removal.veil, removal.luma, _WEIGHTS, dark)
        lift = self._steady(_lift(hazy, clear, per_lift), time)
        if lift < 1e-3:
            return removal
        luma, chroma = np.empty_like(dark), np.empty_like(dark)
        _brighten(removal.luma, removal.chroma, dark, lift, luma, chroma)
        return replace(removal, luma=luma, chroma=chroma)

    def _steady(self, lift: float, time: float) -> float:
        if self._lift is None or self.seconds == 0.0:
            self._lift = lift
        else:
            step = max(0.0, time - self._time)
            self._lift += (lift - self._lift) * (1.0 - math.exp(-step / self.seconds))
        self._time = time
        return self._lift


def _lift(hazy: float, clear: float, per_lift: float) -> float:
    """Returns the k that brings the clear picture's mean luma to where it should be, 0 where it is bright enough."""
    missing = min(_SHARE * hazy, _ENOUGH) - clear
    if missing <= 0.0:
        return 0.0
    return min(missing / max(per_lift, 1e-3), _STEEPEST)


@_compiled
def _look(guide: Map, veil: Map, luma: Map, weights: Map, dark: Map) -> tuple[float, float, float]:
    """Writes (1 - J)**2 to `dark`; returns the means of the hazy luma, of the clear luma J, and of J * (1 - J)**2."""
    height, width = luma.shape
    zero, one = np.float32(0.0), np.float32(1.0)
    red, green, blue = weights[0], weights[1], weights[2]
    hazy_sum = clear_sum = lift_sum = 0.0
    for y in range(height):
        hazy_row = clear_row = lift_row = zero
        for x in range(width):
            hazy = red * guide[0, y, x] + green * guide[1, y, x] + blue * guide[2, y, x]
            added = red * veil[0, y, x] + green * veil[1, y, x] + blue * veil[2, y, x]
            clear = min(max((hazy - added) / luma[y, x], zero), one)
            squared = (one - clear) * (one - clear)
            dark[y, x] = squared
            hazy_row += hazy
            clear_row += clear
            lift_row += clear * squared
        hazy_sum += float(hazy_row)
        clear_sum += float(clear_row)
        lift_sum += float(lift_row)
    count = height * width
    return hazy_sum / count, clear_sum / count, lift_sum / count


@_compiled
def _brighten(luma: Map, chroma: Map, dark: Map, lift: float, new_luma: Map, new_chroma: Map) -> None:
    """Divides the maps by the curve's ratio, 1 + k * (1 - J)**2."""
    height, width = luma.shape
    one, k = np.float32(1.0), np.float32(lift)
    for y in range(height):
        for x in range(width):
            scale = one / (one + k * dark[y, x])
            new_luma[y, x] = luma[y, x] * scale
            new_chroma[y, x] = chroma[y, x] * scale
