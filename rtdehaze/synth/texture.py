"""Textures, and the parallelograms in the world that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["BACKDROP", "STATIC", "Quad", "Texture"]

STATIC = 0
"""Owner of pixels that stand still in the world."""
BACKDROP = 1
"""Owner of pixels so far away that they move with the camera: sky and hills. Moving things come after."""


class Texture:
    """A picture with its smaller versions, shrunk separately in x and y because planes are seen aslant.

    Args:
        rgb: (h, w, 3) uint8; below alpha 0 the colour must still be sensible, for it bleeds into the edge.
        alpha: (h, w) uint8 coverage, or None for a picture that fills its plane.
    """

    def __init__(self, rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None) -> None:
        self._rgb = np.ascontiguousarray(rgb)
        self._alpha = alpha
        self._levels: dict[tuple[int, int], tuple[NDArray[np.uint8], NDArray[np.uint8] | None]] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
        return self._rgb.shape[1], self._rgb.shape[0]

    @property
    def opaque(self) -> bool:
        """Whether it fills its plane."""
        return self._alpha is None

    def at(self, pixels_x: float, pixels_y: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Returns colour and coverage at the level that suits a drawn size of so many pixels."""
        key = (_level(self.size[0], pixels_x), _level(self.size[1], pixels_y))
        if key not in self._levels:
            size = (max(1, self.size[0] >> key[0]), max(1, self.size[1] >> key[1]))
            self._levels[key] = (_shrink(self._rgb, size), None if self._alpha is None else _shrink(self._alpha, size))
        return self._levels[key]


def _shrink(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).reshape(size[1], size[0], *image.shape[2:])


def _level(texels: int, pixels: float) -> int:
    ratio = max(1.0, texels / max(pixels, 1e-3))
    return min(int(np.log2(ratio) + 0.5), max(0, texels.bit_length() - 2))


@dataclass(frozen=True, slots=True)
class Quad:
    """A texture on a parallelogram in the world."""

    texture: Texture
    origin: NDArray[np.float64]
    """(3,), metres: where the texture's top left corner is."""
    right: NDArray[np.float64]
    """(3,), metres: from there to its top right corner."""
    down: NDArray[np.float64]
    """(3,), metres: from there to its bottom left corner."""
    opacity: float = 1.0
    decal: bool = False
    """True for what lies on a surface already drawn, such as a shadow: it changes the colour only."""
    owner: int = STATIC
    frame: NDArray[np.float64] = field(init=False, repr=False)
    """(3, 3): right, down and origin as columns."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", np.column_stack([self.right, self.down, self.origin]))
