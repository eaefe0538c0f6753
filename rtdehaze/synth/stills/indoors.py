"""Rooms: walls, floor, windows, pictures, furniture made of boxes, things on it, people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.stills.outlines import outline
from rtdehaze.synth.stills.palette import Material, material
from rtdehaze.synth.stills.props import box, person
from rtdehaze.synth.stills.stage import Stage

__all__ = ["room"]

Floats = NDArray[np.float32]


def room(stage: Stage, rng: np.random.Generator) -> Floats:
    """A room seen from inside, its walls turned at random.

    Returns:
        (3,), metres: where its lamp is.
    """
    wide, deep, high = float(rng.uniform(2.5, 8)), float(rng.uniform(3, 12)), float(rng.uniform(2.3, 3.6))
    turn = float(rng.normal(0, 0.35))
    aside = float(rng.uniform(-0.3, 0.3)) * wide
    c, s = np.cos(turn), np.sin(turn)

    def at(x: float, y: float, z: float) -> list[float]:
        return [(x - aside) * c + z * s, y, z * c - (x - aside) * s]

    half, behind = wide / 2, -3.0
    floor = material(
        rng,
        str(rng.choice(["wood", "wood", "stone", "white", "earth", "warm"])),
        str(rng.choice(["planks", "tiles", "rough", "stripes"])),
        1.6,
        (0.05, 0.3),
        gloss=float(rng.choice([0, 0.03, 0.1])),
    )
    ceiling = material(rng, str(rng.choice(["white", "white", "pastel"])), "smooth", 3.0, (0.01, 0.06))
    stage.face(
        np.array([at(-half, 0, behind), at(half, 0, behind), at(half, 0, deep), at(-half, 0, deep)]),
        floor,
        shadow=False,
    )
    stage.face(
        np.array([at(-half, high, behind), at(half, high, behind), at(half, high, deep), at(-half, high, deep)]),
        ceiling,
        shadow=False,
    )
    walls = [
        (at(-half, 0, deep), at(half, 0, deep)),
        (at(-half, 0, behind), at(-half, 0, deep)),
        (at(half, 0, deep), at(half, 0, behind)),
    ]
    common = _wall(rng)
    centre = np.array(at(0, 0, deep / 2))
    for low, far in walls:
        made = common if rng.random() < 0.7 else _wall(rng)
        a, b = np.array(low), np.array(far)
        stage.face(np.array([a + (0, high, 0), b + (0, high, 0), b, a]), made, shadow=False)
        _on_wall(stage, rng, a, b, high, centre)
    for _ in range(int(rng.integers(2, 11))):
        x, z = float(rng.uniform(-half, half)), float(rng.uniform(0.9, deep))
        _furniture(
            stage,
            rng,
            at(x * 0.85, 0, z),
            turn + float(rng.choice([0, 0, np.pi / 2, rng.uniform(0, 3)])),
            (abs(x) / half > 0.7) or z > deep - 1,
        )
    for _ in range(int(rng.choice([0, 0, 0, 1, 3]))):
        x, y, z = at(float(rng.uniform(-0.4, 0.4)) * wide, 0, float(rng.uniform(1.2, deep)))
        person(stage, rng, (x, y, z))
    lamp = at(
        float(rng.uniform(-0.4, 0.4)) * wide, high * float(rng.uniform(0.6, 0.95)), float(rng.uniform(-1, 0.9 * deep))
    )
    return np.asarray(lamp, np.float32)


def _wall(rng: np.random.Generator) -> Material:
    kind = rng.random()
    if kind < 0.65:
        return material(
            rng,
            str(rng.choice(["white", "pastel", "pastel", "sand", "stone", "warm", "paint"])),
            "smooth",
            4.0,
            (0.01, 0.08),
        )
    if kind < 0.85:
        return material(
            rng,
            str(rng.choice(["pastel", "paint", "brick", "sand"])),
            str(rng.choice(["stripes", "brick", "tiles", "patches"])),
            1.5,
            (0.03, 0.2),
        )
    return material(
        rng,
        str(rng.choice(["wood", "stone", "earth"])),
        str(rng.choice(["planks", "rough", "brick"])),
        2.0,
        (0.1, 0.35),
    )


def _on_wall(
    stage: Stage,
    rng: np.random.Generator,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    high: float,
    centre: NDArray[np.float64],
) -> None:
    """Pictures, windows, doors, curtains and shelves on the wall from `a` to `b`."""
    along = (b - a) / np.linalg.norm(b - a)
    length = float(np.linalg.norm(b - a))
    inward = np.array([-along[2], 0, along[0]])
    inward *= np.sign(float(inward @ (centre - (a + b) / 2)))
    place, gap = float(rng.uniform(0, 1)), 0.0
    while place < length - 0.7:
        kind = str(rng.choice(["picture", "window", "door", "shelf", "nothing"], p=[0.3, 0.22, 0.13, 0.15, 0.2]))
        wide = float(rng.uniform(0.4, 1.8))
        low, top = {
            "picture": (1.1, 1.1 + wide * float(rng.uniform(0.5, 1.2))),
            "window": (float(rng.uniform(0.3, 1.0)), high - 0.3),
            "door": (0.0, 2.05),
            "shelf": (0.0, float(rng.uniform(0.8, high))),
            "nothing": (0, 0),
        }[kind]
        if kind != "nothing":
            made, frame = _hung(rng, kind)
            depth = float(rng.uniform(0.2, 0.45)) if kind == "shelf" else 0.03
            for grow, out, face in ((0.06, depth, frame), (0.0, depth + 0.012, made)):
                p, q = a + along * (place - grow) + inward * out, a + along * (place + wide + grow) + inward * out
                up, down = (0, min(top + grow, high), 0), (0, max(low - grow, 0), 0)
                stage.face(np.array([p + up, q + up, q + down, p + down]), face, shadow=False)
        gap = float(rng.uniform(0.15, 1.5))
        place += wide + gap


def _hung(rng: np.random.Generator, kind: str) -> tuple[Material, Material]:
    frame = material(rng, str(rng.choice(["wood", "white", "black", "stone"])), "planks", 1.0, (0.02, 0.2))
    if kind == "picture":
        return material(
            rng,
            str(rng.choice(["paint", "pastel", "leaf", "black"])),
            "patches",
            0.9,
            (0.2, 0.7),
            second=str(rng.choice(["paint", "white", "warm"])),
        ), frame
    if kind == "window":
        bright = float(np.exp(rng.uniform(np.log(0.6), np.log(6))))
        return material(
            rng,
            str(rng.choice(["white", "pastel"])),
            str(rng.choice(["smooth", "foliage"])),
            2.0,
            (0.02, 0.3),
            second=str(rng.choice(["white", "leaf"])),
            glow=bright,
        ), frame
    if kind == "shelf":
        return material(
            rng,
            str(rng.choice(["wood", "paint", "warm"])),
            str(rng.choice(["books", "books", "patches"])),
            1.2,
            (0.15, 0.5),
            second=str(rng.choice(["paint", "white", "black"])),
        ), frame
    return material(rng, str(rng.choice(["wood", "white", "pastel"])), "planks", 2.0, (0.02, 0.2)), frame


def _furniture(stage: Stage, rng: np.random.Generator, foot: list[float], turn: float, by_wall: bool) -> None:
    """A cupboard, a table with legs, a bed or sofa; on it small things."""
    x, y, z = foot
    cloth = material(
        rng,
        str(rng.choice(["paint", "stone", "pastel", "white", "warm", "black", "brick"])),
        str(rng.choice(["rough", "stripes", "smooth", "patches"])),
        0.9,
        (0.05, 0.3),
    )
    wood = material(
        rng,
        str(rng.choice(["wood", "wood", "white", "black", "stone"])),
        str(rng.choice(["planks", "grain", "smooth"])),
        1.0,
        (0.05, 0.25),
        gloss=float(rng.choice([0, 0.04])),
    )
    kind = rng.random()
    if by_wall and kind < 0.5:
        size = (float(rng.uniform(0.5, 1.8)), float(rng.uniform(0.8, 2.2)), float(rng.uniform(0.3, 0.6)))
        box(stage, (x, y, z), size, turn, wood)
        level, spread = size[1], (size[0], size[2])
    elif kind < 0.65:
        spread, level = (float(rng.uniform(0.6, 1.8)), float(rng.uniform(0.5, 1.0))), float(rng.uniform(0.4, 0.8))
        c, s = np.cos(turn), np.sin(turn)
        for dx in (-0.45, 0.45):
            for dz in (-0.42, 0.42):
                u, v = dx * spread[0], dz * spread[1]
                box(stage, (x + u * c - v * s, y, z + u * s + v * c), (0.06, level, 0.06), turn, wood)
        box(stage, (x, level - 0.04, z), (spread[0], 0.05, spread[1]), turn, wood)
    else:
        spread, level = (float(rng.uniform(0.5, 2.1)), float(rng.uniform(0.5, 1.6))), float(rng.uniform(0.35, 0.55))
        box(stage, (x, y, z), (spread[0], level, spread[1]), turn, cloth)
        if rng.random() < 0.7:
            back = spread[1] * 0.45
            box(
                stage,
                (x - back * -np.sin(turn), y, z + back * np.cos(turn)),
                (spread[0], level + float(rng.uniform(0.2, 0.6)), 0.15),
                turn,
                cloth,
            )
    for _ in range(int(rng.choice([0, 1, 3, 6]))):
        _trinket(
            stage,
            rng,
            (x + spread[0] * float(rng.uniform(-0.35, 0.35)), level, z + spread[1] * float(rng.uniform(-0.3, 0.3))),
        )


def _trinket(stage: Stage, rng: np.random.Generator, foot: tuple[float, float, float]) -> None:
    size = rng.uniform(0.04, 0.3, 3)
    made = material(
        rng,
        str(rng.choice(["paint", "white", "black", "pastel", "leaf", "warm", "stone"])),
        str(rng.choice(["smooth", "patches", "stripes", "foliage"])),
        0.4,
        (0.03, 0.4),
        gloss=float(rng.choice([0, 0.08])),
        glow=float(rng.choice([0, 0, 0, 0, 0, 2.5])),
    )
    if rng.random() < 0.5:
        box(stage, foot, tuple(size), float(rng.uniform(0, 3)), made)
    else:
        mask = outline(rng, str(rng.choice(["ellipse", "blob", "bush"])))
        stage.board(
            np.array(foot) + (0, size[1] / 2, 0),
            (size[0] / 2, size[1] / 2),
            made,
            mask,
            bend=(0.95, float(rng.uniform(0, 0.9))),
        )
