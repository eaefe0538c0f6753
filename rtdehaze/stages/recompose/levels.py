"""What the compiled loops are told beside the maps: planes, and how their samples are read and written."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtdehaze.core.frame import Samples

__all__ = ["CHROMA_FIELDS", "LUMA_FIELDS", "Edges", "Levels", "Picture"]

LUMA_FIELDS = 5
"""Maps that luma needs, in order: transmission, veil, guide, and the slopes over luma of transmission and veil."""
CHROMA_FIELDS = 5
"""Maps that chroma needs, in order: transmission, veil of U and V, guide of U and V."""


class Levels(NamedTuple):
    """How stored samples are read and written; in levels of the input relative to black and neutral."""

    black: np.float32
    """Level of black in the input."""
    neutral: np.float32
    """Level of neutral chroma in the input."""
    black_out: np.float32
    neutral_out: np.float32
    scale: np.float32
    """Output levels per input level: 1, or about 4 from 8 bits to 10."""
    white: np.float32
    """Nominal white above black."""
    reach: np.float32
    """Nominal peak of chroma about neutral."""
    red: np.float32
    """R - Y in units of white for one level of V."""
    green_u: np.float32
    green_v: np.float32
    blue: np.float32
    """B - Y in units of white for one level of U."""
    unshift: np.float32
    """Input levels per stored number: 1, or 1/64 for p010."""
    shift_out: int
    """Bits by which stored output samples are shifted left."""
    deband: np.float32
    """`DEBAND` where there is a guide to fill in between the input's levels, far below 0 where there is none."""


class Edges(NamedTuple):
    """Within which bounds the maps follow the picture at depth edges, and chroma's with luma's."""

    low: np.float32
    """Least and greatest transmission of luma anywhere."""
    high: np.float32
    chroma_low: np.float32
    """The same of chroma."""
    chroma_high: np.float32
    veil_low: np.float32
    """Least and greatest veil of luma anywhere, in levels."""
    veil_high: np.float32
    share_u: np.float32
    """How much U's veil changes with luma's."""
    share_v: np.float32


class Picture(NamedTuple):
    """The planes of a frame as the loops take them; interleaved chroma stands in `u`, gray has empty chroma."""

    y: Samples
    u: Samples
    v: Samples
    interleaved: bool
    left: int
    """Column of the luma plane at which the picture begins."""
    chroma_left: int
    """Sample of a chroma row, counted per component, at which the picture begins."""
