"""Draws textured planes in perspective, back to front, keeping colour, depth and transmission of every pixel."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.camera import Camera

__all__ = ["BACKDROP", "STATIC", "Canvas", "Quad", "Texture"]

STATIC = 0
"""Owner of pixels that stand still in the world."""
BACKDROP = 1
"""Owner of pixels so far away that they move with the camera: sky and hills. Moving things come after."""

_NEAR = 0.35  # metres; nearer parts of a plane are cut off
_SUBPIXEL_BITS = 6


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


@dataclass(slots=True)
class Canvas:
    """The frame that is being drawn."""

    camera: Camera
    ray_lengths: NDArray[np.float32]
    """(H, W), see `Lens.ray_lengths`."""
    beta: float
    """Extinction coefficient in 1/m."""
    far: float
    """Metres: the longest way through the haze."""
    colour: NDArray[np.uint8] = field(init=False)
    """(H, W, 3) RGB."""
    depth: NDArray[np.float32] = field(init=False)
    """(H, W), metres along the ray; infinite for the sky."""
    transmission: NDArray[np.float32] = field(init=False)
    """(H, W); where surfaces share a pixel, the mean of theirs by coverage."""
    owner: NDArray[np.uint8] = field(init=False)
    """(H, W): STATIC, BACKDROP, or the number of a moving thing."""

    def __post_init__(self) -> None:
        height, width = self.ray_lengths.shape
        self.colour = np.zeros((height, width, 3), np.uint8)
        self.depth = np.full((height, width), np.inf, np.float32)
        self.transmission = np.full((height, width), np.exp(-self.beta * self.far), np.float32)
        self.owner = np.full((height, width), BACKDROP, np.uint8)

    def transmit(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns exp(-beta * min(depth, far)) for an array of depths."""
        way = np.minimum(depth, np.float32(self.far))
        way *= np.float32(-self.beta)
        return np.exp(way, out=way)

    def draw(self, quad: Quad) -> None:
        """Draws one quad over what is there; call from the farthest to the nearest."""
        plane = self.camera.projection @ np.column_stack([quad.right, quad.down, quad.origin - self.camera.position])
        outline = _outline(plane)
        if outline is None:
            return
        height, width = self.depth.shape
        left, top = np.maximum(np.floor(outline.min(axis=0)), 0).astype(int)
        right = min(width, int(min(np.ceil(outline[:, 0].max()), width)) + 1)
        bottom = min(height, int(min(np.ceil(outline[:, 1].max()), height)) + 1)
        if right <= left or bottom <= top:
            return
        box = (slice(top, bottom), slice(left, right))
        size = (right - left, bottom - top)
        to_box = np.array([[1.0, 0, -left], [0, 1.0, -top], [0, 0, 1.0]]) @ plane
        rgb, alpha = quad.texture.at(*_drawn_size(plane))
        colour, coverage = _sample(rgb, alpha, to_box, size, outline - (left, top))
        if quad.opacity < 1.0:
            coverage *= np.float32(quad.opacity)
        self._blend(box, colour, coverage)
        if not quad.decal:
            inverse = np.linalg.inv(to_box)[2].astype(np.float32)
            self._cover(box, inverse, coverage, quad.owner)

    def _blend(self, box: tuple[slice, slice], colour: NDArray[np.uint8], coverage: NDArray[np.float32]) -> None:
        under = np.ascontiguousarray(self.colour[box])
        self.colour[box] = cv2.blendLinear(colour, under, coverage, 1 - coverage)

    def _cover(
        self, box: tuple[slice, slice], inverse: NDArray[np.float32], coverage: NDArray[np.float32], owner: int
    ) -> None:
        rows, cols = coverage.shape
        # On a plane the inverse of depth is linear in the picture.
        nearness = np.arange(cols, dtype=np.float32) * inverse[0] + inverse[2]
        nearness = nearness + (np.arange(rows, dtype=np.float32) * inverse[1])[:, None]
        depth = self.ray_lengths[box] / np.maximum(nearness, np.float32(1e-6))
        there = self.transmission[box]
        there += coverage * (self.transmit(depth) - there)
        opaque = coverage >= 0.5
        np.copyto(self.depth[box], depth, where=opaque)
        np.copyto(self.owner[box], np.uint8(owner), where=opaque)


def _outline(plane: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The corners on screen, (n, 2), of the part of the unit square that lies in front of the camera."""
    corners = plane @ np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1.0]])
    if corners[2].min() >= _NEAR:
        points = corners.T
    else:
        clipped: list[NDArray[np.float64]] = []
        for here, there in zip(corners.T, np.roll(corners, -1, axis=1).T, strict=True):
            if here[2] >= _NEAR:
                clipped.append(here)
            if (here[2] >= _NEAR) != (there[2] >= _NEAR):
                clipped.append(here + (there - here) * (_NEAR - here[2]) / (there[2] - here[2]))
        if len(clipped) < 3:
            return None
        points = np.array(clipped)
    screen: NDArray[np.float64] = points[:, :2] / points[:, 2:]
    return screen


def _drawn_size(plane: NDArray[np.float64]) -> tuple[float, float]:
    """Roughly how many pixels the whole texture would take along x and y, at its middle."""
    centre = plane @ np.array([0.5, 0.5, 1.0])
    if centre[2] < 1.0:  # close by or behind: take the finest level
        return 1e9, 1e9
    steps = plane[:, :2] / centre[2] - np.outer(centre, plane[2, :2]) / centre[2] ** 2
    return float(np.hypot(*steps[:2, 0])), float(np.hypot(*steps[:2, 1]))


def _sample(
    rgb: NDArray[np.uint8],
    alpha: NDArray[np.uint8] | None,
    to_box: NDArray[np.float64],
    size: tuple[int, int],
    outline: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour and coverage in the box: a texture without coverage of its own ends at the polygon's edge."""
    height, width = rgb.shape[:2]
    texel = np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1.0]])
    inverse = np.linalg.inv(to_box @ texel)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    colour = cv2.warpPerspective(rgb, inverse, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if alpha is not None:
        coverage = cv2.warpPerspective(alpha, inverse, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    else:
        coverage = np.zeros((size[1], size[0]), np.uint8)
        limit = 1 << 20  # far outside the box, near enough for OpenCV's fixed point
        points = np.clip(np.rint(outline * (1 << _SUBPIXEL_BITS)), -limit, limit).astype(np.int32)
        cv2.fillConvexPoly(coverage, points, 255, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
    return np.asarray(colour, np.uint8), coverage.astype(np.float32) * np.float32(1 / 255)
