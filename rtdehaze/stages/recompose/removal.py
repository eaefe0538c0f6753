"""From what is known of the haze to what is done about it."""

from __future__ import annotations

import numpy as np

from rtdehaze.core.haze import Haze, Map, Removal
from rtdehaze.stages.recompose.outline import outlined

__all__ = ["MAX_CHROMA_GAIN", "MIN_TRANSMISSION", "plan_removal"]

MIN_TRANSMISSION = 0.1
"""Transmission is taken to be no less: ten times the contrast is ten times the noise."""

MAX_CHROMA_GAIN = 2.5
"""What chroma is amplified by at most; `plan_removal` says why it is less than luma's."""

_COLOURLESS, _COLOURED = np.float32(0.05), np.float32(0.3)
"""Transmission at which chroma is not amplified at all, and from which on it is as far as it may be."""


def plan_removal(
    haze: Haze,
    *,
    strength: float,
    guide: Map | None = None,
    weight: float = 1.0,
    min_transmission: float = MIN_TRANSMISSION,
    max_chroma_gain: float = MAX_CHROMA_GAIN,
) -> Removal | None:
    """Says how much of the haze is taken off, and within which limits.

    Strength is the share `s` of the haze's optical depth that is removed: the picture comes out as if the haze
    were `1 - s` times as thick. With `r = t**(1 - s)`, the transmission of what remains, the maps `luma`, `chroma`
    and `veil` become `luma / r`, `chroma / r` and `veil - A * (1 - r) * luma / r`; for the physical maps that is
    t**s and A * (1 - t**s), from I = J * t + A * (1 - t) (Koschmieder 1924) on both sides.

    Args:
        haze: What is known of the haze.
        strength: In [0, 1]: 0 leaves all of the haze, 1 removes it.
        guide: (3, h, w), RGB in [0, 1]: the picture that the haze was estimated on. Maps that are coarser are drawn
            sharper along its edges (`outline`).
        weight: In [0, 1]: how far the picture is taken to be hazy at all; scales the strength.
        min_transmission: Transmission is taken to be no less, so that the gain stays under its inverse.
        max_chroma_gain: What chroma is amplified by at most. Its noise and its compression blocks are coarser and
            more visible than luma's, and what the cap leaves is merely less colour, since the veil is subtracted
            whole. On real fog 4 stains skies and 2 leaves colours pale; on pairs with a truth PSNR hardly changes.
            Where hardly any light arrives the most falls to 1: what colour is left there is compression's, and an
            airlight that is off by two levels would tint the sky (0.01 dB on pairs with a truth, and no green fog).

    Returns:
        The maps to apply, or None where the frame is to be left exactly as it is.
    """
    share = float(np.clip(strength, 0.0, 1.0) * np.clip(weight, 0.0, 1.0))
    if share == 0.0:
        return None
    transmission = np.clip(haze.transmission, np.float32(min_transmission), np.float32(1.0))
    # A power costs more than all the rest; at full strength nothing remains.
    remaining = transmission ** np.float32(1.0 - share) if share < 1.0 else np.float32(1.0)
    airlight = haze.airlight.reshape(3, 1, 1)
    if haze.removal is None:
        luma = chroma = transmission / remaining if share < 1.0 else transmission
        veil = airlight * (np.float32(1.0) - luma)
    else:
        luma = haze.removal.luma / remaining
        chroma = haze.removal.chroma / remaining
        veil = haze.removal.veil - airlight * (np.float32(1.0) - remaining) * luma
    drawn = outlined(Removal(luma, chroma, veil.astype(np.float32, copy=False), guide))
    luma = np.maximum(drawn.luma, np.float32(min_transmission))
    coloured = np.clip((transmission - _COLOURLESS) / (_COLOURED - _COLOURLESS), np.float32(0.0), np.float32(1.0))
    chroma = np.maximum(
        drawn.chroma, np.float32(1.0) / (np.float32(1.0) + np.float32(max_chroma_gain - 1.0) * coloured)
    )
    return Removal(luma, chroma, drawn.veil, drawn.guide)
