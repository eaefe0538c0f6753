"""The compiled loops of recomposition: from the planes of one frame into those of another.

One pass over the frame, a block row at a time (the luma rows that share a row of chroma): the maps, already
enlarged in x, are interpolated in y, the haze is taken off, and the samples are rounded with a dither. In numbers
of the loops, `p` is the input's sample, `q` the output's, both relative to black or to neutral chroma.
"""

from __future__ import annotations

import numpy as np

from rtdehaze.stages.recompose.chroma import block_means, clear_chroma, clip_chroma, load_chroma, store_chroma
from rtdehaze.stages.recompose.levels import Edges, Levels, Picture
from rtdehaze.stages.recompose.luma import clear_luma, clip, clip_between, shift
from rtdehaze.stages.recompose.rows import Axis, Ramp, Rows, compiled, move_to

__all__ = ["recompose_rows"]


@compiled
def recompose_rows(
    source: Picture,
    target: Picture,
    luma: Rows,
    chroma: Rows,
    across: tuple[Axis, Axis],
    down: tuple[Axis, Axis],
    block: tuple[int, int],
    rows: tuple[int, int],
    scratch: tuple[Rows, Rows, Rows, Rows, Rows, Ramp],
    edges: Edges,
    to: Levels,
) -> None:
    """Recomposes some block rows of a frame.

    Args:
        source: Planes that are read.
        target: Planes that are written; samples beyond the picture's width are left alone.
        luma: (LUMA_FIELDS, h, w) maps.
        chroma: (CHROMA_FIELDS, h, w) maps.
        across: Horizontal axes of luma and chroma.
        down: Vertical axes of luma and chroma.
        block: Luma samples per chroma sample, (width, height); height 1 and an empty chroma axis for gray.
        rows: First block row and the one after the last.
        scratch: Rows of the thread's own: luma's enlarged maps (2, LUMA_FIELDS, width + MARGIN), chroma's
            (2, CHROMA_FIELDS, chroma width + MARGIN), luma's result (6, width + MARGIN) and chroma's working
            rows (8, chroma width + MARGIN); and the dither's ramp (width,).
        edges: How maps follow the picture at depth edges.
        to: How samples are read and written.
    """
    held, held_chroma, edge, work, noise, shifts = scratch
    height, width, chroma_width = down[0].before.shape[0], across[0].before.shape[0], across[1].before.shape[0]
    at = at_chroma = -1
    for r in range(rows[0], rows[1]):
        first = r * block[1]
        last = min(block[1], height - first) - 1
        for k in range(last + 1):
            y = first + k
            at = move_to(luma, down[0].before[y], down[0].after[y], at, across[0], held)
            row, line = source.y[y, :width], target.y[y, target.left : target.left + width]
            clear_luma(row, line, held, at & 1, down[0].weight[y], edge, k, noise[shifts[y] :], edges, to)
            if not to.same:
                clip_between(line, row, to.clip, to)
            if to.shift_out > 0:
                shift(line, to.shift_out)
            if to.same:
                clip(line, row, to.clip)
        if chroma_width > 0:
            c = down[1].before[r], down[1].after[r]
            at_chroma = move_to(chroma, c[0], c[1], at_chroma, across[1], held_chroma)
            one = target.y[first, target.left : target.left + width]
            two = target.y[first + last, target.left : target.left + width]
            block_means(one, two, edge, last, block[0], work, chroma_width, to)
            _chroma_row(
                source,
                target,
                r,
                held_chroma,
                at_chroma & 1,
                down[1].weight[r],
                work,
                noise[shifts[r] :],
                chroma_width,
                edges,
                to,
            )


@compiled
def _chroma_row(
    source: Picture,
    target: Picture,
    r: int,
    held: Rows,
    slot: int,
    down: np.float32,
    work: Rows,
    noise: Rows,
    width: int,
    edges: Edges,
    to: Levels,
) -> None:
    """Recomposes one row of chroma, whose luma is recomposed already."""
    samples, left = width, target.chroma_left
    if target.interleaved:
        samples, left = 2 * width, 2 * left
    line, other = target.u[r, left : left + samples], target.v[r, left : left + samples]
    load_chroma(source, r, work, width)
    clear_chroma(work, held, slot, down, noise, width, edges, to)
    if not to.same:
        clip_chroma(work, width, to)
    store_chroma(work, line, other, target.interleaved, width, to)
    if to.shift_out > 0:
        shift(line, to.shift_out)
    if to.same:
        clip(line, source.u[r, :samples], to.clip_chroma)
        if not target.interleaved:
            clip(other, source.v[r, :samples], to.clip_chroma)
