"""What is known of the haze in a frame, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Haze", "Map", "Removal"]

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Removal:
    """The maps that recomposition applies: subtract the veil, divide by the transmission.

    In the stream's YUV, with the maps enlarged to the frame::

        Y' = (Y - veil_Y) / luma      U' = (U - veil_U) / chroma      V' = (V - veil_V) / chroma

    With `luma = chroma = t` and `veil = A * (1 - t)` that is the haze model solved for the clear picture,
    J = (I - A) / t + A (Koschmieder 1924; He, Sun, Tang 2009, eq. 1). Transmission and veil are the light that
    arrived and the light that was added, so both stay smooth where the gain 1/t would not; that is why they
    are what is enlarged and smoothed.
    """

    luma: Map
    """(h, w), > 0. Transmission of luma; 1 leaves luma as it is."""
    chroma: Map
    """(h, w), > 0. Transmission of chroma: `luma`, or more where chroma's noise caps the gain."""
    veil: Map
    """(3, h, w), RGB in units of the picture's range [0, 1]. The light that the haze added."""
    guide: Map | None = None
    """(3, h, w), RGB in [0, 1]: the picture at the maps' size, for the enlargement to find edges by and to see
    between the levels of 8 bits."""


@dataclass(frozen=True, slots=True)
class Haze:
    """The haze of one frame, as estimated or as smoothed over time."""

    transmission: Map
    """(h, w), in (0, 1]: the share of the scene's light that arrives."""
    airlight: Map
    """(3,), RGB in [0, 1]: the colour of the haze where it is endless."""
    density: float
    """In [0, 1]: 0 is a clear frame, 1 is nothing but haze."""
    removal: Removal | None = None
    """Maps of a model that says more than transmission and airlight; None means the physical solution."""
