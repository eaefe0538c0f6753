"""What the estimating side of the pipeline tells the recomposing side about a frame."""

from __future__ import annotations

from dataclasses import dataclass

from rtdehaze.core.haze import Haze, Removal
from rtdehaze.stages.recompose.keep import KeepMask

__all__ = ["Decision"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is known of a frame's haze and what will be done about it."""

    haze: Haze | None
    """Smoothed over time; None where nothing was estimated."""
    removal: Removal | None
    """None leaves the frame bit for bit as it is."""
    weight: float = 1.0
    """In [0, 1]: how far the gate takes the frame to be hazy; it scales the strength."""
    keep: KeepMask | None = None
    """What is to be left untouched in this frame."""
    brightness: float | None = None
    """Mean of the frame's RGB in [0, 1], before dehazing; None where nothing was estimated."""
    carried: bool = False
    """Whether the haze was moved along from the frame before, instead of estimated."""
