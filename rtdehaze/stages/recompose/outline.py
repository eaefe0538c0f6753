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

__all__ = ["outlined"]

_REACH = 4
"""Samples of the map to each side that are looked at: past a network's blur."""
_ALIKE = f32(0.04)
"""Difference of luma, in [0, 1], at which a sample's weight is a sixteenth: what is near must not borrow from what is
far, of which there is more."""
_STEEP = f32(0.02)
"""Difference of the veil's luma over two samples, in [0, 1], at which a sample's weight is a half, and from which on
it is drawn anew; wholly from three times that on."""
_WEIGHTS = luma_weights(Matrix.BT709).astype(np.float32)


def outlined(removal: Removal) -> Removal:
    """Returns the maps with their edges where the guide has them; the veil's colour and chroma's share of luma stay.

    Args:
        removal: Maps of the guide's own size, which were made with its edges, and maps without a guide, are returned as
            they are.
    """
    guide, shape = removal.guide, removal.luma.shape
    if guide is None or guide.shape[1:] == shape:
        return removal
    seen, added, steep, of_veil, of_luma = np.empty((5, *shape), np.float32)
    _luma(resized(guide, shape), _WEIGHTS, seen)
    _luma(removal.veil, _WEIGHTS, added)
    _measure(added, steep)
    _draw(seen, added, removal.luma, steep, of_veil, of_luma)
    return Removal(removal.luma * of_luma, removal.chroma * of_luma, removal.veil * of_veil, guide)


@compiled
def _luma(rgb: Map, weights: Map, luma: Map) -> None:
    red, green, blue = weights[0], weights[1], weights[2]
    for y in range(luma.shape[0]):
        for x in range(luma.shape[1]):
            luma[y, x] = red * rgb[0, y, x] + green * rgb[1, y, x] + blue * rgb[2, y, x]


@compiled
def _measure(added: Map, steep: Map) -> None:
    """How steep a (h, w) plane is: the greater difference over two samples, across or down."""
    height, width = added.shape
    for y in range(height):
        above, below, row = added[max(y - 1, 0)], added[min(y + 1, height - 1)], added[y]
        for x in range(width):
            across = abs(row[min(x + 1, width - 1)] - row[max(x - 1, 0)])
            steep[y, x] = max(across, abs(below[x] - above[x]))


@compiled
def _draw(seen: Map, added: Map, through: Map, steep: Map, of_veil: Map, of_luma: Map) -> None:
    """By what the veil and `through` are to be multiplied; 1 where the veil is not steep.

    Args:
        seen: (h, w), luma of the picture.
        added: (h, w), luma of the veil.
        through: (h, w), transmission of luma.
        steep: (h, w), as `_measure` leaves it.
        of_veil: (h, w), written.
        of_luma: (h, w), written.
    """
    height, width = seen.shape
    one, unlike, away = f32(1.0), f32(1.0) / (_ALIKE * _ALIKE), f32(1.0) / (_STEEP * _STEEP)
    for y in range(height):
        for x in range(width):
            share = min((steep[y, x] - _STEEP) / (f32(2.0) * _STEEP), one)
            of_veil[y, x] = of_luma[y, x] = one
            if not share > f32(0.0) or not added[y, x] > f32(0.0):
                continue
            here = seen[y, x]
            total = veil = luma = f32(0.0)
            for j in range(max(y - _REACH, 0), min(y + _REACH + 1, height)):
                for i in range(max(x - _REACH, 0), min(x + _REACH + 1, width)):
                    off, edge = seen[j, i] - here, steep[j, i]
                    like = one + off * off * unlike
                    like *= like
                    weight = one / (like * like * (one + edge * edge * away))
                    total += weight
                    veil += weight * added[j, i]
                    luma += weight * through[j, i]
            of_veil[y, x] += share * (veil / (total * added[y, x]) - one)
            of_luma[y, x] += share * (luma / (total * through[y, x]) - one)
