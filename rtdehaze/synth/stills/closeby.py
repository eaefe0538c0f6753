"""Things close to the camera before something far; and woods."""

from __future__ import annotations

import numpy as np

from rtdehaze.synth.stills.outlines import outline
from rtdehaze.synth.stills.palette import Material, material, pick
from rtdehaze.synth.stills.props import box, pole, surroundings, tree
from rtdehaze.synth.stills.stage import Stage

__all__ = ["things", "woods"]

_SHAPES = ("ellipse", "blob") * 3 + ("bush", "person") * 2 + ("crown", "frond")
_PATTERNS = ("rough", "smooth", "smooth", "foliage", "stripes", "patches", "grain", "pebbles", "grass", "tiles")
_FAMILIES = ("paint", "white", "white", "stone", "black", "pastel", "leaf", "skin", "warm", "autumn", "wood", "earth")


def things(stage: Stage, rng: np.random.Generator) -> float:
    """A few large things on a ground before a backdrop of shapes.

    Returns:
        Metres to the nearest of them, where a lens would focus.
    """
    scale = float(np.exp(rng.uniform(np.log(0.15), np.log(3))))
    if rng.random() < 0.75:
        surroundings(stage, _any(rng, 1.5 * scale))
    backs = int(rng.integers(3, 40))
    for _ in range(backs):
        z = scale * float(rng.uniform(5, 40))
        size = z * rng.uniform(0.03, 0.3, 2)
        middle = np.array(
            [z * float(rng.uniform(-0.7, 0.7)), float(rng.uniform(-0.1, 0.5)) * z + stage.view.eye[1] * 0.5, z]
        )
        bend = float(rng.uniform(0, 0.9))
        stage.board(
            middle,
            (float(size[0]), float(size[1])),
            _any(rng, z * 0.3),
            outline(rng, pick(rng, *_SHAPES)),
            bend=(bend, bend),
        )
    if rng.random() < 0.4:
        z = scale * float(rng.uniform(6, 30))
        stage.board(np.array([0, 0, z]), (2 * z, 2 * z), _any(rng, z * 0.4))
    near = np.inf
    for _ in range(int(rng.integers(1, 7))):
        z = scale * float(rng.uniform(1.2, 5))
        near = min(near, z)
        _thing(stage, rng, z)
    return near


def _any(rng: np.random.Generator, metres: float) -> Material:
    pattern = pick(rng, *_PATTERNS)
    second = pick(rng, *_FAMILIES) if rng.random() < 0.4 else None
    return material(rng, pick(rng, *_FAMILIES), pattern, metres, (0.03, 0.5), second, gloss=pick(rng, 0, 0, 0, 0.08))


def _thing(stage: Stage, rng: np.random.Generator, z: float) -> None:
    wide, tall = z * rng.uniform(0.08, 0.35, 2)
    x = z * float(rng.uniform(-0.4, 0.4))
    made = _any(rng, float(rng.uniform(0.3, 2)) * float(wide))
    if rng.random() < 0.3:
        box(stage, (x, 0, z), (float(wide), float(tall) * 1.5, float(wide)), float(rng.uniform(0, 3)), made)
        return
    foot = pick(rng, 0.0, 0.0, float(stage.view.eye[1] - tall * rng.uniform(0.3, 1.5)))
    bend = float(rng.uniform(0.2, 0.95))
    mask = outline(rng, pick(rng, *_SHAPES))
    stage.board(
        np.array([x, foot + tall, z]), (float(wide), float(tall)), made, mask, bend=(bend, bend * float(rng.random()))
    )


def woods(stage: Stage, rng: np.random.Generator, season: str) -> None:
    """Trunks and leaves, near and far, on a floor of grass or leaves."""
    cover = pick(rng, "foliage", "grass", "pebbles", "rough")
    surroundings(stage, material(rng, pick(rng, season, "earth", "autumn"), cover, 2.0, (0.25, 0.6)))
    if rng.random() < 0.4:
        half, aside = float(rng.uniform(0.5, 2)), float(rng.uniform(-1, 1))
        path = material(rng, pick(rng, "earth", "sand", "asphalt"), "rough", 2.0)
        edges = ((-half, -5), (-half, 300), (half, 300), (half, -5))
        stage.face(np.array([(aside + x, 0.02, z) for x, z in edges], np.float32), path, shadow=False)
    barks = pick(rng, "wood", "stone", "earth", "black", "white"), "wood"
    bark = [material(rng, pick(rng, *barks), "grain", 1.0, (0.2, 0.5)) for _ in range(3)]
    deep = float(rng.uniform(30, 150))

    def place(near: float, level: float) -> tuple[float, float, float]:
        z = near + deep * float(rng.random()) ** 1.3
        return z * float(rng.uniform(-0.65, 0.65)), level, z

    for _ in range(int(rng.integers(15, 60))):
        tall, radius = rng.uniform((6, 0.08), (25, 0.35)).tolist()
        pole(stage, rng, place(2.5, -0.05), tall, radius, pick(rng, *bark))
    for _ in range(int(rng.integers(10, 60))):
        tree(stage, rng, place(4.0, 0.0), float(rng.uniform(0.5, 9)), None, season)
    for _ in range(int(rng.integers(0, 25))):
        leaves, size = material(rng, season, "foliage", 2.0, (0.3, 0.6)), float(rng.uniform(0.8, 3))
        middle = np.array(place(3.0, float(rng.uniform(2, 10))))
        stage.board(middle, (size, size), leaves, outline(rng, pick(rng, "frond", "bush")), bend=(0.5, 0.5))
