"""What the loops need beside the samples: the maps in the stream's levels, where they lie, how levels are read."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import Colour, Matrix, luma_weights, rgb_to_levels
from rtdehaze.core.frame import PixelFormat
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.edges import edge_slopes, share_of_veil
from rtdehaze.stages.recompose.levels import CHROMA_FIELDS, LUMA_FIELDS, Edges, Levels
from rtdehaze.stages.recompose.rgb import RGB_FIELDS, Reading
from rtdehaze.stages.recompose.rows import DEBAND, MARGIN, Axis, compiled

__all__ = ["axis", "field_maps", "levels", "rgb_field_maps"]

Maps = NDArray[np.float32]

_TOP = np.float32(255.0)
_FAR = 1e9
"""More levels than any format has."""
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
    weight = np.pad((at - before).astype(np.float32), (0, MARGIN))
    first = np.append(np.searchsorted(before, np.arange(max(map_size - 1, 1))), samples)
    return Axis(before.astype(np.uint32), after.astype(np.uint32), weight, first.astype(np.int64))


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
        deband=np.float32(DEBAND if deband else -_FAR),
    )


def field_maps(removal: Removal, colour: Colour, bits: int, pixels: int) -> tuple[Maps, Maps, Edges]:
    """The maps of a removal in levels relative to black and neutral.

    Args:
        removal: What is to be done.
        colour: How levels are to be read.
        bits: Significant bits of a level.
        pixels: Pixels of the picture.

    Returns:
        The maps for luma (LUMA_FIELDS, h, w) and for chroma (CHROMA_FIELDS, h, w), in the kernels' order, and how
        they follow the picture at depth edges.
    """
    matrix = rgb_to_levels(colour, bits)[0].astype(np.float32)
    shape = removal.luma.shape
    luma = np.zeros((LUMA_FIELDS, *shape), np.float32)
    chroma = np.zeros((CHROMA_FIELDS, *shape), np.float32)
    np.fmax(removal.luma, _LEAST_TRANSMISSION, out=luma[0])
    np.fmax(removal.chroma, _LEAST_TRANSMISSION, out=chroma[0])
    veil = _carry(matrix, np.ascontiguousarray(removal.veil, np.float32))
    luma[1], chroma[1:3] = veil[0], veil[1:]
    shares = 0.0, 0.0
    if removal.guide is not None:
        guide = _carry(matrix, np.ascontiguousarray(_resized(removal.guide, shape), np.float32))
        luma[2], chroma[3:5] = guide[0], guide[1:]
        white = float(matrix[0].sum())
        luma[3], luma[4] = edge_slopes(luma[0], luma[1], luma[2], pixels, white)
        shares = share_of_veil(veil[1], veil[0]), share_of_veil(veil[2], veil[0])
    bounds = (*_bounds(luma[0]), *_bounds(chroma[0]), *_bounds(luma[1]))
    edges = Edges(*bounds, *(np.float32(share) for share in shares))
    return luma, chroma, edges


def rgb_field_maps(removal: Removal, order: Literal["rgb", "bgr"], matrix: Matrix, pixels: int) -> tuple[Maps, Reading]:
    """The maps of a removal in levels of 8-bit RGB, in the order of the picture's channels.

    Args:
        removal: What is to be done.
        order: Of the channels.
        matrix: Whose luma counts.
        pixels: Pixels of the picture.

    Returns:
        The maps (RGB_FIELDS, h, w) in the kernel's order, and how the picture is to be read.
    """
    channels = slice(None) if order == "rgb" else slice(None, None, -1)
    weights = luma_weights(matrix).astype(np.float32)[channels]
    fields = np.zeros((RGB_FIELDS, *removal.luma.shape), np.float32)
    np.fmax(removal.luma, _LEAST_TRANSMISSION, out=fields[0])
    np.fmax(removal.chroma, _LEAST_TRANSMISSION, out=fields[1])
    np.multiply(removal.veil[channels], _TOP, out=fields[2:5])
    shares = 0.0, 0.0, 0.0
    veil = np.tensordot(weights, fields[2:5], axes=1).astype(np.float32)
    if removal.guide is not None:
        np.multiply(_resized(removal.guide, removal.luma.shape)[channels], _TOP, out=fields[5:8])
        luma = np.tensordot(weights, fields[5:8], axes=1).astype(np.float32)
        fields[8], fields[9] = edge_slopes(fields[0], veil, luma, pixels, 255.0)
        shares = share_of_veil(fields[2], veil), share_of_veil(fields[3], veil), share_of_veil(fields[4], veil)
    deband = -_FAR if removal.guide is None else DEBAND
    bounds = (*_bounds(fields[0]), *_bounds(fields[1]), *_bounds(veil))
    numbers = (np.float32(number) for number in (*weights, deband, *bounds, *shares))
    return fields, Reading(**dict(zip(Reading._fields, numbers, strict=True)))


def _bounds(values: Maps) -> tuple[np.float32, np.float32]:
    return np.float32(values.min()), np.float32(values.max())


def _resized(guide: Maps, shape: tuple[int, ...]) -> Maps:
    """The guide at the maps' size; models may answer at a fraction of the thumbnail's."""
    if guide.shape[1:] == shape:
        return guide
    rows = [cv2.resize(channel, (shape[1], shape[0]), interpolation=cv2.INTER_AREA) for channel in guide]
    return np.stack(rows).astype(np.float32, copy=False)


@compiled
def _carry(matrix: Maps, rgb: Maps) -> Maps:
    """RGB maps (3, h, w) as levels of Y, U and V."""
    carried = np.empty_like(rgb)
    for row in range(3):
        red, green, blue = matrix[row, 0], matrix[row, 1], matrix[row, 2]
        for y in range(rgb.shape[1]):
            for x in range(rgb.shape[2]):
                carried[row, y, x] = red * rgb[0, y, x] + green * rgb[1, y, x] + blue * rgb[2, y, x]
    return carried
