"""Hard cuts, told from camera motion, exposure changes, flashes and noise."""

from __future__ import annotations

import numpy as np

from rtdehaze.stages.smooth.motion import Motion, View

__all__ = ["CutDetector"]

_SHARE = 0.45
"""Likeness below this share of the usual one is a cut: measured 0.5 and less across cuts from fog to fog or to the
mirrored scene, noisy or not, and 0.5 to 1 within a scene, but for jumps of a tenth of the width."""
_FIRST = 0.9
"""The likeness that is usual before any was seen."""
_PACE = 0.1
"""How far the usual likeness moves with one frame."""
_BRIGHTNESS, _LAYOUT = 0.15, 0.04
"""Change of the mean colour, and mean change of the parts beside it, in units of the range, that are a cut where there
is no structure to compare."""


class CutDetector:
    """Compares the likeness of two thumbnails, moved along, with what is usual.

    The picture is compared by its structure, evened out: exposure does not matter, fog hides little, motion is
    taken out. What stays low (motion that the flow cannot follow) becomes usual after a frame or two.
    """

    def __init__(self) -> None:
        self._usual = _FIRST

    def reset(self) -> None:
        """Forgets what is usual."""
        self._usual = _FIRST

    def update(self, before: View, now: View, motion: Motion) -> bool:
        """Returns whether the scene changed from one thumbnail to the next."""
        if motion.likeness is None:
            change = now.layout - before.layout
            common = change.mean(axis=(1, 2), keepdims=True)
            return float(np.abs(common).max()) > _BRIGHTNESS or float(np.abs(change - common).mean()) > _LAYOUT
        cut = motion.likeness < _SHARE * self._usual
        self._usual += (0.5 if cut else _PACE) * (min(motion.likeness, 1.0) - self._usual)
        return cut
