"""From a full-size picture to the small RGB picture that the models look at.

Each plane is averaged by area straight from the codec's memory; only the few averaged samples are turned into RGB.
The loop is Numba's, because it clearly wins: at 1080p, one thread, side by side, OpenCV's INTER_AREA takes 6.3 ms for
the three planes of 4:2:0, and 1.6 ms for luma alone behind an integer factor; this takes 0.4 ms for all (4K: 0.8 ms).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import Colour, rgb_to_levels
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import Frame, Layout, Plane
from rtdehaze.core.haze import Map

__all__ = ["thumbnail_of", "thumbnail_of_rgb"]

ENOUGH_ROWS = 5
"""Rows of luma that a thumbnail sample averages at least where rows are left out.

Memory, not arithmetic, bounds the loop at 4K; five rows of 15 columns average more noise out than all of 1080p does."""

ENOUGH_CHROMA_ROWS = 3
"""The same for chroma, whose samples cover four pixels each in 4:2:0."""

PLENTY = 2.4
"""Times the rows that are enough: from there on only every second, third... row is read. 4K, but not 1440p."""

TOGETHER = 4
"""Rows of the thumbnail whose columns are averaged in one loop: four sums that do not wait for each other."""

_F = TypeVar("_F", bound=Callable[..., Any])


def _compiled(function: _F) -> _F:
    """Numba's compiler with types kept; compiles at the first call, and keeps the result on disk."""
    return cast(_F, numba.njit(cache=True, nogil=True, fastmath=True, boundscheck=False)(function))


def thumbnail_of(frame: Frame, width: int, height: int) -> Map:
    """Averages a frame by area and turns it into RGB.

    Where `PLENTY` of rows lie under a thumbnail row, as at 4K, only every second, third... is read.

    Args:
        frame: Any frame of a format in `PIXEL_FORMATS`.
        width: Width of the thumbnail, any number of samples from 1.
        height: Height of the thumbnail, from 1.

    Returns:
        (3, height, width), RGB in [0, 1], values outside clipped.
    """
    yuv = np.empty((3, height, width), np.float32)
    form = frame.format
    _average(frame.planes[0], (frame.width, frame.height), 1, ENOUGH_ROWS, yuv[:1])
    chroma = (frame.width / (1 << form.log2_chroma_w), frame.height / (1 << form.log2_chroma_h))
    if form.layout is Layout.PLANAR:
        _average(frame.planes[1], chroma, 1, ENOUGH_CHROMA_ROWS, yuv[1:2])
        _average(frame.planes[2], chroma, 1, ENOUGH_CHROMA_ROWS, yuv[2:])
    elif form.layout is Layout.SEMIPLANAR:
        _average(frame.planes[1], chroma, 2, ENOUGH_CHROMA_ROWS, yuv[1:])
    matrix, offset, grey = _levels_to_rgb(frame.colour, form.bits, form.shift)
    if form.layout is Layout.GRAY:
        yuv[1:] = grey
    _to_rgb(yuv, matrix, offset)
    return yuv


@lru_cache(maxsize=16)
def _levels_to_rgb(colour: Colour, bits: int, shift: int) -> tuple[Map, Map, float]:
    """The matrix and the offset that turn sample levels into RGB, and chroma's level where there is no colour."""
    matrix, offset = rgb_to_levels(colour, bits)
    inverse = np.linalg.inv(matrix)
    grey = float(offset[1]) * (1 << shift)
    return (inverse / (1 << shift)).astype(np.float32), (inverse @ -offset).astype(np.float32), grey


def thumbnail_of_rgb(picture: NDArray[np.uint8], order: str, width: int, height: int) -> Map:
    """Averages an interleaved picture by area.

    Args:
        picture: (H, W, 3), 8 bits a sample; a view with any strides.
        order: `rgb` or `bgr`, the order of the last axis.
        width: Width of the thumbnail.
        height: Height of the thumbnail.

    Returns:
        (3, height, width), RGB in [0, 1].

    Raises:
        UsageError: The order is neither, or the array is no such picture.
    """
    if order not in ("rgb", "bgr"):
        raise UsageError(f"{order = } must be 'rgb' or 'bgr'")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
        raise UsageError(f"a picture is an H x W x 3 array of uint8, not {picture.shape} of {picture.dtype}")
    rows, columns = picture.shape[:2]
    mean = np.empty((3, height, width), np.float32)
    flat = np.ascontiguousarray(picture).reshape(rows, columns * 3)
    _average(Plane(flat, columns * 3), (float(columns), float(rows)), 3, ENOUGH_ROWS, mean)
    mean *= np.float32(1 / 255)
    return mean if order == "rgb" else np.ascontiguousarray(mean[::-1])


def _average(plane: Plane, extent: tuple[float, float], components: int, enough: int, out: Map) -> None:
    """Averages the components of a plane into `out`, (components, h, w), over at least `enough` rows a sample.

    `extent` is the picture's width and height in this plane's samples: half an odd size for 4:2:0, where the last
    chroma sample covers one row or column of the picture instead of two.
    """
    rows_each = extent[1] / out.shape[1]
    step = int(rows_each / enough) if rows_each > PLENTY * enough else 1
    samples = plane.width // components
    starts, weights = _taps(extent[0], samples, out.shape[2])
    ends, shares = _ends(extent[0], samples, out.shape[2])
    lines = np.empty((TOGETHER, plane.width), np.float32)
    full = np.empty(plane.width, np.uint16 if plane.data.dtype == np.uint8 else np.uint32)
    _area_mean(plane.data, rows_each, step, (starts, weights), (ends, shares), components, full, lines, out)


@lru_cache(maxsize=16)
def _taps(extent: float, samples: int, cells: int) -> tuple[NDArray[np.int64], Map]:
    """The overlap of each cell with the samples of a line.

    Returns:
        The first sample under each cell, (cells,), and the weights of that and the following ones, (cells, taps),
        summing to 1 for a cell.
    """
    edges = np.arange(cells + 1) * (extent / cells)
    taps = min(int(np.ceil(extent / cells - 1e-6)) + 1, samples)
    starts = np.minimum(edges[:-1].astype(np.int64), samples - taps)
    at = starts[:, None] + np.arange(taps)
    weights = np.clip(np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at), 0.0, None)
    return starts, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@lru_cache(maxsize=16)
def _ends(extent: float, samples: int, cells: int) -> tuple[NDArray[np.int64], Map]:
    """The last sample under each cell, and the cell's share of it, above 0; then 1 / the cell's width.

    Returns:
        (cells,) and (cells + 1,); empty where cells are narrower than samples, so that one sample has several edges.
    """
    if extent < cells:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    edges = np.arange(1, cells + 1) * (extent / cells)
    ends = np.minimum(np.ceil(edges - 1e-6).astype(np.int64), samples) - 1
    return ends, np.append(edges - ends, cells / extent).astype(np.float32)


@_compiled
def _area_mean(
    data: NDArray[Any],
    rows_each: float,
    step: int,
    taps: tuple[NDArray[np.int64], Map],
    ends: tuple[NDArray[np.int64], Map],
    components: int,
    full: NDArray[Any],
    lines: Map,
    out: Map,
) -> None:
    """Box average, rows first, `lines` being room for a few of them."""
    height, together = out.shape[1], lines.shape[0]
    for i in range(0, height, together):
        count = min(together, height - i)
        for r in range(count):
            _mean_row(data, i + r, rows_each, step, full, lines[r])
        for c in range(components):
            if count == 4 and ends[0].size > 0:
                _gather_four(lines, c, components, ends[0], ends[1], i, out[c])
            else:
                for r in range(count):
                    _gather(lines[r, c:], components, taps[0], taps[1], out[c, i + r])


@_compiled
def _mean_row(data: NDArray[Any], i: int, rows_each: float, step: int, full: NDArray[Any], line: Map) -> None:
    """Mean of the rows under cell `i`; one that two cells share counts by its share, unless `step` leaves rows out."""
    top, bottom = i * rows_each, (i + 1) * rows_each
    end = min(int(np.ceil(bottom - 1e-6)) - 1, data.shape[0] - 1)
    begin = min(int(top + 1e-6), end)
    head = np.float32(1.0)
    tail = np.float32(0.0 if begin == end else 1.0)
    if step == 1 and begin < end:
        head, tail = np.float32(begin + 1 - top), np.float32(bottom - end)
    count = _sum_rows(data, begin + step, end, step, full)
    _blend(data[begin], data[end], full, head, tail, np.float32(1.0) / (head + tail + np.float32(count)), line)


@_compiled
def _blend(
    first: NDArray[Any],
    last: NDArray[Any],
    full: NDArray[Any],
    head: np.float32,
    tail: np.float32,
    scale: np.float32,
    line: Map,
) -> None:
    """Adds the two rows at a cell's edges to the sum of those between, and makes it a mean."""
    for x in range(line.size):
        line[x] = (np.float32(full[x]) + head * np.float32(first[x]) + tail * np.float32(last[x])) * scale


@_compiled
def _gather(line: Map, components: int, starts: NDArray[np.int64], taps: Map, cells: Map) -> None:
    """Averages one component along a line."""
    count = taps.shape[1]
    for j in range(cells.size):
        total = np.float32(0.0)
        at = starts[j] * components
        for k in range(count):
            total += taps[j, k] * line[at + k * components]
        cells[j] = total


@_compiled
def _gather_four(lines: Map, c: int, components: int, ends: NDArray[np.int64], shares: Map, i: int, out: Map) -> None:
    """Averages component `c` along four lines at once, to row `i` and the next; a third of the time of one by one."""
    one, two, three, four = lines[0], lines[1], lines[2], lines[3]
    # What the cell before left over of the sample that both share.
    p = q = r = s = np.float32(0.0)
    x, whole, scale = c, np.float32(1.0), shares[-1]
    for j in range(ends.size):
        end, share = ends[j] * components + c, shares[j]
        while x < end:
            p, q, r, s = p + one[x], q + two[x], r + three[x], s + four[x]
            x += components
        t, u, v, w = one[x], two[x], three[x], four[x]
        out[i, j], out[i + 1, j] = (p + share * t) * scale, (q + share * u) * scale
        out[i + 2, j], out[i + 3, j] = (r + share * v) * scale, (s + share * w) * scale
        rest = whole - share
        p, q, r, s = rest * t, rest * u, rest * v, rest * w
        x += components


@_compiled
def _sum_rows(data: NDArray[Any], row: int, end: int, step: int, full: NDArray[Any]) -> int:
    """Sums every `step`-th row from `row` to before `end`; returns how many."""
    count = 0
    full[:] = 0
    while row + 3 * step < end:
        one, two = data[row], data[row + step]
        three, four = data[row + 2 * step], data[row + 3 * step]
        for x in range(full.size):
            full[x] += one[x] + two[x] + three[x] + four[x]
        row += 4 * step
        count += 4
    while row < end:
        one = data[row]
        for x in range(full.size):
            full[x] += one[x]
        row += step
        count += 1
    return count


@_compiled
def _to_rgb(yuv: Map, matrix: Map, offset: Map) -> None:
    """Turns (3, h, w) sample levels into RGB in [0, 1], in place."""
    zero, one = np.float32(0.0), np.float32(1.0)
    for i in range(yuv.shape[1]):
        luma, cb, cr = yuv[0, i], yuv[1, i], yuv[2, i]
        for j in range(yuv.shape[2]):
            y, u, v = luma[j], cb[j], cr[j]
            luma[j] = min(max(matrix[0, 0] * y + matrix[0, 1] * u + matrix[0, 2] * v + offset[0], zero), one)
            cb[j] = min(max(matrix[1, 0] * y + matrix[1, 1] * u + matrix[1, 2] * v + offset[1], zero), one)
            cr[j] = min(max(matrix[2, 0] * y + matrix[2, 1] * u + matrix[2, 2] * v + offset[2], zero), one)
