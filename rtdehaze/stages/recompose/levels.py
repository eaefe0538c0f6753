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
    """How samples are read and written. "Stored" are numbers as planes hold them, p010's 64 times a level."""

    same: bool
    """Whether samples are stored alike in the input and the output."""
    per_gain: np.float32
    """Stored input numbers per output level: the loops' transmission is in this unit."""
    rounding: np.float32
    """Level of black in the output, and what rounding needs beyond it."""
    rounding_chroma: np.float32
    top: np.int32
    """Highest level of the output."""
    black: np.float32
    """Black as stored in the output."""
    per_white: np.float32
    """1 / (white - black) of the output, as stored."""
    clip: Samples
    """Nominal range of luma as stored in the output."""
    clip_chroma: Samples
    offset: np.float32
    """What turns stored luma of the input, times `ratio`, into a level of the output once truncated."""
    offset_chroma: np.float32
    ratio: np.float32
    """Output levels per stored input number."""
    red: np.float32
    """R - Y in units of white for one output level of V."""
    green_u: np.float32
    green_v: np.float32
    blue: np.float32
    """B - Y in units of white for one output level of U."""
    shift_out: int
    """Bits by which stored output samples are shifted left."""
    deband: np.float32
    """`DEBAND`, as stored, where a guide can fill in between the input's levels, far below 0 where there is none."""


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
