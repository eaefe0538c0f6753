"""Hard cuts, told from camera motion, exposure changes, flashes and noise."""

from __future__ import annotations

import numpy as np

from rtdehaze.stages.smooth.motion import Motion, View

__all__ = ["CutDetector"]

_SHARE = 0.45
"""Likeness below this share of the usual one is a cut. On 174 made cuts (fog to fog, mirrored, noisy) the share was
at most 0.58 and below 0.45 in all but one; on 384 steps of one scene above, but for jumps of a tenth of the width."""
_FIRST = 0.9
"""The likeness that is usual before any was seen."""
_PACE = 0.1
"""How far the usual likeness moves with one frame."""
_COLOUR = 0.1
"""Change of the mean colour, in units of the range, that is a cut where there is no structure to compare."""


class CutDetector:
    """Compares the likeness of two thumbnails, moved along, with what is usual in the scene.

    The picture is compared by its structure, evened out: exposure does not matter, fog hides little, motion is
    taken out. What remains low for long (motion that the flow cannot follow) becomes usual and is no cut.
    """

    def __init__(self) -> None:
        self._usual = _FIRST

    def reset(self) -> None:
        """Forgets what is usual."""
        self._usual = _FIRST

    def update(self, before: View, now: View, motion: Motion) -> bool:
        """Returns whether the scene changed from one thumbnail to the next."""
        if motion.likeness is None:
            return float(np.abs(now.colour - before.colour).max()) > _COLOUR
        if motion.likeness < _SHARE * self._usual:
            return True
        self._usual += _PACE * (min(motion.likeness, 1.0) - self._usual)
        return False
