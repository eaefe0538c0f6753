"""Thin things against the sky in haze: the picture on which enlarging a small haze map is hardest."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.noise import fractal_noise, ridge_line, tiled_noise
from rtdehaze.synth.plants import paint_bare, paint_leafy
from rtdehaze.synth.texture import Texture

__all__ = ["EdgePicture", "poles_and_branches"]

_SKY = 0.12
"""Transmission of the sky; the poles have 0.9: steps as large as a map ever meets."""
_HORIZON = 0.78
"""Of the height, from the top."""
_POLES = (0.004, 0.009, 0.0025, 0.014, 0.006, 0.003)
"""Thickness of the poles in heights of the picture: 3 to 15 pixels at 1080p."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EdgePicture:
    """A still with big steps of transmission and its truth."""

    hazy: NDArray[np.uint8]
    """(H, W, 3) RGB, `hazy_float` rounded."""
    clear: NDArray[np.uint8]
    """(H, W, 3) RGB, `clear_float` rounded."""
    hazy_float: Image
    """(H, W, 3) in [0, 1]: each surface in its own haze, then mixed by coverage, as a lens does."""
    clear_float: Image
    """(H, W, 3) in [0, 1]: the same surfaces without haze, mixed by the same coverage."""
    transmission: Image
    """(H, W) in (0, 1]: of the surfaces in a pixel the mean by coverage."""
    airlight: Image
    """(3,) RGB."""
    mixed: NDArray[np.bool_]
    """(H, W): pixels that several surfaces of unlike transmission share. Elsewhere hazy = clear * t + A * (1 - t)
    exactly; here the haze model with any single t does not hold: sum(w*t*J) is not sum(w*t) * sum(w*J). The error of
    a method on these pixels has a floor that no map can go below."""


class _Stack:
    """Surfaces laid over one another from the farthest to the nearest."""

    def __init__(self, colour: Image, transmission: float) -> None:
        height, width = colour.shape[:2]
        self.clear = colour.astype(np.float32)
        self.lit = self.clear * np.float32(transmission)
        self.transmission = np.full((height, width), transmission, np.float32)
        self.mixed = np.zeros((height, width), np.bool_)

    def lay(self, left: int, top: int, colour: Image, cover: Image, transmission: float | Image) -> None:
        """Lays a surface; colour (h, w, 3) and cover (h, w) may reach over the picture's edge."""
        height, width = self.transmission.shape
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + cover.shape[1], width), min(top + cover.shape[0], height)
        if x1 <= x0 or y1 <= y0:
            return
        here = (slice(y0, y1), slice(x0, x1))
        part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        cover, colour = cover[part], colour[part]
        share = cover[..., None]
        local = transmission[part] if isinstance(transmission, np.ndarray) else np.float32(transmission)
        lit = colour * (local[..., None] if isinstance(local, np.ndarray) else local)
        partly = (cover > 0) & (cover < 1) & (np.abs(self.transmission[here] - local) > 1e-3)
        self.mixed[here] = (self.mixed[here] & (cover < 1)) | partly
        self.clear[here] += share * (colour - self.clear[here])
        self.lit[here] += share * (lit - self.lit[here])
        self.transmission[here] += cover * (local - self.transmission[here])

    def sprite(self, texture: Texture, left: float, bottom: float, transmission: float) -> None:
        """Lays a painted plant whose foot is at `bottom`."""
        rgb, alpha = texture.at(1e9, 1e9)
        if alpha is None:
            raise ValueError("a sprite needs coverage")
        cover = alpha.astype(np.float32) / np.float32(255)
        colour = rgb.astype(np.float32) / np.float32(255)
        self.lay(round(left), round(bottom - cover.shape[0]), colour, cover, transmission)


def poles_and_branches(width: int = 1920, height: int = 1080, seed: int = 0) -> EdgePicture:
    """Draws poles, wires, bare branches and foliage against the sky, over a field that runs into the haze.

    Every edge is anti-aliased in the physically right order: surfaces are hazed first, each with its own
    transmission, and mixed by coverage afterwards.

    Args:
        width: Pixels, 8 or more.
        height: Pixels, 8 or more; sizes scale with it, so 4K shows the same place as 1080p in finer detail.
        seed: What stands where.

    Returns:
        The picture and its truth.

    Raises:
        ValueError: The picture is too small to draw on.
    """
    if width < 8 or height < 8:
        raise ValueError(f"a picture of {width}x{height} is too small for poles; 8x8 is the least")
    rng = np.random.default_rng([seed, 6])
    airlight = (rng.uniform(0.76, 0.88) + np.array([-0.012, 0.0, 0.015])).astype(np.float32)
    stack = _Stack(_sky(rng, width, height), _SKY)
    _far_wood(rng, stack, 0.80, 0.045, 0.20)
    _field(rng, stack)
    # Each thing is drawn from a source of its own: at 4K a crown has more leaves, and the next must not notice.
    small, bare, thin, crown = rng.spawn(4)
    for own in small.spawn(5):
        x, size = own.uniform(0.0, 0.9), max(16, int(height * own.uniform(0.20, 0.30)))
        texture = paint_leafy(own, size, _light(), 0.15, 0.92, 0.5)
        stack.sprite(texture, x * width, height * (_HORIZON + 0.035), 0.38)
    for own, start in zip(bare.spawn(2), (-0.05, 0.5), strict=True):
        x = start + own.uniform(0.0, 0.25)
        texture = paint_bare(own, max(16, int(0.80 * height)), _light())
        stack.sprite(texture, x * width, height * 0.90, 0.78)
    _wires(thin, stack)
    for x, thick in zip(np.sort(thin.uniform(0.05, 0.95, 6)), _POLES, strict=True):
        _pole(thin, stack, float(x), thick, float(thin.uniform(0.82, 0.92)))
    texture = paint_leafy(crown, max(16, int(0.95 * height)), _light(), 0.1, 0.92, 0.5)
    stack.sprite(texture, width - 0.5 * height, 0.96 * height, 0.88)
    return _finish(stack, airlight)


def _light() -> NDArray[np.float64]:
    return np.array([-0.6, -0.65, 0.35])


def _finish(stack: _Stack, airlight: Image) -> EdgePicture:
    hazy = stack.lit + airlight * (1 - stack.transmission)[..., None]
    return EdgePicture(
        np.clip(np.rint(hazy * 255), 0, 255).astype(np.uint8),
        np.clip(np.rint(stack.clear * 255), 0, 255).astype(np.uint8),
        hazy,
        stack.clear,
        stack.transmission,
        airlight,
        stack.mixed,
    )


def _sky(rng: np.random.Generator, width: int, height: int) -> Image:
    up = np.linspace(1, 0, height, dtype=np.float32)[:, None, None]
    pale, deep = np.array([0.80, 0.86, 0.91], np.float32), np.array([0.34, 0.53, 0.76], np.float32)
    side = 512
    cloud = fractal_noise(rng, side, side, 1.6)
    cloud = np.asarray(cv2.resize(cloud, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    cover = (0.85 * np.clip((cloud.reshape(height, width) - 0.2) / 1.6, 0, 1))[..., None]
    sky = pale + up**0.8 * (deep - pale)
    return np.asarray(sky + cover * (np.float32(0.93) - sky), np.float32)


def _far_wood(rng: np.random.Generator, stack: _Stack, foot: float, tall: float, transmission: float) -> None:
    height, width = stack.transmission.shape
    crest = (foot - tall * (0.5 + 0.5 * ridge_line(rng, np.linspace(-1, 1, width, dtype=np.float32), 0.7))) * height
    top = max(0, int(crest.min()) - 1)
    rows = np.arange(top, height, dtype=np.float32)[:, None]
    cover = np.clip(rows - crest[None, :] + 0.5, 0, 1).astype(np.float32)
    tone = 1 + 0.2 * tiled_noise(rng, height - top, width, 0.6)
    colour = np.array([0.20, 0.27, 0.15], np.float32) * tone[..., None]
    stack.lay(0, top, np.clip(colour, 0, 1), cover, transmission)


def _field(rng: np.random.Generator, stack: _Stack) -> None:
    """Ground whose transmission falls smoothly with its distance."""
    height, width = stack.transmission.shape
    top = int(_HORIZON * height)
    share = (np.arange(height - top, dtype=np.float32)[:, None] + 1) / (height - top)
    transmission = np.broadcast_to(np.exp(-0.07 / share) * 0.8 + 0.16, (height - top, width)).astype(np.float32)
    depth = (1.0 / share).astype(np.float32)
    tile = fractal_noise(rng, 512, 512, 0.7)
    x = (np.arange(width, dtype=np.float32)[None, :] - width / 2) * depth * np.float32(0.6 * 1080 / height)
    grain = cv2.remap(
        tile, (x % 512).astype(np.float32), np.broadcast_to(depth * 240 % 512, x.shape).astype(np.float32),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
    ).reshape(x.shape)  # fmt: skip
    colour = np.array([0.36, 0.41, 0.20], np.float32) * (1 + 0.16 * np.clip(share * 3, 0, 1) * grain)[..., None]
    stack.lay(0, top, np.clip(colour, 0, 1), np.ones(transmission.shape, np.float32), transmission)


def _wires(rng: np.random.Generator, stack: _Stack) -> None:
    height, width = stack.transmission.shape
    x = np.linspace(0, 1, width, dtype=np.float32)
    for _ in range(6):
        start, end = rng.uniform(0.03, 0.42, 2)
        sag = rng.uniform(0.02, 0.10)
        line = (start + (end - start) * x + sag * 4 * x * (1 - x)) * height
        # A sloping wire takes more of a column than its thickness.
        steep = np.sqrt(1 + np.gradient(line) ** 2) if width > 1 else np.ones_like(line)
        half = (rng.uniform(0.0006, 0.0022) * height / 2 * steep).astype(np.float32)
        top = int(line.min() - half.max() - 2)
        rows = np.arange(top, int(line.max() + half.max() + 3), dtype=np.float32)[:, None]
        cover = _covered(rows - line[None, :], half[None, :])
        colour = np.full((*cover.shape, 3), rng.uniform(0.07, 0.16), np.float32)
        stack.lay(0, top, colour, cover, float(rng.uniform(0.7, 0.9)))


def _pole(rng: np.random.Generator, stack: _Stack, x: float, thick: float, transmission: float) -> None:
    """A slightly leaning, tapering pole, lit like a cylinder, with a cross-arm."""
    height, width = stack.transmission.shape
    top, foot = rng.uniform(0.05, 0.3) * height, rng.uniform(0.84, 0.98) * height
    rows = np.arange(int(top), int(foot), dtype=np.float32)[:, None]
    middle = x * width + np.float32(rng.uniform(-0.03, 0.03)) * (rows - foot)
    half = thick * height / 2 * (0.75 + 0.25 * (rows - top) / (foot - top))
    left = int(middle.min() - half.max() - 2)
    across = np.arange(left, int(middle.max() + half.max() + 3), dtype=np.float32)[None, :] - middle
    cover = _covered(across, half)
    round_ = np.clip(across / np.maximum(half, 1), -1, 1)
    tone = (0.95 - 0.32 * round_ - 0.18 * round_**2) * (
        1 + 0.07 * tiled_noise(rng, cover.shape[0], cover.shape[1], 0.5)
    )
    base = np.array([(0.40, 0.34, 0.29), (0.50, 0.52, 0.53), (0.30, 0.31, 0.33)][int(rng.integers(3))], np.float32)
    stack.lay(left, int(top), np.clip(base * tone[..., None], 0, 1).astype(np.float32), cover, transmission)
    if thick > 0.005:
        reach, arm = 0.055 * height, thick * height * 0.3
        y = np.arange(int(top + 3 * arm), int(top + 6 * arm) + 3, dtype=np.float32)[:, None]
        centre = x * width + float(rng.uniform(-0.01, 0.01)) * height
        xs = np.arange(int(centre - reach) - 1, int(centre + reach) + 2, dtype=np.float32)[None, :]
        bar = _covered(y - y.mean(), np.full((1, 1), arm / 2, np.float32)) * _covered(
            xs - np.float32(centre), np.full((1, 1), reach, np.float32)
        )
        colour = np.broadcast_to(base * np.float32(0.7), (*bar.shape, 3)).astype(np.float32)
        stack.lay(int(xs[0, 0]), int(y[0, 0]), colour, bar, transmission)


def _covered(offset: Image, half: Image) -> Image:
    """Share of a unit pixel at `offset` from the middle of a strip of half-width `half` that the strip covers."""
    return np.asarray(np.clip(half + offset, -0.5, 0.5) + np.clip(half - offset, -0.5, 0.5), np.float32)
