"""Draws textured planes in perspective, back to front, keeping colour, depth and transmission of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.camera import Camera
from rtdehaze.synth.texture import BACKDROP, Quad
from rtdehaze.synth.visibility import SUBPIXEL_BITS, Hidden, Placed, fixed_point, place

__all__ = ["Canvas"]


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

    def draw(self, quads: Sequence[Quad]) -> None:
        """Draws quads over what is there, in the order given: the farthest first."""
        height, width = self.depth.shape
        hidden = Hidden(width, height)
        seen = []
        for placed in place(quads[::-1], self.camera, width, height):
            if hidden.crop(placed):
                seen.append(placed)
                hidden.add(placed)
        for placed in reversed(seen):
            self._paint(placed)

    def _paint(self, placed: Placed) -> None:
        quad, (left, top, right, bottom) = placed.quad, placed.box
        box = (slice(top, bottom), slice(left, right))
        to_plane = placed.inverse @ np.array([[1.0, 0, left], [0, 1.0, top], [0, 0, 1.0]])
        rgb, alpha = quad.texture.at(*placed.drawn)
        colour, coverage = _sample(rgb, alpha, to_plane, (right - left, bottom - top), placed.outline - (left, top))
        if quad.opacity < 1.0:
            coverage *= np.float32(quad.opacity)
        self._blend(box, colour, coverage)
        if not quad.decal:
            self._cover(box, to_plane[2].astype(np.float32), coverage, quad.owner)

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


def _sample(
    rgb: NDArray[np.uint8],
    alpha: NDArray[np.uint8] | None,
    to_plane: NDArray[np.float64],
    size: tuple[int, int],
    outline: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour and coverage in the box: a texture without coverage of its own ends at the polygon's edge."""
    height, width = rgb.shape[:2]
    to_texel = np.array([[width, 0, -0.5], [0, height, -0.5], [0, 0, 1.0]]) @ to_plane
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    colour = cv2.warpPerspective(rgb, to_texel, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if alpha is not None:
        coverage = cv2.warpPerspective(alpha, to_texel, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    else:
        coverage = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillConvexPoly(coverage, fixed_point(outline), 255, lineType=cv2.LINE_AA, shift=SUBPIXEL_BITS)
    return np.asarray(colour, np.uint8), coverage.astype(np.float32) * np.float32(1 / 255)
