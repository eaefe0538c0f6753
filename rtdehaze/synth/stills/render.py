"""Still scenes for learning: varied pictures without haze whose depth is exactly known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.noise import fractal_noise
from rtdehaze.synth.stills.closeby import things, woods
from rtdehaze.synth.stills.develop import develop
from rtdehaze.synth.stills.heaven import reflect, sky
from rtdehaze.synth.stills.indoors import room
from rtdehaze.synth.stills.landscape import open_country
from rtdehaze.synth.stills.leaves import dead_leaves
from rtdehaze.synth.stills.palette import daylight, pick, room_light
from rtdehaze.synth.stills.shade import shade
from rtdehaze.synth.stills.stage import Stage, View
from rtdehaze.synth.stills.town import from_above, square, street

__all__ = ["KINDS", "render_still"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Scene:
    """A scene before it is developed."""

    light: Floats
    """(H, W, 3), linear RGB."""
    stage: Stage
    focus: float | None = None
    """Metres in focus, None for everything."""


def render_still(
    seed: int, kind: str | None = None, size: tuple[int, int] = (320, 448)
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Renders one still scene without haze.

    Args:
        seed: The same seed, kind and size give the same picture, in every process.
        kind: One of `KINDS`; drawn from the seed where None.
        size: (height, width) in pixels, at least 16 each.

    Returns:
        The picture, (H, W, 3) uint8 RGB, and the distance along each pixel's ray in metres, (H, W) float32,
        infinite for the sky.

    Raises:
        ValueError: The kind is unknown or the size too small.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(KINDS)}")
    if min(size) < 16:
        raise ValueError(f"a picture of {size[0]}x{size[1]} is too small; both sides must be 16 or more")
    rng = np.random.default_rng([seed, 77])
    drawn = list(KINDS)[int(rng.choice(len(KINDS), p=_SHARES))]
    scene = KINDS[kind or drawn](rng, size)
    length = np.linalg.norm(scene.stage.view.rays, axis=-1)
    depth = np.asarray(scene.stage.depth * length, np.float32)
    return develop(rng, scene.light, scene.stage.depth, scene.focus), depth


def _season(rng: np.random.Generator) -> str:
    return pick(rng, *("leaf",) * 11, "autumn", "autumn", "earth", "snow")


def _cloud(rng: np.random.Generator) -> float:
    return float(rng.uniform(*pick(rng, (0.0, 0.3), (0.0, 0.3), (0.3, 0.75), (0.85, 1.0))))


def _outdoors(
    rng: np.random.Generator, view: View, build: Callable[[Stage, np.random.Generator, str], object], reach: float
) -> _Scene:
    cloud = _cloud(rng)
    light = daylight(rng, cloud)
    stage = Stage(view)
    water = build(stage, rng, _season(rng))
    picture = shade(stage, light, sky(rng, view, light, cloud), float(rng.uniform(0.4, 1.0)), reach)
    if isinstance(water, np.ndarray) and water.any():
        picture = _lake(rng, view, picture, water)
    return _Scene(picture, stage)


def _lake(rng: np.random.Generator, view: View, picture: Floats, water: NDArray[np.bool_]) -> Floats:
    rows, columns = water.shape
    horizon = (rows - 1) / 2 + float(view.forward[1] / view.forward[2]) * view.focal
    below = np.maximum(np.arange(rows, dtype=np.float32) - np.float32(horizon), 1)[:, None]
    waves = cv2.resize(fractal_noise(rng, 128, 128, 0.9, 0.2), (columns, rows), interpolation=cv2.INTER_LINEAR)
    ripple = waves * below * np.float32(rng.uniform(0.01, 0.25))
    share = np.clip(rng.uniform(0.6, 0.95) - below / rows * rng.uniform(0.4, 1.2) + 0.1 * waves, 0.1, 0.95)
    return reflect(picture, horizon, water, ripple, share.astype(np.float32))


def _view(
    rng: np.random.Generator, size: tuple[int, int], height: tuple[float, float], pitch: tuple[float, float]
) -> View:
    focal = float(np.exp(rng.uniform(np.log(0.6), np.log(1.8))))
    return View(size, focal, float(rng.uniform(*height)), float(rng.uniform(*pitch)), float(rng.normal(0, 0.02)))


def _landscape(rng: np.random.Generator, size: tuple[int, int]) -> _Scene:
    height = (1.5, 4.0) if rng.random() < 0.6 else (5.0, 60.0)
    focal = float(np.exp(rng.uniform(np.log(0.6), np.log(1.8))))
    view = View(size, focal, float(rng.uniform(*height)), float(rng.uniform(-0.15, 0.12)))
    return _outdoors(rng, view, open_country, 150.0)


def _street(rng: np.random.Generator, size: tuple[int, int]) -> _Scene:
    return _outdoors(rng, _view(rng, size, (1.2, 4.0), (-0.12, 0.15)), street, 70.0)


def _square(rng: np.random.Generator, size: tuple[int, int]) -> _Scene:
    return _outdoors(rng, _view(rng, size, (1.2, 5.0), (-0.2, 0.15)), square, 70.0)


def _above(rng: np.random.Generator, size: tuple[int, int]) -> _Scene:
    return _outdoors(rng, _view(rng, size, (25.0, 120.0), (-0.45, -0.05)), from_above, 500.0)


def _woods(rng: np.random.Generator, size: tuple[int, int]) -> _Scene:
    return _outdoors(rng, _view(rng, size, (1.0, 2.5), (-0.15, 0.25)), woods, 60.0)


def _room(rng: np.random.Generator, size: tuple[int, int]) -> _Scene:
    light = room_light(rng)
    view = _view(rng, size, (1.0, 1.9), (-0.3, 0.1))
    stage = Stage(view)
    lamp = room(stage, rng)
    picture = shade(stage, light, np.ones((*size, 3), np.float32), float(rng.uniform(0.6, 1.0)), 0.0, lamp)
    return _Scene(picture, stage)


def _things(rng: np.random.Generator, size: tuple[int, int]) -> _Scene:
    cloud = _cloud(rng)
    light = daylight(rng, cloud) if rng.random() < 0.7 else room_light(rng)
    focal = float(rng.uniform(0.8, 2.0))
    view = View(size, focal, float(rng.uniform(0.1, 1.5)), float(rng.uniform(-0.3, 0.1)), float(rng.normal(0, 0.05)))
    stage = Stage(view)
    near = things(stage, rng)
    picture = shade(stage, light, sky(rng, view, light, cloud), float(rng.uniform(0.4, 1.0)), 15.0)
    return _Scene(picture, stage, near if rng.random() < 0.6 else None)


def _leaves(rng: np.random.Generator, size: tuple[int, int]) -> _Scene:
    cloud = _cloud(rng)
    light = daylight(rng, cloud)
    view = View(size, float(rng.uniform(0.8, 1.5)), 1.5)
    stage = Stage(view)
    dead_leaves(stage, rng)
    backdrop = sky(rng, view, light, cloud)
    if rng.random() < 0.35:
        _open_sky(rng, stage)
    return _Scene(shade(stage, light, backdrop, float(rng.uniform(0, 0.6)), 0.0), stage)


def _open_sky(rng: np.random.Generator, stage: Stage) -> None:
    """Takes the farthest shapes of the upper part away, so that the sky shows between the others."""
    rows = stage.view.size[0]
    far = stage.depth > np.quantile(stage.depth, rng.uniform(0.5, 0.85))
    far &= (np.arange(rows) < rng.uniform(0.3, 0.8) * rows)[:, None]
    stage.part[far], stage.depth[far] = 0, np.inf


KINDS: dict[str, Callable[[np.random.Generator, tuple[int, int]], _Scene]] = {
    "above": _above,
    "landscape": _landscape,
    "leaves": _leaves,
    "room": _room,
    "square": _square,
    "street": _street,
    "things": _things,
    "woods": _woods,
}
"""What a still scene can be of."""
_SHARES = (0.1, 0.2, 0.15, 0.16, 0.08, 0.15, 0.1, 0.06)
