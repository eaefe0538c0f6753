"""Streets and squares at eye level, towns from above."""

from __future__ import annotations

import numpy as np

from rtdehaze.synth.stills.palette import Material, material, pick
from rtdehaze.synth.stills.props import Look, backdrop, box, building, car, person, pole, surroundings, tree
from rtdehaze.synth.stills.stage import Stage

__all__ = ["from_above", "square", "street"]


def street(stage: Stage, rng: np.random.Generator, season: str) -> None:
    """A road away from the camera, or across, with what stands along it."""
    half = float(rng.uniform(3, 9))
    backdrop(stage, rng, season)
    surroundings(stage, material(rng, pick(rng, season, "asphalt", "stone", "sand", "earth"), "rough", 4.0))
    turn = float(rng.normal(0, 0.15)) if rng.random() < 0.8 else float(rng.uniform(-1.4, 1.4))
    lane = float(rng.uniform(-half, half)) * 0.6
    _strip(stage, _road(rng), -half - lane, half - lane, turn, 0.0)
    _marks(stage, rng, half, lane, turn)
    pavement = material(rng, pick(rng, "stone", "sand", season), "tiles", 2.0)
    wide = float(rng.uniform(1.5, 5))
    for side in (-1, 1):
        ends = sorted((side * half - lane, side * (half + wide) - lane))
        _strip(stage, pavement, ends[0], ends[1], turn, 0.12)
    place = _along(turn)
    built = rng.random(2) * 1.3
    tall = float(rng.uniform(5, 30))
    for number, side in enumerate((-1, 1)):
        z = float(rng.uniform(-4, 10))
        while z < 260:
            deep, gap = float(rng.uniform(7, 22)), pick(rng, 0.0, 0.0, 2.0, 9.0)
            wide_b = float(rng.uniform(8, 16))
            if rng.random() < built[number]:
                x = side * (half + wide + wide_b / 2 + rng.uniform(0, 2)) - lane
                building(
                    stage, rng, place(x, 0, z + deep / 2), (wide_b, tall * float(rng.uniform(0.5, 1.4)), deep), -turn
                )
            elif rng.random() < 0.7:
                tree(
                    stage,
                    rng,
                    place(side * (half + wide + rng.uniform(1, 8)) - lane, 0, z),
                    float(rng.uniform(3, 12)),
                    None,
                    season,
                )
            z += deep + gap
    _roadside(stage, rng, half, wide, lane, turn, season)


def _along(turn: float):  # type: ignore[no-untyped-def]
    c, s = float(np.cos(turn)), float(np.sin(turn))

    def place(x: float, y: float, z: float) -> tuple[float, float, float]:
        return x * c + z * s, y, z * c - x * s

    return place


def _road(rng: np.random.Generator) -> Material:
    family = pick(rng, "asphalt", "asphalt", "asphalt", "stone", "earth", "sand")
    return material(rng, family, pick(rng, "rough", "rough", "tiles", "pebbles"), 3.0, (0.05, 0.25))


def _strip(stage: Stage, made: Material, left: float, right: float, turn: float, level: float) -> None:
    place = _along(turn)
    corners = [place(left, level, -60), place(left, level, 900), place(right, level, 900), place(right, level, -60)]
    stage.face(np.array(corners), made, shadow=False)


def _marks(stage: Stage, rng: np.random.Generator, half: float, lane: float, turn: float) -> None:
    paint = material(rng, pick(rng, "white", "white", "warm"), "rough", 1.0, (0.1, 0.3))
    place = _along(turn)
    if rng.random() < 0.5:
        for side in (-1, 1):
            x = side * (half - 0.35) - lane
            _strip(stage, paint, x - 0.08, x + 0.08, turn, 0.02)
    if rng.random() < 0.7:
        length, gap = float(rng.uniform(1.5, 5)), float(rng.uniform(2, 7))
        for z in np.arange(1.0, 130, length + gap):
            corners = [place(x, 0.02, e) for x, e in ((-0.08, z), (-0.08, z + length), (0.08, z + length), (0.08, z))]
            stage.face(np.array(corners) - np.array(place(lane, 0, 0)), paint, shadow=False)
    if rng.random() < 0.25:
        z = float(rng.uniform(5, 20))
        for x in np.arange(-half + 0.3, half - 0.4, 1.0):
            corners = [place(e - lane, 0.02, f) for e, f in ((x, z), (x, z + 3), (x + 0.5, z + 3), (x + 0.5, z))]
            stage.face(np.array(corners), paint, shadow=False)


def _roadside(
    stage: Stage, rng: np.random.Generator, half: float, wide: float, lane: float, turn: float, season: str
) -> None:
    place = _along(turn)
    for _ in range(pick(rng, 0, 3, 8, 14)):
        side, z = pick(rng, -1, 1), 4 + 90 * float(rng.random()) ** 1.6
        lane_x = side * half * float(rng.uniform(0.3, 0.8))
        car(
            stage,
            rng,
            place(lane_x - lane, 0, z + (5 if abs(lane_x - lane) < 1.5 else 0)),
            -turn + float(rng.normal(0, 0.04)),
        )
    for _ in range(pick(rng, 0, 2, 6, 15)):
        x = pick(rng, -1, 1) * (half + wide * float(rng.uniform(0.1, 0.9))) - lane
        person(stage, rng, place(x, 0.12, 3 + 50 * float(rng.random()) ** 1.5))
    if rng.random() < 0.6:
        made = material(rng, pick(rng, "stone", "black", "wood", "white"), "grain", 1.0)
        for z in np.arange(float(rng.uniform(3, 10)), 150, float(rng.uniform(12, 35))):
            foot = place((half + 0.6) * pick(rng, -1, 1) - lane, 0, float(z))
            pole(stage, rng, foot, float(rng.uniform(4, 8)), float(rng.uniform(0.06, 0.15)), made)
    for _ in range(pick(rng, 0, 1, 4)):
        sign = material(rng, pick(rng, "paint", "white", "warm"), "patches", 1.5, (0.1, 0.6))
        foot = place(pick(rng, -1, 1) * (half + 0.7) - lane, 0, 3 + 40 * float(rng.random()))
        pole(stage, rng, foot, 2.4, 0.04)
        stage.board(np.array(foot) + (0, 2.5, 0), tuple(rng.uniform(0.25, 0.8, 2)), sign)
    if rng.random() < 0.5:
        for z in np.arange(float(rng.uniform(3, 9)), 120, float(rng.uniform(7, 20))):
            foot = place((half + wide * 0.6) * pick(rng, -1, 1) - lane, 0, float(z))
            tree(stage, rng, foot, float(rng.uniform(3.5, 9)), "crown", season)


def square(stage: Stage, rng: np.random.Generator, season: str) -> None:
    """A crowd on a square before a row of buildings."""
    surroundings(
        stage,
        material(
            rng,
            pick(rng, "stone", "sand", "asphalt", season, "brick"),
            pick(rng, "tiles", "pebbles", "rough", "grass"),
            3.0,
        ),
    )
    backdrop(stage, rng, season)
    back, x = float(rng.uniform(15, 90)), -120.0
    while x < 120:
        wide = float(rng.uniform(8, 25))
        if rng.random() < 0.85:
            size = (wide, float(rng.uniform(6, 35)), 12.0)
            building(
                stage, rng, (x + wide / 2, 0, back + 6 + float(rng.uniform(0, 6))), size, float(rng.normal(0, 0.05))
            )
        else:
            tree(stage, rng, (x + wide / 2, 0, back), float(rng.uniform(4, 14)), None, season)
        x += wide + pick(rng, 0.0, 0.0, 4.0)
    nearest = float(rng.uniform(1.5, 4))
    for _ in range(pick(rng, 3, 10, 30, 60)):
        z = nearest + (back - nearest) * float(rng.random()) ** float(rng.uniform(1, 2))
        person(stage, rng, (z * float(rng.uniform(-0.65, 0.65)), 0, z))
    for _ in range(pick(rng, 0, 2, 6)):
        z = 4 + (back - 4) * float(rng.random())
        size = tuple(rng.uniform(0.4, 3.0, 3))
        made = material(
            rng,
            pick(rng, "paint", "white", "stone", "wood"),
            pick(rng, "patches", "stripes", "planks", "smooth"),
            2.0,
        )
        box(stage, (z * float(rng.uniform(-0.6, 0.6)), 0, z), size, float(rng.uniform(0, 3)), made)


def from_above(stage: Stage, rng: np.random.Generator, season: str) -> None:
    """Blocks of a town in a grid, seen from a hill or a tower."""
    surroundings(stage, material(rng, pick(rng, "asphalt", "stone", season), "rough", 12.0))
    backdrop(stage, rng, season)
    turn, cell = float(rng.uniform(-0.8, 0.8)), float(rng.uniform(22, 45))
    place, reach = _along(turn), float(rng.uniform(350, 900))
    centre = np.array([float(rng.uniform(-150, 150)), float(rng.uniform(150, 500))])
    towers, low = float(rng.uniform(0, 90)), float(rng.uniform(6, 18))
    sight = 0.62 * max(stage.view.size) / stage.view.focal
    looks = [Look.draw(rng) for _ in range(14)]
    cells = [(i, j) for i in range(-24, 25) for j in range(-24, 25)]
    for i, j in cells:
        x, _, z = place(i * cell, 0, j * cell)
        if not 12 < z < reach or abs(x) > sight * z + cell or (z > 350 and rng.random() < 0.5):
            continue
        if rng.random() < 0.12 + 0.3 * (z > 0.5 * reach):
            for _ in range(3 if z < 250 else 1):
                around = rng.uniform(-0.4, 0.4, 2) * cell
                tree(stage, rng, (x + around[0], 0, z + around[1]), float(rng.uniform(4, 14)), "bush", season)
            continue
        rise = towers * float(np.exp(-np.sum((np.array([x, z]) - centre) ** 2) / 180**2))
        height = low * float(rng.uniform(0.5, 1.5)) + rise * float(rng.random())
        size = (
            cell * float(rng.uniform(0.45, 0.78)),
            min(height, max(stage.view.eye[1] * 1.6, 8.0) if z < 60 else 1e3),
            cell * float(rng.uniform(0.45, 0.8)),
        )
        building(stage, rng, (x, 0, z), size, -turn, pick(rng, *looks))
