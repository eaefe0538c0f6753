"""Every kind of generated scene by its name: places made from a seed, each seen several times, with exact depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "View", "views"]

View = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""What is seen without haze, (H, W, 3) RGB, and how far it is, (H, W) in metres along the ray, infinite for the sky."""

KINDS: dict[str, str] = {
    "drive": "rtdehaze.synth.library:drive_views",
    "still": "rtdehaze.synth.library:still_views",
}
"""Name of a kind -> module and function; loaded when asked for, called as `views` without the name."""

_DRIVE_SECONDS = 60.0
_STILLS = 10_000  # numbers of still scenes set aside for each seed
_NEAREST = 0.01  # share of a still's pixels that may be nearer than what counts as nearest


def views(kind: str, seed: int, count: int, height: int, width: int) -> Iterator[View]:
    """Yields views of one place; the same arguments give the same bytes.

    Args:
        kind: One of `KINDS`.
        seed: The place, 0 or more.
        count: How many views; a place is made once for all of them.
        height: Rows of each.
        width: Columns of each.

    Raises:
        KeyError: There is no such kind.
    """
    module, name = KINDS[kind].split(":")
    make: Callable[[int, int, int, int], Iterator[View]] = getattr(import_module(module), name)
    return make(seed, count, height, width)


def drive_views(seed: int, count: int, height: int, width: int) -> Iterator[View]:
    """Moments of a drive along one road, from the windscreen."""
    from rtdehaze.synth.drive import FoggyDrive

    drive = FoggyDrive(width, height, seconds=_DRIVE_SECONDS, seed=seed)
    moments = np.random.default_rng([seed, 4]).integers(len(drive), size=count)
    for moment in moments.tolist():
        frame = drive.frame(moment)
        yield frame.clear, frame.depth


def still_views(seed: int, count: int, height: int, width: int) -> Iterator[View]:
    """Still scenes of all kinds, each of them another place.

    The nearest hundredth of the pixels counts as one distance, so that a twig before the lens does not push all else
    into the far field.
    """
    from rtdehaze.synth.stills import render_still

    for number in range(seed * _STILLS, seed * _STILLS + count):
        clear, depth = render_still(number, size=(height, width))
        yield clear, np.maximum(depth, np.quantile(depth, _NEAREST, method="lower"))
