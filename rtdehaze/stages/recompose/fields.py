"""What the loops need beside the samples: the maps in the stream's levels, where they lie, how levels are read."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import Colour, luma_weights, rgb_to_levels
from rtdehaze.core.frame import PixelFormat
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.kernels import CHROMA_FIELDS, LUMA_FIELDS, Levels
from rtdehaze.stages.recompose.rgb import RGB_FIELDS
from rtdehaze.stages.recompose.rows import Axis

__all__ = ["axis", "field_maps", "levels", "rgb_field_maps"]

_LEAST_TRANSMISSION = 1.0 / 255.0
"""Below this a gain would spread less than one level over the whole range."""


@lru_cache(maxsize=64)
def axis(size: int, samples: int, step: int, map_size: int) -> Axis:
    """Where samples fall on a map that covers the same picture.

    A map's sample is the mean of its share of the picture, so its site is that share's centre; a frame's sample
    sits at the centre of the pixels that it stands for. Chroma that stands left of its block's centre (MPEG-2's
    siting) is at most a quarter of its own width away from where it is taken to be, far below a map's step.

    Args:
        size: Pixels of the picture along this axis.
        samples: Samples of the plane along this axis.
        step: Pixels from one sample to the next.
        map_size: Samples of the map along this axis.

    Returns:
        The neighbours of every sample and its weight between them; beyond the outermost centres the map goes on
        unchanged.
    """
    centre = (np.arange(samples) + 0.5) * step
    at = np.clip(np.minimum(centre, size) * map_size / size - 0.5, 0.0, map_size - 1.0)
    before = np.minimum(np.floor(at), max(map_size - 2, 0))
    after = np.minimum(before + 1, map_size - 1)
    return Axis(before.astype(np.uint32), after.astype(np.uint32), (at - before).astype(np.float32))


@lru_cache(maxsize=64)
def levels(source: PixelFormat, target: PixelFormat, colour: Colour, deband: bool) -> Levels:
    """How the samples of `source` become those of `target`, both in `colour`."""
    matrix, offset = rgb_to_levels(colour, source.bits)
    matrix_out, offset_out = rgb_to_levels(colour, target.bits)
    white = float(matrix[0].sum())
    reach = float(matrix[1, 2])
    red, green, blue = luma_weights(colour.matrix)
    # R - Y = 2 (1 - red) Cr and B - Y = 2 (1 - blue) Cb with Cr and Cb in [-0.5, 0.5]; G - Y follows from both.
    per_v = (1.0 - red) / reach
    per_u = (1.0 - blue) / reach
    return Levels(
        black=np.float32(offset[0]),
        neutral=np.float32(offset[1]),
        black_out=np.float32(offset_out[0]),
        neutral_out=np.float32(offset_out[1]),
        scale=np.float32(matrix_out[0].sum() / white),
        white=np.float32(white),
        reach=np.float32(reach),
        red=np.float32(per_v),
        green_u=np.float32(per_u * blue / green),
        green_v=np.float32(per_v * red / green),
        blue=np.float32(per_u),
        unshift=np.float32(0.5**source.shift),
        shift_out=target.shift,
        deband=np.float32(deband),
    )


def field_maps(removal: Removal, colour: Colour, bits: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The maps of a removal in levels relative to black and neutral.

    Returns:
        Those for luma (LUMA_FIELDS, h, w) and those for chroma (CHROMA_FIELDS, h, w), in the kernels' order.
    """
    matrix = rgb_to_levels(colour, bits)[0].astype(np.float32)
    shape = removal.luma.shape
    luma = np.zeros((LUMA_FIELDS, *shape), np.float32)
    chroma = np.zeros((CHROMA_FIELDS, *shape), np.float32)
    np.fmax(removal.luma, _LEAST_TRANSMISSION, out=luma[0])
    np.fmax(removal.chroma, _LEAST_TRANSMISSION, out=chroma[0])
    _carry(matrix, removal.veil, luma[1], chroma[1:3])
    if removal.guide is not None:
        _carry(matrix, removal.guide, luma[2], chroma[3:5])
    return luma, chroma


def rgb_field_maps(removal: Removal, order: Literal["rgb", "bgr"]) -> NDArray[np.float32]:
    """The maps of a removal in levels of 8-bit RGB, (RGB_FIELDS, h, w), in the kernel's and the channels' order."""
    channels = slice(None) if order == "rgb" else slice(None, None, -1)
    fields = np.zeros((RGB_FIELDS, *removal.luma.shape), np.float32)
    np.fmax(removal.luma, _LEAST_TRANSMISSION, out=fields[0])
    np.fmax(removal.chroma, _LEAST_TRANSMISSION, out=fields[1])
    np.multiply(removal.veil[channels], np.float32(255.0), out=fields[2:5])
    if removal.guide is not None:
        np.multiply(removal.guide[channels], np.float32(255.0), out=fields[5:8])
    return fields


def _carry(
    matrix: NDArray[np.float32], rgb: NDArray[np.float32], luma: NDArray[np.float32], chroma: NDArray[np.float32]
) -> None:
    """Writes RGB maps as levels into a luma map (h, w) and chroma maps (2, h, w)."""
    carried = (matrix @ rgb.reshape(3, -1)).reshape(rgb.shape)
    luma[...] = carried[0]
    chroma[...] = carried[1:]
