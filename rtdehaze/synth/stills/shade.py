"""Colour for everything that a stage shows, in linear light: pattern, sun and its shadows, sky, corners."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.stills.atlas import atlas
from rtdehaze.synth.stills.palette import Light
from rtdehaze.synth.stills.stage import SKY, Part, Stage, cross, dot

__all__ = ["shade"]

_MAP = 320  # samples along a side of the shadow map
_OFF = 1.2  # samples of the map

Floats = NDArray[np.float32]
_Gather = Callable[[int, int], Floats]
"""First number and count of numbers of a part's row: those of the part seen at each pixel, (H, W, count)."""


def shade(
    stage: Stage,
    light: Light,
    backdrop: Floats,
    corners: float = 0.5,
    shadow_range: float = 80.0,
    lamp: Floats | None = None,
) -> Floats:
    """Gives colour to all pixels.

    Args:
        stage: What is seen.
        light: The light; a sun of 0 throws no shadows.
        backdrop: (H, W, 3), colour of the sky.
        corners: How dark it is in corners and under things, in [0, 1].
        shadow_range: Metres from the camera within which things throw shadows; 0 for no shadows.
        lamp: (3,), metres: a place of a lamp from which the sun's light comes instead, falling off with distance.

    Returns:
        (H, W, 3) linear RGB, not below 0.
    """
    view = stage.view
    seen = stage.part != SKY
    table = _table(stage.parts)
    depth = np.where(seen, stage.depth, np.float32(1.0))
    place = view.rays * depth[..., None] + view.eye

    def of(first: int, count: int) -> Floats:
        return np.take(np.ascontiguousarray(table[:, first : first + count]), stage.part, axis=0)

    rest = place - of(0, 3)
    u, v = dot(rest, of(3, 3)), dot(rest, of(6, 3))
    normal = _normals(stage, of, u, v)
    albedo = _pattern(stage, of, u, v, normal, depth)
    gathered = _gather(stage, light, normal, place, shadow_range, lamp)
    if corners > 0:
        gathered *= _crevices(depth, seen, corners)[..., None]
    picture = albedo * (gathered + of(26, 1))
    shiny = (table[:, 25] > 0)[stage.part]
    picture[shiny] += of(25, 1)[shiny] * _mirror(view.rays[shiny], normal[shiny], light)
    return np.asarray(np.where(seen[..., None], np.maximum(picture, 0), backdrop), np.float32)


def _table(parts: list[Part | None]) -> Floats:
    """A row of numbers for every part; the sky's are harmless."""
    table = np.zeros((len(parts), 28), np.float32)
    table[:, 12:14] = 1.0
    table[:, 22] = 1.0
    for row, part in zip(table, parts, strict=True):
        if part is not None:
            made = part.material
            row[:12] = np.concatenate([part.origin, part.across, part.along, part.normal])
            row[12:16] = (*part.half, *part.bend)
            row[16:22] = np.concatenate([made.first, made.second])
            row[22:28] = (1 / made.metres, made.contrast, made.cast, made.gloss, made.glow, made.tile)
    return table


def _normals(stage: Stage, of: _Gather, u: Floats, v: Floats) -> Floats:
    normal = of(9, 3)
    bend = of(14, 2)
    where = (bend > 0).any(axis=-1)
    if where.any():
        half, turned, part = of(12, 2)[where], bend[where], stage.part[where]
        x, y = (np.clip(w[where] / half[:, i], -1, 1) * turned[:, i] for i, w in enumerate((u, v)))
        left = np.sqrt(np.maximum(1 - x * x - y * y, np.float32(0.05)))
        axes = _axes(stage.parts)[part]
        normal[where] = normal[where] * left[:, None] + x[:, None] * axes[:, 0] + y[:, None] * axes[:, 1]
    if stage.normals is not None:
        curved = np.isin(stage.part, list(stage.curved))
        np.copyto(normal, stage.normals, where=curved[..., None])
    return normal


def _axes(parts: list[Part | None]) -> Floats:
    flat = np.zeros(3, np.float32)
    return np.array([(flat, flat) if part is None else (part.across, part.along) for part in parts], np.float32)


def _pattern(stage: Stage, of: _Gather, u: Floats, v: Floats, normal: Floats, depth: Floats) -> Floats:
    per_metre = of(22, 1)[..., 0]
    slant = np.abs(dot(normal, stage.view.rays))
    slant = np.maximum(slant, np.float32(0.12)) * np.float32(stage.view.focal)
    footprint = np.asarray(depth * per_metre / slant, np.float32)
    bank = atlas()
    found = bank.sample(of(27, 1)[..., 0], u * per_metre, v * per_metre, footprint)
    wide = per_metre[::2, ::2] * np.float32(0.083)
    rough = np.full(wide.shape, bank.numbers["rough"][3], np.float32)
    coarse = bank.sample(rough, u[::2, ::2] * wide, v[::2, ::2] * wide, footprint[::2, ::2] * np.float32(0.083))
    coarse = np.asarray(cv2.resize(coarse, u.shape[::-1], interpolation=cv2.INTER_NEAREST), np.float32)
    mix = found[..., 1:2]
    albedo = of(16, 3)
    albedo += (of(19, 3) - albedo) * mix
    contrast = of(23, 2)
    level = np.exp(contrast[..., 0] * found[..., 0] + np.float32(0.15) * coarse[..., 0])
    warm = contrast[..., 1] * (found[..., 2] + np.float32(0.5) * coarse[..., 2])
    albedo[..., 0] *= level * (1 + warm)
    albedo[..., 1] *= level
    albedo[..., 2] *= level * (1 - warm)
    return np.asarray(np.clip(albedo, 0.001, 1.2), np.float32)


def _gather(
    stage: Stage, light: Light, normal: Floats, place: Floats, shadow_range: float, lamp: Floats | None
) -> Floats:
    """(H, W, 3): the light that falls on each pixel's surface."""
    up = (0.5 + 0.5 * normal[..., 1])[..., None]
    falls = light.bounce * (1 - up) + light.sky * up
    if float(light.sun.max()) <= 0:
        return np.asarray(falls, np.float32)
    if lamp is not None:
        way = lamp - place
        far = np.maximum(np.linalg.norm(way, axis=-1), np.float32(0.3))
        direct = np.maximum(dot(normal, way) / far, 0) / (0.35 + 0.16 * far * far)
        return np.asarray(falls + direct[..., None] * light.sun, np.float32)
    direct = np.maximum(normal @ light.to_sun, 0)
    if shadow_range > 0 and stage.casters:
        # Looked up a little off the surface, or its own slant would shade it.
        off = place + normal * np.float32(_OFF * 1.3 * shadow_range / _MAP)
        direct *= _lit(stage.casters, light.to_sun, off, shadow_range)
    return np.asarray(falls + direct[..., None] * light.sun, np.float32)


def _lit(casters: list[Floats], to_sun: Floats, place: Floats, reach: float) -> Floats:
    """(H, W): share of the sun's light that arrives, by a map of depths seen from the sun (Williams 1978)."""
    side = cross(to_sun, np.eye(3, dtype=np.float32)[2 if abs(to_sun[2]) < 0.9 else 0])
    side /= np.linalg.norm(side)
    axes = np.stack([side, cross(to_sun, side), to_sun])
    middle = axes @ np.array([0, 0, 0.5 * reach], np.float32)
    scale = np.float32(_MAP / (1.3 * reach))
    nearest = np.full((_MAP, _MAP), -np.inf, np.float32)
    for polygon in casters:
        seen = polygon @ axes.T
        flat = (seen[:, :2] - middle[:2]) * scale + _MAP / 2
        low, high = np.maximum(np.floor(flat.min(0)), 0), np.minimum(np.ceil(flat.max(0)) + 1, _MAP)
        if (high <= low).any() or np.abs(flat).max() > 4000:
            continue
        (left, top), (right, bottom) = low.astype(int).tolist(), high.astype(int).tolist()
        drawn = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillConvexPoly(drawn, np.rint((flat - (left, top)) * 16).astype(np.int32), 1, shift=4)
        normal = cross(seen[1] - seen[0], seen[2] - seen[1])
        rise = -normal[:2] / (scale * (normal[2] if abs(normal[2]) > 1e-6 else 1e-6))
        x = (np.arange(left, right, dtype=np.float32)[None, :] - flat[0, 0]) * rise[0]
        y = (np.arange(top, bottom, dtype=np.float32)[:, None] - flat[0, 1]) * rise[1]
        height = np.minimum(x + y + seen[0, 2], seen[:, 2].max())
        window = nearest[top:bottom, left:right]
        np.copyto(window, height, where=drawn.view(bool) & (height > window))
    at = place @ axes.T
    x, y = (at[..., 0] - middle[0]) * scale + _MAP / 2, (at[..., 1] - middle[1]) * scale + _MAP / 2
    over = cv2.remap(nearest, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=-1e9)
    lit = (over <= at[..., 2] + np.float32(0.05 + 0.3 / scale)).astype(np.float32)
    return np.asarray(cv2.blur(lit, (3, 3)), np.float32)


def _crevices(depth: Floats, seen: NDArray[np.bool_], strength: float) -> Floats:
    """(H, W): darker where the surroundings stand nearer, on two scales; a cheap stand-in for ambient occlusion."""
    near = np.log(np.where(seen, np.maximum(depth, 0.05), 1e4)).astype(np.float32)
    small = cv2.resize(near, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    dark = np.zeros_like(near)
    for sigma in (max(near.shape) / 110, max(near.shape) / 32):
        mean = cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 2), near.shape[::-1])
        dark += np.clip((near - mean) * 2.5, 0, 1) * np.clip(1.6 - 1.2 * (near - mean), 0, 1)
    return np.asarray(1 - np.float32(strength * 0.6) * np.clip(dark, 0, 1.5), np.float32)


def _mirror(rays: Floats, normal: Floats, light: Light) -> Floats:
    """(n, 3): the sky and the sun in a shiny surface."""
    straight = dot(rays, normal)[..., None]
    mirrored = rays - 2 * straight * normal
    mirrored /= np.linalg.norm(mirrored, axis=-1, keepdims=True)
    up = np.clip(0.5 + 0.5 * mirrored[..., 1:2], 0, 1)
    glint = np.maximum(mirrored @ light.to_sun, 0)[..., None] ** 60
    return np.asarray(light.sky * up + light.bounce * (1 - up) + 4.0 * glint * light.sun, np.float32)
