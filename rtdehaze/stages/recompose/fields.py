"""What the loops need beside the samples: the maps in the stream's levels, where they lie, how levels are read."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import Colour, Matrix, luma_weights, rgb_to_levels
from rtdehaze.core.frame import PixelFormat, Samples
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.edges import edge_slopes, share_of_veil
from rtdehaze.stages.recompose.levels import Edges, Levels
from rtdehaze.stages.recompose.rgb import RGB_FIELDS, Reading
from rtdehaze.stages.recompose.rows import DEBAND, Axis, compiled
from rtdehaze.stages.recompose.vectors import MARGIN

__all__ = ["axis", "field_maps", "levels", "resized", "rgb_field_maps"]

Maps = NDArray[np.float32]

_TOP = np.float32(255.0)
_EVEN = 1e-6
"""How far a weight may be off its ramp."""
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
    weight = at - before
    start = _ramps(before, weight)
    last = np.minimum(start + 1, max(samples - 1, 0))
    slope = np.where(before[last] == before[start], weight[last] - weight[start], 0.0)
    return Axis(
        before.astype(np.uint32),
        after.astype(np.uint32),
        weight.astype(np.float32),
        before[start].astype(np.uint32),
        start.astype(np.uint64),
        weight[start].astype(np.float32),
        slope.astype(np.float32),
    )


def _ramps(before: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.intp]:
    """Where runs of at most `MARGIN` samples begin that lie on one ramp between the same two map samples."""
    starts: list[int] = []
    for x in range(before.size):
        first = starts[-1] if starts else -MARGIN
        near = x - first < MARGIN and before[x] == before[first]
        if not near or abs(weight[first] + (x - first) * (weight[first + 1] - weight[first]) - weight[x]) > _EVEN:
            starts.append(x)
    return np.array(starts, np.intp)


@lru_cache(maxsize=64)
def levels(source: PixelFormat, target: PixelFormat, colour: Colour, deband: bool) -> Levels:
    """How the samples of `source` become those of `target`, both in `colour`."""
    matrix, offset = rgb_to_levels(colour, source.bits)
    matrix_out, offset_out = rgb_to_levels(colour, target.bits)
    white, white_out = float(matrix[0].sum()), float(matrix_out[0].sum())
    scale, unit, unit_out = white_out / white, float(1 << source.shift), float(1 << target.shift)
    reach, reach_out = float(matrix[1, 2]), float(matrix_out[1, 2])
    red, green, blue = luma_weights(colour.matrix)
    # R - Y = 2 (1 - red) Cr and B - Y = 2 (1 - blue) Cb with Cr and Cb in [-0.5, 0.5]; G - Y follows from both.
    per_v = (1.0 - red) / (reach * scale)
    per_u = (1.0 - blue) / (reach * scale)
    return Levels(
        same=source == target,
        per_gain=np.float32(unit / scale),
        rounding=np.float32(offset_out[0] + 0.5),
        rounding_chroma=np.float32(offset_out[1] + 0.5),
        top=np.int32((1 << target.bits) - 1),
        black=np.float32(offset_out[0] * unit_out),
        per_white=np.float32(1.0 / (white_out * unit_out)),
        clip=_clip(offset_out[0], offset_out[0] + white_out, target),
        clip_chroma=_clip(offset_out[1] - reach_out, offset_out[1] + reach_out, target),
        offset=np.float32(offset_out[0] - offset[0] * scale + 0.5),
        offset_chroma=np.float32(offset_out[1] - offset[1] * scale + 0.5),
        ratio=np.float32(scale / unit),
        red=np.float32(per_v),
        green_u=np.float32(-per_u * blue / green),
        green_v=np.float32(-per_v * red / green),
        blue=np.float32(per_u),
        shift_out=target.shift,
        deband=np.float32(DEBAND * unit if deband else -_FAR),
    )


def _clip(low: float, high: float, target: PixelFormat) -> Samples:
    levels = max(math.ceil(low), 0), min(math.floor(high), (1 << target.bits) - 1)
    stored = [level << target.shift for level in levels]
    return np.array(stored, np.uint8) if target.bits == 8 else np.array(stored, np.uint16)


def field_maps(
    removal: Removal, colour: Colour, source: PixelFormat, to: Levels, pixels: int, into: tuple[Maps, Maps]
) -> Edges:
    """The maps of a removal in the numbers that samples are stored as.

    Args:
        removal: What is to be done.
        colour: How levels are to be read.
        source: Format of the samples that are read.
        to: How they are read and written.
        pixels: Pixels of the picture.
        into: Where they are written, in the kernels' order: for luma (LUMA_FIELDS, h, w) and for chroma
            (CHROMA_FIELDS, h, w). Memory that is touched for the first time costs more than what is done with it.

    Returns:
        How the maps follow the picture at depth edges.
    """
    matrix, offset = _stored(colour, source)
    luma, chroma = into
    np.multiply(np.fmax(removal.luma, _LEAST_TRANSMISSION), to.per_gain, out=luma[0])
    np.multiply(np.fmax(removal.chroma, _LEAST_TRANSMISSION), to.per_gain, out=chroma[0])
    _carry(matrix, offset, np.ascontiguousarray(removal.veil, np.float32), luma[1], chroma[1], chroma[2])
    shares = 0.0, 0.0
    if removal.guide is None:
        luma[2:], chroma[3:] = 0.0, 0.0
    else:
        guide = np.ascontiguousarray(resized(removal.guide, luma.shape[1:]), np.float32)
        _carry(matrix, offset, guide, luma[2], chroma[3], chroma[4])
        edge_slopes(luma[0], luma[1], luma[2], pixels, float(matrix[0].sum()), (luma[3], luma[4]))
        shares = share_of_veil(chroma[1], luma[1]), share_of_veil(chroma[2], luma[1])
    bounds = (*_bounds(luma[0]), *_bounds(chroma[0]), *_bounds(luma[1]))
    return Edges(*bounds, *(np.float32(share) for share in shares))


@lru_cache(maxsize=64)
def _stored(colour: Colour, source: PixelFormat) -> tuple[Maps, Maps]:
    """What `rgb_to_levels` says, in the numbers that samples are stored as."""
    matrix, offset = rgb_to_levels(colour, source.bits)
    unit = 1 << source.shift
    return (matrix * unit).astype(np.float32), (offset * unit).astype(np.float32)


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
        np.multiply(resized(removal.guide, removal.luma.shape)[channels], _TOP, out=fields[5:8])
        luma = np.tensordot(weights, fields[5:8], axes=1).astype(np.float32)
        fields[8], fields[9] = edge_slopes(fields[0], veil, luma, pixels, 255.0)
        shares = share_of_veil(fields[2], veil), share_of_veil(fields[3], veil), share_of_veil(fields[4], veil)
    deband = -_FAR if removal.guide is None else DEBAND
    bounds = (*_bounds(fields[0]), *_bounds(fields[1]), *_bounds(veil))
    numbers = (np.float32(number) for number in (*weights, deband, *bounds, *shares))
    return fields, Reading(**dict(zip(Reading._fields, numbers, strict=True)))


def _bounds(values: Maps) -> tuple[np.float32, np.float32]:
    return np.float32(values.min()), np.float32(values.max())


def resized(guide: Maps, shape: tuple[int, ...]) -> Maps:
    """The guide at the maps' size; models may answer at a fraction of the thumbnail's."""
    if guide.shape[1:] == shape:
        return guide
    rows = [cv2.resize(channel, (shape[1], shape[0]), interpolation=cv2.INTER_AREA) for channel in guide]
    return np.stack(rows).astype(np.float32, copy=False)


@compiled
def _carry(matrix: Maps, offset: Maps, rgb: Maps, luma: Maps, u: Maps, v: Maps) -> None:
    """Turns RGB maps (3, h, w) into levels of Y, U and V."""
    for row, carried in enumerate((luma, u, v)):
        red, green, blue, base = matrix[row, 0], matrix[row, 1], matrix[row, 2], offset[row]
        for y in range(rgb.shape[1]):
            for x in range(rgb.shape[2]):
                carried[y, x] = red * rgb[0, y, x] + green * rgb[1, y, x] + blue * rgb[2, y, x] + base
