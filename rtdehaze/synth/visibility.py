"""Where quads fall on the picture, and which parts of them nearer ones hide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.camera import Camera
from rtdehaze.synth.texture import Quad

__all__ = ["SUBPIXEL_BITS", "Hidden", "Placed", "fixed_point", "place"]

SUBPIXEL_BITS = 6
"""Binary digits after the point of the corners that OpenCV is given."""

_NEAR = 0.35  # metres; nearer parts of a plane are cut off
_CELL = 8  # pixels: the grain at which hidden parts are found
_INVISIBLE = 0.5  # pixels: what is thinner is left out
_FAINT = 1.5  # pixels: and so is a shadow that is thinner than this
_UNIT_SQUARE = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1.0]])
_AROUND = np.ones((3, 3), np.uint8)

Matrix = NDArray[np.float64]


@dataclass(slots=True)
class Placed:
    """A quad on its way to the canvas."""

    quad: Quad
    outline: Matrix
    """(n, 2): its corners in pixels, cut off in front of the camera."""
    inverse: Matrix
    """(3, 3): from pixels to the quad's own coordinates in the unit square; the third number is 1 / depth."""
    drawn: tuple[float, float]
    """Pixels that the whole texture would take along its x and y."""
    box: tuple[int, int, int, int]
    """Left, top, right, bottom in pixels of what may be seen of it."""


def place(quads: Sequence[Quad], camera: Camera, width: int, height: int) -> Iterator[Placed]:
    """Yields those of the quads that touch the picture, in the order given."""
    if not quads:
        return
    frames = np.stack([quad.frame for quad in quads])
    frames[:, :, 2] -= camera.position
    planes = camera.projection @ frames
    corners = planes @ _UNIT_SQUARE
    nearest, farthest = corners[:, 2].min(axis=1), corners[:, 2].max(axis=1)
    in_front = nearest >= _NEAR
    screen = np.swapaxes(corners[:, :2] / np.where(in_front[:, None], corners[:, 2], 1.0)[:, None], 1, 2)
    low, high = screen.min(axis=1), screen.max(axis=1)
    least = np.array([_FAINT if quad.decal else _INVISIBLE for quad in quads])
    seen = (high > -1).all(axis=1) & (low < (width, height)).all(axis=1) & ((high - low).min(axis=1) > least)
    inverses, regular = _inverses(planes)
    drawn = _drawn_sizes(planes)
    for i in np.flatnonzero(regular & (farthest > _NEAR) & (seen | ~in_front)).tolist():
        outline = screen[i] if in_front[i] else _clip(corners[i])
        start, end = np.maximum(outline.min(axis=0), -1e6), np.minimum(outline.max(axis=0), 1e6)
        left, top = max(0, int(start[0])), max(0, int(start[1]))
        right, bottom = min(width, int(end[0]) + 2), min(height, int(end[1]) + 2)
        if right > left and bottom > top:
            yield Placed(
                quads[i], outline, inverses[i], (float(drawn[i, 0]), float(drawn[i, 1])), (left, top, right, bottom)
            )


class Hidden:
    """Which cells of the picture are hidden by opaque quads; asked from the nearest to the farthest."""

    def __init__(self, width: int, height: int) -> None:
        self._cells = np.zeros((-(-height // _CELL), -(-width // _CELL)), np.bool_)

    def crop(self, placed: Placed) -> bool:
        """Shrinks the box to the part of the picture where the quad can be seen; returns False if there is none."""
        left, top, right, bottom = placed.box
        x, y = left // _CELL, top // _CELL
        window = self._cells[y : -(-bottom // _CELL), x : -(-right // _CELL)]
        rows, cols = np.flatnonzero(~window.all(axis=1)), np.flatnonzero(~window.all(axis=0))
        if rows.size == 0:
            return False
        placed.box = (
            max(left, (x + int(cols[0])) * _CELL),
            max(top, (y + int(rows[0])) * _CELL),
            min(right, (x + int(cols[-1]) + 1) * _CELL),
            min(bottom, (y + int(rows[-1]) + 1) * _CELL),
        )
        return True

    def add(self, placed: Placed) -> None:
        """Marks the cells that lie wholly behind an opaque quad."""
        quad = placed.quad
        if not quad.texture.opaque or quad.decal or quad.opacity < 1.0:
            return
        # Cell i covers the pixels from i * _CELL - 0.5 to (i + 1) * _CELL - 0.5. A fill touches every cell on the
        # outline; taking one cell off all round leaves those that are wholly inside.
        rows, cols = self._cells.shape
        cells = np.zeros((rows + 2, cols + 2), np.uint8)
        corners = fixed_point((placed.outline + 0.5) / _CELL + 0.5)
        cv2.fillConvexPoly(cells, corners, 1, lineType=cv2.LINE_8, shift=SUBPIXEL_BITS)
        self._cells |= cv2.erode(cells, _AROUND, borderType=cv2.BORDER_REPLICATE)[1:-1, 1:-1] > 0


def fixed_point(points: Matrix) -> NDArray[np.int32]:
    """Corners as OpenCV takes them: whole numbers of which SUBPIXEL_BITS digits are behind the point."""
    limit = 1 << 20  # far outside the picture, near enough for OpenCV's arithmetic
    return np.clip(np.rint(points * (1 << SUBPIXEL_BITS)), -limit, limit).astype(np.int32)


def _inverses(planes: Matrix) -> tuple[Matrix, NDArray[np.bool_]]:
    """The inverses of (n, 3, 3) by cross products, and which of them exist: a plane seen edge on has none."""
    a, b, c = planes[:, :, 0], planes[:, :, 1], planes[:, :, 2]
    rows = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    determinant = np.sum(a * rows[:, 0], axis=1)
    regular = np.abs(determinant) > 1e-9
    return rows / np.where(regular, determinant, 1.0)[:, None, None], regular


def _drawn_sizes(planes: Matrix) -> Matrix:
    """How many pixels each whole texture would take along x and y, at its middle; (n, 2)."""
    centre = planes @ np.array([0.5, 0.5, 1.0])
    depth = centre[:, 2]
    close = depth < 1.0  # close by or behind: take the finest level
    depth = np.where(close, 1.0, depth)
    steps = planes[:, :2, :2] / depth[:, None, None]
    steps = steps - centre[:, :2, None] * planes[:, 2, None, :2] / (depth**2)[:, None, None]
    sizes = np.hypot(steps[:, 0], steps[:, 1])
    sizes[close] = 1e9
    return np.asarray(sizes, np.float64)


def _clip(corners: Matrix) -> Matrix:
    """The outline on screen of the part of a polygon, corners (3, n), that lies in front of the camera."""
    kept: list[Matrix] = []
    for here, there in zip(corners.T, np.roll(corners, -1, axis=1).T, strict=True):
        if here[2] >= _NEAR:
            kept.append(here)
        if (here[2] >= _NEAR) != (there[2] >= _NEAR):
            kept.append(here + (there - here) * (_NEAR - here[2]) / (there[2] - here[2]))
    points = np.array(kept)
    return np.asarray(points[:, :2] / points[:, 2:], np.float64)
