"""A sheet of paper for sprites: polygons in unit coordinates, drawn fine and shrunk, with coverage."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtdehaze.synth.texture import Texture

__all__ = ["Sheet"]

_BITS = 4
_SUPERSAMPLING = 2


class Sheet:
    """A picture with coverage. Coordinates are in units of its height: x in [0, aspect], y in [0, 1], downwards.

    Args:
        pixels: Height of the finished picture.
        aspect: Width over height.
        colour: RGB, 0 to 255, of what bleeds into the edges of what is drawn.
    """

    def __init__(self, pixels: int, aspect: float, colour: ArrayLike) -> None:
        self._scale = pixels * _SUPERSAMPLING
        width = _SUPERSAMPLING * max(1, round(pixels * aspect))
        self._image = np.zeros((self._scale, width, 4), np.uint8)
        self._image[..., :3] = np.clip(colour, 0, 255)
        self.aspect = aspect

    def polygon(self, points: ArrayLike, colour: ArrayLike) -> None:
        """Fills a convex polygon, points (n, 2), with an RGB colour of 0 to 255."""
        corners = np.rint(np.asarray(points) * (self._scale << _BITS)).astype(np.int32)
        cv2.fillConvexPoly(self._image, corners, (*np.clip(colour, 0, 255).tolist(), 255.0), cv2.LINE_8, _BITS)

    def box(self, left: float, top: float, right: float, bottom: float, colour: ArrayLike) -> None:
        """Fills an upright rectangle."""
        self.polygon([[left, top], [right, top], [right, bottom], [left, bottom]], colour)

    def disc(self, x: float, y: float, radius_x: float, radius_y: float, colour: ArrayLike) -> None:
        """Fills an ellipse."""
        angles = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        self.polygon(np.column_stack([x + radius_x * np.cos(angles), y + radius_y * np.sin(angles)]), colour)

    def write(self, text: str, x: float, y: float, height: float, colour: ArrayLike) -> None:
        """Writes a line of text centred at (x, y)."""
        font, size = cv2.FONT_HERSHEY_SIMPLEX, height * self._scale / 21
        thick = max(1, round(0.13 * height * self._scale))
        (width, tall), _ = cv2.getTextSize(text, font, size, thick)
        corner = (round(x * self._scale - width / 2), round(y * self._scale + tall / 2))
        cv2.putText(self._image, text, corner, font, size, (*np.asarray(colour, float).tolist(), 255.0), thick)

    def shade(self, factor: NDArray[np.float32]) -> None:
        """Multiplies all colours by a factor that broadcasts to (rows, columns)."""
        rows, cols = self._image.shape[:2]
        full = np.broadcast_to(factor, (rows, cols))[..., None]
        self._image[..., :3] = np.clip(self._image[..., :3] * full, 0, 255)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns that are drawn on, before shrinking."""
        return self._image.shape[0], self._image.shape[1]

    def texture(self) -> Texture:
        """Returns the finished picture."""
        height, width = self._image.shape[:2]
        size = (width // _SUPERSAMPLING, height // _SUPERSAMPLING)
        alpha = self._image[..., 3].astype(np.float32) / 255
        # Average the painted colours alone, so that no edge takes on the colour of the empty sheet.
        weight = alpha + 1e-3
        total = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        sums = cv2.resize(self._image[..., :3] * weight[..., None], size, interpolation=cv2.INTER_AREA)
        cover = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        rgb = np.rint(sums / total[..., None]).astype(np.uint8).reshape(size[1], size[0], 3)
        return Texture(rgb, np.rint(cover * 255).astype(np.uint8).reshape(size[1], size[0]))
