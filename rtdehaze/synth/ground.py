"""The ground: a road with marks, its verge or pavement, and fields, on the plane y = 0."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.camera import Lens
from rtdehaze.synth.noise import fractal_noise
from rtdehaze.synth.raster import Canvas
from rtdehaze.synth.texture import STATIC

__all__ = ["Ground"]

_HALF_WIDTH = 20.0  # metres of ground painted on either side of the road's middle; beyond, it is mirrored
_PERIOD = 40.0  # metres along the road until the texture repeats
_GRAIN = 2.6  # metres until the fine grain repeats
_BLOTCHES = 420.0  # metres until the large patches of colour repeat
_ROAD = 3.95  # metres from the middle to the edge of the asphalt
_FOLD = 9.0  # metres from the middle from where on the ground is mirrored
_LEVELS = 7
_FIRST_LEVEL = 4.0  # metres away: the nearest level of the texture; each next is twice as far

Image = NDArray[np.float32]


class Ground:
    """Paints the ground once, then draws it into any canvas.

    Args:
        rng: Source of randomness.
        lens: The camera, for the fineness of the textures.
        paved: Pavements beside the road instead of grass verges.
        season: 0 is lush green, 1 dry and yellow.
    """

    def __init__(self, rng: np.random.Generator, lens: Lens, *, paved: bool, season: float) -> None:
        self._lens = lens
        texel = float(np.clip(20.0 / lens.focal, 0.022, 0.3))
        base = _paint(rng, texel, paved=paved, season=season)
        self._levels = _shrink(base, lens)
        side = 512 if lens.focal > 300 else 128
        grain = fractal_noise(rng, side, side, 0.35)
        self._grain = np.clip(grain, -2.5, 2.5)
        self._blotches = np.clip(fractal_noise(rng, 256, 256, 1.1), -2.0, 2.0)

    def draw(self, canvas: Canvas) -> None:
        """Draws everything below the horizon."""
        camera = canvas.camera
        to_ray = np.linalg.inv(camera.projection).astype(np.float32)
        height, width = canvas.depth.shape
        xs, ys = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        drop = _linear(to_ray[1], xs, ys)
        # A row is ground when its whole length is; the line of the horizon itself stays with the hills.
        below = np.flatnonzero(drop.max(axis=1) < -1e-3)
        if below.size == 0:
            return
        top = int(below[0])
        rows = slice(top, height)
        reach = np.float32(-camera.position[1]) / drop[rows]
        x = _linear(to_ray[0], xs, ys[rows]) * reach + np.float32(camera.position[0])
        z = _linear(to_ray[2], xs, ys[rows]) * reach + np.float32(camera.position[2])
        distance = reach[:, width // 2]
        colour = self._texture(x, z, distance)
        colour *= (
            self._shade(x, z, distance)[..., None] if height * width < 4096 else _spread(self._shade(x, z, distance))
        )
        self._marks(colour, x, z, distance)
        canvas.colour[rows] = cv2.convertScaleAbs(colour).reshape(colour.shape)
        depth = reach * canvas.ray_lengths[rows]
        canvas.depth[rows] = depth
        canvas.transmission[rows] = canvas.transmit(depth)
        canvas.owner[rows] = STATIC

    def _texture(self, x: Image, z: Image, distance: Image) -> Image:
        # Beyond the fold the fields are mirrored for ever, so that the road is there but once.
        side = (np.abs(x) - np.float32(_FOLD)) * np.float32(0.5 / (_HALF_WIDTH - _FOLD))
        mirrored = np.abs(side - np.floor(side + np.float32(0.5))) * np.float32(2 * (_HALF_WIDTH - _FOLD))
        u = np.where(side > 0, np.copysign(mirrored + np.float32(_FOLD), x), x)
        u += np.float32(_HALF_WIDTH)
        v = _fraction(z * np.float32(1 / _PERIOD))
        level = np.clip(np.log2(distance / _FIRST_LEVEL), 0, _LEVELS - 1.001)
        out = np.empty((*x.shape, 3), np.float32)
        for low in range(_LEVELS - 1):
            rows = np.flatnonzero(level.astype(int) == low)
            if rows.size == 0:
                continue
            band = slice(int(rows[0]), int(rows[-1]) + 1)
            fine, coarse = (_look_up(self._levels[k], u[band], v[band]) for k in (low, low + 1))
            share = np.broadcast_to((level[band] - low).astype(np.float32)[:, None], x[band].shape)
            share = np.ascontiguousarray(share)
            out[band] = cv2.blendLinear(fine, coarse, 1 - share, share)
        return out

    def _shade(self, x: Image, z: Image, distance: Image) -> Image:
        """Fine grain close by and large patches farther off, as a factor."""
        patches = cv2.remap(self._blotches, *_tiled(x, z, _BLOTCHES, 256), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        patches = np.asarray(patches, np.float32).reshape(x.shape)
        patches *= (0.055 / (1 + (distance / 90) ** 2)).astype(np.float32)[:, None]
        patches += 1
        near = int(np.searchsorted(-distance, -14.0))
        if near < len(distance):
            side = self._grain.shape[0]
            grain = cv2.remap(
                self._grain, *_tiled(x[near:], z[near:], _GRAIN, side), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
            ).reshape(x[near:].shape)
            grain *= (0.09 * np.clip(1.0 - distance[near:] / 14.0, 0, 1)).astype(np.float32)[:, None]
            patches[near:] += grain
        return patches

    def _marks(self, colour: Image, x: Image, z: Image, distance: Image) -> None:
        """Paint on the asphalt, box-filtered over each pixel's own footprint so that it stays sharp and calm."""
        wide = np.abs(distance / np.float32(self._lens.focal))[:, None] + np.float32(0.004)
        long = wide * distance[:, None] / np.float32(1.4)
        cover = np.maximum(_stripe(x + np.float32(3.55), 0.07, wide), _stripe(x - np.float32(3.55), 0.07, wide))
        dashes = _stripe(
            np.abs(_fraction(z * np.float32(1 / 9.0)) - np.float32(0.5)) * np.float32(9.0),
            1.6,
            np.minimum(long, np.float32(9.0)),
        )
        # Where a pixel is longer than the whole pattern only its mean is left.
        blur = np.clip((long - 4.0) / 5.0, 0, 1)
        dashes += blur * (np.float32(3.2 / 9.0) - dashes)
        cover = np.maximum(cover, _stripe(x, 0.06, wide) * dashes)
        cover *= np.float32(0.82)
        worn = colour[..., 1] * np.float32(0.35) + np.float32(168)
        for channel, tint in enumerate((1.0, 0.995, 0.96)):
            plane = colour[..., channel]
            plane += cover * (worn * np.float32(tint) - plane)


def _linear(row: Image, xs: Image, ys: Image) -> Image:
    out: Image = (row[0] * xs + row[2])[None, :] + (row[1] * ys)[:, None]
    return out


def _spread(values: Image) -> Image:
    return np.asarray(cv2.merge([values, values, values]), np.float32)


def _stripe(offset: Image, half: float, footprint: Image) -> Image:
    """Share of a pixel of the given size that a stripe of half-width `half` covers."""
    distance = np.abs(offset)
    inner = (np.float32(half) - distance) / footprint
    outer = (np.float32(half) + distance) / footprint
    share: Image = np.clip(inner, -0.5, 0.5) + np.clip(outer, -0.5, 0.5)
    return share


def _fraction(values: Image) -> Image:
    return np.asarray(values - np.floor(values))


def _tiled(x: Image, z: Image, period: float, side: int) -> tuple[Image, Image]:
    scale = np.float32(1 / period)
    return _fraction(x * scale) * np.float32(side), _fraction(z * scale) * np.float32(side)


def _look_up(level: NDArray[np.float32], u: Image, v: Image) -> Image:
    rows, cols = level.shape[:2]
    x = u * np.float32(cols / (2 * _HALF_WIDTH)) - np.float32(0.5)
    y = v * np.float32(rows) - np.float32(0.5)
    return np.asarray(cv2.remap(level, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32).reshape(
        *u.shape, 3
    )


def _shrink(base: NDArray[np.float32], lens: Lens) -> list[NDArray[np.float32]]:
    """The texture at each level's distance, shrunk to about a pixel's footprint there: long in z, short in x."""
    rows, cols = base.shape[:2]
    levels = []
    for level in range(_LEVELS):
        distance = _FIRST_LEVEL * 2**level
        across, along = distance / lens.focal, distance**2 / (lens.focal * 1.38)
        size = (
            int(np.clip(2 * _HALF_WIDTH / across, 4, cols)),
            int(np.clip(_PERIOD / along, 1, rows)),
        )
        levels.append(
            np.asarray(cv2.resize(base, size, interpolation=cv2.INTER_AREA), np.float32).reshape(size[1], size[0], 3)
        )
    return levels


def _paint(rng: np.random.Generator, texel: float, *, paved: bool, season: float) -> NDArray[np.float32]:
    """Paints a period of the ground from above: (rows along z, columns along x, 3), levels 0 to 255."""
    # Multiples of 32 make the noise quick to shape.
    cols, rows = 32 * round(2 * _HALF_WIDTH / texel / 32), 32 * round(_PERIOD / (texel * 1.5) / 32)
    x = np.linspace(-_HALF_WIDTH, _HALF_WIDTH, cols, dtype=np.float32)[None, :]
    z = np.linspace(0, _PERIOD, rows, dtype=np.float32)[:, None]
    cracks = rng.spawn(1)[0]
    coarse, fine = fractal_noise(rng, rows, cols, 1.0), fractal_noise(rng, rows, cols, 0.4)
    wander = 0.16 * fractal_noise(rng, rows, 1, 0.9)
    asphalt = _asphalt(cracks, x, coarse, fine)
    grass = _grass(coarse, fine, season)
    if paved:
        side = _pavement(x, z, coarse, fine)
        ground = np.where((np.abs(x) < 7.2)[..., None], side, grass)
        edge = np.clip((np.float32(_ROAD + 0.15) - np.abs(x)) / np.float32(2 * texel) + 0.5, 0, 1)
    else:
        gravel = np.array([128, 119, 102], np.float32) + (9 * fine + 5 * coarse)[..., None]
        verge = np.clip((np.abs(x) - _ROAD - 0.5 + wander + 0.12 * fine) / 0.35, 0, 1)
        ground = gravel + verge[..., None] * (grass - gravel)
        edge = np.clip((_ROAD - np.abs(x) + 0.35 * wander + 0.05 * fine) / (3 * texel) + 0.5, 0, 1)
    out: NDArray[np.float32] = ground + edge[..., None] * (asphalt - ground)
    return np.clip(out, 0, 255).astype(np.float32)


def _asphalt(rng: np.random.Generator, x: Image, coarse: Image, fine: Image) -> Image:
    lane = np.abs(np.abs(x) - 1.75)
    wheels = np.exp(-(((lane - 0.75) / 0.28) ** 2))
    level = 93 + 5.5 * coarse + 6.5 * fine + 6 * wheels - 5 * np.exp(-((lane / 0.25) ** 2))
    rows, cols = coarse.shape
    seams = np.zeros((rows, cols), np.uint8)
    for _ in range(9):  # cracks and mended strips
        points = np.cumsum(rng.normal(0, (cols * 0.004, rows * 0.02), (14, 2)), axis=0)
        points += (cols * rng.uniform(0.41, 0.59), rows * rng.uniform(0, 1))
        cv2.polylines(seams, [points.astype(np.int32)], False, int(rng.integers(90, 255)), 1, cv2.LINE_AA)
    level = level - seams.astype(np.float32) * 0.11
    tint = np.array([1.0, 0.995, 0.985], np.float32)
    return np.asarray(level[..., None] * tint, np.float32)


def _grass(coarse: Image, fine: Image, season: float) -> Image:
    lush, dry = np.array([82, 104, 46], np.float32), np.array([140, 128, 74], np.float32)
    share = np.clip(season + 0.16 * coarse + 0.08 * fine, 0, 1)[..., None]
    return np.asarray((lush + share * (dry - lush)) * (1 + 0.13 * fine + 0.06 * coarse)[..., None], np.float32)


def _pavement(x: Image, z: Image, coarse: Image, fine: Image) -> Image:
    joints = np.minimum(np.abs((np.abs(x) - 4.3) % 0.6 - 0.3), np.abs(z % 0.6 - 0.3))
    level = 148 + 6 * coarse + 5 * fine - 26 * (joints < 0.03)
    kerb = (np.abs(x) > _ROAD + 0.15) & (np.abs(x) < _ROAD + 0.33)
    level = np.where(kerb, 172 + 4 * fine, level)
    level -= 38 * (np.abs(np.abs(x) - _ROAD - 0.12) < 0.05)
    return np.asarray(level[..., None] * np.array([1.0, 0.985, 0.955], np.float32), np.float32)
