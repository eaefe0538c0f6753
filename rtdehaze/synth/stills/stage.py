"""What a scene is put together from: flat convex faces and boards with an outline, drawn nearest first to a depth map.

Only which part a pixel shows and how deep it lies is drawn here; `shade` gives it colour afterwards, all at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.stills.palette import Material

__all__ = ["SKY", "Part", "Stage", "View", "cross", "dot"]

SKY = 0
"""Number of the part that fills the picture at first."""
_NEAR = 0.05  # metres: nothing is drawn nearer to the camera's plane than that
_SHIFT = 4  # fractional bits of a polygon's corners
_FARTHEST = 8000.0  # pixels: corners farther out would overflow the drawing's fixed point

Vector = NDArray[np.float32]

_SIDES = tuple(np.array(normal, np.float32) for normal in ((1, 0, 4), (-1, 0, 4), (0, 1, 4), (0, -1, 4)))
"""Planes through the eye, 76 degrees to each side: nothing beyond is ever in a picture."""


def cross(a: Vector, b: Vector) -> Vector:
    """The cross product of two vectors (3,); NumPy's own takes ten times as long."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], np.float32)


def dot(a: Vector, b: Vector) -> Vector:
    """The scalar product of vectors (..., 3), as (...)."""
    return np.asarray(a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2], np.float32)


class View:
    """A pinhole camera at (0, height, 0) that looks along z; x right, y up, metres.

    Args:
        size: (height, width) of the picture.
        focal: Focal length in widths of the longer side.
        height: Of the eye above y = 0, metres.
        pitch: Upwards, radians.
        roll: Clockwise, radians.
    """

    def __init__(
        self, size: tuple[int, int], focal: float, height: float, pitch: float = 0.0, roll: float = 0.0
    ) -> None:
        self.size = size
        self.focal = focal * max(size)
        self.eye = np.array([0.0, height, 0.0], np.float32)
        cp, sp, cr, sr = np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
        self.forward = np.array([0.0, sp, cp], np.float32)
        up, right = np.array([0.0, cp, -sp]), np.array([1.0, 0.0, 0.0])
        self.right = (cr * right - sr * up).astype(np.float32)
        self.up = (sr * right + cr * up).astype(np.float32)
        self.axes = np.stack([self.right, self.up, self.forward])
        self._corner = (
            self.forward - self.right * ((size[1] - 1) / 2 / self.focal) + self.up * ((size[0] - 1) / 2 / self.focal)
        )
        x = np.arange(size[1], dtype=np.float32)[None, :, None] * (self.right / np.float32(self.focal))
        y = np.arange(size[0], dtype=np.float32)[:, None, None] * (self.up / np.float32(self.focal))
        self.rays: Vector = (self._corner + x - y).astype(np.float32)
        """(H, W, 3): directions whose share along the optical axis is 1."""

    def facing(self, normal: Vector) -> tuple[float, float, float]:
        """`normal . ray` as a + b * column + c * row."""
        return (
            float(normal @ self._corner),
            float(normal @ self.right) / self.focal,
            -float(normal @ self.up) / self.focal,
        )

    def project(self, camera: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points in camera axes (n, 3), in front of it, to (n, 2) pixels."""
        scale = self.focal / camera[:, 2:]
        centre = np.array([(self.size[1] - 1) / 2, (self.size[0] - 1) / 2])
        return np.asarray(centre + camera[:, :2] * scale * np.array([1.0, -1.0]), np.float64)


@dataclass(frozen=True, slots=True)
class Part:
    """A flat piece of the scene."""

    origin: Vector
    """(3,), metres: where its pattern starts; for a board its middle."""
    across: Vector
    """(3,), unit vector along which its pattern runs."""
    along: Vector
    """(3,), unit vector down its pattern."""
    normal: Vector
    """(3,), unit vector towards the side that is seen."""
    material: Material
    half: tuple[float, float] = (1.0, 1.0)
    """Half its width and height, metres."""
    bend: tuple[float, float] = (0.0, 0.0)
    """How far its normal turns towards its edges, across and along: (1, 0) looks like a post, (1, 1) like a ball."""


class Stage:
    """A scene as drawn so far."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.part = np.zeros(view.size, np.int32)
        """(H, W): which part is seen."""
        self.depth = np.full(view.size, np.inf, np.float32)
        """(H, W), metres along the optical axis."""
        self.parts: list[Part | None] = [None]
        self.casters: list[Vector] = []
        """(n, 3) polygons that throw shadows."""
        self.normals: Vector | None = None
        """(H, W, 3), used where a part is drawn by `surface`."""
        self.curved: set[int] = set()

    def face(self, corners: NDArray[np.floating], material: Material, shadow: bool = True, anchor: int = 0) -> None:
        """Draws a convex flat polygon.

        Args:
            corners: (n, 3), metres, in order.
            material: What it is made of; its pattern runs along the first edge.
            shadow: Whether it throws one.
            anchor: Index of the corner where the pattern starts.
        """
        points = np.asarray(corners, np.float32)
        if shadow:
            self.casters.append(points)
        across = points[1] - points[0]
        across = across / np.linalg.norm(across)
        normal = cross(across, points[2] - points[1])
        normal = normal / max(float(np.linalg.norm(normal)), 1e-9)
        if float(normal @ (self.view.eye - points[0])) < 0:
            normal = -normal
        outline = self._outline(points)
        if outline is not None:
            part = Part(points[anchor], across, cross(across, normal), normal, material)
            self._fill(outline, None, part)

    def board(
        self,
        centre: NDArray[np.floating],
        half: tuple[float, float],
        material: Material,
        mask: NDArray[np.uint8] | None = None,
        bend: tuple[float, float] = (0.0, 0.0),
        shadow: bool = True,
    ) -> None:
        """Draws an upright board that faces the camera.

        Args:
            centre: (3,), metres.
            half: Half its width and height, metres.
            material: What it is made of.
            mask: Outline as coverage, stretched over the board; None fills it.
            bend: See `Part`.
            shadow: Whether it throws one.
        """
        middle = np.asarray(centre, np.float32)
        to_eye = (self.view.eye - middle) * np.array([1, 0, 1], np.float32)
        normal = to_eye / max(float(np.linalg.norm(to_eye)), 1e-6)
        across = np.array([-normal[2], 0.0, normal[0]], np.float32) * -1.0
        up = np.array([0.0, 1.0, 0.0], np.float32)
        signs = np.array([[-1, 1], [1, 1], [1, -1], [-1, -1]], np.float32)
        corners = middle + signs[:, :1] * half[0] * across + signs[:, 1:] * half[1] * up
        outline = self._outline(corners)
        if outline is not None and len(outline) == 4:
            self._fill(outline, mask, Part(middle, across, -up, normal, material, half, bend))
        if shadow:
            squeeze = 0.75 if mask is not None else 1.0
            self.casters.append(middle + (corners - middle) * np.float32(squeeze))

    def surface(self, depth: Vector, normals: Vector, part: Part) -> None:
        """Lays a curved surface, given for each pixel, where it is nearer than what is there.

        Args:
            depth: (H, W), metres along the optical axis, infinite where it is not.
            normals: (H, W, 3), unit vectors.
            part: Its material; the pattern runs along `across` and `along`.
        """
        self.parts.append(part)
        number = len(self.parts) - 1
        self.curved.add(number)
        nearer = depth < self.depth
        np.copyto(self.depth, depth, where=nearer)
        np.copyto(self.part, np.int32(number), where=nearer)
        if self.normals is None:
            self.normals = np.zeros((*self.view.size, 3), np.float32)
        np.copyto(self.normals, normals, where=nearer[..., None])

    def _outline(self, points: Vector) -> NDArray[np.float64] | None:
        """The polygon in pixels, cut at the camera's plane; None where nothing is left."""
        camera = (points - self.view.eye) @ self.view.axes.T
        inside = camera[:, 2] > _NEAR
        if not inside.all():
            if not inside.any():
                return None
            camera = _cut(camera, np.array([0, 0, 1], np.float32), _NEAR)
        outline = self.view.project(camera)
        if np.abs(outline).max() < _FARTHEST:
            return outline
        for side in _SIDES:
            camera = _cut(camera, side, 0.0)
            if len(camera) < 3:
                return None
        return self.view.project(camera)

    def _fill(self, outline: NDArray[np.float64], mask: NDArray[np.uint8] | None, part: Part) -> None:
        rows, columns = self.view.size
        low = np.maximum(np.floor(outline.min(0)), 0).astype(int)
        high = np.minimum(np.ceil(outline.max(0)) + 1, (columns, rows)).astype(int)
        left, top, right, bottom = low[0], low[1], high[0], high[1]
        if right <= left or bottom <= top:
            return
        covered = self._coverage(outline, mask, (left, top, right, bottom))
        box = (slice(top, bottom), slice(left, right))
        a, b, c = self.view.facing(part.normal)
        facing = (
            np.arange(left, right, dtype=np.float32)[None, :] * np.float32(b)
            + np.float32(a)
            + np.arange(top, bottom, dtype=np.float32)[:, None] * np.float32(c)
        )
        reach = float(part.normal @ (part.origin - self.view.eye))
        with np.errstate(divide="ignore"):
            depth = np.float32(reach) / facing
        nearer = covered & (depth < self.depth[box]) & (depth > _NEAR)
        self.parts.append(part)
        np.copyto(self.depth[box], depth, where=nearer)
        np.copyto(self.part[box], np.int32(len(self.parts) - 1), where=nearer)

    def _coverage(
        self, outline: NDArray[np.float64], mask: NDArray[np.uint8] | None, box: tuple[int, int, int, int]
    ) -> NDArray[np.bool_]:
        left, top, right, bottom = box
        if mask is None:
            drawn = np.zeros((bottom - top, right - left), np.uint8)
            fixed = np.rint((outline - (left, top)) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillConvexPoly(drawn, fixed, 1, shift=_SHIFT)
            return drawn.view(bool)
        high, wide = mask.shape
        source = np.array([[0, 0], [wide - 1, 0], [wide - 1, high - 1]], np.float32)
        fit = cv2.getAffineTransform(source, (outline[:3] - (left, top)).astype(np.float32))
        return np.asarray(cv2.warpAffine(mask, fit, (right - left, bottom - top)) > 127)


def _cut(camera: Vector, normal: Vector, least: float) -> Vector:
    """Keeps the part of a polygon in camera axes where `normal . point` > `least` (Sutherland, Hodgman 1974)."""
    kept = []
    above = camera @ normal - np.float32(least)
    for i in range(len(camera)):
        j = (i + 1) % len(camera)
        if above[i] > 0:
            kept.append(camera[i])
        if (above[i] > 0) != (above[j] > 0):
            kept.append(camera[i] + (camera[j] - camera[i]) * (above[i] / (above[i] - above[j])))
    return np.asarray(kept, np.float32).reshape(-1, 3)
