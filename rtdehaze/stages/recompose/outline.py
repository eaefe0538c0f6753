"""Maps drawn sharper along the picture's edges than a network draws them.

A network's map is half as fine as the thumbnail and blurred by a sample or two besides. Beside a near pole before
dense fog the veil is then too weak over a strip of fog wider than the pole's own blur in the thumbnail, which no
enlargement can mend (see `edges`), and the strip comes out as a bright fringe. So where the veil is steep, the maps are
taken from samples near by that look alike and lie where the veil is even: the joint bilateral filter (Petschnigg et al.
2004, eq. 4; Eisemann and Durand 2004) with a weight for being away from edges. Everywhere else they stay as they are,
since such filters cost a correct map some decibels.
"""

from __future__ import annotations

import numpy as np
from numpy import float32 as f32

from rtdehaze.core.colour import Matrix, luma_weights
from rtdehaze.core.haze import Map, Removal
from rtdehaze.stages.recompose.fields import resized
from rtdehaze.stages.recompose.rows import compiled
from rtdehaze.stages.recompose.vectors import widest

__all__ = ["outlined"]

_REACH = 4
"""Samples of the map to each side that are looked at, even: past a network's blur."""
_ALIKE = f32(0.04)
"""Difference of luma, in [0, 1], at which a sample's weight is a sixteenth: what is near must not borrow from what is
far, of which there is more."""
_STEEP = f32(0.02)
"""Difference of the veil's luma over two samples, in [0, 1], at which a sample's weight is a half, and from which on
it is drawn anew; wholly from three times that on."""
_STRIDE = 2
"""Only every second sample and row is looked at: maps are smooth at that scale, and PSNR is the same to 0.01 dB."""
_FIRST, _BEYOND, _NEXT = np.uint64(0), np.uint64(2 * _REACH + 1), np.uint64(_STRIDE)
_LEAST = f32(1e-6)
"""Veil that divides nothing by 0; where there is less, nothing is drawn anew."""
_WEIGHTS = luma_weights(Matrix.BT709).astype(np.float32)
_ZERO, _ONE, _TWO = f32(0.0), f32(1.0), f32(2.0)


def outlined(removal: Removal) -> Removal:
    """Returns the maps with their edges where the guide has them, and the guide at their size.

    The veil's colour and chroma's share of luma stay.

    Args:
        removal: Maps of the guide's own size, which were made with its edges, and maps without a guide, are returned as
            they are.
    """
    guide, shape = removal.guide, removal.luma.shape
    if guide is None or guide.shape[1:] == shape:
        return removal
    # What lies beyond the border has no weight, so that the loops over a row need not ask where it ends.
    seen, added, through, even = np.zeros((4, shape[0], shape[1] + 2 * _REACH), np.float32)
    share, of_veil, of_luma = np.empty((3, *shape), np.float32)
    guide = resized(guide, shape)
    _lay(guide, removal.veil, removal.luma, _WEIGHTS, seen, added, through)
    _measure(added, even, share)
    _draw(seen, added, through, even, share, of_veil, of_luma)
    return Removal(removal.luma * of_luma, removal.chroma * of_luma, removal.veil * of_veil, guide)


@compiled
def _lay(guide: Map, veil: Map, luma: Map, weights: Map, seen: Map, added: Map, through: Map) -> None:
    """Lays the luma of the guide and of the veil, and `luma` as it is, between the borders of the last three."""
    red, green, blue = weights[0], weights[1], weights[2]
    for y in range(luma.shape[0]):
        for x in range(luma.shape[1]):
            seen[y, _REACH + x] = red * guide[0, y, x] + green * guide[1, y, x] + blue * guide[2, y, x]
            added[y, _REACH + x] = red * veil[0, y, x] + green * veil[1, y, x] + blue * veil[2, y, x]
            through[y, _REACH + x] = luma[y, x]


@compiled
def _measure(added: Map, even: Map, share: Map) -> None:
    """How steep the veil is: the greater difference over two samples, across or down.

    Args:
        added: (h, w with borders), the veil's luma.
        even: (h, w with borders), written: the weight for being away from edges, in [0, 1].
        share: (h, w), written: how far a sample is to be drawn anew, up to 1; not at all from 0 down.
    """
    height, width = share.shape
    away = _ONE / (_STEEP * _STEEP)
    for y in range(height):
        above, below, row = added[max(y - 1, 0)], added[min(y + 1, height - 1)], added[y]
        for x in range(width):
            at, left, right = _REACH + x, _REACH + max(x - 1, 0), _REACH + min(x + 1, width - 1)
            steep = max(abs(row[right] - row[left]), abs(below[at] - above[at]))
            even[y, at] = _ONE / (_ONE + steep * steep * away)
            share[y, x] = min((steep - _STEEP) / (_TWO * _STEEP), _ONE) if row[at] > _ZERO else _ZERO


@compiled
def _draw(seen: Map, added: Map, through: Map, even: Map, share: Map, of_veil: Map, of_luma: Map) -> None:
    """By what the veil and `through` are to be multiplied; 1 where the veil is not steep.

    Args:
        seen: (h, w with borders), luma of the picture.
        added: (h, w with borders), luma of the veil.
        through: (h, w with borders), transmission of luma.
        even: (h, w with borders), weights as `_measure` leaves them.
        share: (h, w), as `_measure` leaves it.
        of_veil: (h, w), written.
        of_luma: (h, w), written.
    """
    height, width = share.shape
    sums = np.empty((4, width), np.float32)
    total, veil, luma, weight = sums[0], sums[1], sums[2], sums[3]
    for y in range(height):
        of_veil[y], of_luma[y] = _ONE, _ONE
        if not share[y].max() > _ZERO:
            continue
        sums[:] = _ZERO
        for j in range(y - _REACH if y >= _REACH else y % _STRIDE, min(y + _REACH + 1, height), _STRIDE):
            there, veil_there, luma_there, even_there = seen[j], added[j], through[j], even[j]
            for i in range(_FIRST, _BEYOND, _NEXT):
                _gather(seen[y], there, veil_there, luma_there, even_there, i, total, veil, luma, weight)
        for x in range(width):
            redrawn = max(share[y, x], _ZERO)
            of_veil[y, x] += redrawn * (veil[x] / (total[x] * max(added[y, x + _REACH], _LEAST)) - _ONE)
            of_luma[y, x] += redrawn * (luma[x] / (total[x] * through[y, x + _REACH]) - _ONE)


@compiled
def _gather(
    here: Map,
    seen: Map,
    added: Map,
    through: Map,
    even: Map,
    i: int,
    total: Map,
    veil: Map,
    luma: Map,
    weight: Map,
) -> None:
    """Adds to the sums of a row's samples those of another row that lie `i - _REACH` beside them.

    In three loops, since LLVM tells no more arrays apart, over numbers without a sign, which it need not look at twice.
    """
    widest()
    unlike, within = _ONE / (_ALIKE * _ALIKE), np.uint64(_REACH)
    for x in range(np.uint64(weight.shape[0])):
        off = seen[x + i] - here[x + within]
        like = _ONE + off * off * unlike
        like *= like
        weight[x] = even[x + i] / (like * like)
    for x in range(np.uint64(total.shape[0])):
        total[x] += weight[x]
        veil[x] += weight[x] * added[x + i]
    for x in range(np.uint64(luma.shape[0])):
        luma[x] += weight[x] * through[x + i]
