"""What stands in rooms: cupboards, tables, beds and sofas, and small things on them."""

from __future__ import annotations

import numpy as np

from rtdehaze.synth.stills.outlines import outline
from rtdehaze.synth.stills.palette import Material, material, pick
from rtdehaze.synth.stills.props import box
from rtdehaze.synth.stills.stage import Stage

__all__ = ["furniture"]

Place = tuple[float, float, float]


def furniture(stage: Stage, rng: np.random.Generator, foot: Place, turn: float, by_wall: bool) -> None:
    """A piece of furniture with what lies on it.

    Args:
        stage: Where to.
        rng: Source of randomness.
        foot: The middle of its foot, metres.
        turn: About the upright, radians.
        by_wall: Whether it may be a cupboard.
    """
    family = pick(rng, "wood", "wood", "white", "black", "stone")
    wood = material(rng, family, pick(rng, "planks", "grain", "smooth"), 1.0, (0.05, 0.25), gloss=pick(rng, 0.0, 0.04))
    kind = rng.random()
    if by_wall and kind < 0.5:
        wide, level, deep = rng.uniform((0.5, 0.8, 0.3), (1.8, 2.2, 0.6)).tolist()
        box(stage, foot, (wide, level, deep), turn, wood)
    elif kind < 0.65:
        wide, level, deep = rng.uniform((0.6, 0.4, 0.5), (1.8, 0.8, 1.0)).tolist()
        _table(stage, foot, (wide, level, deep), turn, wood)
    else:
        wide, level, deep = rng.uniform((0.5, 0.35, 0.5), (2.1, 0.55, 1.6)).tolist()
        _couch(stage, rng, foot, (wide, level, deep), turn)
    for _ in range(pick(rng, 0, 1, 3, 6)):
        x, z = float(rng.uniform(-0.35, 0.35)) * wide, float(rng.uniform(-0.3, 0.3)) * deep
        _trinket(stage, rng, (foot[0] + x, level, foot[2] + z))


def _table(stage: Stage, foot: Place, size: Place, turn: float, wood: Material) -> None:
    wide, high, deep = size
    c, s = float(np.cos(turn)), float(np.sin(turn))
    for x in (-0.45 * wide, 0.45 * wide):
        for z in (-0.42 * deep, 0.42 * deep):
            box(stage, (foot[0] + x * c - z * s, 0.0, foot[2] + x * s + z * c), (0.06, high, 0.06), turn, wood)
    box(stage, (foot[0], high - 0.04, foot[2]), (wide, 0.05, deep), turn, wood)


def _couch(stage: Stage, rng: np.random.Generator, foot: Place, size: Place, turn: float) -> None:
    """A bed, or with a back a sofa or an armchair."""
    family = pick(rng, "paint", "stone", "pastel", "white", "warm", "black", "brick")
    cloth = material(rng, family, pick(rng, "rough", "stripes", "smooth", "patches"), 0.9, (0.05, 0.3))
    box(stage, foot, size, turn, cloth)
    if rng.random() < 0.7:
        back = size[2] * 0.45
        place = (foot[0] - back * float(np.sin(turn)), 0.0, foot[2] + back * float(np.cos(turn)))
        box(stage, place, (size[0], size[1] + float(rng.uniform(0.2, 0.6)), 0.15), turn, cloth)


def _trinket(stage: Stage, rng: np.random.Generator, foot: Place) -> None:
    """A book, a vase, a plant, a lamp."""
    wide, high, deep = rng.uniform(0.04, 0.3, 3).tolist()
    family = pick(rng, "paint", "white", "black", "pastel", "leaf", "warm", "stone")
    pattern = pick(rng, "smooth", "patches", "stripes", "foliage")
    glow = 2.5 if rng.random() < 0.15 else 0.0
    made = material(rng, family, pattern, 0.4, (0.03, 0.4), gloss=pick(rng, 0.0, 0.08), glow=glow)
    if rng.random() < 0.5:
        box(stage, foot, (wide, high, deep), float(rng.uniform(0, 3)), made)
        return
    middle = np.array(foot) + (0, high / 2, 0)
    shape = outline(rng, pick(rng, "ellipse", "blob", "bush"))
    stage.board(middle, (wide / 2, high / 2), made, shape, bend=(0.95, float(rng.uniform(0, 0.9))))
