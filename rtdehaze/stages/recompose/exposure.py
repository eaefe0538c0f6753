"""Exposure given back: what the haze model restores comes out dim where the camera had exposed for the haze."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from rtdehaze.core.colour import Matrix, luma_weights
from rtdehaze.core.haze import Map, Removal

__all__ = ["ExposureKeeper"]

_SHARE = 0.8
"""How much of the hazy picture's mean luma the clear one shall have at least."""
_ENOUGH = 0.40
"""Mean luma in [0, 1] that is bright enough for any picture: about that of a well exposed clear day."""
_STEEPEST = 1.5
"""Largest lift: the curve's slope at black is 1 + this, and at 3 it would stop rising."""


class ExposureKeeper:
    """Lifts the dark parts of a picture that turned out dim, by a tone curve that changes slowly.

    The curve is f(J) = J * (1 + k * (1 - J)**2): it rises everywhere for k < 3, leaves black and white where they
    are and bright parts nearly so. Its ratio f(J) / J goes into the maps, so luma and chroma grow alike, hue holds,
    and recomposition costs nothing more.

    Args:
        seconds: Time constant of k; 0 takes every frame by itself.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
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
        weights = luma_weights(Matrix.BT709).astype(np.float32)
        hazy = np.tensordot(weights, _at(removal.guide, removal.luma), 1)
        clear = np.clip((hazy - np.tensordot(weights, removal.veil, 1)) / removal.luma, 0.0, 1.0)
        lift = self._steady(_lift(hazy, clear), time)
        if lift < 1e-3:
            return removal
        ratio = (1.0 + np.float32(lift) * np.square(1.0 - clear)).astype(np.float32)
        return replace(removal, luma=removal.luma / ratio, chroma=removal.chroma / ratio)

    def _steady(self, lift: float, time: float) -> float:
        if self._lift is None or self._seconds == 0.0:
            self._lift = lift
        else:
            step = max(0.0, time - self._time)
            self._lift += (lift - self._lift) * (1.0 - math.exp(-step / self._seconds))
        self._time = time
        return self._lift


def _lift(hazy: Map, clear: Map) -> float:
    """Returns the k that brings the clear picture's mean luma to where it should be, 0 where it is bright enough."""
    wanted = min(_SHARE * float(hazy.mean()), _ENOUGH)
    missing = wanted - float(clear.mean())
    if missing <= 0.0:
        return 0.0
    per_lift = float((clear * np.square(1.0 - clear)).mean())
    return min(missing / max(per_lift, 1e-3), _STEEPEST)


def _at(guide: Map, like: Map) -> Map:
    """Returns the guide at the maps' size; models may answer at a fraction of the thumbnail's."""
    if guide.shape[1:] == like.shape:
        return guide
    rows = (np.arange(like.shape[0]) * guide.shape[1]) // like.shape[0]
    columns = (np.arange(like.shape[1]) * guide.shape[2]) // like.shape[1]
    return guide[:, rows[:, None], columns]
