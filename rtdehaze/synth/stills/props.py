"""Things that stand about in several kinds of scene: boxes, buildings, trees, people, cars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtdehaze.synth.stills.outlines import outline
from rtdehaze.synth.stills.palette import Material, material, pick
from rtdehaze.synth.stills.stage import Stage, cross

__all__ = ["Look", "backdrop", "box", "building", "car", "person", "pole", "surroundings", "tree"]

_WALLS = ("stone",) * 3 + ("pastel", "brick", "sand") * 2 + ("white", "paint", "warm")
_TREES = ("crown",) * 5 + ("fir", "fir", "bare", "bush")
_PAINTS = ("white", "black", "stone", "paint") * 2 + ("pastel",)


def box(
    stage: Stage,
    foot: tuple[float, float, float],
    size: tuple[float, float, float],
    turn: float,
    sides: Material,
    top: Material | None = None,
    shadow: bool = True,
) -> None:
    """A box with its foot's middle at `foot`, (width, height, depth) `size`, turned about the upright by radians."""
    w, h, d = (np.asarray(size) / (2, 1, 2)).tolist()
    c, s = np.cos(turn), np.sin(turn)
    flat = np.array([[-w, -d], [w, -d], [w, d], [-w, d]]) @ np.array([[c, s], [-s, c]])
    low = np.column_stack([flat[:, 0], np.zeros(4), flat[:, 1]]) + foot
    high = low + (0, h, 0)
    eye = stage.view.eye
    for i in range(4):
        j = (i + 1) % 4
        corners = np.array([high[i], high[j], low[j], low[i]])
        normal = cross(high[j] - high[i], low[j] - high[j])
        if float(normal @ (eye - high[i])) * float(normal @ (np.asarray(foot) + (0, h / 2, 0) - high[i])) < 0:
            stage.face(corners, sides, shadow=shadow)
        elif shadow:
            stage.casters.append(corners.astype(np.float32))
    lid = high if eye[1] > high[0, 1] else low
    if eye[1] > high[0, 1] or eye[1] < low[0, 1]:
        stage.face(lid, top or sides, shadow=shadow)


@dataclass(frozen=True, slots=True)
class Look:
    """What a building is made of."""

    walls: Material
    roof: Material

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Look:
        """Draws walls, mostly with windows, and a roof."""
        family = pick(
            rng,
            *[
                "stone",
                "stone",
                "stone",
                "pastel",
                "pastel",
                "brick",
                "brick",
                "sand",
                "sand",
                "white",
                "paint",
                "warm",
            ],
        )
        if rng.random() < 0.86:
            glass = pick(rng, "water", "black", "stone")
            walls = material(rng, family, "windows", 12.0, (0.12, 0.4), glass, gloss=pick(rng, 0.0, 0.0, 0.06))
        else:
            walls = material(rng, family, pick(rng, "brick", "tiles"), 2.0, (0.12, 0.4))
        covered = pick(rng, "brick", "stone", "asphalt", "earth")
        return cls(walls, material(rng, covered, pick(rng, "tiles", "rough", "planks"), 3.0))


def building(
    stage: Stage,
    rng: np.random.Generator,
    foot: tuple[float, float, float],
    size: tuple[float, float, float],
    turn: float,
    look: Look | None = None,
) -> None:
    """A house or a tower, with a pitched roof where it is low.

    Args:
        stage: Where to.
        rng: Source of randomness.
        foot: The middle of its foot, metres.
        size: Width, height and depth, metres.
        turn: About the upright, radians.
        look: Its materials; drawn where None.
    """
    look = look or Look.draw(rng)
    box(stage, foot, size, turn, look.walls, look.roof)
    if size[1] < 14 and rng.random() < 0.7:
        _gable(stage, foot, size, turn, look, float(rng.uniform(0.25, 0.6)))
    elif rng.random() < 0.5:
        share = rng.uniform(0.2, 0.6, 2)
        above = (foot[0], foot[1] + size[1], foot[2])
        taller = float(rng.uniform(1.5, 0.25 * size[1] + 2))
        box(stage, above, (size[0] * share[0], taller, size[2] * share[1]), turn, look.walls, look.roof)


def _gable(
    stage: Stage,
    foot: tuple[float, float, float],
    size: tuple[float, float, float],
    turn: float,
    look: Look,
    steep: float,
) -> None:
    w, d = size[0] / 2 * 1.06, size[2] / 2 * 1.06
    ridge = size[1] + steep * size[0]
    c, s = np.cos(turn), np.sin(turn)

    def at(x: float, y: float, z: float) -> list[float]:
        return [foot[0] + x * c - z * s, foot[1] + y, foot[2] + x * s + z * c]

    for side in (-1, 1):
        eaves = size[1] - 0.2
        stage.face(
            np.array([at(0, ridge, -d), at(0, ridge, d), at(side * w, eaves, d), at(side * w, eaves, -d)]), look.roof
        )
        stage.face(np.array([at(-w, size[1], side * d), at(w, size[1], side * d), at(0, ridge, side * d)]), look.walls)


def tree(
    stage: Stage,
    rng: np.random.Generator,
    foot: tuple[float, float, float],
    height: float,
    kind: str | None = None,
    season: str = "leaf",
) -> None:
    """A tree or a bush."""
    kind = kind or pick(rng, *_TREES)
    wide = height * {"crown": 0.42, "fir": 0.3, "bare": 0.5, "bush": 0.75}[kind] * rng.uniform(0.8, 1.2)
    leaves = material(rng, "wood" if kind == "bare" else season, "foliage", height / 4 + 0.4, (0.3, 0.6))
    middle = np.array([foot[0], foot[1] + height / 2, foot[2]])
    bend = (0.3, 0.1) if kind == "bare" else (0.75, 0.6)
    stage.board(middle, (wide, height / 2), leaves, outline(rng, kind), bend=bend)


def person(
    stage: Stage, rng: np.random.Generator, foot: tuple[float, float, float], height: float | None = None
) -> None:
    """Someone in clothes; head and hands are covered by a second, narrower board in skin."""
    tall = height or float(rng.uniform(1.5, 1.9))
    family = pick(rng, "paint", "black", "stone", "white", "pastel", "warm")
    second = pick(rng, "paint", "black", "stone", "earth")
    clothes = material(rng, family, pick(rng, "smooth", "stripes", "rough", "patches"), tall * 0.7, second=second)
    middle = np.array([foot[0], foot[1] + tall / 2, foot[2]])
    stage.board(middle, (tall * 0.22, tall / 2), clothes, outline(rng, "person"), bend=(0.8, 0.1))
    skin = material(rng, pick(rng, "skin", "skin", "black", "wood"), "smooth", 0.5, (0.05, 0.15))
    to_eye = stage.view.eye - middle
    head = middle + (0, tall * 0.41, 0) + 0.03 * to_eye / np.linalg.norm(to_eye)
    stage.board(head, (tall * 0.052, tall * 0.075), skin, outline(rng, "ellipse"), bend=(0.9, 0.8), shadow=False)


def car(stage: Stage, rng: np.random.Generator, foot: tuple[float, float, float], turn: float) -> None:
    """A car of two boxes with dark windows and wheels."""
    family = pick(rng, *_PAINTS)
    paint = material(rng, family, "smooth", 4.0, (0.02, 0.08), gloss=0.12)
    glass = material(rng, "black", "smooth", 2.0, (0.05, 0.2), gloss=0.25)
    wheels = material(rng, "black", "rough", 1.0)
    tall = pick(rng, 1.0, 1.0, 1.35, 1.8)
    x, y, z = foot
    box(stage, (x, y, z), (1.7, 0.35, 4.1), turn, wheels)
    box(stage, (x, y + 0.3, z), (1.8, 0.55 * tall, 4.3), turn, paint)
    box(stage, (x, y + 0.3 + 0.55 * tall, z), (1.6, 0.4 * tall, 2.3), turn, glass, paint)
    box(stage, (x, y + 0.28 + 0.93 * tall, z), (1.5, 0.09, 2.0), turn, paint)
    s, c = np.sin(turn), np.cos(turn)
    lamp = material(rng, pick(rng, "warm", "white"), "smooth", 1.0, glow=pick(rng, 0.0, 1.5))
    for side in (-0.65, 0.65):
        end = -2.2
        box(
            stage,
            (x + side * c - end * s, y + 0.55, z + side * s + end * c),
            (0.35, 0.18, 0.08),
            turn,
            lamp,
            shadow=False,
        )


def pole(
    stage: Stage,
    rng: np.random.Generator,
    foot: tuple[float, float, float],
    height: float,
    radius: float,
    made: Material | None = None,
) -> None:
    """A post, trunk or column."""
    made = made or material(rng, pick(rng, "stone", "wood", "black", "white"), "grain", 1.0)
    middle = np.array([foot[0], foot[1] + height / 2, foot[2]])
    stage.board(middle, (radius, height / 2), made, bend=(0.97, 0.0))


def backdrop(stage: Stage, rng: np.random.Generator, season: str) -> None:
    """Hills and woods at the end of sight, none to three behind each other."""
    z = float(np.exp(rng.uniform(np.log(250), np.log(900))))
    for _ in range(int(rng.integers(0, 4))):
        tall = z * float(rng.uniform(0.01, 0.09))
        family = pick(rng, season, "leaf", "earth", "stone")
        made = material(rng, family, pick(rng, "foliage", "rough"), z * 0.2, (0.15, 0.5))
        wide = 1.4 * z * max(stage.view.size) / stage.view.focal
        aside = float(rng.uniform(-0.5, 0.5)) * wide
        stage.board(np.array([aside, tall * 0.8, z]), (wide, tall), made, outline(rng, "ridge"), shadow=False)
        z *= float(rng.uniform(1.5, 3))


def surroundings(stage: Stage, made: Material, level: float = 0.0, reach: float = 4000.0) -> None:
    """The ground (or a ceiling) as far as the eye reaches."""
    near = -20.0
    corners = np.array([[-reach, level, near], [reach, level, near], [reach, level, reach], [-reach, level, reach]])
    stage.face(corners, made, shadow=False)
