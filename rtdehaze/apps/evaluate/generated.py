"""Pictures and clips made on the fly, with their exact haze, from places that no training draws."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rtdehaze.measure.pairs import Pair
from rtdehaze.synth.drive import FoggyDrive
from rtdehaze.synth.haze import add_haze, add_noise, beta_for_median, random_airlight, transmission_from_depth
from rtdehaze.synth.library import KINDS, views

__all__ = ["HELD_OUT", "generated_drives", "generated_pairs"]

HELD_OUT = 900_000
"""Seeds from here on are for evaluation; keep training below."""

SIZE = (640, 360)
"""(width, height) of what is generated."""

PLACES, VIEWS = 3, 4
"""Places of each kind, and views of each place."""

FARTHEST = 150.0
"""Metres: what the sky counts as when the haze is set."""

LONGEST = 4.0
"""Median ways: the longest way through the haze, so that the sky keeps the fourth power of the median transmission."""

DRIVES = ((0.3, 0.010), (0.5, 0.006), (0.7, 0.004))
"""Median transmission at the start and noise of each generated clip."""


def generated_pairs(limit: int | None) -> Iterator[tuple[Pair, int]]:
    """Yields hazy views of generated places with their truth, and how many there will be.

    Median transmission runs from 0.2 to 0.85, airlight is drawn from grey to tinted, every second picture is noisy:
    the same mix for every kind of place.
    """
    wanted = [(kind, place) for place in range(PLACES) for kind in KINDS]
    total = len(wanted) * VIEWS if limit is None else min(limit, len(wanted) * VIEWS)
    each = -(-total // len(wanted))
    number = 0
    for kind, place in wanted:
        for view, (clear, depth) in enumerate(views(kind, HELD_OUT + place, each, SIZE[1], SIZE[0])):
            if number == total:
                return
            number += 1
            yield _hazed(f"{kind}-{place}-{view}", clear, depth, place * each + view, PLACES * each), total


def _hazed(name: str, clear: np.ndarray, depth: np.ndarray, number: int, count: int) -> Pair:
    rng = np.random.default_rng([HELD_OUT, number])
    median = 0.2 + 0.65 * number / max(1, count - 1)
    bounded = np.minimum(depth, np.float32(FARTHEST))
    beta = beta_for_median(bounded, median)
    transmission = transmission_from_depth(depth, beta, LONGEST * float(np.median(bounded)))
    airlight = random_airlight(rng, 0.6, 0.95, 0.05)
    hazy = add_haze(clear.astype(np.float32) / np.float32(255), transmission, airlight)
    if number % 2:
        hazy = add_noise(hazy, 0.008, rng)
    return Pair(name, np.rint(np.clip(hazy, 0, 1) * 255).astype(np.uint8), clear, transmission, airlight)


def generated_drives(frames: int, limit: int | None) -> list[tuple[str, FoggyDrive]]:
    """The drives that clips are scored on, by name: thick, middling and thin fog on three roads."""
    rate = 25.0
    return [
        (
            f"drive-{number}",
            FoggyDrive(*SIZE, rate, frames / rate, HELD_OUT + number, median_transmission=median, noise=noise),
        )
        for number, (median, noise) in enumerate(DRIVES[:limit])
    ]
