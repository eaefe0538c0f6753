"""Rooms: walls, floor, windows, pictures, furniture made of boxes, things on it, people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.stills.interior import furniture
from rtdehaze.synth.stills.palette import Material, material, pick
from rtdehaze.synth.stills.props import person
from rtdehaze.synth.stills.stage import Stage

__all__ = ["room"]

_HUNG = ("picture",) * 4 + ("window", "nothing") * 3 + ("door", "shelf") * 2
_BEHIND = 3.0  # metres of room behind the camera

Floats = NDArray[np.float32]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Room:
    """The room's measures; its walls are turned against the camera's axes."""

    wide: float
    """Metres."""
    deep: float
    """Metres from the camera to the far wall."""
    high: float
    """Metres."""
    turn: float
    """Radians."""
    aside: float
    """Metres from the middle to where the camera stands."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Room:
        wide, deep, high = rng.uniform((2.5, 3.0, 2.3), (8.0, 12.0, 3.6)).tolist()
        return cls(wide, deep, high, float(rng.normal(0, 0.35)), float(rng.uniform(-0.3, 0.3)) * wide)

    def at(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """A place given along the room's own axes, in the world."""
        c, s = float(np.cos(self.turn)), float(np.sin(self.turn))
        return (x - self.aside) * c + z * s, y, z * c - (x - self.aside) * s


def room(stage: Stage, rng: np.random.Generator) -> Floats:
    """A room seen from inside.

    Returns:
        (3,), metres: where its lamp is.
    """
    inside = _Room.draw(rng)
    half = inside.wide / 2
    _shell(stage, rng, inside)
    for _ in range(int(rng.integers(2, 11))):
        x, z = float(rng.uniform(-half, half)), float(rng.uniform(1.4, inside.deep))
        turn = inside.turn + float(pick(rng, 0.0, 0.0, np.pi / 2, rng.uniform(0, 3)))
        by_wall = abs(x) > 0.7 * half or z > inside.deep - 1
        furniture(stage, rng, inside.at(x * 0.85, 0, z), turn, by_wall)
    for _ in range(pick(rng, 0, 0, 0, 1, 3)):
        person(stage, rng, inside.at(float(rng.uniform(-0.8, 0.8)) * half, 0, float(rng.uniform(1.2, inside.deep))))
    x, y, z = rng.uniform((-0.8 * half, 0.6 * inside.high, -1.0), (0.8 * half, 0.95 * inside.high, 0.9 * inside.deep))
    return np.array(inside.at(float(x), float(y), float(z)), np.float32)


def _shell(stage: Stage, rng: np.random.Generator, inside: _Room) -> None:
    """Floor, ceiling, and three walls with what hangs on them."""
    half, deep, high = inside.wide / 2, inside.deep, inside.high
    ground, pattern = (
        pick(rng, "wood", "wood", "stone", "white", "earth", "warm"),
        pick(rng, "planks", "tiles", "rough"),
    )
    floor = material(rng, ground, pattern, 1.6, (0.05, 0.3), gloss=pick(rng, 0.0, 0.03, 0.1))
    ceiling = material(rng, pick(rng, "white", "white", "pastel"), "smooth", 3.0, (0.01, 0.06))
    plan = ((-half, -_BEHIND), (half, -_BEHIND), (half, deep), (-half, deep))
    for level, made in ((0.0, floor), (high, ceiling)):
        stage.face(np.array([inside.at(x, level, z) for x, z in plan]), made, shadow=False)
    common, middle = _wall(rng), np.array(inside.at(0, 0, deep / 2))
    for start, end in ((3, 2), (0, 3), (2, 1)):
        made = common if rng.random() < 0.7 else _wall(rng)
        a, b = (np.array(inside.at(plan[i][0], 0, plan[i][1])) for i in (start, end))
        stage.face(np.array([a + (0, high, 0), b + (0, high, 0), b, a]), made, shadow=False)
        _on_wall(stage, rng, a, b, high, middle)


def _wall(rng: np.random.Generator) -> Material:
    kind = rng.random()
    if kind < 0.65:
        family = pick(rng, "white", "pastel", "pastel", "sand", "stone", "warm", "paint")
        return material(rng, family, "smooth", 4.0, (0.01, 0.08))
    if kind < 0.85:
        family, pattern = (
            pick(rng, "pastel", "paint", "brick", "sand"),
            pick(rng, "stripes", "brick", "tiles", "patches"),
        )
        return material(rng, family, pattern, 1.5, (0.03, 0.2))
    return material(rng, pick(rng, "wood", "stone", "earth"), pick(rng, "planks", "rough", "brick"), 2.0, (0.1, 0.35))


def _on_wall(stage: Stage, rng: np.random.Generator, a: Vector, b: Vector, high: float, middle: Vector) -> None:
    """Pictures, windows, doors and shelves along the wall from `a` to `b`."""
    length = float(np.linalg.norm(b - a))
    along = (b - a) / length
    inward = np.array([-along[2], 0, along[0]])
    inward *= np.sign(float(inward @ (middle - (a + b) / 2)))
    place = float(rng.uniform(0, 1))
    while place < length - 0.7:
        kind, wide = pick(rng, *_HUNG), float(rng.uniform(0.4, 1.8))
        low, top = {
            "picture": (1.1, 1.1 + wide * float(rng.uniform(0.5, 1.2))),
            "window": (float(rng.uniform(0.3, 1.0)), high - 0.3),
            "door": (0.0, 2.05),
            "shelf": (0.0, float(rng.uniform(0.8, high))),
            "nothing": (0.0, 0.0),
        }[kind]
        if kind != "nothing":
            made, frame = _hung(rng, kind)
            out = float(rng.uniform(0.2, 0.45)) if kind == "shelf" else 0.03
            for margin, off, face in ((0.06, out, frame), (0.0, out + 0.012, made)):
                p, q = (a + along * (place + x) + inward * off for x in (-margin, wide + margin))
                up, down = (0, min(top + margin, high), 0), (0, max(low - margin, 0), 0)
                stage.face(np.array([p + up, q + up, q + down, p + down]), face, shadow=False)
        place += wide + float(rng.uniform(0.15, 1.5))


def _hung(rng: np.random.Generator, kind: str) -> tuple[Material, Material]:
    """What hangs there, and its frame."""
    frame = material(rng, pick(rng, "wood", "white", "black", "stone"), "planks", 1.0, (0.02, 0.2))
    if kind == "picture":
        family, second = pick(rng, "paint", "pastel", "leaf", "black"), pick(rng, "paint", "white", "warm")
        return material(rng, family, "patches", 0.9, (0.2, 0.7), second), frame
    if kind == "window":
        bright = float(np.exp(rng.uniform(np.log(0.6), np.log(6))))
        family, second = pick(rng, "white", "pastel"), pick(rng, "white", "leaf")
        return material(rng, family, pick(rng, "smooth", "foliage"), 2.0, (0.02, 0.3), second, glow=bright), frame
    if kind == "shelf":
        family, second = pick(rng, "wood", "paint", "warm"), pick(rng, "paint", "white", "black")
        return material(rng, family, pick(rng, "books", "books", "patches"), 1.2, (0.15, 0.5), second), frame
    return material(rng, pick(rng, "wood", "white", "pastel"), "planks", 2.0, (0.02, 0.2)), frame
