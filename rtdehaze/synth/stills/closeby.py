"""Things close to the camera before something far; and woods."""

from __future__ import annotations

import numpy as np

from rtdehaze.synth.stills.outlines import outline
from rtdehaze.synth.stills.palette import Material, material
from rtdehaze.synth.stills.props import box, pole, surroundings, tree
from rtdehaze.synth.stills.stage import Stage

__all__ = ["things", "woods"]

_SHAPES = ("ellipse", "blob", "bush", "person", "crown", "frond")
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
            outline(rng, str(rng.choice(_SHAPES))),
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
    pattern = str(
        rng.choice(["rough", "smooth", "smooth", "foliage", "stripes", "patches", "grain", "pebbles", "grass", "tiles"])
    )
    second = str(rng.choice(_FAMILIES)) if rng.random() < 0.4 else None
    return material(
        rng, str(rng.choice(_FAMILIES)), pattern, metres, (0.03, 0.5), second, gloss=float(rng.choice([0, 0, 0, 0.08]))
    )


def _thing(stage: Stage, rng: np.random.Generator, z: float) -> None:
    wide, tall = z * rng.uniform(0.08, 0.35, 2)
    x = z * float(rng.uniform(-0.4, 0.4))
    made = _any(rng, float(rng.uniform(0.3, 2)) * float(wide))
    if rng.random() < 0.3:
        box(stage, (x, 0, z), (float(wide), float(tall) * 1.5, float(wide)), float(rng.uniform(0, 3)), made)
        return
    foot = float(rng.choice([0.0, 0.0, stage.view.eye[1] - tall * rng.uniform(0.3, 1.5)]))
    bend = float(rng.uniform(0.2, 0.95))
    mask = outline(rng, str(rng.choice(_SHAPES, p=[0.3, 0.25, 0.13, 0.16, 0.08, 0.08])))
    stage.board(
        np.array([x, foot + tall, z]), (float(wide), float(tall)), made, mask, bend=(bend, bend * float(rng.random()))
    )


def woods(stage: Stage, rng: np.random.Generator, season: str) -> None:
    """Trunks and leaves, near and far, on a floor of grass or leaves."""
    surroundings(
        stage,
        material(
            rng,
            str(rng.choice([season, "earth", "autumn"])),
            str(rng.choice(["foliage", "grass", "pebbles", "rough"])),
            2.0,
            (0.25, 0.6),
        ),
    )
    if rng.random() < 0.4:
        half, aside = float(rng.uniform(0.5, 2)), float(rng.uniform(-1, 1))
        path = material(rng, str(rng.choice(["earth", "sand", "asphalt"])), "rough", 2.0)
        corners = [
            (aside - half, 0.02, -5),
            (aside - half, 0.02, 300),
            (aside + half, 0.02, 300),
            (aside + half, 0.02, -5),
        ]
        stage.face(np.array(corners, np.float32), path, shadow=False)
    bark = [
        material(rng, str(rng.choice(["wood", "stone", "earth", "black", "white"])), "grain", 1.0, (0.2, 0.5))
        for _ in range(3)
    ]
    deep = float(rng.uniform(30, 150))
    for _ in range(int(rng.integers(15, 60))):
        z = 2.5 + deep * float(rng.random()) ** 1.3
        x = z * float(rng.uniform(-0.65, 0.65))
        pole(
            stage,
            rng,
            (x, -0.05, z),
            float(rng.uniform(6, 25)),
            float(rng.uniform(0.08, 0.35)),
            bark[int(rng.integers(3))],
        )
    for _ in range(int(rng.integers(10, 60))):
        z = 4 + deep * float(rng.random()) ** 1.2
        tree(stage, rng, (z * float(rng.uniform(-0.65, 0.65)), 0, z), float(rng.uniform(0.5, 9)), None, season)
    for _ in range(int(rng.integers(0, 25))):
        z = 3 + 0.6 * deep * float(rng.random())
        leaves = material(rng, season, "foliage", 2.0, (0.3, 0.6))
        middle = np.array([z * float(rng.uniform(-0.6, 0.6)), float(rng.uniform(2, 10)), z])
        size = float(rng.uniform(0.8, 3))
        stage.board(middle, (size, size), leaves, outline(rng, str(rng.choice(["frond", "bush"]))), bend=(0.5, 0.5))
