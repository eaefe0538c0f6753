"""Hard cuts, told from camera motion, exposure changes, flashes and noise."""

from __future__ import annotations

from rtdehaze.stages.smooth.motion import Motion

__all__ = ["is_cut"]


def is_cut(motion: Motion) -> bool:
    """Returns whether two thumbnails are of different scenes."""
    return float(motion.agreement.mean()) < 0.3
